"""Pooling of pictures: the largest number of each window, or the mean of it; on bare arrays.

x has shape (n, c, h, w) and y (n, c, oh, ow). A maximum remembers its place in the picture, row · w + column: of
several equal numbers the first one's, and a NaN counts as the largest, as in PyTorch. A mean's windows are given by the
axis, for each result (start, stop, divisor): y = Σ x[start … stop) / (divisor_row · divisor_column). That says whether
zeros at the edge count, whether windows are cut off, and whether they are of different lengths.

The maxima are equal in every bit, and a mean's implementations as many ulp of the mean of |x| apart as it has terms.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from minigrad_kernels import gpu
from minigrad_kernels.geometry import ONCE, UNPADDED, Pair, Sides, output_length
from minigrad_kernels.launch import Loop, output, register, workers_for, written
from minigrad_kernels.loops import scratch
from minigrad_kernels.teams import Team

loop: Any = None  # what is shared out, where a loop is compiled
Axis = tuple[tuple[int, int, int], ...]
"""For each result along an axis where its window starts and stops, and what its sum is divided by."""

PARALLEL_FROM = 1 << 17
"""Entries from which waking the other threads pays."""

HALVES = ((2, 2), (2, 2), UNPADDED, ONCE)
"""The windows that halve a picture."""


def places_of(x: Any, kernel: Pair, stride: Pair, padding: Sides, dilation: Pair) -> Any:
    """Return for each window (oh, ow, kh·kw) the places of its pixels in the picture; -1 for those outside."""
    h, w = x.shape[2:]
    inside = np.arange(h * w, dtype=np.int64, like=x).reshape((h, w))
    inside = np.pad(inside, padding, constant_values=-1)
    spans = tuple((k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True))
    views = np.lib.stride_tricks.sliding_window_view(inside, spans)
    views = views[:: stride[0], :: stride[1], :: dilation[0], :: dilation[1]]
    return views.reshape((*views.shape[:2], kernel[0] * kernel[1]))


def max_reference(x: Any, kernel: Pair, stride: Pair, padding: Sides, dilation: Pair, out: Any = None) -> Any:
    """(y, places): y = max x in a window, and where in the picture it is; what lies outside never is the largest."""
    n, c, h, w = x.shape
    places = places_of(x, kernel, stride, padding, dilation)
    numbers = x.reshape((n, c, h * w))[:, :, np.maximum(places, 0)]
    nan = (numbers != numbers) & (places >= 0)
    largest = np.max(np.where(places >= 0, numbers, -np.inf), axis=-1, keepdims=True)
    first = np.argmax((numbers == largest) & (places >= 0), axis=-1)
    last_nan = places.shape[2] - 1 - np.argmax(np.flip(nan, -1), axis=-1)
    chosen = np.expand_dims(np.where(np.any(nan, axis=-1), last_nan, first), -1)
    y = np.squeeze(np.take_along_axis(numbers, chosen, axis=-1), -1)
    everywhere = np.broadcast_to(places, numbers.shape)
    return written((y, np.squeeze(np.take_along_axis(everywhere, chosen, axis=-1), -1)), out)


def max_loop(x: Any, y: Any, places: Any, settings: Any) -> None:
    """See ``max_reference``; x is (pictures, h, w)."""
    kh, kw, sy, sx, top, left, dy, dx = settings
    for k in range(x.shape[0]):
        for p in range(y.shape[1]):
            for q in range(y.shape[2]):
                best, place = -x.dtype.type(np.inf), np.int64(-1)
                for i in range(kh):
                    row = p * sy - top + i * dy
                    if 0 <= row < x.shape[1]:
                        for j in range(kw):
                            column = q * sx - left + j * dx
                            if 0 <= column < x.shape[2]:
                                number = x[k, row, column]
                                if place < 0 or number > best or number != number:
                                    best, place = number, row * x.shape[2] + column
                y[k, p, q], places[k, p, q] = best, place


def halves_loop(x: Any, y: Any, places: Any) -> None:
    """See ``max_reference``: the same for windows of 2 by 2 side by side.

    A window's numbers are compared without a branch, so that a register's worth of windows is done at once. Where a
    row of windows has a NaN, or ∞ and -∞, it is done again, number by number.
    """
    width, n = x.shape[2], y.shape[2]
    which = np.empty(n, np.int32)
    for k in range(x.shape[0]):
        for p in range(y.shape[1]):
            a, b, best, place = x[k, 2 * p], x[k, 2 * p + 1], y[k, p], places[k, p]
            odd = np.int32(0)
            for q in range(n):
                a0, a1, b0, b1 = a[2 * q], a[2 * q + 1], b[2 * q], b[2 * q + 1]
                m, other = a1 if a1 > a0 else a0, b1 if b1 > b0 else b0
                m = other if other > m else m
                later, below, last = np.int32(a0 != m), np.int32(a1 != m), np.int32(b0 != m)
                which[q] = later + (later & below) + (later & below & last)
                best[q] = m
                total = (a0 + a1) + (b0 + b1)
                odd |= np.int32(total != total)
            if odd:
                for q in range(n):
                    m, at = a[2 * q], np.int32(0)
                    for i in range(1, 4):
                        number = a[2 * q + 1] if i == 1 else b[2 * q + i - 2]
                        if number > m or number != number:
                            m, at = number, np.int32(i)
                    best[q], which[q] = m, at
            for q in range(n):
                place[q] = 2 * p * width + 2 * q + (which[q] & 1) + (which[q] >> 1) * width


def unpool_reference(g: Any, places: Any, size: Pair, out: Any = None) -> Any:
    """dL/dx (n, c, *size): zeros, to whose entry at each place g is added, in the order of g."""
    n, c = g.shape[:2]
    dx = np.zeros_like(g, shape=(n * c * size[0] * size[1],))
    starts = (np.arange(n * c, like=places) * (size[0] * size[1])).reshape((n, c, 1, 1))
    np.add.at(dx, (places + starts).reshape(-1), g.reshape(-1))
    return written(dx.reshape((n, c, *size)), out)


def unpool_loop(g: Any, places: Any, dx: Any, wrong: Any) -> None:
    """See ``unpool_reference``; g is (pictures, results), dx (pictures, pixels).

    Whether a place of theirs is in no picture is in ``wrong``.
    """
    for k in range(g.shape[0]):
        dx[k], wrong[k] = 0, False
        for p in range(g.shape[1]):
            if 0 <= places[k, p] < dx.shape[1]:
                dx[k, places[k, p]] += g[k, p]
            else:
                wrong[k] = True


def refuse_loop(wrong: Any) -> None:
    """Raise IndexError where a place is in no picture."""
    for each in wrong:
        if each:
            raise IndexError("unpool: a place is outside the picture")


def mean_reference(x: Any, rows: Axis, columns: Axis, out: Any = None) -> Any:
    """y[n, c, p, q] = Σ x[n, c, rows_p, columns_q] / (divisor_p · divisor_q): a matrix for each axis, times x."""
    left, right = (_matrix(axis, n, x) for axis, n in zip((rows, columns), x.shape[2:], strict=True))
    return written(np.einsum("ph,nchw,qw->ncpq", left, x, right, optimize=True), out)


def mean_loop(x: Any, y: Any, rows: Any, columns: Any) -> None:
    """See ``mean_reference``; x is (pictures, h, w)."""
    for k in range(x.shape[0]):
        for p in range(len(rows)):
            for q in range(len(columns)):
                total = x.dtype.type(0)
                for i in range(rows[p, 0], rows[p, 1]):
                    for j in range(columns[q, 0], columns[q, 1]):
                        total += x[k, i, j]
                y[k, p, q] = total / x.dtype.type(rows[p, 2] * columns[q, 2])


def spread_reference(g: Any, rows: Axis, columns: Axis, size: Pair, out: Any = None) -> Any:
    """dL/dx (n, c, *size): each pixel gets g / (divisor_p · divisor_q) of every window (p, q) that it lies in."""
    left, right = (_matrix(axis, n, g) for axis, n in zip((rows, columns), size, strict=True))
    return written(np.einsum("ph,ncpq,qw->nchw", left, g, right, optimize=True), out)


def spread_loop(g: Any, dx: Any, rows: Any, columns: Any) -> None:
    """See ``spread_reference``; g is (pictures, oh, ow)."""
    for k in range(g.shape[0]):
        dx[k] = 0
        for p in range(len(rows)):
            for q in range(len(columns)):
                part = g[k, p, q] / g.dtype.type(rows[p, 2] * columns[q, 2])
                for i in range(rows[p, 0], rows[p, 1]):
                    for j in range(columns[q, 0], columns[q, 1]):
                        dx[k, i, j] += part


def _matrix(axis: Axis, length: int, like: Any) -> Any:
    matrix = np.zeros((len(axis), length), like.dtype)
    for p, (start, stop, divisor) in enumerate(axis):
        matrix[p, start:stop] = 1 / divisor
    return np.array(matrix.tolist(), like.dtype, like=like).reshape(matrix.shape)


@lru_cache(maxsize=256)
def table(axis: Axis) -> Any:
    """Return an axis as an array."""
    return np.array(axis, np.int64).reshape((len(axis), 3))


def share_2_loop(worker: int, workers: int, a: Any, b: Any, *settings: Any) -> None:
    """Let a worker do its share of the pictures of two arrays."""
    first, behind = len(a) * worker // workers, len(a) * (worker + 1) // workers
    loop(a[first:behind], b[first:behind], *settings)


def share_3_loop(worker: int, workers: int, a: Any, b: Any, c: Any, *settings: Any) -> None:
    """The same of three arrays."""
    first, behind = len(a) * worker // workers, len(a) * (worker + 1) // workers
    loop(a[first:behind], b[first:behind], c[first:behind], *settings)


def share_4_loop(worker: int, workers: int, a: Any, b: Any, c: Any, d: Any) -> None:
    """The same of four arrays."""
    first, behind = len(a) * worker // workers, len(a) * (worker + 1) // workers
    loop(a[first:behind], b[first:behind], c[first:behind], d[first:behind])


def _shared(function: Any, share: Any) -> Team:
    """A loop whose pictures several threads share out."""
    return Team(Loop(share, loop=Loop(function)))


_max, _halves = _shared(max_loop, share_3_loop), _shared(halves_loop, share_3_loop)
_mean, _spread = _shared(mean_loop, share_2_loop), _shared(spread_loop, share_2_loop)
_unpool = _shared(unpool_loop, share_4_loop)
_refuse = Loop(refuse_loop, raises=True)


def _shape(x: Any, kernel: Pair, stride: Pair, padding: Sides, dilation: Pair) -> tuple[int, ...]:
    lengths = zip(x.shape[2:], kernel, stride, padding, dilation, strict=True)
    return (*x.shape[:2], *(output_length(*each) for each in lengths))


def _flat(a: Any, axes: int = 2) -> Any:
    return a.reshape((a.shape[0] * a.shape[1], *(a.shape[2:] if axes == 2 else (a.shape[2] * a.shape[3],))))


def max_cpu(x: Any, kernel: Pair, stride: Pair, padding: Sides, dilation: Pair, out: Any = None) -> Any:
    """See ``max_reference``."""
    y, places = out or (None, None)
    shape = _shape(x, kernel, stride, padding, dilation)
    y = output(y, shape, x)
    places = np.empty(shape, np.int64) if places is None else places
    workers = workers_for(x.size, PARALLEL_FROM)
    if (kernel, stride, padding, dilation) == HALVES:
        _halves(workers, workers, _flat(x), _flat(y), _flat(places))
    else:
        settings = (*kernel, *stride, padding[0][0], padding[1][0], *dilation)
        _max(workers, workers, _flat(x), _flat(y), _flat(places), settings)
    return y, places


def unpool_cpu(g: Any, places: Any, size: Pair, out: Any = None) -> Any:
    """See ``unpool_reference``."""
    dx = output(out, (*g.shape[:2], *size), g)
    wrong = scratch((g.shape[0] * g.shape[1],), np.dtype(bool))
    workers = workers_for(dx.size, PARALLEL_FROM)
    _unpool(workers, workers, _flat(g, 1), _flat(places, 1), _flat(dx, 1), wrong)
    _refuse.compiled(wrong)
    return dx


def mean_cpu(x: Any, rows: Axis, columns: Axis, out: Any = None) -> Any:
    """See ``mean_reference``."""
    y = output(out, (*x.shape[:2], len(rows), len(columns)), x)
    workers = workers_for(x.size, PARALLEL_FROM)
    _mean(workers, workers, _flat(x), _flat(y), table(rows), table(columns))
    return y


def spread_cpu(g: Any, rows: Axis, columns: Axis, size: Pair, out: Any = None) -> Any:
    """See ``spread_reference``."""
    dx = output(out, (*g.shape[:2], *size), g)
    workers = workers_for(dx.size, PARALLEL_FROM)
    _spread(workers, workers, _flat(g), _flat(dx), table(rows), table(columns))
    return dx


def _numbers(*values: int) -> tuple[Any, ...]:
    return tuple(np.int32(value) for value in values)


def max_gpu(x: Any, kernel: Pair, stride: Pair, padding: Sides, dilation: Pair, out: Any = None) -> Any:
    """See ``max_reference`` and cuda/pool.cu."""
    y, places = out or (None, None)
    shape = _shape(x, kernel, stride, padding, dilation)
    y = gpu.output(y, shape, x)
    places = gpu.xp().empty(shape, np.int64) if places is None else places
    numbers = _numbers(
        y.size, *x.shape[2:], *shape[2:], *kernel, *stride, padding[0][0], padding[1][0], *dilation
    )
    grid = gpu.blocks(y.size, 256)
    gpu.launch("pool", "max_pool", x.dtype, grid, 256, gpu.contiguous(x), y, places, *numbers)
    return y, places


def unpool_gpu(g: Any, places: Any, size: Pair, out: Any = None) -> Any:
    """See ``unpool_reference`` and cuda/pool.cu."""
    gpu.require(g.shape == places.shape, f"g is {g.shape} for places {places.shape}")
    dx = gpu.output(out, (*g.shape[:2], *size), g)
    pictures = g.shape[0] * g.shape[1]
    numbers = _numbers(pictures, g.shape[2] * g.shape[3], size[0] * size[1])
    arrays = (gpu.contiguous(g), gpu.ids(places), dx)
    gpu.launch("pool", "unpool", g.dtype, pictures, 64, *arrays, *numbers)
    return dx


def mean_gpu(x: Any, rows: Axis, columns: Axis, out: Any = None) -> Any:
    """See ``mean_reference`` and cuda/pool.cu."""
    y = gpu.output(out, (*x.shape[:2], len(rows), len(columns)), x)
    tables = (gpu.xp().asarray(table(rows)), gpu.xp().asarray(table(columns)))
    numbers = _numbers(y.size, *x.shape[2:], *y.shape[2:])
    grid = gpu.blocks(y.size, 256)
    gpu.launch("pool", "mean_pool", x.dtype, grid, 256, gpu.contiguous(x), *tables, y, *numbers)
    return y


def spread_gpu(g: Any, rows: Axis, columns: Axis, size: Pair, out: Any = None) -> Any:
    """See ``spread_reference`` and cuda/pool.cu."""
    dx = gpu.output(out, (*g.shape[:2], *size), g)
    tables = (gpu.xp().asarray(table(rows)), gpu.xp().asarray(table(columns)))
    numbers = _numbers(dx.size, *size, *g.shape[2:])
    grid = gpu.blocks(dx.size, 256)
    gpu.launch("pool", "spread", g.dtype, grid, 256, gpu.contiguous(g), *tables, dx, *numbers)
    return dx


def _is_picture(x: Any, *settings: Any, **options: Any) -> bool:
    return bool(x.ndim == 4 and x.dtype.kind == "f")


max_pool = register("max_pool", reference=max_reference, cpu=max_cpu, gpu=max_gpu, fits=_is_picture)
unpool = register(
    "max_pool_backward",
    reference=unpool_reference,
    cpu=unpool_cpu,
    gpu=unpool_gpu,
    fits=lambda g, places, size, out=None: (
        _is_picture(g) and places.dtype.kind == "i" and places.shape == g.shape
    ),
)
mean_pool = register("mean_pool", reference=mean_reference, cpu=mean_cpu, gpu=mean_gpu, fits=_is_picture)
spread = register(
    "mean_pool_backward", reference=spread_reference, cpu=spread_cpu, gpu=spread_gpu, fits=_is_picture
)
