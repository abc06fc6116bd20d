"""Convolution for few outputs: a tile is so many pixels of a row, side by side, by six outputs.

Where a kernel goes along a row pixel by pixel, the pixels that neighbours see are neighbours too: a tap's numbers for
a whole tile lie in two registers, and each is used for six outputs. So a tile of ``conv_tiles``, whose columns are
outputs and which a network's first layers leave empty for the most part, is turned round: results come out as they
have to lie. The weights' gradient has pixels side by side too, and adds up a register's numbers only at the end.

Taps that would see nothing but zeros above or below a picture are left out, row by row. float32; see ``tiles``.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any, NamedTuple

import numpy as np

from minigrad_kernels.conv_loops import inside, nothing
from minigrad_kernels.conv_shares import PARTS, added_up, numbers, packed
from minigrad_kernels.geometry import Geometry, Pair
from minigrad_kernels.launch import Loop, note_shared_out, workers_for
from minigrad_kernels.loops import scratch
from minigrad_kernels.patches import MARGIN, Piece, evenly, laying
from minigrad_kernels.products import PARALLEL_FROM
from minigrad_kernels.teams import Team
from minigrad_kernels.tiles import Size, Tile, size, tile_of_rows, tile_of_sums
from minigrad_kernels.work_queue import next_task, shared_out

LANES = 0  # of a register, where a loop is compiled; and the helpers themselves
lay: Any = None
across: Any = None
sum_up: Any = None

OUTPUTS = 6
"""Rows of a tile."""

ACROSS = 16
"""Pixels of a tile."""

ROOM = 1 << 13
"""Entries of a piece of x, where a few rows of it do not take more."""

FEWEST_ROWS = 4
"""Rows of a result that are worked out from one piece at least, since their kernels overlap."""


def correlate_loop(
    worker: int, queue: Any, x: Any, panels: Any, bias: Any, piece: Any, geometry: Any, place: Any, kh: int,
    terms: Any, laid: Any, sums: Any, y: Any,
) -> None:  # fmt: skip
    """y = b + Σ x·w, as far as it is this worker's share, or left by others.

    A tile that reaches over the end of a row is overwritten by the next one. The last ones, and those of results that
    lie apart, go through ``sums``, where each worker has room for one.
    """
    rows, width = piece[1], piece[5]
    sy, dy, top, left, oh, ow = geometry[0], geometry[2], geometry[4], geometry[5], geometry[6], geometry[7]
    y0, ys, x0, xs = place[0], place[1], place[2], place[3]
    groups, blocks, each = panels.shape[0], panels.shape[1], panels.shape[2] // max(1, kh)
    channels, outputs = x.shape[1] // groups, y.shape[1] // groups
    down = (oh + rows - 1) // rows
    planes = y.reshape((y.shape[0] * y.shape[1], y.shape[2] * y.shape[3]))
    whole = xs == 1 and ys == 1 and ow == y.shape[3]
    t, room = laid[worker], sums[worker]
    begun = np.empty(OUTPUTS, x.dtype)
    task = next_task(queue, worker)
    while task >= 0:
        rest, k = divmod(task, down)
        n, group = divmod(rest, groups)
        behind = min(oh, (k + 1) * rows)
        lay(x, n, 1, group * channels, channels, k * rows * sy - top, -left, piece, t)
        for b in range(blocks):
            few = min(OUTPUTS, outputs - b * OUTPUTS)
            first = group * outputs + b * OUTPUTS
            for r in range(OUTPUTS):
                begun[r] = bias[first + r] if r < few and first + r < len(bias) else 0
            for p in range(k * rows, behind):
                low, high = inside(p * sy - top, dy, kh, x.shape[2])
                seen, weights = terms[low * each : high * each], panels[group, b, low * each : high * each]
                for q in range(0, ow, ACROSS):
                    straight = whole and p * ow + q + ACROSS <= behind * ow
                    into, o, j = (planes, n * y.shape[1] + first, p * ow + q) if straight else (room, 0, 0)
                    across(t, (p - k * rows) * sy * width + q, seen, weights, begun, few, into, o, j)
                    if not straight:
                        for r in range(few):
                            line = y[n, first + r, y0 + p * ys]
                            for u in range(min(ACROSS, ow - q)):
                                line[x0 + (q + u) * xs] = room[r, u]
        task = next_task(queue, worker)


def weights_loop(
    worker: int, queue: Any, x: Any, g: Any, piece: Any, beside: Any, geometry: Any, groups: int,
    terms: Any, places: Any, laid: Any, gradients: Any, sums: Any, parts: Any,
) -> None:  # fmt: skip
    """parts[k] = Σ g·x over a part of the pieces, as far as it is this worker's share, or left by others.

    For each worker there is room in ``laid`` for a piece of x, in ``gradients`` for what belongs to it of g, laid as
    ``beside`` says, and in ``sums`` for each weight's sums.
    """
    rows, sy, top, left, oh = piece[1], geometry[0], geometry[4], geometry[5], geometry[6]
    outputs, channels = parts.shape[1] // groups, x.shape[1] // groups
    taps = parts.shape[2]
    blocks, down = (outputs + OUTPUTS - 1) // OUTPUTS, (oh + rows - 1) // rows
    pieces = x.shape[0] * down
    t, u, total = laid[worker], gradients[worker], sums[worker]
    lines = u[: OUTPUTS * beside[6]].reshape((OUTPUTS, beside[6]))
    task = next_task(queue, worker)
    while task >= 0:
        rest, part = divmod(task, len(parts))
        group, b = divmod(rest, blocks)
        few, o = min(OUTPUTS, outputs - b * OUTPUTS), group * outputs + b * OUTPUTS
        total[:] = 0
        for k in range(pieces * part // len(parts), pieces * (part + 1) // len(parts)):
            n, p = k // down, k % down * rows
            lay(x, n, 1, group * channels, channels, p * sy - top, -left, piece, t)
            lay(g, n, 1, o, few, p, 0, beside, u)
            for i in range(0, taps, 2):
                sum_up(t, places, terms, i, lines, total)
        for r in range(few):
            for i in range(taps):
                one = x.dtype.type(0)
                for lane in range(LANES):
                    one += total[i, r, lane]
                parts[part, o + r, i] = one
        task = next_task(queue, worker)


class _Loops(NamedTuple):
    lanes: int
    correlate: Team
    weights: Team


@cache
def _loops() -> _Loops:
    fitting = size()
    assert fitting is not None
    lanes = fitting.lanes
    tile, pair = Size(OUTPUTS, lanes, ACROSS), Size(OUTPUTS, lanes, 2 * lanes)
    return _Loops(
        lanes,
        Team(Loop(correlate_loop, lay=laying(lanes), across=Tile(tile_of_rows, tile))),
        Team(Loop(weights_loop, lay=laying(lanes), sum_up=Tile(tile_of_sums, pair), LANES=lanes)),
    )


@lru_cache(maxsize=256)  # shapes come back every step
def piece_of(channels: int, kernel: Pair, geometry: Geometry) -> Piece:
    """Return how a result is parted: whole rows, and so many that what they see has room.

    A tile reaches over the end of a row, and what it sees there are zeros of that row.
    """
    (kh, kw), (oh, ow) = kernel, geometry[6:]
    width = -(-ow // ACROSS) * ACROSS + max(0, kw - 1) * geometry.dx
    over = max(0, kh - 1) * geometry.dy + 1
    rows = (ROOM // (channels * width) - over) // geometry.sy + 1
    rows = evenly(oh, max(FEWEST_ROWS, rows))
    height = (rows - 1) * geometry.sy + over
    return Piece(1, rows, ow, channels, height, width, height * width + MARGIN, 1, 1)


@lru_cache(maxsize=256)
def terms_of(piece: Piece, kernel: Pair, geometry: Geometry, by_rows: bool) -> Any:
    """Return how far each tap is from a pixel: in order (row, channel, column), or (channel, row, column)."""
    i, j = (np.arange(k) * apart for k, apart in zip(kernel, (geometry.dy, geometry.dx), strict=True))
    c = np.arange(piece.channels) * piece.plane
    outer, inner = (i * piece.width, c) if by_rows else (c, i * piece.width)
    return np.pad(np.add.outer(np.add.outer(outer, inner), j).ravel(), (0, 1))


@lru_cache(maxsize=256)
def gradients_beside(piece: Piece, geometry: Geometry, lanes: int) -> tuple[Piece, Any]:
    """Return how g is laid beside a piece of x, in whole registers, and what pixel of the piece each belongs to."""
    width = -(-piece.columns // lanes) * lanes
    places = np.add.outer(
        np.arange(piece.rows) * geometry.sy * piece.width, np.arange(0, width, lanes)
    ).ravel()
    return Piece(1, piece.rows, piece.columns, OUTPUTS, piece.rows, width, piece.rows * width, 1, 1), places


def correlate(x: Any, w: Any, taken: Any, b: Any, geometry: Geometry, place: Any, y: Any) -> None:
    """See ``conv_loops.correlate``."""
    groups, _, channels, kh, kw = taken.shape
    piece = piece_of(channels, (kh, kw), geometry)
    workers = workers_for(len(x) * geometry.oh * geometry.ow * taken.size, PARALLEL_FROM)
    panels = packed(taken, w, 3, (2, 4), OUTPUTS)
    queue = shared_out(len(x) * groups * -(-geometry.oh // piece.rows), workers)
    note_shared_out(y, workers > 1)
    _loops().correlate(
        workers, queue, x, panels, nothing(w.dtype) if b is None else b, numbers(*piece), numbers(*geometry),
        numbers(*place), kh, terms_of(piece, (kh, kw), geometry, True), scratch((workers, piece.entries), x.dtype),
        scratch((workers, OUTPUTS, ACROSS), x.dtype), y,
    )  # fmt: skip


def weights(g: Any, x: Any, geometry: Geometry, groups: int, dw: Any) -> None:
    """See ``conv_loops.weights``."""
    outputs, channels, kh, kw = dw.shape
    loops = _loops()
    piece = piece_of(channels, (kh, kw), geometry)
    beside, places = gradients_beside(piece, geometry, loops.lanes)
    tasks = groups * -(-outputs // groups // OUTPUTS)
    pieces = len(x) * -(-geometry.oh // piece.rows)
    several = min(pieces, max(1, PARTS // tasks))
    whole = dw.reshape((outputs, channels * kh * kw))
    parts = scratch((several, *whole.shape), g.dtype) if several > 1 else whole[None]
    workers = workers_for(g.size * channels * kh * kw, PARALLEL_FROM)
    loops.weights(
        workers, shared_out(tasks * several, workers), x, g, numbers(*piece), numbers(*beside), numbers(*geometry),
        groups, terms_of(piece, (kh, kw), geometry, False), places, scratch((workers, piece.entries), x.dtype),
        scratch((workers, beside.entries), x.dtype),
        scratch((workers, whole.shape[1] + 1, OUTPUTS, loops.lanes), x.dtype), parts,
    )  # fmt: skip
    if several > 1:
        added_up(parts, whole)


def lanes_across(count: int, pixels: int) -> float:
    """Return how much of a register's work so many outputs take for each pixel of such a row."""
    return -(-count // OUTPUTS) * OUTPUTS * -(-pixels // ACROSS) * ACROSS / max(1, pixels)
