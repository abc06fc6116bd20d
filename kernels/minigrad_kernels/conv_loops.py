"""Convolution by plain loops, of either float dtype: for few channels to a group, and for processors without tiles."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from minigrad_kernels.geometry import Geometry
from minigrad_kernels.launch import Loop, workers_for
from minigrad_kernels.loops import scratch
from minigrad_kernels.products import PARALLEL_FROM
from minigrad_kernels.teams import Team

prange = range  # Numba's, where a loop is compiled in parallel

SUMMED_TOGETHER = 1 << 16
"""Entries from which waking the other threads pays where all that is done is to add them up."""


def inside_loop(start: int, step: int, count: int, length: int) -> Any:
    """Return from which to before which k, of 0 … count - 1, start + k·step is one of 0 … length - 1."""
    low = 0 if start >= 0 else (-start + step - 1) // step
    high = 0 if start >= length else (length - start + step - 1) // step
    return min(low, count), max(min(low, count), min(high, count))


inside = Loop(inside_loop)


def correlate_loop(x: Any, w: Any, bias: Any, geometry: Any, place: Any, groups: int, y: Any) -> None:
    """Row by row of y: every weight times a row of x is added to it."""
    sy, sx, dy, dx, top, left, oh, ow = geometry
    y0, ys, x0, xs = place
    outputs, channels, kh, kw = w.shape
    for task in prange(x.shape[0] * outputs):
        n, o = divmod(np.int64(task), outputs)
        first = o // (outputs // groups) * channels
        begun = bias[o] if len(bias) else x.dtype.type(0)
        sums = np.empty(ow, x.dtype)
        for p in range(oh):
            sums[:] = 0
            for c in range(channels):
                for i in range(kh):
                    iy = p * sy + i * dy - top
                    if 0 <= iy < x.shape[2]:
                        row = x[n, first + c, iy]
                        for j in range(kw):
                            start = j * dx - left
                            low, high = inside(start, sx, ow, x.shape[3])
                            weight = w[o, c, i, j]
                            for q in range(low, high):
                                sums[q] += weight * row[start + q * sx]
            for q in range(ow):
                y[n, o, y0 + p * ys, x0 + q * xs] = sums[q] + begun


def weights_loop(g: Any, x: Any, geometry: Any, groups: int, dw: Any) -> None:
    """Weight by weight: the sum over all pixels of g times what the weight meets there."""
    sy, sx, dy, dx, top, left, oh, ow = geometry
    outputs, channels, kh, kw = dw.shape
    for task in prange(outputs * channels):
        o, c = divmod(np.int64(task), channels)
        first = o // (outputs // groups) * channels
        for i in range(kh):
            for j in range(kw):
                start = j * dx - left
                low, high = inside(start, sx, ow, x.shape[3])
                total = g.dtype.type(0)
                for n in range(x.shape[0]):
                    for p in range(oh):
                        iy = p * sy + i * dy - top
                        if 0 <= iy < x.shape[2]:
                            row, other = x[n, first + c, iy], g[n, o, p]
                            for q in range(low, high):
                                total += other[q] * row[start + q * sx]
                dw[o, c, i, j] = total


def take_loop(taken: Any, w: Any) -> None:
    """W = taken, however that lies; of all groups' outputs one after another."""
    groups, outputs, channels, kh, kw = taken.shape
    for o in range(groups * outputs):
        group, k = divmod(o, outputs)
        for c in range(channels):
            for i in range(kh):
                for j in range(kw):
                    w[o, c, i, j] = taken[group, k, c, i, j]


def sums_loop(worker: int, workers: int, g: Any, totals: Any) -> None:
    """totals[o] = Σ g[n, o, pixel], as far as it is this worker's share."""
    channels = g.shape[1]
    for o in range(channels * worker // workers, channels * (worker + 1) // workers):
        total = g.dtype.type(0)
        for n in range(g.shape[0]):
            row, part = g[n, o], g.dtype.type(0)
            for k in range(len(row)):
                part += row[k]
            total += part
        totals[o] = total


_REASSOC = frozenset({"reassoc"})
_take = Loop(take_loop)
_sums = Team(Loop(sums_loop, fastmath=_REASSOC))
_correlate = [Loop(correlate_loop), Loop(correlate_loop, parallel=True)]
_weights = [Loop(weights_loop, fastmath=_REASSOC), Loop(weights_loop, fastmath=_REASSOC, parallel=True)]


def _several(multiplications: int) -> bool:
    return workers_for(multiplications, PARALLEL_FROM) > 1


def correlate(x: Any, w: Any, taken: Any, b: Any, geometry: Geometry, place: Any, y: Any) -> None:
    """Write b + Σ x·w into rows y0, y0 + ys … and columns x0, x0 + xs … of y, for ``place`` = (y0, ys, x0, xs).

    ``taken`` is a view of w: what is taken of it as weights (groups, outputs, channels, kh, kw).
    """
    groups, outputs, *each = taken.shape
    if taken.flags.c_contiguous:
        w = taken.reshape((groups * outputs, *each))
    else:
        _take.compiled(taken, w := scratch((groups * outputs, *each), w.dtype))
    loop = _correlate[_several(w.size * len(x) * geometry.oh * geometry.ow)]
    loop.compiled(x, w, nothing(w.dtype) if b is None else b, tuple(geometry), place, groups, y)


def weights(g: Any, x: Any, geometry: Geometry, groups: int, dw: Any) -> None:
    """dw = Σ g·x."""
    loop = _weights[_several(g.size * dw.size // len(dw))]
    loop.compiled(g, x, tuple(geometry), groups, dw)


def sums(g: Any, totals: Any) -> None:
    """totals[o] = Σ g[n, o, p, q] over n, p and q."""
    workers = workers_for(g.size, SUMMED_TOGETHER)
    flat = g.reshape((*g.shape[:2], g.shape[2] * g.shape[3]))
    _sums(workers, workers, flat, totals)


@cache
def nothing(dtype: Any) -> Any:
    """Return an array of no numbers: where no bias is added."""
    return np.empty(0, dtype)
