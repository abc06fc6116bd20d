"""The matrix products of dense layers, of float32 and of middling size, which our own tiles do faster than BLAS.

BLAS copies both factors before it multiplies, so that they lie as it needs them. That pays for large products; for a
batch of 32 samples it is half of the time. What is here leaves w where it is for so few. And where BLAS wakes its
threads once for each product, and gains little from them, a loop of Numba's shares out the tiles within a microsecond.

A product goes to BLAS where it is small, where it is large or much smaller than a tile in one direction, and where the
processor is none for which there are tiles.

A tile that would reach over the edge begins further in, and works out some entries a second time, to the same bits.
The bits do not depend on the number of threads.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any, NamedTuple

import numpy as np

from minigrad_kernels.launch import Host, Loop, note_shared_out, workers_for
from minigrad_kernels.loops import scratch
from minigrad_kernels.moving import assign
from minigrad_kernels.teams import Shared
from minigrad_kernels.tiles import (
    Tile,
    pack_panels,
    size,
    tile_across,
    tile_added,
    tile_finished,
    transpose,
)
from minigrad_kernels.work_queue import next_task, shared_out

prange = range  # Numba's, where a loop is compiled
ROWS = COLUMNS = 0  # a tile's, where a loop is compiled; and the tiles themselves
LANES = 0  # a register's
across: Any = None
straight: Any = None
added: Any = None
block: Any = None
share: Any = None
transpose_tile: Any = None
transpose_piece: Any = None
pack: Any = None
PIECE = 64  # rows that are worked on together, or more
HEIGHT = 128  # rows of a that go with packed panels: with DEPTH terms of each the second cache holds them
DEPTH = 384  # terms of a panel that is packed which the first cache holds
PAGE = 4096  # bytes: what lies as far apart falls into the same place of a cache, and drives each other out
LINE = 16  # entries of a line of a cache
ALIKE = PAGE  # when panels of b are packed, and how many together: see ``COPIED``, where a loop is compiled
GROUP = 1

SMALLEST, LARGEST = 1 << 18, 1 << 31
"""Multiplications from which BLAS uses several threads, and up to which the tiles are the faster ones.

In between BLAS is left out altogether: its threads go on spinning when a product is done, and where they meet those of
our loops on the same processors, both wait for whole slices of the scheduler's time.
"""

PARALLEL_FROM = 1 << 21
"""Multiplications from which waking the other threads pays, measured on two cores."""

MOVED_FROM = 1 << 16
"""Entries of a factor from which waking them pays where it is only packed or transposed."""

TURNED = {16: (1, 512), 8: (1 << 14, 1)}
"""From how many entries and how many columns on a is transposed first, so that a tile goes along its rows.

By the numbers in a register: 16 (AVX-512) as measured on Zen 5, whose first cache holds 48 KiB, and 8 (AVX2) as
measured on Zen 3, where it holds 32.
"""

COPIED = {16: (PAGE, 4), 8: (1, 4)}
"""When the panels of b that tiles go along are packed first, so that each lies in one piece, and how many neighbours
at a time: where the rows of b are a multiple of so many bytes apart. With AVX2 that is everywhere.
"""

TALL = {16: 8, 8: 6}
"""Rows of a tile of a product that stays as it is, by the numbers in a register. ``tiles.size`` is for transposed ones.

With AVX2 an addition takes four cycles, and two are begun in each: with eight sums, four rows, one that comes late for
want of a number from the second cache keeps the next one waiting. With twelve it has time to catch up.
"""

UPRIGHT = {16: (1 << 62, 0), 8: (256, DEPTH)}
"""From how many samples on, and up to how many terms, a dense layer's w is transposed first.

Tiles then go along the samples' rows, and write their results as these lie; else they go along those of w, which has to
be touched only once, and a tile's results are transposed, which tells where its terms are few. By the numbers in a
register, as measured on Zen 3; not on AVX-512, where it is never done.
"""

MOST_WASTE = 4
"""How many times the multiplications asked for are done at most where a factor is filled up with zeros to a tile."""


def transpose_piece_loop(a: Any, start: int, t: Any) -> None:
    """t = aᵀ, as far as it concerns ``PIECE`` columns of a from ``start`` on."""
    rows, columns = a.shape
    for i in range(0, rows, ROWS):  # rows outside: a line of the cache that is fetched is used up at once
        for k in range(start, min(start + PIECE, columns), LANES):
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


def forward_share_loop(worker: int, queue: Any, x: Any, w: Any, b: Any, relu: bool, y: Any) -> None:
    """A worker's share of ``forward_loop``, and what is left of others'.

    A worker transposes the samples that it works on itself, which stay in its cache: to wait for others that do it with
    it would take longer.
    """
    (n, depth), outputs = x.shape, w.shape[0]
    blocks = (outputs + ROWS - 1) // ROWS
    samples, there = np.empty((depth, COLUMNS), x.dtype), -1  # a panel is some samples side by side
    task = next_task(queue, worker)
    while task >= 0:
        panel, block = divmod(task, blocks)
        start = min(panel * COLUMNS, n - COLUMNS)
        if panel != there:
            for k in range(0, depth, PIECE):
                transpose_piece(x[start : start + COLUMNS], k, samples)
            there = panel
        across(w, min(block * ROWS, outputs - ROWS), samples, b, relu, y, start)
        task = next_task(queue, worker)


def forward_loop(queue: Any, x: Any, w: Any, b: Any, relu: bool, y: Any) -> None:
    """y = x·wᵀ + b, and 0 for what is below it where ``relu``. x and y have at least a tile's columns as rows.

    A task of the queue is a block of w's rows, for a panel of samples.
    """
    for worker in prange(len(queue)):
        share(worker, queue, x, w, b, relu, y)


def block_loop(
    a: Any, first: int, behind: int, b: Any, panel: int, bias: Any, relu: bool, packed: Any, sums: Any, c: Any
) -> None:  # fmt: skip
    """Work out rows first … behind - 1 of c, and of its columns ``GROUP`` panels, with the panels of b packed.

    ``DEPTH`` terms at a time: the first cache holds so much of a panel, and the second one of the rows of a.
    """
    (m, n), depth = c.shape, b.shape[0]
    group = min(len(packed), (n + COLUMNS - 1) // COLUMNS - panel)
    sums[:] = 0
    for k in range(0, depth, DEPTH):
        left, few = a[:, k : k + DEPTH], min(DEPTH, depth - k)
        pack(b[k : k + few], panel * COLUMNS, packed[:group, :few])
        for q in range(group):
            part = packed[q, :few]
            for i in range(first, behind, ROWS):
                if depth > DEPTH:
                    added(left, min(i, m - ROWS), part, sums[q], i - first)
                else:
                    j = min((panel + q) * COLUMNS, n - COLUMNS)
                    straight(left, min(i, m - ROWS), part, 0, bias, relu, c, j)
    if depth > DEPTH:
        for i in range(first, behind, ROWS):
            for r in range(ROWS):
                for q in range(group):
                    j = min((panel + q) * COLUMNS, n - COLUMNS)
                    for k in range(COLUMNS):
                        c[min(i, m - ROWS) + r, j + k] = sums[q, i - first + r, k]


def product_share_loop(
    worker: int, queue: Any, a: Any, b: Any, by_rows: bool, height: int, bias: Any, relu: bool, c: Any
) -> None:  # fmt: skip
    """A worker's share of ``product_loop``, and what is left of others'."""
    (m, n), depth = c.shape, b.shape[0]
    copied = b.strides[0] % ALIKE == 0
    pieces = (m + height - 1) // height
    together = GROUP if copied else 1
    groups = (n + together * COLUMNS - 1) // (together * COLUMNS)
    packed = np.empty((GROUP, min(depth, DEPTH) if copied else 0, COLUMNS), b.dtype)
    sums = np.empty((GROUP, height + ROWS if copied and depth > DEPTH else 0, COLUMNS), b.dtype)
    task = next_task(queue, worker)
    while task >= 0:
        group = task % groups if by_rows or copied else task // pieces
        piece = task // groups if by_rows or copied else task % pieces
        first, behind = piece * height, min((piece + 1) * height, m)
        if copied:
            block(a, first, behind, b, group * GROUP, bias, relu, packed, sums, c)
        else:
            for i in range(first, behind, ROWS):
                j = min(group * COLUMNS, n - COLUMNS)
                straight(a, min(i, m - ROWS), b, j, bias, relu, c, j)
        task = next_task(queue, worker)


def product_loop(
    queue: Any, a: Any, b: Any, by_rows: bool, height: int, bias: Any, relu: bool, c: Any
) -> None:  # fmt: skip
    """c = a·b, where the rows of b and of c are contiguous and those of a need not be.

    Where there is a ``bias``, which up to ``DEPTH`` terms there may be, it is added to each row, and what is below 0
    then is 0 where ``relu``.

    A task of the queue is a piece of c of so many rows and of a panel's columns, or of those of ``GROUP`` panels that
    are packed. A thread works out neighbouring rows of c where ``by_rows`` and c has several pieces of rows, otherwise
    neighbouring columns. Where panels are packed it is rows, if there are several pieces.
    """
    for worker in prange(len(queue)):
        share(worker, queue, a, b, by_rows, height, bias, relu, c)


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
    tall = fitting._replace(rows=TALL[fitting.lanes])
    rows = names | {"ROWS": tall.rows}
    product = Tile(tile_finished, tall)
    square = fitting._replace(rows=8)  # in registers: half a line of the cache is written at once
    piece = Loop(
        transpose_piece_loop, transpose_tile=Tile(transpose, square), **names | {"ROWS": square.rows}
    )
    return _Loops(
        Shared(
            forward_loop,
            Loop(forward_share_loop, transpose_piece=piece, across=Tile(tile_across, fitting), **names),
            parallel,
        ),
        Shared(
            product_loop,
            Loop(
                product_share_loop,
                straight=product,
                block=Loop(
                    block_loop,
                    straight=product,
                    added=Tile(tile_added, tall),
                    pack=Tile(pack_panels, fitting),
                    GROUP=group,
                    **rows,
                ),
                ALIKE=alike,
                GROUP=group,
                **rows,
            ),
            parallel,
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
    workers = workers_for(m * n * depth, wake or PARALLEL_FROM)
    loop, fitting = _loops(workers > 1).forward, size()
    assert fitting is not None
    fewest, most = UPRIGHT[fitting.lanes]
    if n >= fewest and depth <= most and m >= fitting.columns:
        upright = scratch((depth, m), w.dtype)
        _loops(workers > 1 and w.size >= MOVED_FROM).transpose.compiled(w, upright)
        _dot_by_tiles(x, upright, y, False, wake, b, relu)
        return
    bias = np.zeros(m, w.dtype) if b is None else b
    queue = shared_out(-(-n // fitting.columns) * -(-m // fitting.rows), workers)
    if m >= fitting.rows and n >= fitting.columns:
        loop.compiled(queue, x, w, bias, relu, y)
        return
    x, w, bias = (
        padded(x, fitting.columns, 0),
        padded(w, fitting.rows, 0),
        padded(bias[:, None], fitting.rows, 0),
    )
    whole = scratch((len(x), len(w)), x.dtype)
    loop.compiled(queue, x, w, bias.ravel(), relu, whole)
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
    """Return a matrix so that tiles go along its rows, transposed first where that pays.

    It may be wider than a, so that its rows do not fall into the same places of a cache; nothing of that is read.
    """
    fitting = size()
    assert fitting is not None
    entries, terms = TURNED[fitting.lanes]
    if not (a.flags.f_contiguous and a.size >= entries and a.shape[1] >= terms):
        return a
    m, n = a.shape
    rows = scratch((m, n + (LINE if n * a.itemsize % (PAGE // 4) == 0 else 0)), a.dtype)
    _loops(on_threads and a.size >= MOVED_FROM).transpose.compiled(a.T, rows)
    return rows


def _dot_by_tiles(
    a: Any, b: Any, out: Any, by_rows: bool, wake: int | None, bias: Any = None, relu: bool = False
) -> None:
    (m, n), depth = out.shape, len(b)
    workers = workers_for(m * n * depth, wake or PARALLEL_FROM)
    loops, fitting = _loops(workers > 1), size()
    assert fitting is not None
    note_shared_out(out, workers > 1)
    a, rows, whole = turned(a, workers > 1), TALL[fitting.lanes], out
    if m < rows or n < fitting.columns:
        a, b = padded(a, rows, 0), padded(b, 0, fitting.columns)
        whole = scratch((len(a), b.shape[1]), b.dtype)
    height, tasks = _pieces(whole.shape, b.strides[0], by_rows)
    if bias is None:
        bias = np.zeros(n if relu else 0, b.dtype)
    loops.product.compiled(shared_out(tasks, workers), a, b, by_rows, height, bias, relu, whole)
    if whole is not out:
        assign(out, whole[:m, :n])


def _pieces(shape: tuple[int, int], step: int, by_rows: bool) -> tuple[int, int]:
    """Return how many rows of c a task of ``product_loop`` has, and how many tasks there are."""
    fitting = size()
    assert fitting is not None
    (m, n), rows, (alike, group) = shape, TALL[fitting.lanes], COPIED[fitting.lanes]
    height, together = max(PIECE, m // 2 // rows * rows) if by_rows else m, 1
    if step % alike == 0:
        height, together = -(-m // (-(-m // HEIGHT) * rows)) * rows, group
    return height, -(-m // height) * -(-n // (together * fitting.columns))
