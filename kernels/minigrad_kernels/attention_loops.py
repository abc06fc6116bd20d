"""The loops of ``attention``: a block of queries against one block of keys after another.

The blocks are copied, filled up with zeros to whole tiles, so that their products run on the tiles of matrix products
(float32), or in a plain loop whose rows fill the vector registers. Where keys are hidden since they come later, tiles
with nothing else are left out. The bits do not depend on the number of threads: a task is always one block of queries
(or, backwards, one head), and every task is the same function.

The rows of all arrays lie in one piece; how far apart they are does not matter.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from minigrad_kernels.launch import Loop
from minigrad_kernels.powers import FUSED, ONE, exp32, exp64, plus, row_max
from minigrad_kernels.products import TALL
from minigrad_kernels.rows import row
from minigrad_kernels.tiles import Tile, size, tile, transpose

prange = range  # Numba's, where a loop is compiled in parallel
ROWS = COLUMNS = LANES = 0  # a tile's, and a register's, where a loop is compiled
straight: Any = None
transpose_tile: Any = None
exp: Any = None

BLOCK = 64
"""Queries, and keys, of a block: 16 KiB of weights in float32, which stay in the first cache with what they meet."""


ALL = 1 << 40
"""A diagonal so far away that nothing is beyond it."""


STEP = 32
"""Of so many keys powers are taken at once: a row is cut to a multiple of it, behind the last key that is seen."""


def multiply_by_tiles(a: Any, b: Any, above: int, below: int, wide: int, c: Any) -> None:
    """c = a·b, where a_ik counts for i - below <= k <= i + above alone, and c_ij for j <= i + wide.

    Of what does not count, a has zeros, and c anything. c has whole tiles, and the rows of b and c are contiguous.
    """
    rows, depth = c.shape[0], b.shape[0]
    for i in range(0, rows, ROWS):
        at = min(i, rows - ROWS)
        low, high = max(0, min(at - below, depth)), max(0, min(at + ROWS + above, depth))
        left, right = a[:, low:high], b[low:high]
        for j in range(0, max(0, min(at + ROWS + wide, c.shape[1])), COLUMNS):
            straight(left, at, right, j, c, j)


def multiply_by_rows(a: Any, b: Any, above: int, below: int, wide: int, c: Any) -> None:
    """The same, with the whole of c."""
    for i in range(c.shape[0]):
        into = c[i]
        into[:] = 0
        for k in range(max(0, min(i - below, b.shape[0])), max(0, min(i + above + 1, b.shape[0]))):
            factor, other = a[i, k], b[k]
            for j in range(into.size):
                into[j] += factor * other[j]


multiply: Any = multiply_by_rows  # one of the two, where a loop is compiled


def load(a: Any, start: int, stop: int, factor: Any, block: Any) -> None:
    """block = factor · a[start:stop], with zeros around."""
    block[stop - start :] = 0
    block[:, a.shape[1] :] = 0
    for i in range(start, stop):
        numbers, into = row(a, i), block[i - start]
        for c in range(numbers.size):
            into[c] = factor * numbers[c]


def load_transposed(a: Any, start: int, stop: int, block: Any) -> None:
    """block = a[start:stop]ᵀ, with zeros to the right."""
    block[:, stop - start :] = 0
    for j in range(start, stop):
        for c in range(a.shape[1]):
            block[c, j - start] = a[j, c]


def load_transposed_by_tiles(a: Any, start: int, stop: int, block: Any) -> None:
    """The same, in registers where the numbers of a row fill some."""
    tiles = (stop - start) // ROWS * ROWS if a.shape[1] % LANES == 0 else 0
    for j in range(0, tiles, ROWS):
        for c in range(0, a.shape[1], LANES):
            transpose_tile(a[start:stop], j, c, block)
    block[:, stop - start :] = 0
    for j in range(start + tiles, stop):
        for c in range(a.shape[1]):
            block[c, j - start] = a[j, c]


def seen(causal: bool, i: int, first: int, last: int) -> int:
    """How many of the keys first … last - 1 the i-th query may look at."""
    return max(0, min(last, i + 1) - first) if causal else last - first


visible = Loop(seen)


def hide(
    scores: Any, mask: Any, masked: bool, causal: bool, start: int, stop: int, first: int, last: int
) -> None:
    """Add the mask's block to the scores, and write -∞ over the keys that are hidden and those beyond the last."""
    nothing = scores.dtype.type(-np.inf)
    for i in range(start, stop):
        numbers = scores[i - start]
        if masked:
            for j in range(first, last):
                numbers[j - first] += mask[i, j]
        numbers[visible(causal, i, first, last) :] = nothing


def is_kept(key: Any, place: int, threshold: int) -> bool:
    """See ``attention.kept``; ``key`` is an array of one entry."""
    z = np.uint64(place + 1) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(key[0])
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bool(((z ^ (z >> np.uint64(31))) >> np.uint64(40)) >= np.uint64(threshold))


kept = Loop(is_kept)


def raise_scores(scores: Any, top: Any) -> Any:
    """scores = e^(scores - top); return the sum."""
    total = ONE - ONE
    for j in range(scores.size):
        power = exp(scores[j] - top)
        scores[j] = power
        total = plus(total, power)
    return total


def dot(a: Any, b: Any) -> Any:
    """Return a·b."""
    total = ONE - ONE
    for c in range(a.size):
        total = plus(total, a[c] * b[c])
    return total


def forward_task(
    q: Any, k: Any, v: Any, mask: Any, masked: bool, key: Any, threshold: Any, factor: Any, causal: bool,
    scale: Any, head: int, block: int, rows: int, columns: int, y: Any, lse: Any,
) -> None:  # fmt: skip
    """One block of queries of one head: y and ln Σ e^score."""
    (n, d), (m, e) = q.shape, v.shape
    wide, nothing = (e + COLUMNS - 1) // COLUMNS * COLUMNS, q.dtype.type(-np.inf)
    start, stop = block * rows, min(block * rows + rows, n)
    queries, keys = np.empty((rows, d), q.dtype), np.empty((d, columns), q.dtype)
    values, scores = np.empty((columns, wide), q.dtype), np.empty((rows, columns), q.dtype)
    part, total = np.empty((rows, wide), q.dtype), np.zeros((rows, wide), q.dtype)
    top, mass = np.full(rows, nothing), np.zeros(rows, q.dtype)
    load(q, start, stop, scale, queries)
    for first in range(0, min(m, stop) if causal else m, columns):
        last = min(first + columns, m)
        load_transposed(k, first, last, keys)
        load(v, first, last, ONE, values)
        late = start - first if causal else ALL  # the i-th query sees so many keys more than i + 1
        multiply(queries, keys, ALL, ALL, late, scores)
        hide(scores, mask, masked, causal, start, stop, first, last)
        for i in range(stop - start):
            seen = visible(causal, start + i, first, last)
            numbers = scores[i, : (seen + STEP - 1) // STEP * STEP]
            scores[i, numbers.size :] = 0
            largest = row_max(numbers) if seen > 0 else nothing
            if not largest <= top[i]:  # also where it is no number
                if top[i] > nothing:
                    shrink = np.exp(top[i] - largest)
                    mass[i] *= shrink
                    for c in range(wide):
                        total[i, c] *= shrink
                top[i] = largest
            mass[i] += raise_scores(numbers, top[i] if top[i] != nothing else ONE - ONE)
            if threshold > 0:
                place = (head * n + start + i) * m + first
                for j in range(seen):
                    numbers[j] *= factor if kept(key, place + j, threshold) else ONE - ONE
        multiply(scores, values, late, ALL, ALL, part)
        for i in range(stop - start):
            for c in range(wide):
                total[i, c] += part[i, c]
    for i in range(stop - start):
        nobody = mass[i] == 0
        sums = q.dtype.type(np.inf) if nobody else mass[i]
        share, into = ONE / sums, row(y, start + i)  # one division instead of e
        for c in range(e):
            into[c] = total[i, c] * share
        lse[start + i, 0] = np.log(sums) + (ONE - ONE if nobody else top[i])


forward_one: Any = None  # ``forward_task``, where a loop is compiled


def forward_loop(
    q: Any, k: Any, v: Any, mask: Any, masked: bool, key: Any, threshold: Any, factor: Any, causal: bool,
    scale: Any, rows: int, columns: int, y: Any, lse: Any,
) -> None:  # fmt: skip
    """See ``attention.forward_reference``."""
    heads = q.shape[1]
    blocks = (q.shape[2] + rows - 1) // rows
    for task in prange(q.shape[0] * heads * blocks):
        head, block = np.int64(task) // blocks, np.int64(task) % blocks
        b, h = head // heads, head % heads
        forward_one(
            q[b, h], k[b, h], v[b, h], mask[b, h], masked, key, threshold, factor, causal, scale, head, block,
            rows, columns, y[b, h], lse[b, h],
        )  # fmt: skip


def backward_task(
    g: Any, y: Any, lse: Any, q: Any, k: Any, v: Any, mask: Any, masked: bool, key: Any, threshold: Any,
    factor: Any, causal: bool, scale: Any, head: int, rows: int, columns: int, dq: Any, dk: Any, dv: Any,
) -> None:  # fmt: skip
    """One head: its dq, dk and dv."""
    (n, d), (m, e) = q.shape, v.shape
    deep, wide = (d + COLUMNS - 1) // COLUMNS * COLUMNS, (e + COLUMNS - 1) // COLUMNS * COLUMNS
    queries, gradients = np.empty((rows, deep), q.dtype), np.empty((rows, wide), q.dtype)
    keys, keys_turned = np.empty((columns, deep), q.dtype), np.empty((d, columns), q.dtype)
    values_turned = np.empty((e, columns), q.dtype)
    scores, changes = np.empty((rows, columns), q.dtype), np.empty((rows, columns), q.dtype)
    of_queries = np.empty((rows, deep), q.dtype)
    of_keys, of_values = np.empty((columns, deep), q.dtype), np.empty((columns, wide), q.dtype)
    all_keys, all_values = np.empty((columns, deep), q.dtype), np.empty((columns, wide), q.dtype)
    balance = np.empty(n, q.dtype)
    for i in range(n):
        balance[i] = dot(row(g, i), row(y, i))
        row(dq, i)[:] = 0
    for first in range(0, m, columns):
        last = min(first + columns, m)
        load(k, first, last, scale, keys)
        load_transposed(k, first, last, keys_turned)
        load_transposed(v, first, last, values_turned)
        all_keys[:] = 0
        all_values[:] = 0
        for start in range(first // rows * rows if causal else 0, n, rows):
            stop = min(start + rows, n)
            load(q, start, stop, scale, queries)
            load(g, start, stop, ONE, gradients)
            late = start - first if causal else ALL  # the i-th query sees so many keys more than i + 1
            multiply(queries[:, :d], keys_turned, ALL, ALL, late, scores)
            multiply(gradients[:, :e], values_turned, ALL, ALL, late, changes)
            hide(scores, mask, masked, causal, start, stop, first, last)
            scores[stop - start :] = 0
            changes[stop - start :] = 0
            for i in range(stop - start):
                seen = visible(causal, start + i, first, last)
                numbers = scores[i, : (seen + STEP - 1) // STEP * STEP]
                change = changes[i, : numbers.size]
                scores[i, numbers.size :] = 0
                changes[i, numbers.size :] = 0
                change[seen:] = 0
                raise_scores(numbers, lse[start + i, 0])
                if threshold > 0:
                    place = (head * n + start + i) * m + first
                    for j in range(seen):
                        used = factor if kept(key, place + j, threshold) else ONE - ONE
                        change[j] = numbers[j] * (change[j] * used - balance[start + i])
                        numbers[j] *= used
                else:
                    for j in range(numbers.size):
                        change[j] = numbers[j] * (change[j] - balance[start + i])
            multiply(scores.T, gradients, ALL, late, ALL, of_values)
            multiply(changes.T, queries, ALL, late, ALL, of_keys)
            multiply(changes, keys, late, ALL, ALL, of_queries)
            all_values += of_values
            all_keys += of_keys
            for i in range(start, stop):
                into, numbers = row(dq, i), of_queries[i - start]
                for c in range(d):
                    into[c] += numbers[c]
        for j in range(first, last):
            into, numbers = row(dk, j), all_keys[j - first]
            for c in range(d):
                into[c] = numbers[c]
            into, numbers = row(dv, j), all_values[j - first]
            for c in range(e):
                into[c] = numbers[c]


backward_one: Any = None  # ``backward_task``, where a loop is compiled


def backward_loop(
    g: Any, y: Any, lse: Any, q: Any, k: Any, v: Any, mask: Any, masked: bool, key: Any, threshold: Any,
    factor: Any, causal: bool, scale: Any, rows: int, columns: int, dq: Any, dk: Any, dv: Any,
) -> None:  # fmt: skip
    """See ``attention.backward_reference``."""
    heads = q.shape[1]
    for task in prange(q.shape[0] * heads):
        head = np.int64(task)
        b, h = head // heads, head % heads
        backward_one(
            g[b, h], y[b, h], lse[b, h], q[b, h], k[b, h], v[b, h], mask[b, h], masked, key, threshold, factor,
            causal, scale, head, rows, columns, dq[b, h], dk[b, h], dv[b, h],
        )  # fmt: skip


class Loops(NamedTuple):
    """The loops for one dtype, and the lengths of which a block of queries and one of keys are multiples."""

    forward: Loop
    backward: Loop
    rows: int
    columns: int


@cache
def _tasks(dtype: np.dtype[Any]) -> Loops:
    """What the loops share out."""
    single = dtype == np.float32
    fitting = size() if single else None
    real, bits = (np.float32, np.int32) if single else (np.float64, np.int64)
    info, one = np.iinfo(bits), real(1)
    add = Loop(plus, fastmath=frozenset({"reassoc"}))
    largest = Loop(
        row_max, Real=real, Bits=bits, LOWEST=bits(info.min), TURNED=bits(info.max), SIGN=info.bits - 1
    )
    rows, columns = (TALL[fitting.lanes], fitting.columns) if fitting else (8, 16)
    if fitting:
        straight = Tile(tile, fitting._replace(rows=rows))
        product = Loop(multiply_by_tiles, straight=straight, ROWS=rows, COLUMNS=columns)
        turned = Loop(
            load_transposed_by_tiles,
            transpose_tile=Tile(transpose, fitting),
            ROWS=fitting.rows,
            LANES=fitting.lanes,
        )
    else:
        product = Loop(multiply_by_rows, fastmath=FUSED)
        turned = Loop(load_transposed)
    names: dict[str, Any] = {
        "multiply": product,
        "load": Loop(load),
        "load_transposed": turned,
        "hide": Loop(hide),
        "raise_scores": Loop(
            raise_scores, ONE=one, plus=add, exp=Loop(exp32 if single else exp64, fastmath=FUSED)
        ),
        "COLUMNS": columns,
        "ONE": one,
    }
    return Loops(
        Loop(forward_task, row_max=largest, **names),
        Loop(backward_task, dot=Loop(dot, ONE=one, plus=add), **names),
        rows,
        columns,
    )


def _signature(dtype: np.dtype[Any], inputs: int, outputs: int) -> Callable[[Any], Any]:
    """The arguments of a loop: arrays of any layout, so that it is compiled once for all of them."""

    def signature(types: Any) -> Any:
        real = types.float32 if dtype == np.float32 else types.float64
        read, written = types.Array(real, 4, "A", readonly=True), types.Array(real, 4, "A")
        numbers = (
            types.boolean,
            types.Array(types.int64, 1, "C", readonly=True),
            types.int64,
            real,
            types.boolean,
            real,
            types.int64,
            types.int64,
        )
        return types.void(*(read,) * inputs, *numbers, *(written,) * outputs)

    return signature


@cache
def loops(dtype: np.dtype[Any], parallel: bool) -> Loops:
    """Return the loops for float32 or float64."""
    forwards, backwards, rows, columns = _tasks(dtype)
    return Loops(
        Loop(forward_loop, parallel=parallel, signature=_signature(dtype, 4, 2), forward_one=forwards),
        Loop(backward_loop, parallel=parallel, signature=_signature(dtype, 7, 3), backward_one=backwards),
        rows,
        columns,
    )


def block(loops: Loops, n: int, m: int) -> tuple[int, int]:
    """Return how many of n queries and of m keys a block has."""
    return (
        min(BLOCK, -(-max(1, n) // loops.rows) * loops.rows),
        min(BLOCK, -(-max(1, m) // loops.columns) * loops.columns),
    )
