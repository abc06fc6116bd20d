"""Convolution as a matrix product that is never written out: weights (o, K) times patches (K, pixels), K = c·kh·kw.

The patches of all pixels would take K / c times the memory of x. Here a panel of them, as many pixels as a tile has
columns, is gathered into a corner of a cache when its turn comes, meets all weights, and is forgotten
(Chetlur et al. 2014, "cuDNN: efficient primitives for deep learning", section 3.1). float32; see ``tiles``.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np

from minigrad_kernels.conv_loops import inside
from minigrad_kernels.geometry import Geometry
from minigrad_kernels.launch import Loop, may_use_threads, note_shared_out, threads
from minigrad_kernels.products import PARALLEL_FROM
from minigrad_kernels.tiles import Tile, copy_inside, put, size, tile, transpose
from minigrad_kernels.work_queue import new_queue, next_task

prange = range  # Numba's, where a loop is compiled
ROWS = COLUMNS = LANES = 0  # a tile's, and a register's, where a loop is compiled; and the helpers themselves
straight: Any = None
transpose_tile: Any = None
copy: Any = None
store: Any = None
gather: Any = None
scatter: Any = None

FEWEST = 3
"""Outputs of a group from which the tiles pay, although they are filled up with rows of zeros."""

CACHED = 1 << 17
"""Entries of the panels that are gathered together, so that the second cache holds them and the weights' rows."""

CHUNK = 256
"""Pixels whose products are added up in registers for the gradient of the weights."""

WIDTH = 288
"""Weights of one output that are worked on together there."""


def gather_loop(
    x: Any, first: int, count: int, c0: int, channels: int, kernel: Any, geometry: Any, t: Any
) -> None:
    """t[(c, i, j), k] = what tap (i, j) of channel c0 + c meets at pixel first + k; 0 outside of x."""
    sy, sx, dy, dx, top, left, oh, ow = geometry
    kh, kw = kernel
    k = 0
    while k < count:
        n, rest = divmod(first + k, oh * ow)
        p, q = divmod(rest, ow)
        length = min(ow - q, count - k)  # pixels of one row
        for i in range(kh):
            iy = p * sy + i * dy - top
            for j in range(kw):
                start = q * sx + j * dx - left
                low, high = 0, 0
                if 0 <= iy < x.shape[2]:
                    low, high = inside(start, sx, length, x.shape[3])
                for c in range(channels):
                    row = (c * kh + i) * kw + j
                    if sx == 1:
                        for u in range(0, length, LANES):
                            few = min(length - u, LANES)
                            copy(x, n, c0 + c, iy, start + u, low - u, high - u, t, row, k + u, few)
                    else:
                        for u in range(low):
                            t[row, k + u] = 0
                        for u in range(low, high):
                            t[row, k + u] = x[n, c0 + c, iy, start + u * sx]
                        for u in range(high, length):
                            t[row, k + u] = 0
        k += length


def scatter_loop(
    block: Any, r0: int, rows: int, bias: Any, o: int, first: int, count: int, size: Any, place: Any, y: Any
) -> None:
    """Write rows of a block, and the bias, to where their pixels lie in y."""
    (oh, ow), (y0, ys, x0, xs) = size, place
    k = 0
    while k < count:
        n, rest = divmod(first + k, oh * ow)
        p, q = divmod(rest, ow)
        length = min(ow - q, count - k)
        for r in range(r0, rows):
            if xs == 1:
                for u in range(0, length, LANES):
                    few = min(length - u, LANES)
                    store(block, r, k + u, bias, o + r, y, n, o + r, y0 + p * ys, x0 + q + u, few)
            else:
                for u in range(length):
                    y[n, o + r, y0 + p * ys, x0 + (q + u) * xs] = block[r, k + u] + bias[o + r]
        k += length


def correlate_loop(
    x: Any, w: Any, bias: Any, kernel: Any, geometry: Any, size: Any, place: Any, groups: int, together: int,
    workers: int, y: Any,
) -> None:  # fmt: skip
    """y = w·patches + bias, ``together`` panels at a time; w has ``ROWS`` rows for each group, or more."""
    pixels = x.shape[0] * geometry[6] * geometry[7]
    outputs, channels, height, depth = (
        y.shape[1] // groups,
        x.shape[1] // groups,
        len(w) // groups,
        w.shape[1],
    )
    bunch = together * COLUMNS
    bunches = (pixels + bunch - 1) // bunch
    queue = new_queue(groups * bunches, workers)
    for worker in prange(workers):
        panels = np.empty((together, depth, COLUMNS), x.dtype)
        block = np.empty((ROWS, COLUMNS), x.dtype)
        task = next_task(queue, worker)
        while task >= 0:
            group, first = task // bunches, task % bunches * bunch
            filled = min(together, (pixels - first + COLUMNS - 1) // COLUMNS)
            for k in range(filled):
                start = first + k * COLUMNS
                gather(
                    x,
                    start,
                    min(COLUMNS, pixels - start),
                    group * channels,
                    channels,
                    kernel,
                    geometry,
                    panels[k],
                )
            for i in range(0, outputs, ROWS):
                row = max(0, min(i, outputs - ROWS))
                few = w[group * height + row : group * height + row + ROWS]
                for k in range(filled):
                    start = first + k * COLUMNS
                    straight(few, 0, panels[k], 0, block, 0)
                    scatter(
                        block, 0, min(ROWS, outputs), bias, group * outputs + row, start,
                        min(COLUMNS, pixels - start), size, place, y,
                    )  # fmt: skip
            task = next_task(queue, worker)


def weights_loop(
    g: Any, x: Any, kernel: Any, geometry: Any, groups: int, width: int, workers: int, sums: Any
) -> None:
    """sums[part] = g·patchesᵀ over a part of the pixels, ``width`` channels of x at a time.

    g is (outputs, pixels), with ``ROWS`` rows for each group, or more.
    """
    taps, pixels = kernel[0] * kernel[1], g.shape[1]
    channels, height = x.shape[1] // groups, len(g) // groups
    parts, outputs = len(sums), sums.shape[1] // groups
    blocks, chunks = (channels + width - 1) // width, (pixels + CHUNK - 1) // CHUNK
    queue = new_queue(groups * blocks * parts, workers)
    for worker in prange(workers):
        across = np.zeros(((width * taps + COLUMNS - 1) // COLUMNS * COLUMNS, CHUNK), x.dtype)
        patches = np.empty((CHUNK, len(across)), x.dtype)
        block = np.empty((ROWS, COLUMNS), x.dtype)
        task = next_task(queue, worker)
        while task >= 0:
            part, rest = task % parts, task // parts
            group, c = rest // blocks, rest % blocks * width
            few = min(width, channels - c)
            sums[part, group * outputs : (group + 1) * outputs, c * taps : (c + few) * taps] = 0
            for chunk in range(chunks * part // parts, chunks * (part + 1) // parts):
                first = chunk * CHUNK
                count = min(CHUNK, pixels - first)
                gather(x, first, count, group * channels + c, few, kernel, geometry, across)
                for i in range(0, few * taps, ROWS):
                    for k in range(0, count, LANES):
                        transpose_tile(across, i, k, patches)
                for i in range(0, outputs, ROWS):
                    row = max(0, min(i, outputs - ROWS))
                    rows = g[group * height + row : group * height + row + ROWS, first : first + count]
                    for j in range(0, few * taps, COLUMNS):
                        straight(rows, 0, patches[:count], j, block, 0)
                        for r in range(i - row, min(ROWS, outputs)):
                            line = sums[part, group * outputs + row + r, c * taps + j : (c + few) * taps]
                            for k in range(min(COLUMNS, len(line))):
                                line[k] += block[r, k]
            task = next_task(queue, worker)


class _Loops(NamedTuple):
    correlate: Loop
    weights: Loop


@cache
def _loops(parallel: bool) -> _Loops:
    fitting = size()
    assert fitting is not None
    names: dict[str, Any] = {"ROWS": fitting.rows, "COLUMNS": fitting.columns, "LANES": fitting.lanes}
    gathered = Loop(gather_loop, copy=Tile(copy_inside, fitting), **names)
    scattered = Loop(scatter_loop, store=Tile(put, fitting), **names)
    product = Tile(tile, fitting)
    return _Loops(
        Loop(
            correlate_loop, parallel=parallel, gather=gathered, scatter=scattered, straight=product, **names
        ),
        Loop(
            weights_loop,
            parallel=parallel,
            gather=gathered,
            straight=product,
            transpose_tile=Tile(transpose, fitting),
            **names,
        ),
    )


def _workers(multiplications: int) -> int:
    return threads() if multiplications >= PARALLEL_FROM and may_use_threads() else 1


def _filled(rows: Any, groups: int) -> Any:
    """Return a matrix with rows of zeros behind those of each group, so that each has as many as a tile."""
    fitting = size()
    assert fitting is not None
    count = len(rows) // groups
    if count >= fitting.rows:
        return rows
    whole = np.zeros((groups, fitting.rows, rows.shape[1]), rows.dtype)
    whole[:, :count] = rows.reshape((groups, count, -1))
    return whole.reshape((groups * fitting.rows, -1))


def correlate(x: Any, w: Any, b: Any, geometry: Geometry, place: Any, groups: int, y: Any) -> None:
    """See ``conv_loops.correlate``."""
    outputs, depth, kernel = len(w), w[0].size, w.shape[2:]
    bias = np.zeros(outputs, w.dtype) if b is None else b
    pixels = len(x) * geometry.oh * geometry.ow
    workers = _workers(pixels * w.size)
    fitting = size()
    assert fitting is not None
    together = min(CACHED // (depth * fitting.columns), pixels // (4 * workers * fitting.columns), 16)
    lengths, dense = (geometry.oh, geometry.ow), y.shape[2:] == (geometry.oh, geometry.ow)
    if dense:  # a picture is one long row
        y, lengths, place = y.reshape((*y.shape[:2], 1, -1)), (1, lengths[0] * lengths[1]), (0, 1, 0, 1)
    if kernel == (1, 1) and geometry[:6] == (1, 1, 1, 1, 0, 0) and x.shape[2:] == geometry[6:]:
        x, geometry = x.reshape((*x.shape[:2], 1, -1)), geometry._replace(oh=1, ow=geometry.oh * geometry.ow)
    note_shared_out(y, workers > 1)
    _loops(workers > 1).correlate.compiled(
        x, _filled(w.reshape((outputs, depth)), groups), bias, kernel, tuple(geometry), lengths, place, groups,
        max(1, together), workers, y,
    )  # fmt: skip


def weights(g: Any, x: Any, geometry: Geometry, groups: int, dw: Any) -> None:
    """See ``conv_loops.weights``."""
    outputs, channels, *kernel = dw.shape
    taps = kernel[0] * kernel[1]
    pixels = g.size // outputs
    if taps == 1 and geometry[:6] == (1, 1, 1, 1, 0, 0) and x.shape[2:] == geometry[6:]:
        x, geometry = x.reshape((*x.shape[:2], 1, -1)), geometry._replace(oh=1, ow=geometry.oh * geometry.ow)
    width = min(channels, max(1, WIDTH // taps))
    chunks, blocks = -(-pixels // CHUNK), groups * -(-channels // width)
    sums = np.empty((min(chunks, max(1, 8 // blocks)), outputs, channels * taps), g.dtype)
    rows = _filled(g.swapaxes(0, 1).reshape((outputs, pixels)), groups)
    workers = _workers(pixels * dw.size)
    loop = _loops(workers > 1).weights
    loop.compiled(rows, x, tuple(kernel), tuple(geometry), groups, width, workers, sums)
    np.sum(sums, axis=0, out=dw.reshape((outputs, -1)))


def _pays(outputs: int, dtype: Any) -> bool:
    return dtype == np.float32 and outputs >= FEWEST and size() is not None


def forward_pays(
    x: Any, w: Any, b: Any = None, stride: Any = (), padding: Any = (), dilation: Any = (), groups: int = 1,
    **options: Any,
) -> bool:  # fmt: skip
    """Tell whether the tiles are the faster ones."""
    return _pays(len(w) // groups, x.dtype)


def input_pays(
    g: Any, w: Any, size: Any, stride: Any = (), padding: Any = (), dilation: Any = (), groups: int = 1,
    **options: Any,
) -> bool:  # fmt: skip
    """Tell whether the tiles are the faster ones."""
    return _pays(w.shape[1], g.dtype)


def weight_pays(
    g: Any, x: Any, kernel: Any, stride: Any = (), padding: Any = (), dilation: Any = (), groups: int = 1,
    **options: Any,
) -> bool:  # fmt: skip
    """Tell whether the tiles are the faster ones."""
    return _pays(g.shape[1] // groups, g.dtype)
