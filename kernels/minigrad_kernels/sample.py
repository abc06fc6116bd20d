"""The dense layer for a single sample, forward and backward in one pass over the weights each.

A matrix product of one row is bound by memory: it goes through all of w for two operations a number. So what counts
is to go through it once, on all threads, and to start without ado; gemm does neither, and takes an outer product
for twenty times the work that it is.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad_kernels.launch import Loop, output, workers_for
from minigrad_kernels.teams import Team

COLUMNS = 128  # of w, that one thread takes together
WIDEST = 4096  # columns of w at a time, whose part of dx stays in the first cache

PARALLEL_FROM = 1 << 17
"""Weights from which waking the other threads pays, measured on two cores."""


def dot_loop(a: Any, b: Any) -> Any:
    """Σ a_j b_j, in as many partial sums as the vector registers have places."""
    total = a.dtype.type(0)
    for j in range(a.size):
        total += a[j] * b[j]
    return total


def four_dots_loop(a: Any, b: Any, c: Any, d: Any, x: Any) -> Any:
    """The same for four rows and one x, which is fetched once for all of them."""
    p = q = r = s = x.dtype.type(0)
    for j in range(x.size):
        p += a[j] * x[j]
        q += b[j] * x[j]
        r += c[j] * x[j]
        s += d[j] * x[j]
    return p, q, r, s


def forward_loop(worker: int, workers: int, x: Any, w: Any, b: Any, relu: bool, y: Any) -> None:
    """y = w·x + b, and 0 for what is below it where ``relu``: x (in,), w (out, in), b and y (out,); a worker's rows."""
    zero, quads = y.dtype.type(0), y.size // 4
    first, behind = 4 * (worker * quads // workers), 4 * ((worker + 1) * quads // workers)
    for i in range(first, behind, 4):
        y[i], y[i + 1], y[i + 2], y[i + 3] = four_dots(w[i], w[i + 1], w[i + 2], w[i + 3], x)
    if worker == workers - 1:
        for i in range(behind, y.size):
            y[i] = dot(w[i], x)
        behind = y.size
    for i in range(first, behind):
        z = y[i] + b[i]
        y[i] = zero if relu and z < zero else z  # NaN stays


def masked_loop(g: Any, y: Any, relu: bool, db: Any) -> None:
    """db = g, but 0 where ``relu`` and not y > 0."""
    zero = g.dtype.type(0)
    for i in range(g.size):
        db[i] = g[i] if y[i] > zero or not relu else zero


def backward_loop(worker: int, workers: int, db: Any, x: Any, w: Any, dx: Any, dw: Any) -> None:
    """dw_ij = db_i x_j and dx = db·w, a worker's rows and columns of them; no dw or dx without entries."""
    for i in range(worker * len(dw) // workers, (worker + 1) * len(dw) // workers):
        row, factor = dw[i], db[i]
        for j in range(x.size):
            row[j] = factor * x[j]
    pieces = (dx.size + COLUMNS - 1) // COLUMNS
    behind = min((worker + 1) * pieces // workers * COLUMNS, dx.size)
    for start in range(worker * pieces // workers * COLUMNS, behind, WIDEST):
        stop = min(start + WIDEST, behind)
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
dot, four_dots = (
    Loop(loop, fastmath=frozenset({"reassoc", "contract"})) for loop in (dot_loop, four_dots_loop)
)
masked = Loop(masked_loop)
_forward, _backward = Loop(forward_loop), Loop(backward_loop)
_forward_by_team, BACKWARD = Team(_forward), Team(_backward)


def is_one(x: Any, w: Any, b: Any, activation: str = "none", out: Any = None) -> bool:
    """Tell whether these are the numbers of a single sample."""
    return bool(x.size == x.shape[-1] > 0)


def forward(x: Any, w: Any, b: Any, activation: str = "none", out: Any = None) -> Any:
    """See ``forward_loop`` and ``linear.forward_reference``; on several threads where w is large."""
    y = output(out, (*x.shape[:-1], w.shape[0]), x)
    bias = np.zeros(len(w), w.dtype) if b is None else b
    workers = workers_for(w.size, PARALLEL_FROM)
    _forward_by_team(workers, workers, x.reshape(-1), w, bias, activation == "relu", y.reshape(-1))
    return y


def is_one_with_weights(
    g: Any,
    y: Any,
    x: Any,
    w: Any,
    activation: str = "none",
    needs_grad: tuple[bool, bool, bool] = (True, True, True),
    out: Any = None,
) -> bool:
    """Tell whether this is a single sample, of whose gradients that of the weights is needed."""
    return bool(g.size == g.shape[-1] > 0 and needs_grad[1])


def backward(
    g: Any,
    y: Any,
    x: Any,
    w: Any,
    activation: str = "none",
    needs_grad: tuple[bool, bool, bool] = (True, True, True),
    out: Any = None,
) -> Any:
    """See ``backward_loop`` and ``linear.backward_reference``; on several threads where w is large."""
    dx, dw, db = gradients(x, w, needs_grad, out)
    into = np.empty(0, x.dtype) if dx is None else dx.reshape(-1)
    masked(g.reshape(-1), y.reshape(-1), activation == "relu", db)
    workers = workers_for(w.size, PARALLEL_FROM)
    BACKWARD(workers, workers, db, x.reshape(-1), w, into, dw)
    return dx, dw, db if needs_grad[2] else None


def gradients(x: Any, w: Any, needs_grad: tuple[bool, bool, bool], out: Any) -> tuple[Any, Any, Any]:
    """Return where a dense layer's gradients go: those that are needed, and b's in any case."""
    if out is None:
        return (
            np.empty(x.shape, x.dtype) if needs_grad[0] else None,
            np.empty(w.shape, w.dtype) if needs_grad[1] else None,
            np.empty(w.shape[:1], w.dtype),
        )
    dx, dw, db = out
    return (
        output(dx, x.shape, x) if needs_grad[0] else None,
        output(dw, w.shape, w) if needs_grad[1] else None,
        output(db, w.shape[:1], w),
    )
