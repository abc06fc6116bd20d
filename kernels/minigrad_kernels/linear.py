"""The dense layer on bare arrays: y = x·wᵀ + b with an optional ReLU, and the gradients of its three inputs.

x has shape (..., in), w (out, in), b (out,), y and its gradient g (..., out). The matrix products are those of
``products`` or BLAS's; what is written here is what surrounds them, fused into one pass. A single sample has loops of
its own. (``np.dot`` starts a microsecond sooner than ``np.matmul``; the product is the same.)

How far two implementations may be apart: n ulp of Σ|terms| where n terms are summed, which holds for every order.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from minigrad_kernels import gpu, products, sample
from minigrad_kernels.launch import Host, Loop, Way, output, register, written
from minigrad_kernels.loops import scratch

ACTIVATIONS = ("none", "relu")
SUMMING = (32, 32)  # columns and lanes of a block that sums rows; as in cuda/linear.cu


def forward_reference(x: Any, w: Any, b: Any, activation: str = "none", out: Any = None) -> Any:
    """y = x·wᵀ + b, where ``b`` may be None; then max(y, 0) where ``activation`` is "relu"."""
    product = x @ w.T
    y = product if b is None else product + b
    return written(np.maximum(y, 0) if _is_relu(activation) else y, out)


def bias_loop(y: Any, b: Any) -> None:
    """y <- y + b."""
    for i in range(y.shape[0]):
        for j in range(y.shape[1]):
            y[i, j] = y[i, j] + b[j]


def bias_relu_loop(y: Any, b: Any) -> None:
    """y <- max(y + b, 0)."""
    zero = y.dtype.type(0)
    for i in range(y.shape[0]):
        for j in range(y.shape[1]):
            z = y[i, j] + b[j]
            y[i, j] = zero if z < zero else z  # NaN stays


add_bias, add_bias_relu = Loop(bias_loop), Loop(bias_relu_loop)
relu = Host("relu_in_place", lambda y: np.maximum(y, 0, out=y))


def forward_cpu(x: Any, w: Any, b: Any, activation: str = "none", out: Any = None) -> Any:
    """See ``forward_reference``; by BLAS, with the rest in one pass over its product."""
    shape = (*x.shape[:-1], w.shape[0])
    y = np.empty(shape, x.dtype) if out is None else output(out, shape, x)
    rows, samples = (y, x) if x.ndim == 2 else (_rows(y), _rows(x))
    products.blas(samples, w.T, rows)
    if b is not None:
        (add_bias_relu if activation == "relu" else add_bias).compiled(rows, b)
    elif activation == "relu":
        relu(y)
    return y


def forward_by_tiles(x: Any, w: Any, b: Any, activation: str = "none", out: Any = None) -> Any:
    """See ``forward_reference``; all of it in one go."""
    shape = (*x.shape[:-1], w.shape[0])
    y = np.empty(shape, x.dtype) if out is None else output(out, shape, x)
    rows, samples = (y, x) if x.ndim == 2 else (_rows(y), _rows(x))
    products.forward(samples, w, b, activation == "relu", rows)
    return y


def forward_fits(x: Any, w: Any, b: Any, activation: str = "none", out: Any = None) -> bool:
    """Tell whether the loops take these; ValueError where b belongs to another layer."""
    shape, dtype = x.shape, x.dtype
    if not shape or w.ndim != 2 or dtype != w.dtype or dtype.kind != "f" or shape[-1] != w.shape[1]:
        return False
    if b is not None and (b.shape != w.shape[:1] or b.dtype != dtype):
        raise ValueError(f"b is {b.dtype} of shape {b.shape}; {dtype} of shape {w.shape[:1]} is needed")
    return bool(activation in ACTIVATIONS)


def tiles_pay(x: Any, w: Any, b: Any, activation: str = "none", out: Any = None) -> bool:
    """Tell whether the product is one for tiles."""
    if x.size * len(w) < products.SMALLEST:
        return False
    n: int = prod(x.shape[:-1])
    return products.fits(len(w), n, w.shape[1], w.dtype)


def forward_gpu(x: Any, w: Any, b: Any, activation: str = "none", out: Any = None) -> Any:
    """See ``forward_reference`` and cuda/linear.cu."""
    gpu.require(x.ndim > 0 and w.ndim == 2 and x.shape[-1] == w.shape[1], f"x is {x.shape}, w is {w.shape}")
    relu = _is_relu(activation)
    y = gpu.output(out, (*x.shape[:-1], w.shape[0]), x)
    gpu.matmul(_rows(x), w.T, _rows(y))
    if b is not None:
        gpu.require(b.shape == w.shape[:1], f"b is {b.shape}, w is {w.shape}")
        numbers = (np.int32(y.size), np.int32(w.shape[0]), np.int32(relu))
        gpu.launch(
            "linear", "add_bias", y.dtype, gpu.blocks(y.size, 256), 256, y, gpu.contiguous(b), *numbers
        )
    elif relu:
        gpu.xp().maximum(y, 0, out=y)
    return y


def backward_input_reference(g: Any, w: Any, out: Any = None) -> Any:
    """dL/dx = g·w."""
    return written(g @ w, out)


def backward_input_cpu(g: Any, w: Any, out: Any = None) -> Any:
    """See ``backward_input_reference``."""
    d = output(out, (*g.shape[:-1], w.shape[1]), g)
    products.dot(_rows(g), w, _rows(d), by_rows=False)
    return d


def backward_input_gpu(g: Any, w: Any, out: Any = None) -> Any:
    """See ``backward_input_reference``."""
    gpu.require(g.ndim > 0 and w.ndim == 2 and g.shape[-1] == w.shape[0], f"g is {g.shape}, w is {w.shape}")
    d = gpu.output(out, (*g.shape[:-1], w.shape[1]), g)
    gpu.matmul(_rows(g), w, _rows(d))
    return d


def backward_weight_reference(g: Any, x: Any, out: Any = None) -> Any:
    """dL/dw = gᵀ·x, summed over all samples."""
    return written(_rows(g).T @ _rows(x), out)


def backward_weight_cpu(g: Any, x: Any, out: Any = None) -> Any:
    """See ``backward_weight_reference``."""
    d = output(out, (g.shape[-1], x.shape[-1]), g)
    products.dot(_rows(g).T, _rows(x), d, by_rows=True)
    return d


def backward_weight_gpu(g: Any, x: Any, out: Any = None) -> Any:
    """See ``backward_weight_reference``."""
    gpu.require(g.ndim > 0 and g.shape[:-1] == x.shape[:-1], f"g is {g.shape}, x is {x.shape}")
    d = gpu.output(out, (g.shape[-1], x.shape[-1]), g)
    gpu.matmul(_rows(g).T, _rows(x), d)
    return d


def backward_bias_reference(g: Any, out: Any = None) -> Any:
    """dL/db = Σ g over all samples."""
    rows = _rows(g)
    if g.dtype == np.float16:  # whose sums stand still at 2,048
        return written(rows.astype("float32").sum(axis=0).astype("float16"), out)
    return written(rows.sum(axis=0), out)


def sum_loop(g: Any, total: Any) -> None:
    """See ``backward_bias_reference``."""
    total[:] = 0
    for i in range(g.shape[0]):
        for j in range(g.shape[1]):
            total[j] = total[j] + g[i, j]


sum_rows = Loop(sum_loop)


def backward_bias_cpu(g: Any, out: Any = None) -> Any:
    """See ``backward_bias_reference``."""
    total = output(out, g.shape[-1:], g)
    sum_rows(_rows(g), total)
    return total


def backward_bias_gpu(g: Any, out: Any = None) -> Any:
    """See ``backward_bias_reference`` and cuda/linear.cu."""
    gpu.require(g.ndim > 0, "g has no axes")
    total = gpu.output(out, g.shape[-1:], g)
    rows = _rows(gpu.contiguous(g))
    n, columns = rows.shape
    numbers = (np.int32(n), np.int32(columns))
    gpu.launch("linear", "sum_rows", g.dtype, gpu.blocks(columns, SUMMING[0]), SUMMING, rows, total, *numbers)
    return total


def backward_activation_reference(g: Any, y: Any, activation: str = "none", out: Any = None) -> Any:
    """Return (d, Σ d over all samples): the gradient d before the activation, and dL/db.

    ``y`` is the layer's result. For "relu" d is g where y > 0, else 0. d may be written over g: ``out=(g, None)``.
    """
    d = np.where(y > 0, g, 0) if _is_relu(activation) else g
    into, total = out or (None, None)
    return written(d, into), backward_bias_reference(d, total)


def mask_sum_loop(g: Any, y: Any, d: Any, total: Any) -> None:
    """See ``backward_activation_reference``."""
    zero = g.dtype.type(0)
    total[:] = 0
    for i in range(g.shape[0]):
        for j in range(g.shape[1]):
            passed = g[i, j] if y[i, j] > zero else zero
            d[i, j] = passed
            total[j] = total[j] + passed


mask_and_sum = Loop(mask_sum_loop)


def backward_activation_fits(g: Any, y: Any, activation: str = "none", out: Any = None) -> bool:
    """Tell whether the loop takes these: without an activation there is little to do."""
    alike = g.ndim > 0 and g.shape == y.shape and g.dtype == y.dtype
    return bool(activation == "relu" and alike and g.dtype.kind == "f")


def backward_activation_cpu(g: Any, y: Any, activation: str = "none", out: Any = None) -> Any:
    """See ``backward_activation_reference``."""
    into, total = out or (None, None)
    d, total = output(into, g.shape, g), output(total, g.shape[-1:], g)
    mask_and_sum(_rows(g), _rows(y), _rows(d), total)
    return d, total


def backward_activation_gpu(g: Any, y: Any, activation: str = "none", out: Any = None) -> Any:
    """See ``backward_activation_reference`` and cuda/linear.cu."""
    into, total = out or (None, None)
    if not _is_relu(activation):
        return written(g, into), backward_bias_gpu(g, total)
    gpu.require(g.ndim > 0 and g.shape == y.shape, f"g is {g.shape}, y is {y.shape}")
    d, total = gpu.output(into, g.shape, g), gpu.output(total, g.shape[-1:], g)
    n, columns = _rows(d).shape
    arrays = (gpu.contiguous(g), gpu.contiguous(y), d, total)
    numbers = (np.int32(n), np.int32(columns))
    gpu.launch("linear", "mask_and_sum", g.dtype, gpu.blocks(columns, SUMMING[0]), SUMMING, *arrays, *numbers)
    return d, total


def backward_reference(
    g: Any,
    y: Any,
    x: Any,
    w: Any,
    activation: str = "none",
    needs_grad: tuple[bool, bool, bool] = (True, True, True),
    out: Any = None,
) -> Any:
    """Return (dL/dx, dL/dw, dL/db), None in the place of each that is not in ``needs_grad``;
    y is the layer's result."""
    d = backward_activation_reference(g, y, activation)[0]
    dx, dw, db = out or (None, None, None)
    return (
        backward_input_reference(d, w, dx) if needs_grad[0] else None,
        backward_weight_reference(d, x, dw) if needs_grad[1] else None,
        backward_bias_reference(d, db) if needs_grad[2] else None,
    )


def backward_fits(
    g: Any,
    y: Any,
    x: Any,
    w: Any,
    activation: str = "none",
    needs_grad: tuple[bool, bool, bool] = (True, True, True),
    out: Any = None,
) -> bool:
    """Tell whether the loops take these."""
    shape, dtype = g.shape, g.dtype
    return bool(
        shape
        and y.shape == shape
        and w.ndim == 2
        and w.shape[0] == shape[-1]
        and x.shape == (*shape[:-1], w.shape[1])
        and dtype == y.dtype == x.dtype == w.dtype
        and dtype.kind == "f"
        and activation in ACTIVATIONS
    )


def backward_cpu(
    g: Any,
    y: Any,
    x: Any,
    w: Any,
    activation: str = "none",
    needs_grad: tuple[bool, bool, bool] = (True, True, True),
    out: Any = None,
) -> Any:
    """See ``backward_reference``."""
    dx, dw, db = sample.gradients(x, w, needs_grad, out)
    d = dx
    if g.ndim != 2:
        g, y, x, d = _rows(g), _rows(y), _rows(x), None if dx is None else _rows(dx)
    if activation == "relu":
        passed = scratch(g.shape, g.dtype)
        mask_and_sum.compiled(g, y, passed, db)
        g = passed
    elif needs_grad[2]:
        sum_rows.compiled(g, db)
    if d is not None:
        products.dot(g, w, d, by_rows=False)
    if dw is not None:
        products.dot(g.T, x, dw, by_rows=True)
    return dx, dw, db if needs_grad[2] else None


def backward_gpu(
    g: Any,
    y: Any,
    x: Any,
    w: Any,
    activation: str = "none",
    needs_grad: tuple[bool, bool, bool] = (True, True, True),
    out: Any = None,
) -> Any:
    """See ``backward_reference``."""
    dx, dw, db = out or (None, None, None)
    if _is_relu(activation):
        g, db = backward_activation_gpu(g, y, activation, (None, db))
    elif needs_grad[2]:
        db = backward_bias_gpu(g, db)
    return (
        backward_input_gpu(g, w, dx) if needs_grad[0] else None,
        backward_weight_gpu(g, x, dw) if needs_grad[1] else None,
        db if needs_grad[2] else None,
    )


def _is_relu(activation: str) -> bool:
    if activation not in ACTIVATIONS:
        raise ValueError(f"activation is {activation!r}; it must be one of {', '.join(ACTIVATIONS)}")
    return activation == "relu"


def _rows(a: Any) -> Any:
    if a.ndim == 2:
        return a
    samples = 1
    for length in a.shape[:-1]:
        samples *= length
    return a.reshape((samples, a.shape[-1]))


forward = register(
    "linear_forward",
    reference=forward_reference,
    cpu=forward_cpu,
    gpu=forward_gpu,
    fits=forward_fits,
    ways=[Way(forward_by_tiles, tiles_pay), Way(sample.forward, sample.is_one)],
)
backward_input = register(
    "linear_backward_input",
    reference=backward_input_reference,
    cpu=backward_input_cpu,
    gpu=backward_input_gpu,
    fits=lambda g, w, out=None: (
        g.ndim > 0 and w.ndim == 2 and g.dtype == w.dtype and g.shape[-1] == w.shape[0]
    ),
)
backward_weight = register(
    "linear_backward_weight",
    reference=backward_weight_reference,
    cpu=backward_weight_cpu,
    gpu=backward_weight_gpu,
    fits=lambda g, x, out=None: g.ndim > 0 and g.dtype == x.dtype and g.shape[:-1] == x.shape[:-1],
)
backward_bias = register(
    "linear_backward_bias",
    reference=backward_bias_reference,
    cpu=backward_bias_cpu,
    gpu=backward_bias_gpu,
    fits=lambda g, out=None: g.ndim > 0 and g.dtype.kind == "f",
)
backward_activation = register(
    "linear_backward_activation",
    reference=backward_activation_reference,
    cpu=backward_activation_cpu,
    gpu=backward_activation_gpu,
    fits=backward_activation_fits,
)
backward = register(
    "linear_backward",
    reference=backward_reference,
    cpu=backward_cpu,
    gpu=backward_gpu,
    fits=backward_fits,
    ways=[Way(sample.backward, sample.is_one_with_weights)],
)
