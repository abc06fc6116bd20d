"""The dense layer for a single sample, forward and backward in one pass over the weights each.

A matrix product of one row is bound by memory: it goes through all of w for two operations a number. So what counts
is to go through it once, on all threads, and to start without ado; gemm does neither, and takes an outer product
for twenty times the work that it is.
"""

from __future__ import annotations

from typing import Any

from minigrad_kernels.launch import Loop, may_use_threads

prange = range  # Numba's, where a loop is compiled in parallel
ROWS, COLUMNS = 32, 128  # of w that a thread takes at a time

PARALLEL_FROM = 1 << 17
"""Weights from which waking the other threads pays, measured on two cores."""


def dot_loop(a: Any, b: Any) -> Any:
    """Σ a_j b_j, in as many partial sums as the vector registers have places."""
    total = a.dtype.type(0)
    for j in range(a.size):
        total += a[j] * b[j]
    return total


def forward_loop(x: Any, w: Any, b: Any, relu: bool, y: Any) -> None:
    """y = w·x + b, and 0 for what is below it where ``relu``: x (in,), w (out, in), b and y (out,)."""
    zero = y.dtype.type(0)
    for piece in prange((y.size + ROWS - 1) // ROWS):
        for i in range(piece * ROWS, min((piece + 1) * ROWS, y.size)):
            z = dot(w[i], x) + b[i]
            y[i] = zero if relu and z < zero else z  # NaN stays


def backward_loop(g: Any, y: Any, x: Any, w: Any, relu: bool, dx: Any, dw: Any, db: Any) -> None:
    """db = g, or g·[y > 0] where ``relu``; dw_ij = db_i x_j; dx = db·w, unless ``dx`` has no entries."""
    zero, one = g.dtype.type(0), g.dtype.type(1)
    for i in range(g.size):
        db[i] = g[i] * (one if y[i] > zero else zero) if relu else g[i]
    for piece in prange((db.size + ROWS - 1) // ROWS):
        for i in range(piece * ROWS, min((piece + 1) * ROWS, db.size)):
            row, factor = dw[i], db[i]
            for j in range(x.size):
                row[j] = factor * x[j]
    for piece in prange((dx.size + COLUMNS - 1) // COLUMNS):
        start, stop = piece * COLUMNS, min((piece + 1) * COLUMNS, dx.size)
        weighted_rows(db, w, start, stop, dx[start:stop])


def weighted_rows_loop(factors: Any, w: Any, start: int, stop: int, total: Any) -> None:
    """total = Σ_i factors_i w[i, start:stop]; four rows at a time, so that the total is fetched less often."""
    total[:] = 0
    quads = factors.size // 4 * 4
    for i in range(0, quads, 4):
        a, b, c, d = w[i, start:stop], w[i + 1, start:stop], w[i + 2, start:stop], w[i + 3, start:stop]
        p, q, r, s = factors[i], factors[i + 1], factors[i + 2], factors[i + 3]
        for j in range(total.size):
            total[j] += (p * a[j] + q * b[j]) + (r * c[j] + s * d[j])
    for i in range(quads, factors.size):
        a, p = w[i, start:stop], factors[i]
        for j in range(total.size):
            total[j] += p * a[j]


weighted_rows = Loop(weighted_rows_loop, fastmath=frozenset({"contract"}))
dot = Loop(dot_loop, fastmath=frozenset({"reassoc", "contract"}))
_forward = {parallel: Loop(forward_loop, parallel=parallel) for parallel in (False, True)}
_backward = {parallel: Loop(backward_loop, parallel=parallel) for parallel in (False, True)}


def forward(x: Any, w: Any, b: Any, relu: bool, y: Any) -> None:
    """See ``forward_loop``; on several threads where w is large."""
    _forward[w.size >= PARALLEL_FROM and may_use_threads()](x, w, b, relu, y)


def backward(g: Any, y: Any, x: Any, w: Any, relu: bool, dx: Any, dw: Any, db: Any) -> None:
    """See ``backward_loop``; on several threads where w is large."""
    _backward[w.size >= PARALLEL_FROM and may_use_threads()](g, y, x, w, relu, dx, dw, db)
