"""Convolution of pictures and its two gradients, on bare arrays.

x has shape (n, c, h, w), the weights w (o, c / groups, kh, kw), y (n, o, oh, ow), and its gradient g y's shape. Strides
and dilations are pairs (rows, columns); paddings, of zeros, are ((above, below), (left, right)). Dumoulin & Visin 2016,
"A guide to convolution arithmetic for deep learning", gives the sizes: oh = (h + above + below - dilation (kh - 1) - 1)
/ stride + 1, rounded down.

The references copy nothing but what is padded: a window is a view, and one product of windows and weights is the
result. The loops (``conv_tiles``, ``conv_rows``, ``conv_loops``) do not hold the patches either.

How far two implementations may be apart: as many ulp of Σ |x w| as a sum has terms, and one for the bias. Each gives
the same bits whatever the number of threads.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad_kernels import conv_loops, conv_ways, gpu, moving
from minigrad_kernels.geometry import (
    ONCE,
    UNPADDED,
    Geometry,
    Pair,
    Sides,
    bound,
    geometry_of,
    input_length,
    output_length,
    phases,
)
from minigrad_kernels.launch import Way, output, register, written


def windows(x: Any, kernel: Pair, stride: Pair, padding: Sides, dilation: Pair, value: float = 0.0) -> Any:
    """Return the view (n, c, oh, ow, kh, kw) of a padded copy of x: for every entry of y the pixels that make it."""
    (kh, kw), (dy, dx) = kernel, dilation
    if padding != UNPADDED:
        x = np.pad(x, ((0, 0), (0, 0), *padding), constant_values=value)
    views = np.lib.stride_tricks.sliding_window_view(x, ((kh - 1) * dy + 1, (kw - 1) * dx + 1), axis=(2, 3))
    return views[:, :, :: stride[0], :: stride[1], ::dy, ::dx]


def forward_reference(
    x: Any, w: Any, b: Any = None, stride: Pair = ONCE, padding: Sides = UNPADDED, dilation: Pair = ONCE,
    groups: int = 1, out: Any = None,
) -> Any:  # fmt: skip
    """y[n, o, p, q] = b[o] + Σ_cij x[n, c, p·stride + i·dilation - above, q·… + j·… - left] · w[o, c, i, j]."""
    n, (o, c, kh, kw) = x.shape[0], w.shape
    views = windows(x, (kh, kw), stride, padding, dilation)
    oh, ow = views.shape[2:4]
    if groups == 1:
        y = np.einsum("ncpqij,ocij->nopq", views, w, optimize=True)
    else:
        parts = views.reshape((n, groups, c, oh, ow, kh, kw)), w.reshape((groups, o // groups, c, kh, kw))
        y = np.einsum("ngcpqij,gocij->ngopq", *parts, optimize=True).reshape((n, o, oh, ow))
    return written(y if b is None else y + b.reshape((o, 1, 1)), out)


def backward_input_reference(
    g: Any, w: Any, size: Pair, stride: Pair = ONCE, padding: Sides = UNPADDED, dilation: Pair = ONCE,
    groups: int = 1, b: Any = None, out: Any = None,
) -> Any:  # fmt: skip
    """dL/dx (n, c, *size): the convolution of g, its entries ``stride`` apart, with the weights turned round.

    As a transposed convolution's result it has b (c,) added.
    """
    (n, o, oh, ow), (_, c, kh, kw) = g.shape, w.shape
    (sy, sx), (dy, dx) = stride, dilation
    if stride != ONCE:
        apart = np.pad(g.reshape((n, o, oh, 1, ow, 1)), ((0, 0),) * 3 + ((0, sy - 1), (0, 0), (0, sx - 1)))
        g = apart.reshape((n, o, oh * sy, ow * sx))[:, :, : (oh - 1) * sy + 1, : (ow - 1) * sx + 1]
    sides = []
    for k, d, length, have, (before, _) in zip((kh, kw), (dy, dx), size, g.shape[2:], padding, strict=True):
        first = d * (k - 1) - before
        sides.append((first, length + d * (k - 1) - have - first))
    g = np.pad(g, ((0, 0), (0, 0), *((max(0, a), max(0, b)) for a, b in sides)))
    (top, bottom), (left, right) = ((max(0, -a), max(0, -b)) for a, b in sides)
    g = g[:, :, top : g.shape[2] - bottom, left : g.shape[3] - right]
    turned = np.flip(w, axis=(2, 3)).reshape((groups, o // groups, c, kh, kw))
    turned = np.swapaxes(turned, 1, 2).reshape((groups * c, o // groups, kh, kw))
    return forward_reference(g, turned, b, ONCE, UNPADDED, dilation, groups, out)


def backward_weight_reference(
    g: Any, x: Any, kernel: Pair, stride: Pair = ONCE, padding: Sides = UNPADDED, dilation: Pair = ONCE,
    groups: int = 1, out: Any = None,
) -> Any:  # fmt: skip
    """dL/dw[o, c, i, j] = Σ_npq g[n, o, p, q] · x[n, c, p·stride + i·dilation - above, q·… + j·… - left]."""
    (n, o, oh, ow), (kh, kw), c = g.shape, kernel, x.shape[1] // groups
    views = windows(x, kernel, stride, padding, dilation)[:, :, :oh, :ow]
    if groups == 1:
        return written(np.einsum("nopq,ncpqij->ocij", g, views, optimize=True), out)
    parts = g.reshape((n, groups, o // groups, oh, ow)), views.reshape((n, groups, c, oh, ow, kh, kw))
    result = np.einsum("ngopq,ngcpqij->gocij", *parts, optimize=True)
    return written(result.reshape((o, c, kh, kw)), out)


def backward_bias_reference(g: Any, out: Any = None) -> Any:
    """dL/db[o] = Σ_npq g[n, o, p, q]."""
    return written(np.sum(g, axis=(0, 2, 3)), out)


def _forward(by: Any) -> Any:
    def run(
        x: Any, w: Any, b: Any = None, stride: Pair = ONCE, padding: Sides = UNPADDED, dilation: Pair = ONCE,
        groups: int = 1, out: Any = None,
    ) -> Any:  # fmt: skip
        size = output_lengths(x.shape[2:], w.shape[2:], stride, padding, dilation)
        y = output(out, (x.shape[0], w.shape[0], *size), x)
        taken = w.reshape((groups, len(w) // groups, *w.shape[1:]))
        by.correlate(x, w, taken, b, geometry_of(size, stride, padding, dilation), (0, 1, 0, 1), y)
        return y

    return run


def _backward_input(by: Any) -> Any:
    def run(
        g: Any, w: Any, size: Pair, stride: Pair = ONCE, padding: Sides = UNPADDED, dilation: Pair = ONCE,
        groups: int = 1, b: Any = None, out: Any = None,
    ) -> Any:  # fmt: skip
        (o, c, kh, kw), n = w.shape, g.shape[0]
        dx = output(out, (n, groups * c, *size), g)
        turned = w.reshape((groups, o // groups, c, kh, kw)).swapaxes(1, 2)
        rows, columns = (
            phases(*each) for each in zip(size, (kh, kw), stride, (padding[0][0], padding[1][0]), dilation, strict=True)
        )  # fmt: skip
        if b is None and not all(phase.taps for phase in (*rows, *columns)):
            moving.clear(dx)
        for row in rows:
            for column in columns:
                if b is None and not row.taps * column.taps:
                    continue
                sees = (row.dilation, column.dilation, row.before, column.before, row.results, column.results)
                taken = turned[:, :, :, row.taken, column.taken]
                place = (row.first, stride[0], column.first, stride[1])
                by.correlate(g, w, taken, b, Geometry(1, 1, *sees), place, dx)
        return dx

    return run


def _backward_weight(by: Any) -> Any:
    def run(
        g: Any, x: Any, kernel: Pair, stride: Pair = ONCE, padding: Sides = UNPADDED, dilation: Pair = ONCE,
        groups: int = 1, out: Any = None,
    ) -> Any:  # fmt: skip
        dw = output(out, (g.shape[1], x.shape[1] // groups, *kernel), g)
        by.weights(g, x, geometry_of(g.shape[2:], stride, padding, dilation), groups, dw)
        return dw

    return run


def backward_bias_cpu(g: Any, out: Any = None) -> Any:
    """See ``backward_bias_reference``."""
    db = output(out, g.shape[1:2], g)
    conv_loops.sums(g, db)
    return db


def output_lengths(size: Any, kernel: Any, stride: Pair, padding: Sides, dilation: Pair) -> Pair:
    """Return (oh, ow); see ``output_length``."""
    oh, ow = (output_length(*each) for each in zip(size, kernel, stride, padding, dilation, strict=True))
    return oh, ow


def _numbers(*values: int) -> tuple[Any, ...]:
    return tuple(np.int32(value) for value in values)


def forward_gpu(
    x: Any, w: Any, b: Any = None, stride: Pair = ONCE, padding: Sides = UNPADDED, dilation: Pair = ONCE,
    groups: int = 1, out: Any = None,
) -> Any:  # fmt: skip
    """See ``forward_reference`` and cuda/conv.cu."""
    bound(x.shape, w.shape, groups)
    oh, ow = output_lengths(x.shape[2:], w.shape[2:], stride, padding, dilation)
    y = gpu.output(out, (x.shape[0], w.shape[0], oh, ow), x)
    bias = None if b is None else gpu.contiguous(b)
    sizes = _numbers(y.size, *x.shape[1:], *w.shape, oh, ow, *stride, padding[0][0], padding[1][0], *dilation)
    arrays = (gpu.contiguous(x), gpu.contiguous(w), bias, y)
    gpu.launch("conv", "conv_forward", x.dtype, gpu.blocks(y.size, 256), 256, *arrays, *sizes)
    return y


def backward_input_gpu(
    g: Any, w: Any, size: Pair, stride: Pair = ONCE, padding: Sides = UNPADDED, dilation: Pair = ONCE,
    groups: int = 1, b: Any = None, out: Any = None,
) -> Any:  # fmt: skip
    """See ``backward_input_reference`` and cuda/conv.cu."""
    bound((g.shape[0], w.shape[1] * groups), w.shape, groups)
    gpu.require(g.shape[1] == w.shape[0], f"g is {g.shape} for weights {w.shape}")
    dx = gpu.output(out, (g.shape[0], w.shape[1] * groups, *size), g)
    sizes = _numbers(
        dx.size, *dx.shape[1:], *w.shape, *g.shape[2:], *stride, padding[0][0], padding[1][0], *dilation
    )
    arrays = (gpu.contiguous(g), gpu.contiguous(w), None if b is None else gpu.contiguous(b), dx)
    gpu.launch("conv", "conv_backward_input", g.dtype, gpu.blocks(dx.size, 256), 256, *arrays, *sizes)
    return dx


def backward_weight_gpu(
    g: Any, x: Any, kernel: Pair, stride: Pair = ONCE, padding: Sides = UNPADDED, dilation: Pair = ONCE,
    groups: int = 1, out: Any = None,
) -> Any:  # fmt: skip
    """See ``backward_weight_reference`` and cuda/conv.cu."""
    dw = gpu.output(out, (g.shape[1], x.shape[1] // groups, *kernel), g)
    bound(x.shape, dw.shape, groups)
    gpu.require(g.shape[0] == x.shape[0], f"g is {g.shape} for x {x.shape}")
    sizes = _numbers(
        dw.size, *x.shape, *dw.shape, *g.shape[2:], *stride, padding[0][0], padding[1][0], *dilation
    )
    arrays = (gpu.contiguous(g), gpu.contiguous(x), dw)
    gpu.launch("conv", "conv_backward_weight", g.dtype, dw.size, 64, *arrays, *sizes)
    return dw


def backward_bias_gpu(g: Any, out: Any = None) -> Any:
    """See ``backward_bias_reference`` and cuda/conv.cu."""
    gpu.require(g.ndim == 4, f"g is {g.shape}")
    db = gpu.output(out, g.shape[1:2], g)
    sizes = _numbers(*g.shape[:2], g.shape[2] * g.shape[3])
    gpu.launch("conv", "conv_backward_bias", g.dtype, db.size, 64, gpu.contiguous(g), db, *sizes)
    return db


def forward_fits(x: Any, w: Any, b: Any = None, *settings: Any, **options: Any) -> bool:
    """Tell whether the loops take these."""
    alike = x.ndim == w.ndim == 4 and x.dtype == w.dtype and (b is None or b.dtype == x.dtype)
    return bool(alike and x.dtype.kind == "f" and x.size and w.size)


def gradient_fits(g: Any, other: Any, *settings: Any, **options: Any) -> bool:
    """Tell whether the loops take these."""
    return bool(g.ndim == other.ndim == 4 and g.dtype == other.dtype and g.size and other.size)


forward = register(
    "conv_forward",
    reference=forward_reference,
    cpu=_forward(conv_loops),
    gpu=forward_gpu,
    fits=forward_fits,
    ways=[Way(_forward(conv_ways), conv_ways.forward_pays)],
)
backward_input = register(
    "conv_backward_input",
    reference=backward_input_reference,
    cpu=_backward_input(conv_loops),
    gpu=backward_input_gpu,
    fits=gradient_fits,
    ways=[Way(_backward_input(conv_ways), conv_ways.input_pays)],
)
backward_weight = register(
    "conv_backward_weight",
    reference=backward_weight_reference,
    cpu=_backward_weight(conv_loops),
    gpu=backward_weight_gpu,
    fits=gradient_fits,
    ways=[Way(_backward_weight(conv_ways), conv_ways.weight_pays)],
)
backward_bias = register(
    "conv_backward_bias",
    reference=backward_bias_reference,
    cpu=backward_bias_cpu,
    gpu=backward_bias_gpu,
    fits=lambda g, out=None: g.ndim == 4 and g.dtype.kind == "f",
)
__all__ = [
    "backward_bias", "backward_input", "backward_weight", "forward", "input_length", "output_lengths", "windows",
]  # fmt: skip
