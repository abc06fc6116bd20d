"""Gradient clipping, by global norm and by value.

Each gradient gets a new array, so that memory which somebody else still reads is never written.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minigrad.backend import Array
from minigrad.optim.parameters import Parameters, named
from minigrad.optim.settings import above_zero


def global_norm(gradients: Sequence[Array]) -> Array:
    r"""Return the 2-norm of all gradients taken as one vector: :math:`\|g\| = \sqrt{\sum_k \sum_i g_{k,i}^2}`.

    Squares are summed in float64, where those of float32 cannot overflow; the norm has the gradients' dtype, or
    float32 where that is float16. It stays an array of one number, on the gradients' device.
    """
    squares = [np.sum(np.square(g, dtype=np.float64)) for g in gradients]
    dtype = gradients[0].dtype
    return np.sqrt(sum(squares[1:], squares[0])).astype("float32" if dtype == np.float16 else dtype)


def clip_factor(gradients: Sequence[Array], max_norm: float) -> Array:
    r"""Return the factor that clips: :math:`c = \min(1, \text{max\_norm} / (\|g\| + 10^{-6}))`."""
    return _factor(global_norm(gradients), max_norm)


def clip_grad_norm(params: Parameters, max_norm: float) -> Array:
    r"""Scale all gradients by one factor so that their global 2-norm is at most ``max_norm``.

    .. math:: g \leftarrow g \cdot \min(1, \text{max\_norm} / (\|g\| + 10^{-6}))

    Parameters without a gradient are passed over. Returns the norm before, an array of one number (0.0 where
    there is no gradient at all). A norm that is infinite or NaN makes the gradients zero or NaN.

    Source: Pascanu, Mikolov & Bengio 2013, algorithm 1; the 1e-6 is PyTorch's ``clip_grad_norm_``. The same
    clipping without a pass of its own: ``Adam(model, max_norm=1.0)``.
    """
    max_norm = above_zero("max_norm", max_norm)
    gradients = [tensor.grad for tensor in named(params).values() if tensor.grad is not None]
    if not gradients:
        return np.zeros(())
    norm = global_norm([gradient.data for gradient in gradients])
    factor = _factor(norm, max_norm)
    for gradient in gradients:
        gradient.data = (factor * gradient.data).astype(gradient.dtype, copy=False)
    return norm


def clip_grad_value(params: Parameters, limit: float) -> None:
    r"""Cut every entry of every gradient to [-limit, limit]: :math:`g_i \leftarrow \max(-l, \min(g_i, l))`.

    Parameters without a gradient are passed over. It changes the gradient's direction, which clipping by norm
    does not. As PyTorch's ``clip_grad_value_``.
    """
    limit = above_zero("limit", limit)
    for tensor in named(params).values():
        if tensor.grad is not None:
            tensor.grad.data = np.clip(tensor.grad.data, -limit, limit)


def _factor(norm: Array, max_norm: float) -> Array:
    return np.minimum(1.0, max_norm / (norm + 1e-6))
