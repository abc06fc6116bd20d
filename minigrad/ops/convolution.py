"""Convolution and pooling of pictures x (n, channels, height, width), and what is made of them.

A convolution is linear in x and in its weights, so each gradient is one again: three operations have each other as
rules, to any order. The same holds for the mean of windows and its gradient, and for picking entries and putting them
back.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from minigrad_kernels import conv as conv_kernels
from minigrad_kernels import pool as pool_kernels
from minigrad_kernels.geometry import ONCE, UNPADDED, Pair, Sides, output_length
from minigrad_kernels.pool import Axis

from minigrad.backend import Array
from minigrad.errors import ShapeError
from minigrad.operation import Operation, define
from minigrad.ops.half import wide
from minigrad.tensor import unwrap

_SETTINGS: dict[str, Any] = {"stride": ONCE, "padding": UNPADDED, "dilation": ONCE, "groups": 1}


def _rounded(kernel: Any) -> Any:
    """Let a kernel of two arrays compute in float32 where they are of float16."""

    def run(a: Array, b: Array, *rest: Any) -> Array:
        result = kernel(wide(a), wide(b), *(wide(each) for each in rest))
        return result if result.dtype == a.dtype or a.dtype.char != "e" else result.astype(a.dtype)

    return run


_forward, _input, _weight = (
    _rounded(kernel)
    for kernel in (conv_kernels.forward, conv_kernels.backward_input, conv_kernels.backward_weight)
)


def _cut(y: Any, shape: tuple[int, ...]) -> Any:
    """y without the windows behind those of ``shape``: a picture may have room for more than it was made from."""
    return y if y.shape == shape else y[:, :, : shape[2], : shape[3]]


conv2d: Operation = define(
    "conv2d",
    lambda x, w, b=None, stride=ONCE, padding=UNPADDED, dilation=ONCE, groups=1: _forward(
        x, w, b, stride, padding, dilation, groups
    ),
    ("Σ x[window] · w + b", conv_kernels.forward_reference),
    (
        "each pixel: Σ g · w over the windows that it lies in",
        lambda g, w, x_shape, stride, padding, dilation, groups: conv2d_input(
            g, w, size=x_shape[2:], stride=stride, padding=padding, dilation=dilation, groups=groups
        ),
    ),
    (
        "each weight: Σ g · x over the windows",
        lambda g, x, w_shape, stride, padding, dilation, groups: conv2d_weight(
            g, x, kernel=w_shape[2:], stride=stride, padding=padding, dilation=dilation, groups=groups
        ),
    ),
    ("Σ g over samples and pixels", lambda g: conv_kernels.backward_bias(g)),
    inputs="x w b",
    params=_SETTINGS,
)


def _textbook_input(values: Any, w: Any, b: Any = None, **settings: Any) -> Any:
    return conv_kernels.backward_input_reference(values, w, **{"size": ONCE, **settings}, b=b)


conv2d_input: Operation = define(
    "conv2d_input",
    lambda values, w, b=None, size=ONCE, stride=ONCE, padding=UNPADDED, dilation=ONCE, groups=1: _input(
        values, w, size, stride, padding, dilation, groups, b
    ),
    ("each pixel: Σ values · w over the windows that it lies in, + b", _textbook_input),
    (
        "the convolution of its gradient with w",
        lambda g, w, values_shape, stride, padding, dilation, groups: _cut(
            conv2d(g, w, stride=stride, padding=padding, dilation=dilation, groups=groups), values_shape
        ),
    ),
    (
        "each weight: Σ values · g over the windows",
        lambda g, values, w_shape, stride, padding, dilation, groups: conv2d_weight(
            values, g, kernel=w_shape[2:], stride=stride, padding=padding, dilation=dilation, groups=groups
        ),
    ),
    ("Σ g over samples and pixels", lambda g: conv_kernels.backward_bias(g)),
    inputs="values w b",
    params={"size": ONCE, **_SETTINGS},
)

conv2d_weight: Operation = define(
    "conv2d_weight",
    lambda values, x, kernel=ONCE, stride=ONCE, padding=UNPADDED, dilation=ONCE, groups=1: _weight(
        values, x, kernel, stride, padding, dilation, groups
    ),
    ("each weight: Σ values · x over the windows", conv_kernels.backward_weight_reference),
    (
        "the convolution of x with its gradient",
        lambda g, x, values_shape, stride, padding, dilation, groups: _cut(
            conv2d(x, g, stride=stride, padding=padding, dilation=dilation, groups=groups), values_shape
        ),
    ),
    (
        "each pixel: Σ values · its gradient over the windows that it lies in",
        lambda g, values, x_shape, stride, padding, dilation, groups: conv2d_input(
            values, g, size=x_shape[2:], stride=stride, padding=padding, dilation=dilation, groups=groups
        ),
    ),
    inputs="values x",
    params={"kernel": ONCE, **_SETTINGS},
)

_WINDOW: dict[str, Any] = {"kernel": ONCE, "stride": ONCE, "padding": UNPADDED, "dilation": ONCE}


@lru_cache(maxsize=256)
def _require_seen(size: Pair, kernel: Pair, stride: Pair, padding: Sides, dilation: Pair) -> None:
    """Raise ShapeError MG-528 where a window sees nothing but padding: of nothing there is no largest."""
    axes = zip(size, kernel, stride, padding, dilation, strict=True)
    for axis, (n, k, step, sides, apart) in enumerate(axes):
        for p in range(output_length(n, k, step, sides, apart)):
            seen = [p * step - sides[0] + i * apart for i in range(k)]
            if not any(0 <= y < n for y in seen):
                rows = ("rows", "columns")[axis]
                raise ShapeError(
                    "MG-528",
                    f"max pooling: window {p} would look at {rows} {', '.join(map(str, seen))} of x, which has {rows} "
                    f"0 to {n - 1}: all of it is padding, and of nothing there is no largest number. Pad by less than "
                    f"{sides}, or use a larger kernel or a smaller dilation.",
                )


def _max(x: Array, kernel: Pair, stride: Pair, padding: Sides, dilation: Pair) -> Any:
    if padding != UNPADDED:
        _require_seen(x.shape[2:], kernel, stride, padding, dilation)
    y, places = pool_kernels.max_pool(wide(x), kernel, stride, padding, dilation)
    return y.astype(x.dtype, copy=False), places


def _textbook_max(x: Any, kernel: Pair, stride: Pair, padding: Sides, dilation: Pair) -> Any:
    if padding != UNPADDED:
        _require_seen(x.shape[2:], kernel, stride, padding, dilation)
    views = conv_kernels.windows(x, kernel, stride, padding, dilation, value=-np.inf)
    return np.max(views, axis=(-2, -1))


max_pool2d: Operation = define(
    "max_pool2d",
    lambda x, kernel=ONCE, stride=ONCE, padding=UNPADDED, dilation=ONCE: _max(
        x, kernel, stride, padding, dilation
    ),
    (
        "max x[window]",
        lambda x, kernel=ONCE, stride=ONCE, padding=UNPADDED, dilation=ONCE: _textbook_max(
            x, kernel, stride, padding, dilation
        ),
    ),
    (
        "g where the largest of a window is, 0 elsewhere",
        lambda g, places, x_shape: max_pool2d_input(g, places, size=x_shape[2:]),
    ),
    inputs="x",
    params=_WINDOW,
    saves={"places": lambda x, **settings: _places(x, **settings)},
)


def _places(x: Any, **settings: Any) -> Any:
    return _max(unwrap(x), *({**_WINDOW, **settings}[name] for name in _WINDOW))[1]


def _picked(values: Any, places: Any) -> Any:
    """values[n, c, places] for pictures that are long rows."""
    n, c, h, w = values.shape
    rows = places.reshape((n, c, places.shape[2] * places.shape[3]))
    picked = np.take_along_axis(values.reshape((n, c, h * w)), rows, axis=-1)
    return picked.reshape(places.shape)


max_pool2d_input: Operation = define(
    "max_pool2d_input",
    lambda values, places, size=ONCE: pool_kernels.unpool(wide(values), places, size).astype(
        values.dtype, copy=False
    ),
    "zeros with the values added at their places",
    ("g at the places", lambda g, places: _picked(g, places)),
    None,
    inputs="values places",
    params={"size": ONCE},
)


def _textbook_mean(x: Any, rows: Axis, columns: Axis) -> Any:
    """The means of rows, and of these the means of columns."""
    sums = np.zeros_like(x, shape=(*x.shape[:2], len(rows), x.shape[3]))
    for p, (start, stop, divisor) in enumerate(rows):
        sums[:, :, p] = np.sum(x[:, :, start:stop], axis=2) / divisor
    y = np.zeros_like(x, shape=(*sums.shape[:3], len(columns)))
    for q, (start, stop, divisor) in enumerate(columns):
        y[:, :, :, q] = np.sum(sums[:, :, :, start:stop], axis=3) / divisor
    return y


def _textbook_spread(values: Any, rows: Axis, columns: Axis, size: Pair) -> Any:
    """A pixel's sum over the columns of its windows, divided, and of these the sum over the rows."""
    sums = np.zeros_like(values, shape=(*values.shape[:3], size[1]))
    for k in range(size[1]):
        for_column = [
            values[:, :, :, q] / d for q, (start, stop, d) in enumerate(columns) if start <= k < stop
        ]
        if for_column:
            sums[:, :, :, k] = sum(for_column[1:], for_column[0])
    x = np.zeros_like(values, shape=(*values.shape[:2], *size))
    for k in range(size[0]):
        for_row = [sums[:, :, p] / d for p, (start, stop, d) in enumerate(rows) if start <= k < stop]
        if for_row:
            x[:, :, k] = sum(for_row[1:], for_row[0])
    return x


mean_pool2d: Operation = define(
    "mean_pool2d",
    lambda x, rows=(), columns=(): pool_kernels.mean_pool(wide(x), rows, columns).astype(x.dtype, copy=False),
    ("Σ x[window] / divisor", lambda x, rows=(), columns=(): _textbook_mean(x, rows, columns)),
    (
        "Σ g / divisor over the windows that a pixel lies in",
        lambda g, x_shape, rows, columns: mean_pool2d_input(g, rows=rows, columns=columns, size=x_shape[2:]),
    ),
    inputs="x",
    params={"rows": (), "columns": ()},
)

mean_pool2d_input: Operation = define(
    "mean_pool2d_input",
    lambda values, rows=(), columns=(), size=ONCE: pool_kernels.spread(
        wide(values), rows, columns, size
    ).astype(values.dtype, copy=False),
    (
        "Σ values / divisor over the windows that a pixel lies in",
        lambda values, rows=(), columns=(), size=ONCE: _textbook_spread(values, rows, columns, size),
    ),
    ("Σ g[window] / divisor", lambda g, rows, columns: mean_pool2d(g, rows=rows, columns=columns)),
    inputs="values",
    params={"rows": (), "columns": (), "size": ONCE},
)
