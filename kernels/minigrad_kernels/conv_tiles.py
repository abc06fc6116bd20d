"""Convolution as a matrix product of patches and weights, whose patches are never written out (see ``patches``).

A tile is a few pixels by as many outputs as two registers hold. To each pixel belongs an address, and to each tap how
far from there it lies: so a tile takes its numbers from x itself, or rather from a piece of it with the zeros around
it, which is laid in a corner of a cache. The weights, side by side as a tile needs them, are read one after another
(Chetlur et al. 2014, "cuDNN: efficient primitives for deep learning", section 3.1, with an address in the place of a
copy; Dukhan 2019, "The indirect convolution algorithm", section 3).

    result             y[pixel, output]   = Σ_tap   P[pixel, tap] W[tap, output]
    weights' gradient  dw[tap, output]    = Σ_pixel P[pixel, tap] g[pixel, output]

are the same tile, the tables of pixels and of taps in each other's place. float32; see ``tiles``.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np

from minigrad_kernels.conv_loops import nothing
from minigrad_kernels.conv_shares import PARTS, added_up, numbers, packed
from minigrad_kernels.geometry import Geometry
from minigrad_kernels.launch import Loop, note_shared_out, workers_for
from minigrad_kernels.loops import scratch
from minigrad_kernels.patches import MARGIN, evenly, laying, piece_of, tables
from minigrad_kernels.products import PARALLEL_FROM
from minigrad_kernels.teams import Team
from minigrad_kernels.tiles import Size, Tile, size, tile_of_patches, transpose
from minigrad_kernels.work_queue import next_task, shared_out

ROWS = COLUMNS = LANES = 0  # a tile's, and a register's, where a loop is compiled; and the helpers themselves
multiply: Any = None
turn: Any = None
turn_tile: Any = None
lay: Any = None
put: Any = None

OUTPUTS = 128
"""Outputs that meet a piece while it lies in the cache."""

TILES = {8: (Size(6, 8, 16), Size(8, 8, 8)), 16: (Size(12, 16, 32), Size(16, 16, 16))}
"""By the numbers in a register: the tile for many outputs, two registers wide, and the one for few."""


def turn_loop(a: Any, rows: int, count: int, t: Any) -> None:
    """t[k, r] = a[r, k], of so many rows and columns. Where a has more rows, t may get something of them too."""
    for r in range(0, rows, LANES):
        for k in range(0, count, LANES):
            if r + LANES <= a.shape[0] and k + LANES <= count:
                turn_tile(a, r, k, t)
            else:
                for q in range(k, min(k + LANES, count)):
                    for p in range(r, min(r + LANES, rows)):
                        t[q, p] = a[p, q]


def correlate_loop(
    worker: int, queue: Any, x: Any, panels: Any, bias: Any, piece: Any, geometry: Any, place: Any, chunk: int,
    pixels: Any, taps: Any, laid: Any, sums: Any, turned: Any, y: Any,
) -> None:  # fmt: skip
    """y = P·W + bias, as far as it is this worker's share, or left by others.

    Each piece of x meets ``chunk`` panels of weights. Each worker has room in ``laid`` for a piece, and in ``sums`` and
    ``turned`` for its results.
    """
    pictures, rows, columns, most = piece[0], piece[1], piece[2], piece[3]
    sy, sx, top, left, oh, ow = geometry[0], geometry[1], geometry[4], geometry[5], geometry[6], geometry[7]
    groups, blocks, depth = panels.shape[0], panels.shape[1], panels.shape[2]
    channels, outputs = x.shape[1] // groups, y.shape[1] // groups
    each = depth // channels
    chunks, down, across = (
        (blocks + chunk - 1) // chunk,
        (oh + rows - 1) // rows,
        (ow + columns - 1) // columns,
    )
    pieces = (x.shape[0] + pictures - 1) // pictures * down * across
    t, total = laid[worker], sums[worker]
    begun = np.empty(COLUMNS, bias.dtype)
    task = next_task(queue, worker)
    while task >= 0:
        rest, k = divmod(task, pieces)
        group, first = rest // chunks, rest % chunks * chunk
        rest, q = k // across, k % across * columns
        n, p = rest // down * pictures, rest % down * rows
        few = min(chunk, blocks - first)
        held, high, wide = min(pictures, x.shape[0] - n), min(rows, oh - p), min(columns, ow - q)
        count = ((held - 1) * rows + high) * columns
        for b in range(few):
            o = group * outputs + (first + b) * COLUMNS
            for k in range(COLUMNS):
                begun[k] = bias[o + k] if o + k < min((group + 1) * outputs, len(bias)) else 0
            for i in range(count):
                for k in range(COLUMNS):
                    total[b, i, k] = begun[k]
        for c in range(0, channels if each else 0, most):
            part = min(most, channels - c)
            lay(x, n, held, group * channels + c, part, p * sy - top, q * sx - left, piece, t)
            for b in range(few):
                weights = panels[group, first + b, c * each : (c + part) * each]
                for i in range(0, count, ROWS):
                    multiply(t, pixels, i, taps, weights, total[b])
        for b in range(few):
            o = group * outputs + (first + b) * COLUMNS
            lanes = min(COLUMNS, (group + 1) * outputs - o)
            turn(total[b], count, COLUMNS, turned[worker])
            put(turned[worker], lanes, held, high, wide, rows, columns, n, o, p, q, place, y)
        task = next_task(queue, worker)


def put_loop(
    t: Any, outputs: int, pictures: int, high: int, wide: int, rows: int, columns: int, n: int, o: int, p: int, q: int,
    place: Any, y: Any,
) -> None:  # fmt: skip
    """Write t[output, (picture, row, column)] to where it lies in y."""
    y0, ys, x0, xs = place[0], place[1], place[2], place[3]
    flat = y.ravel()
    whole = xs == 1 and ys == 1 and wide == y.shape[3]
    for picture in range(pictures):
        for k in range(outputs):
            plane = ((n + picture) * y.shape[1] + o + k) * y.shape[2]
            start = picture * rows * columns
            if whole:
                into = (plane + y0 + p) * wide
                rest, line = flat[into : into + high * wide], t[k, start : start + high * wide]
                for u in range(len(rest)):
                    rest[u] = line[u]
                continue
            for i in range(high):
                into = (plane + y0 + (p + i) * ys) * y.shape[3] + x0 + q * xs
                line = t[k, start + i * columns : start + i * columns + wide]
                rest = flat[into:]
                if xs == 1:
                    for u in range(wide):
                        rest[u] = line[u]
                else:
                    for u in range(wide):
                        rest[u * xs] = line[u]


def weights_loop(
    worker: int, queue: Any, x: Any, g: Any, piece: Any, geometry: Any, groups: int, chunk: int,
    pixels: Any, taps: Any, laid: Any, gradients: Any, sums: Any, turned: Any, parts: Any,
) -> None:  # fmt: skip
    """parts[k] = Pᵀ·g over a part of the pieces, as far as it is this worker's share, or left by others.

    g is (pictures · outputs, pixels). For each worker there is room in ``laid`` for a piece of x, in ``gradients``
    for g beside it, ``chunk`` panels, and in ``sums`` and ``turned`` for results.
    """
    pictures, rows, columns, most = piece[0], piece[1], piece[2], piece[3]
    sy, sx, top, left, oh, ow = geometry[0], geometry[1], geometry[4], geometry[5], geometry[6], geometry[7]
    outputs, channels = parts.shape[1] // groups, x.shape[1] // groups
    each = parts.shape[2] // channels
    blocks = (outputs + COLUMNS - 1) // COLUMNS
    chunks, passes = (blocks + chunk - 1) // chunk, (channels + most - 1) // most
    down, across = (oh + rows - 1) // rows, (ow + columns - 1) // columns
    pieces = (x.shape[0] + pictures - 1) // pictures * down * across
    t, total = laid[worker], sums[worker]
    task = next_task(queue, worker)
    while task >= 0:
        rest, part = divmod(task, len(parts))
        rest, c = rest // passes, rest % passes * most
        group, first = rest // chunks, rest % chunks * chunk
        few, some = min(chunk, blocks - first), min(most, channels - c)
        total[:few] = 0
        for k in range(pieces * part // len(parts), pieces * (part + 1) // len(parts)):
            rest, q = k // across, k % across * columns
            n, p = rest // down * pictures, rest % down * rows
            held, high, wide = min(pictures, x.shape[0] - n), min(rows, oh - p), min(columns, ow - q)
            count = ((held - 1) * rows + high) * columns
            lay(x, n, held, group * channels + c, some, p * sy - top, q * sx - left, piece, t)
            for b in range(few):
                o = group * outputs + (first + b) * COLUMNS
                lanes = min(COLUMNS, (group + 1) * outputs - o)
                panel = gradients[worker, b]
                for picture in range(held):
                    beside = g[(n + picture) * groups * outputs + o :]
                    if wide == ow:
                        begin = picture * rows * columns
                        turn(beside[:, p * ow : (p + high) * ow], lanes, high * ow, panel[begin:])
                        continue
                    for i in range(high):
                        begin = (picture * rows + i) * columns
                        start = (p + i) * ow + q
                        turn(beside[:, start : start + wide], lanes, wide, panel[begin:])
                        panel[begin + wide : begin + columns] = 0
                for i in range(0, some * each, ROWS):
                    multiply(t, taps, i, pixels, panel[:count], total[b])
        for b in range(few):
            o = group * outputs + (first + b) * COLUMNS
            turn(total[b], some * each, COLUMNS, turned[worker])
            for k in range(min(COLUMNS, (group + 1) * outputs - o)):
                line = parts[part, o + k, c * each : (c + some) * each]
                for u in range(len(line)):
                    line[u] = turned[worker, k, u]
        task = next_task(queue, worker)


class _Loops(NamedTuple):
    """The loops with one of the tiles."""

    tile: Size
    correlate: Team
    weights: Team


_put = Loop(put_loop)


@cache
def _turning(lanes: int) -> Loop:
    return Loop(turn_loop, turn_tile=Tile(transpose, Size(lanes, lanes, lanes)), LANES=lanes)


@cache
def _loops(wide: bool) -> _Loops:
    fitting = size()
    assert fitting is not None
    tile = TILES[fitting.lanes][0 if wide else 1]
    names: dict[str, Any] = {"ROWS": tile.rows, "COLUMNS": tile.columns, "LANES": tile.lanes}
    helpers: dict[str, Any] = {
        "multiply": Tile(tile_of_patches, tile),
        "lay": laying(tile.lanes),
        "turn": _turning(tile.lanes),
        "put": _put,
    }
    return _Loops(
        tile,
        Team(Loop(correlate_loop, **helpers, **names)),
        Team(Loop(weights_loop, **helpers, **names)),
    )


def filled(outputs: int) -> tuple[int, bool]:
    """Return how many columns so many outputs take, and whether the tile is the wide one.

    It is the one that has fewer columns too many, and the wide one where that is nearly the same.
    """
    fitting = size()
    assert fitting is not None
    wide, narrow = (-(-outputs // tile.columns) * tile.columns for tile in TILES[fitting.lanes])
    is_wide = 8 * wide <= 9 * narrow  # the narrow one reads a number more often
    return wide if is_wide else narrow, is_wide


def _fitting(outputs: int) -> _Loops:
    return _loops(filled(outputs)[1])


def correlate(x: Any, w: Any, taken: Any, b: Any, geometry: Geometry, place: Any, y: Any) -> None:
    """See ``conv_loops.correlate``."""
    groups, outputs, channels, *kernel = taken.shape
    loops = _fitting(outputs)
    piece, tile = piece_of(len(x), channels, (kernel[0], kernel[1]), geometry), loops.tile
    pixels, taps = tables(piece, (kernel[0], kernel[1]), geometry)
    blocks = -(-outputs // tile.columns)
    workers = workers_for(len(x) * geometry.oh * geometry.ow * taken.size, PARALLEL_FROM)
    panels = packed(taken, w, 2, (3, 4), tile.columns)
    chunk = evenly(blocks, OUTPUTS // tile.columns)
    queue = shared_out(groups * -(-blocks // chunk) * piece.needed(len(x), geometry), workers)
    room = piece.pixels + MARGIN
    note_shared_out(y, workers > 1)
    loops.correlate(
        workers, queue, x, panels, nothing(w.dtype) if b is None else b, numbers(*piece),
        numbers(*geometry), numbers(*place), chunk, pixels, taps, scratch((workers, piece.entries), x.dtype),
        scratch((workers, chunk, room, tile.columns), x.dtype), scratch((workers, tile.columns, room), x.dtype), y,
    )  # fmt: skip


def weights(g: Any, x: Any, geometry: Geometry, groups: int, dw: Any) -> None:
    """See ``conv_loops.weights``."""
    outputs, channels, *kernel = dw.shape
    each = kernel[0] * kernel[1]
    loops = _fitting(outputs // groups)
    piece, tile = piece_of(len(x), channels, (kernel[0], kernel[1]), geometry), loops.tile
    pixels, taps = tables(piece, (kernel[0], kernel[1]), geometry)
    blocks = -(-outputs // groups // tile.columns)
    chunk = evenly(blocks, OUTPUTS // tile.columns)
    tasks = groups * -(-blocks // chunk) * -(-channels // piece.channels)
    several = min(piece.needed(len(x), geometry), max(1, PARTS // tasks))
    whole = dw.reshape((outputs, channels * each))
    parts = scratch((several, *whole.shape), g.dtype) if several > 1 else whole[None]
    workers = workers_for(g.size * channels * each, PARALLEL_FROM)
    room = piece.channels * each + MARGIN
    loops.weights(
        workers, shared_out(tasks * several, workers), x, g.reshape((len(x) * outputs, -1)), numbers(*piece),
        numbers(*geometry), groups, chunk, pixels, taps, scratch((workers, piece.entries), x.dtype),
        scratch((workers, chunk, piece.pixels + MARGIN, tile.columns), x.dtype),
        scratch((workers, chunk, room, tile.columns), x.dtype), scratch((workers, tile.columns, room), x.dtype), parts,
    )  # fmt: skip
    if several > 1:
        added_up(parts, whole)
