"""The matrix products of dense layers, of float32 and of middling size, which our own tiles do faster than BLAS.

BLAS copies both factors before it multiplies, so that they lie as it needs them. That pays for large products; for a
batch of 32 samples it is half of the time. What is here leaves w where it is. And where BLAS wakes its threads once
for each product, and gains little from them, a loop of Numba's shares out the tiles within a microsecond.

A product goes to BLAS where it is small, where it is large or much smaller than a tile in one direction, and where the
processor is none for which there are tiles.

A tile that would reach over the edge begins further in, and works out some entries a second time, to the same bits.
The bits do not depend on the number of threads.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any, NamedTuple

import numpy as np

from minigrad_kernels.launch import Host, Loop, may_use_threads, note_shared_out, threads
from minigrad_kernels.loops import scratch
from minigrad_kernels.moving import assign
from minigrad_kernels.tiles import Tile, pack_panels, size, tile, tile_across, transpose
from minigrad_kernels.work_queue import new_queue, next_task

prange = range  # Numba's, where a loop is compiled
ROWS = COLUMNS = 0  # a tile's, where a loop is compiled; and the tiles themselves
LANES = 0  # a register's
across: Any = None
straight: Any = None
transpose_tile: Any = None
transpose_piece: Any = None
pack: Any = None
PIECE = 64  # rows that are worked on together, or more
HEIGHT = 256  # rows of a that go with one panel where panels are packed: the second cache holds them
PAGE = 4096  # bytes: what lies as far apart falls into the same place of a cache, and drives each other out
ALIKE = PAGE  # when panels of b are packed, and how many together: see ``COPIED``, where a loop is compiled
GROUP = 1

SMALLEST, LARGEST = 1 << 18, 1 << 31
"""Multiplications from which BLAS uses several threads, and up to which the tiles are the faster ones.

In between BLAS is left out altogether: its threads go on spinning when a product is done, and where they meet those of
our loops on the same processors, both wait for whole slices of the scheduler's time.
"""

PARALLEL_FROM = 1 << 21
"""Multiplications from which waking the other threads pays, measured on two cores."""

TURNED = {16: (1, 512), 8: (1 << 14, 1)}
"""From how many entries and how many columns on a is transposed first, so that a tile goes along its rows.

By the numbers in a register: 16 (AVX-512) as measured on Zen 5, whose first cache holds 48 KiB, and 8 (AVX2) as
measured on Zen 3, where it holds 32.
"""

COPIED = {16: (PAGE, 4), 8: (1, 4)}
"""When the panels of b that tiles go along are packed first, so that each lies in one piece, and how many neighbours
at a time: where the rows of b are a multiple of so many bytes apart. With AVX2 that is everywhere.
"""

MOST_WASTE = 4
"""How many times the multiplications asked for are done at most where a factor is filled up with zeros to a tile."""


def transpose_piece_loop(a: Any, start: int, t: Any) -> None:
    """t = aᵀ, as far as it concerns ``PIECE`` columns of a from ``start`` on."""
    rows, columns = a.shape
    for k in range(start, min(start + PIECE, columns), LANES):
        for i in range(0, rows, ROWS):
            if rows >= ROWS and columns >= LANES:
                transpose_tile(a, min(i, rows - ROWS), min(k, columns - LANES), t)
            else:
                for q in range(k, min(k + LANES, columns)):
                    for p in range(i, min(i + ROWS, rows)):
                        t[q, p] = a[p, q]


def transpose_loop(a: Any, t: Any) -> None:
    """t = aᵀ."""
    for piece in prange((a.shape[1] + PIECE - 1) // PIECE):
        transpose_piece(a, np.int64(piece) * PIECE, t)


def forward_loop(x: Any, w: Any, b: Any, relu: bool, workers: int, y: Any) -> None:
    """y = x·wᵀ + b, and 0 for what is below it where ``relu``. x and y have at least a tile's columns as rows."""
    n, depth = x.shape
    outputs = w.shape[0]
    panels = (n + COLUMNS - 1) // COLUMNS
    samples = np.empty((panels, depth, COLUMNS), x.dtype)  # a panel is some samples side by side
    pieces = (depth + PIECE - 1) // PIECE
    for t in prange(panels * pieces):
        panel, piece = divmod(np.int64(t), pieces)
        start = min(panel * COLUMNS, n - COLUMNS)
        transpose_piece(x[start : start + COLUMNS], piece * PIECE, samples[panel])
    blocks = (outputs + ROWS - 1) // ROWS
    queue = new_queue(panels * blocks, workers)
    for worker in prange(workers):
        task = next_task(queue, worker)
        while task >= 0:
            panel, block = divmod(task, blocks)
            start = min(panel * COLUMNS, n - COLUMNS)
            across(w, min(block * ROWS, outputs - ROWS), samples[panel], b, relu, y, start)
            task = next_task(queue, worker)


def product_loop(a: Any, b: Any, by_rows: bool, workers: int, c: Any) -> None:
    """c = a·b, where the rows of b and of c are contiguous and those of a need not be.

    A thread works out neighbouring rows of c where ``by_rows`` and c has several pieces of rows, otherwise neighbouring
    columns.
    """
    (m, n), depth = c.shape, b.shape[0]
    panels = (n + COLUMNS - 1) // COLUMNS
    copied = b.strides[0] % ALIKE == 0
    columns = np.empty((panels if copied else 0, depth, COLUMNS), b.dtype)
    for k in prange((len(columns) + GROUP - 1) // GROUP):
        first = np.int64(k) * GROUP
        pack(b, first * COLUMNS, columns[first : first + GROUP])
    height = HEIGHT if copied else max(PIECE, m // 2 // ROWS * ROWS) if by_rows else m
    pieces = (m + height - 1) // height
    queue = new_queue(panels * pieces, workers)
    for worker in prange(workers):
        task = next_task(queue, worker)
        while task >= 0:
            panel = task % panels if by_rows else task // pieces
            piece = task // panels if by_rows else task % pieces
            j = min(panel * COLUMNS, n - COLUMNS)
            for i in range(piece * height, min((piece + 1) * height, m), ROWS):
                if copied:
                    straight(a, min(i, m - ROWS), columns[panel], 0, c, j)
                else:
                    straight(a, min(i, m - ROWS), b, j, c, j)
            task = next_task(queue, worker)


class _Loops(NamedTuple):
    """The loops with the tile that fits this processor."""

    forward: Loop
    product: Loop
    transpose: Loop


@cache
def _loops(parallel: bool) -> _Loops:
    fitting = size()
    assert fitting is not None
    names: dict[str, Any] = {"ROWS": fitting.rows, "COLUMNS": fitting.columns, "LANES": fitting.lanes}
    alike, group = COPIED[fitting.lanes]
    piece = Loop(transpose_piece_loop, transpose_tile=Tile(transpose, fitting), **names)
    return _Loops(
        Loop(
            forward_loop, parallel=parallel, transpose_piece=piece, across=Tile(tile_across, fitting), **names
        ),
        Loop(
            product_loop,
            parallel=parallel,
            straight=Tile(tile, fitting),
            pack=Tile(pack_panels, fitting),
            ALIKE=alike,
            GROUP=group,
            **names,
        ),
        Loop(transpose_loop, parallel=parallel, transpose_piece=piece, **names),
    )


@lru_cache(maxsize=1024)  # shapes come back every step
def fits(m: int, n: int, depth: int, dtype: np.dtype[Any]) -> bool:
    """Tell whether the tiles are the faster ones for a product with m rows and n columns; BLAS takes any.

    Where there are fewer multiplications than ``SMALLEST`` they never are, and nobody needs to ask.
    """
    if not SMALLEST <= m * n * depth <= LARGEST or dtype != np.float32:
        return False
    fitting = size()
    return fitting is not None and max(m, fitting.rows) * max(n, fitting.columns) <= MOST_WASTE * m * n


blas = Host("np.dot", lambda a, b, out: np.dot(a, b, out=out))


def padded(a: Any, rows: int, columns: int) -> Any:
    """Return a matrix with zeros added where it has fewer rows or columns than that."""
    m, n = a.shape
    if m >= rows and n >= columns:
        return a
    whole = np.zeros((max(m, rows), max(n, columns)), a.dtype)
    assign(whole[:m, :n], a)
    return whole


def forward(x: Any, w: Any, b: Any, relu: bool, y: Any, wake: int | None = None) -> None:
    """y = x·wᵀ + b, and 0 for what is below it where ``relu``, for what ``fits``.

    ``wake`` says from how many multiplications on the other threads are woken; ``PARALLEL_FROM`` where it is None.
    """
    (n, depth), m = x.shape, len(w)
    workers = threads() if m * n * depth >= (wake or PARALLEL_FROM) and may_use_threads() else 1
    loop, fitting = _loops(workers > 1).forward, size()
    assert fitting is not None
    bias = np.zeros(m, w.dtype) if b is None else b
    if m >= fitting.rows and n >= fitting.columns:
        loop.compiled(x, w, bias, relu, workers, y)
        return
    x, w, bias = (
        padded(x, fitting.columns, 0),
        padded(w, fitting.rows, 0),
        padded(bias[:, None], fitting.rows, 0),
    )
    whole = scratch((len(x), len(w)), x.dtype)
    loop.compiled(x, w, bias.ravel(), relu, workers, whole)
    assign(y, whole[:n, :m])


def dot(a: Any, b: Any, out: Any, by_rows: bool, wake: int | None = None) -> None:
    """Write a·b into ``out``: matrices (m, k) and (k, n); the rows of b and of ``out`` are contiguous.

    ``by_rows`` says how the threads share the work: so that a gradient's rows are written by the thread that will
    update the same rows of the weights, and need not travel from one processor's cache to another's.
    ``wake`` as in ``forward``.
    """
    m, n = out.shape
    if m * n * len(b) >= SMALLEST and fits(m, n, len(b), b.dtype):
        _dot_by_tiles(a, b, out, by_rows, wake)
    else:
        blas(a, b, out)


def turned(a: Any, on_threads: bool) -> Any:
    """Return a matrix so that tiles go along its rows, transposed first where that pays."""
    fitting = size()
    assert fitting is not None
    entries, terms = TURNED[fitting.lanes]
    if not (a.flags.f_contiguous and a.size >= entries and a.shape[1] >= terms):
        return a
    rows = scratch(a.shape, a.dtype)
    _loops(on_threads).transpose.compiled(a.T, rows)
    return rows


def _dot_by_tiles(a: Any, b: Any, out: Any, by_rows: bool, wake: int | None) -> None:
    (m, n), depth = out.shape, len(b)
    workers = threads() if m * n * depth >= (wake or PARALLEL_FROM) and may_use_threads() else 1
    loops, fitting = _loops(workers > 1), size()
    assert fitting is not None
    note_shared_out(out, workers > 1)
    a = turned(a, workers > 1)
    if m >= fitting.rows and n >= fitting.columns:
        loops.product.compiled(a, b, by_rows, workers, out)
        return
    a, b = padded(a, fitting.rows, 0), padded(b, 0, fitting.columns)
    whole = scratch((len(a), b.shape[1]), b.dtype)
    loops.product.compiled(a, b, by_rows, workers, whole)
    assign(out, whole[:m, :n])
