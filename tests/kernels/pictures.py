"""Cases of the kernels of convolution and pooling."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from minigrad_kernels import conv, pool

if TYPE_CHECKING:
    from tests.kernels.cases import Case, Rng

#: samples, channels, height, width, outputs, kernel, stride, padding, dilation, groups
SHAPES: list[tuple[Any, ...]] = [
    (2, 3, 6, 7, 4, (3, 2), (1, 1), ((1, 1), (0, 2)), (1, 1), 1),
    (1, 4, 7, 5, 6, (2, 3), (2, 1), ((0, 0), (1, 1)), (1, 2), 2),
    (1, 2, 5, 5, 2, (3, 3), (2, 3), ((2, 1), (1, 2)), (2, 1), 2),
    (3, 1, 1, 9, 9, (1, 3), (1, 2), ((0, 0), (0, 0)), (1, 1), 1),
    (2, 2, 4, 4, 10, (1, 1), (1, 1), ((0, 0), (0, 0)), (1, 1), 1),
    (0, 1, 3, 3, 2, (2, 2), (1, 1), ((0, 0), (0, 0)), (1, 1), 1),
]


def drawn(rng: Rng, dtype: str) -> Iterator[tuple[Any, ...]]:
    for n, c, h, w, o, kernel, stride, padding, dilation, groups in SHAPES:
        x = rng.normal(size=(n, c, h, w)).astype(dtype)
        weights = rng.normal(size=(o, c // groups, *kernel)).astype(dtype)
        settings = (stride, padding, dilation, groups)
        shape = (n, o, *conv.output_lengths((h, w), kernel, stride, padding, dilation))
        yield x, weights, rng.normal(size=shape).astype(dtype), settings


def forward(rng: Rng, dtype: str) -> Iterator[Case]:
    from tests.kernels.cases import Case

    for x, w, _, settings in drawn(rng, dtype):
        b = rng.normal(size=len(w)).astype(dtype)
        for bias in (b, None):
            size = conv.forward.reference(np.abs(x), np.abs(w), np.abs(b), *settings)
            yield Case((x, w, bias, *settings), {}, ((w[0].size + 2, size),))


def backward_input(rng: Rng, dtype: str) -> Iterator[Case]:
    from tests.kernels.cases import Case

    for x, w, g, settings in drawn(rng, dtype):
        b = rng.normal(size=x.shape[1]).astype(dtype)
        for bias in (b, None):
            size = conv.backward_input.reference(np.abs(g), np.abs(w), x.shape[2:], *settings, np.abs(b))
            yield Case((g, w, x.shape[2:], *settings, bias), {}, ((w.size + 2, size),))


def backward_weight(rng: Rng, dtype: str) -> Iterator[Case]:
    from tests.kernels.cases import Case

    for x, w, g, settings in drawn(rng, dtype):
        size = conv.backward_weight.reference(np.abs(g), np.abs(x), w.shape[2:], *settings)
        yield Case((g, x, w.shape[2:], *settings), {}, ((g.size + 1, size),))


def backward_bias(rng: Rng, dtype: str) -> Iterator[Case]:
    from tests.kernels.cases import Case

    for _, _, g, _ in drawn(rng, dtype):
        yield Case((g,), {}, ((g.size + 1, np.abs(g).sum(axis=(0, 2, 3))),))


WINDOWS: list[tuple[Any, ...]] = [
    ((2, 2), (2, 2), ((0, 0), (0, 0)), (1, 1)),
    ((3, 2), (1, 2), ((1, 0), (1, 1)), (1, 1)),
    ((2, 2), (1, 1), ((0, 0), (0, 0)), (2, 3)),
]


def max_pool(rng: Rng, dtype: str) -> Iterator[Case]:
    from tests.kernels.cases import Case

    for settings in WINDOWS:
        for n in (2, 0):
            x = np.round(rng.normal(size=(n, 2, 5, 6)) * 2).astype(dtype)
            x[:1, :, 1, 2], x[1:, :, 3] = np.nan, -np.inf
            x[1:, 1, 0, :2], x[1:, 1, 3, 2] = np.nan, np.inf
            yield Case((x, *settings))


def unpool(rng: Rng, dtype: str) -> Iterator[Case]:
    from tests.kernels.cases import Case

    for settings in WINDOWS:
        x = rng.normal(size=(2, 3, 5, 6)).astype(dtype)
        y, places = pool.max_pool.reference(x, *settings)
        yield Case((rng.normal(size=y.shape).astype(dtype), places, (5, 6)))


TABLES = [
    (((0, 2, 2), (2, 4, 2)), ((0, 3, 3), (3, 5, 3))),
    (((0, 1, 2), (0, 3, 3), (1, 4, 3)), ((2, 5, 7),)),
]


def mean_pool(rng: Rng, dtype: str) -> Iterator[Case]:
    from tests.kernels.cases import Case

    for rows, columns in TABLES:
        for n in (2, 0):
            x = rng.normal(size=(n, 3, 4, 5)).astype(dtype)
            yield Case((x, rows, columns), {}, ((20, pool.mean_pool.reference(np.abs(x), rows, columns)),))


def spread(rng: Rng, dtype: str) -> Iterator[Case]:
    from tests.kernels.cases import Case

    for rows, columns in TABLES:
        g = rng.normal(size=(2, 3, len(rows), len(columns))).astype(dtype)
        size = pool.spread.reference(np.abs(g), rows, columns, (4, 5))
        yield Case((g, rows, columns, (4, 5)), {}, ((20, size),))


CASES = {
    "conv_forward": forward,
    "conv_backward_input": backward_input,
    "conv_backward_weight": backward_weight,
    "conv_backward_bias": backward_bias,
    "max_pool": max_pool,
    "max_pool_backward": unpool,
    "mean_pool": mean_pool,
    "mean_pool_backward": spread,
}
