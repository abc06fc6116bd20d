"""Which tiles a convolution takes: those with outputs side by side, or those with pixels (``conv_rows``)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from minigrad_kernels import conv_rows, conv_tiles
from minigrad_kernels.geometry import Geometry, Pair
from minigrad_kernels.tiles import size

FEWEST = 3
"""Outputs of a group from which tiles pay that have them side by side, although a part of them stays empty."""

TURNING = 10
"""Terms of a sum that take as long as to turn it and to put it where it belongs, measured on shapes of LeNet."""


@lru_cache(maxsize=256)
def _rows_pay(outputs: int, channels: int, kernel: Pair, geometry: Geometry, height: int) -> bool:
    """Tell whether a result is there sooner with its pixels side by side."""
    if geometry.sx != 1:
        return False
    terms = max(1, channels * kernel[0] * kernel[1])
    first = np.arange(geometry.oh)[:, None] * geometry.sy + np.arange(kernel[0]) * geometry.dy - geometry.top
    seen = float(np.mean((first >= 0) & (first < height))) if first.size else 1.0
    by_rows = conv_rows.lanes_across(outputs, geometry.ow) * seen
    return by_rows < conv_tiles.filled(outputs)[0] * (1 + TURNING / terms)


@lru_cache(maxsize=256)
def _sums_pay(outputs: int, taps: int, geometry: Geometry) -> bool:
    """Tell whether a gradient of weights is there sooner with pixels side by side."""
    if geometry.sx != 1:
        return False
    by_tiles = conv_tiles.filled(outputs)[0] * (taps + TURNING)
    return conv_rows.lanes_across(outputs, geometry.ow) * taps < by_tiles


def correlate(x: Any, w: Any, taken: Any, b: Any, geometry: Geometry, place: Any, y: Any) -> None:
    """See ``conv_loops.correlate``."""
    _, outputs, channels, kh, kw = taken.shape
    by = conv_rows if _rows_pay(outputs, channels, (kh, kw), geometry, x.shape[2]) else conv_tiles
    by.correlate(x, w, taken, b, geometry, place, y)


def weights(g: Any, x: Any, geometry: Geometry, groups: int, dw: Any) -> None:
    """See ``conv_loops.weights``."""
    outputs, channels, kh, kw = dw.shape
    by = conv_rows if _sums_pay(outputs // groups, channels * kh * kw, geometry) else conv_tiles
    by.weights(g, x, geometry, groups, dw)


def _pays(outputs: int, dtype: Any, stride: Any) -> bool:
    has_tiles = dtype == np.float32 and size() is not None
    return has_tiles and (outputs >= FEWEST or not stride or stride[1] == 1)


def forward_pays(
    x: Any, w: Any, b: Any = None, stride: Any = (), padding: Any = (), dilation: Any = (), groups: int = 1,
    **options: Any,
) -> bool:  # fmt: skip
    """Tell whether the tiles are the faster ones."""
    return _pays(len(w) // groups, x.dtype, stride)


def input_pays(g: Any, *others: Any, **options: Any) -> bool:
    """Tell whether the tiles are the faster ones."""
    return _pays(FEWEST, g.dtype, ())  # which is a convolution, or several, without a stride


def weight_pays(
    g: Any, x: Any, kernel: Any, stride: Any = (), padding: Any = (), dilation: Any = (), groups: int = 1,
    **options: Any,
) -> bool:  # fmt: skip
    """Tell whether the tiles are the faster ones."""
    return _pays(g.shape[1] // groups, g.dtype, stride)
