"""The dense layer on bare arrays: y = x·wᵀ + b, and the gradients of its three inputs.

x has shape (..., in), w (out, in), b (out,), y and its gradient g (..., out).
"""

from __future__ import annotations

from typing import Any

from minigrad_kernels.launch import register


def forward_reference(x: Any, w: Any, b: Any) -> Any:
    """y = x·wᵀ + b; ``b`` may be None."""
    product = x @ w.T
    return product if b is None else product + b


def backward_input_reference(g: Any, w: Any) -> Any:
    """dL/dx = g·w."""
    return g @ w


def backward_weight_reference(g: Any, x: Any) -> Any:
    """dL/dw = gᵀ·x, summed over all samples."""
    return _rows(g).T @ _rows(x)


def backward_bias_reference(g: Any) -> Any:
    """dL/db = Σ g over all samples."""
    return _rows(g).sum(axis=0)


def _rows(a: Any) -> Any:
    samples = 1
    for length in a.shape[:-1]:
        samples *= length
    return a if a.ndim == 2 else a.reshape((samples, a.shape[-1]))


forward = register("linear_forward", reference=forward_reference)
backward_input = register("linear_backward_input", reference=backward_input_reference)
backward_weight = register("linear_backward_weight", reference=backward_weight_reference)
backward_bias = register("linear_backward_bias", reference=backward_bias_reference)
