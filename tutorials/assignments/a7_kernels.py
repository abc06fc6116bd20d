# %% [markdown]
# # Assignment 7: kernels
#
# NumPy works through whole arrays, one operation after another. A kernel is the loop itself: written out in Python, compiled by Numba, as fast as
# the order of its reads and writes allows. Tutorial 15 takes one apart; here you write five of them.
#
# - Write plain loops over single entries: `range`, numbers, `a[i, p]`. The tests run them as Python, on small arrays, where an index
#   outside an array is an error; Numba gets two of them at grading. To try that yourself:
#   `from numba import njit; fast = njit(matmul_by_rows)`.
# - The results go into an array that is given (`c`, `theta` …), which may be full of rubbish before. Inputs stay as they are.
# - Where the order of the operations is prescribed your kernel must agree with the engine's **in every bit**: floating-point numbers that are added in
#   another order give another last digit. Where it is not, the bound is $k$ ulp of $\sum_p |a_{ip} b_{pj}|$, which holds for every order of $k$ terms.

# %% nbgrader={"grade": false, "grade_id": "imports", "locked": true, "schema_version": 3, "solution": false, "task": false}
from itertools import pairwise

import numpy as np

import minigrad as mg
from minigrad.course import close, holds, kernel, same, test
from minigrad.course.compiling import compiled


class Watched:
    """An array that writes down which entries are read and written, in `log`: ("read", (i, j)), ("write", (i, j)) …"""

    def __init__(self, array, log, name=""):
        self._array, self._log, self._name = array, log, name
        self.shape, self.size, self.ndim, self.dtype = array.shape, array.size, array.ndim, array.dtype

    def __getitem__(self, key):
        self._log.append(("read", self._name, key))
        return self._array[key]

    def __setitem__(self, key, value):
        self._log.append(("write", self._name, key))
        self._array[key] = value

    def __len__(self):
        return len(self._array)


def indices(key):
    """An index of one entry as a list of ints; -1 stands for what is none, a slice or an array."""
    return [int(k) if hasattr(k, "__index__") else -1 for k in (key if isinstance(key, tuple) else (key,))]


def plain(kernel):
    """The Python function itself, where somebody has had it compiled already."""
    return getattr(kernel, "py_func", kernel)


def guarded(array):
    """A copy of an array that lies inside a larger one, with NaN all around it."""
    around = np.full(tuple(n + 4 for n in array.shape), np.nan, array.dtype)
    inside = around[(slice(2, -2),) * array.ndim]
    inside[...] = array
    return around, inside


def outside(around):
    """How many of the NaN around an array are NaN still."""
    return int(np.isnan(around).sum())


def product(matmul, a, b):
    """a·b by a kernel, in a c that was full of rubbish, and the inputs as they are afterwards."""
    c = np.full((a.shape[0], b.shape[1]), 777, a.dtype)
    matmul(a, b, c)
    return c, a, b


def in_order(a, b):
    """a·b, each entry summed in the order p = 0, 1, 2 … from 0 on, one rounding an operation."""
    c = np.zeros((a.shape[0], b.shape[1]), a.dtype)
    for p in range(a.shape[1]):
        c = c + a[:, p : p + 1] * b[p : p + 1]
    return c


# %% [markdown]
# ## 1. Three loops
#
# $$c_{ij} = \sum_p a_{ip}\, b_{pj}$$
#
# Each sum begins at 0 and goes through $p = 0, 1, 2 \dots$ in order.


# %% nbgrader={"grade": false, "grade_id": "naive", "locked": false, "schema_version": 3, "solution": true, "task": false}
def matmul(a, b, c):
    """Write a·b into c: a (m, k), b (k, n), c (m, n)."""
    ### BEGIN SOLUTION
    for i in range(a.shape[0]):
        for j in range(b.shape[1]):
            total = a.dtype.type(0)
            for p in range(a.shape[1]):
                total += a[i, p] * b[p, j]
            c[i, j] = total
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "naive-numbers", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
@test
def naive_numbers(student, rng):
    """Work out c[0, 0] with pencil and paper: which entries of a, which of b, and what stands in c before you begin?"""
    a, b = (rng.integers(1, 5, (2, 2)) + np.array([[0.0, 0.0], [4.0, 0.0]]) for _ in range(2))
    a[0, 1] += 4
    c, _, _ = student.run(product, student.matmul, a, b)
    wanted = in_order(a, b)
    close(
        c,
        wanted,
        a=a,
        b=b,
        slips={
            "c was not empty before: its old contents are in the sum.": wanted + 777,
            "Nothing was written into c. (c = … gives the name c to something else; c[i, j] = … writes.)": np.full(
                (2, 2), 777.0
            ),
            "The result lies on its side.": wanted.T,
            "That is b·a.": in_order(b, a),
            ### BEGIN HIDDEN TESTS
            "That is a·bᵀ: for the sum, b[p, j] goes down a column.": a @ b.T,
            "Only the last term of each sum is there.": a[:, 1:] * b[1:],
            "The last term of each sum is missing.": a[:, :1] * b[:1],
            "That is the product entry by entry.": a * b,
            ### END HIDDEN TESTS
        },
    )


# %% nbgrader={"grade": true, "grade_id": "naive-bits", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(
    advice="Matrices that are not square, and every bit: the sum goes through p in order, in the dtype of the matrices."
)
def naive_bits(student, rng):
    """The order is prescribed, and so is every bit, in float64 and float32."""
    for shape in [(3, 5, 4), (1, 7, 2), (4, 1, 3)]:
        a, b = rng.normal(size=shape[:2]), rng.normal(size=shape[1:])
        for dtype in (np.float64, np.float32):
            c, *kept = student.run(product, student.matmul, a.astype(dtype), b.astype(dtype))
            written = "Your kernel has written into an array that it was given to read."
            same(kept, [a.astype(dtype), b.astype(dtype)], advice=written)
            same(c, in_order(a.astype(dtype), b.astype(dtype)), a=a, b=b)


### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "naive-nothing", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(advice="k may be 0, and then every sum is 0; m or n may be 0, and then there is nothing to do.")
def naive_nothing(student, rng):
    """A sum of no terms is 0, whatever was in c."""
    for m, k, n in [(2, 0, 3), (0, 2, 3), (2, 3, 0)]:
        c, _, _ = student.run(product, student.matmul, np.ones((m, k)), np.ones((k, n)))
        same(c, np.zeros((m, n)), shapes=((m, k), (k, n)))


### END HIDDEN TESTS

# %% [markdown]
# ## 2. In the order of memory
#
# A matrix lies in memory row by row, and memory is read in lines of 64 bytes. Down a column of $b$, each entry lies in another line, and
# the rest of it was fetched for nothing. Change the order of the loops so that the **innermost one runs along a row of $b$ and a row of $c$**.
# Every $c_{ij}$ is still summed in the order of $p$, and so the bits do not change; on a large matrix it is many times as fast.


# %% nbgrader={"grade": false, "grade_id": "rows", "locked": false, "schema_version": 3, "solution": true, "task": false}
def matmul_by_rows(a, b, c):
    """Write a·b into c, the innermost loop running along rows of b and c."""
    ### BEGIN SOLUTION
    for i in range(a.shape[0]):
        for j in range(b.shape[1]):
            c[i, j] = 0
        for p in range(a.shape[1]):
            for j in range(b.shape[1]):
                c[i, j] += a[i, p] * b[p, j]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "rows-numbers", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
@test
def rows_numbers(student, rng):
    """The same numbers as in question 1, whatever the order of the loops. When is an entry of c set to 0 now?"""
    a, b = (rng.integers(1, 5, (2, 2)) + np.array([[0.0, 0.0], [4.0, 0.0]]) for _ in range(2))
    a[0, 1] += 4
    c, _, _ = student.run(product, student.matmul_by_rows, a, b)
    wanted = in_order(a, b)
    close(
        c,
        wanted,
        a=a,
        b=b,
        slips={
            "c was not empty before: its old contents are in the sum.": wanted + 777,
            "Nothing was written into c. (c = … gives the name c to something else; c[i, j] = … writes.)": np.full(
                (2, 2), 777.0
            ),
            "The result lies on its side.": wanted.T,
            ### BEGIN HIDDEN TESTS
            "The last p alone has stayed: add to c, and set it to 0 once.": a[:, 1:] * b[1:],
            "The last row alone has stayed: all of c was set to 0 for every row.": wanted * [[0], [1]],
            ### END HIDDEN TESTS
        },
    )


# %% nbgrader={"grade": true, "grade_id": "rows-reads", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
@test
def rows_reads(student, rng):
    """Write down which entries of b are read: one after the other in a row, then the next row."""

    def program(matmul, a, b):
        log = []
        plain(matmul)(a, Watched(b, log), np.zeros((len(a), b.shape[1])))
        return [indices(key) for _, _, key in log]

    a, b = rng.normal(size=(3, 4)), rng.normal(size=(4, 5))
    reads = student.run(program, student.matmul_by_rows, a, b)
    holds(
        all(len(key) == 2 and -1 not in key for key in reads),
        "Read single entries, b[p, j].",
        expected="b[0, 0], b[0, 1] …",
        got=reads,
    )
    jumps = sum(later != [first[0], first[1] + 1] for first, later in pairwise(reads))
    holds(
        len(reads) == 60,
        "Each entry of b is needed once for each row of a.",
        expected="60 reads",
        got=len(reads),
    )
    first = ", ".join(f"b[{p}, {j}]" for p, j in reads[:6])
    hint = f"b is not read along its rows ({first} …): which of the loops is the innermost?"
    holds(jumps < 12, hint, expected="at most 11 jumps to another row in 60 reads", got=jumps)


# %% nbgrader={"grade": true, "grade_id": "rows-bits", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(
    advice="Matrices that are not square, k of 0, and every bit: each entry is still summed in the order of p."
)
def rows_bits(student, rng):
    """Another order of the loops, the same order of every sum."""
    for shape in [(3, 5, 4), (1, 7, 2), (4, 1, 3), (2, 0, 3)]:
        a, b = rng.normal(size=shape[:2]), rng.normal(size=shape[1:])
        for dtype in (np.float64, np.float32):
            c, *kept = student.run(product, student.matmul_by_rows, a.astype(dtype), b.astype(dtype))
            same(c, in_order(a.astype(dtype), b.astype(dtype)), a=a, b=b)
            written = "Your kernel has written into an array that it was given to read."
            same(kept, [a.astype(dtype), b.astype(dtype)], advice=written)


### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "rows-numba", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(
    advice="Numba compiles it there, for matrices in float32 that lie inside larger ones. Inside a compiled kernel nobody checks an index."
)
def rows_numba(student, rng):
    """Compiled, within k ulp of Σ|ab|, with NaN all around each matrix."""

    def program(matmul, a, b, by_numba):
        (_, a), (_, b) = guarded(a), guarded(b)
        around, c = guarded(np.full((a.shape[0], b.shape[1]), 777, a.dtype))
        before = outside(around)
        (compiled(matmul) if by_numba else matmul)(a, b, c)
        return c, before - outside(around)

    a, b = rng.normal(size=(19, 23)).astype(np.float32), rng.normal(size=(23, 17)).astype(np.float32)
    bound = 23 * 2.0**-23 * (np.abs(a).astype(float) @ np.abs(b))
    for by_numba in (False, True):
        c, lost = student.run(program, student.matmul_by_rows, a, b, by_numba)
        holds(
            lost == 0,
            expected="nothing written outside c",
            got=lost,
            advice="Something was written outside c.",
        )
        close(c, a.astype(float) @ b, rtol=0, atol=bound)


### END HIDDEN TESTS


# %% [markdown]
# ## 3. A tile
#
# For every row of $c$ all of $b$ comes past; where it is larger than the cache, from main memory each time. So the matrices are cut into tiles of
# `size` × `size`, and a tile of $b$ is used again while it lies in the cache. This is the piece of work for one triple of tiles: add to the tile of
# $c$ that begins at row `i0`, column `j0` the product of the tile of $a$ at (`i0`, `p0`) and the tile of $b$ at (`p0`, `j0`).
#
# At the right and at the bottom a tile may be cut off by the end of a matrix. Whoever calls you has set $c$ to 0 at the beginning.


# %% nbgrader={"grade": false, "grade_id": "tile", "locked": false, "schema_version": 3, "solution": true, "task": false}
def add_tile(a, b, c, i0, j0, p0, size):
    """Add to c, in the tile at (i0, j0), the product of a's tile at (i0, p0) and b's at (p0, j0). Touch nothing else."""
    ### BEGIN SOLUTION
    i1, p1 = min(i0 + size, a.shape[0]), min(p0 + size, a.shape[1])
    j1 = min(j0 + size, b.shape[1])
    for i in range(i0, i1):
        for p in range(p0, p1):
            for j in range(j0, j1):
                c[i, j] += a[i, p] * b[p, j]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "tile-inside", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
@test
def tile_inside(student, rng):
    """Draw the three tiles on squared paper, for i0 = 0, j0 = 2, p0 = 2 and size = 2. Which rows and columns are in them?"""

    def program(add_tile, a, b, c):
        add_tile(a, b, c, 0, 2, 2, 2)
        return c

    a, b, c = (rng.integers(1, 5, (4, 4)).astype(float) for _ in range(3))
    wanted = c.copy()
    wanted[0:2, 2:4] += a[0:2, 2:4] @ b[2:4, 2:4]
    more = {}
    ### BEGIN HIDDEN TESTS
    replaced, last, whole, everywhere = c.copy(), c.copy(), c.copy(), c + a @ b
    last[0:2, 2:4] = a[0:2, 3:4] * b[3:4, 2:4]
    replaced[0:2, 2:4] = a[0:2, 2:4] @ b[2:4, 2:4]
    whole[0:2, 2:4] += a[0:2] @ b[:, 2:4]
    twice = 2 * wanted - c
    more = {
        "Each term has replaced what was there, and only the last has stayed: += , not =.": last,
        "The tile of c was replaced. Other tiles will have added their part to it, so add yours.": replaced,
        "The sum goes over all p. This tile's p begin at p0, and there are size of them.": whole,
        "That is the whole product; one tile's part of it is wanted.": everywhere,
        "Everything was added twice.": twice,
    }
    ### END HIDDEN TESTS
    close(
        student.run(program, student.add_tile, a, b, c),
        wanted,
        a=a,
        b=b,
        c=c,
        i0=0,
        j0=2,
        p0=2,
        size=2,
        slips={"Nothing has changed in c.": c, **more},
    )


# %% nbgrader={"grade": true, "grade_id": "tile-edges", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(
    advice="Tiles at the edges, cut off at the right, at the bottom, or in the middle of the sum; a tile larger than everything."
)
def tile_edges(student, rng):
    """Whatever sticks out is not there, and nothing outside the tile changes."""

    def program(add_tile, a, b, c, i0, j0, p0, size):
        (_, a), (_, b), (around, c) = guarded(a), guarded(b), guarded(c)
        before = outside(around)
        add_tile(a, b, c, i0, j0, p0, size)
        return c, before - outside(around)

    a, b, c = rng.normal(size=(5, 4)), rng.normal(size=(4, 7)), rng.normal(size=(5, 7))
    inside = "A tile that lies in the middle of the matrices, at other places than the public test's."
    for i0, j0, p0, size in [
        (2, 2, 2, 1),
        (2, 3, 1, 2),
        (0, 0, 3, 3),
        (3, 0, 0, 3),
        (0, 6, 0, 3),
        (3, 6, 3, 3),
        (0, 0, 0, 9),
    ]:
        wanted, tile = c.copy(), np.s_[i0 : i0 + size, j0 : j0 + size]
        wanted[tile] += a[i0 : i0 + size, p0 : p0 + size] @ b[p0 : p0 + size, j0 : j0 + size]
        got, lost = student.run(program, student.add_tile, a, b, c, i0, j0, p0, size)
        advice = inside if i0 == 2 else None
        close(got, wanted, rtol=1e-12, atol=1e-12, i0=i0, j0=j0, p0=p0, size=size, advice=advice)
        holds(
            lost == 0,
            expected="nothing written outside c",
            got=lost,
            advice="Something was written outside c.",
        )


### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "tile-product", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(
    advice="The whole product is put together from your tiles there, for sizes that do and do not divide the matrices."
)
def tile_product(student, rng):
    """Tile after tile the product comes together, within k ulp of Σ|ab|."""

    def program(add_tile, a, b, size):
        c = np.zeros((a.shape[0], b.shape[1]), a.dtype)
        for p0 in range(0, a.shape[1], size):
            for j0 in range(0, b.shape[1], size):
                for i0 in range(0, a.shape[0], size):
                    add_tile(a, b, c, i0, j0, p0, size)
        return c

    a, b = rng.normal(size=(6, 8)).astype(np.float32), rng.normal(size=(8, 5)).astype(np.float32)
    bound = 8 * 2.0**-23 * (np.abs(a).astype(float) @ np.abs(b))
    for size in (1, 2, 3, 8):
        close(
            student.run(program, student.add_tile, a, b, size),
            a.astype(float) @ b,
            rtol=0,
            atol=bound,
            size=size,
        )


### END HIDDEN TESTS

# %% [markdown]
# ## 4. Four sums at once
#
# A processor can add four numbers, or eight, in the time of one, if they belong to different sums. So a dot product is summed up in four: the terms
# $i = 0, 4, 8 \dots$ in $t_0$, $i = 1, 5, 9 \dots$ in $t_1$, and so on, each from 0 on and in order; at the end
#
# $$(t_0 + t_1) + (t_2 + t_3).$$
#
# A length that is no multiple of four just ends in the middle of a round. The order is prescribed, so the bits are too.


# %% nbgrader={"grade": false, "grade_id": "dot", "locked": false, "schema_version": 3, "solution": true, "task": false}
def dot_in_four(x, y):
    """Return Σ x·y for two arrays of shape (n,), summed in four parts, in their dtype."""
    ### BEGIN SOLUTION
    t = np.zeros(4, x.dtype)
    for i in range(x.size):
        t[i % 4] += x[i] * y[i]
    return (t[0] + t[1]) + (t[2] + t[3])
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "dot-numbers", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
@test
def dot_numbers(student, rng):
    """Write the six terms down, each under the sum that it belongs to. How many terms has each of the four?"""
    x, y = (rng.integers(1, 5, 6) + np.array([0, 1, 2, 4, 7, 11.0]) for _ in range(2))
    terms = x * y
    close(
        student.dot_in_four(x, y),
        np.sum(terms),
        x=x,
        y=y,
        slips={
            "The terms behind the last full round of four are missing.": np.sum(terms[:4]),
            "The last term is missing.": np.sum(terms[:5]),
            "The first term is missing.": np.sum(terms[1:]),
            "These are the four sums; their sum is wanted.": [
                terms[0] + terms[4],
                terms[1] + terms[5],
                *terms[2:4],
            ],
            "Of each of the four sums only the last term has stayed.": np.sum(terms[2:]),
            "That is the sum of x and y, without a product.": np.sum(x + y),
        },
    )


# %% nbgrader={"grade": true, "grade_id": "dot-bits", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(advice="Every length from 0 to 13, in float64 and float32, large terms beside small ones, every bit.")
def dot_bits(student, rng):
    """Whoever sums in another order gets other bits, sooner or later."""
    for n in range(14):
        x = rng.normal(size=n) * 10.0 ** rng.integers(-6, 7, n)
        y = rng.normal(size=n)
        for dtype in (np.float64, np.float32):
            a, b = x.astype(dtype), y.astype(dtype)
            sums = [dtype(0)] * 4
            for i, term in enumerate(a * b):
                sums[i % 4] = sums[i % 4] + term
            wanted = (sums[0] + sums[1]) + (sums[2] + sums[3])
            advice = "A sum of no terms is 0." if n == 0 else None
            close(student.dot_in_four(a, b), wanted, rtol=0, atol=0, n=n, advice=advice)


### END HIDDEN TESTS


# %% [markdown]
# ## 5. A fused update
#
# In NumPy, a step of Adam is a dozen operations, each of which goes through all of memory once. Fused, it is one pass: each entry of $\theta, g, m, v$ is
# fetched, everything is worked out, and the new $\theta, m, v$ are stored, in place. In this order, from left to right, each product of two things a product
# and no power:
#
# $$\begin{aligned}
# d &= clip \cdot g + l2 \cdot \theta \\
# m &= \beta_1 \cdot m + \overline{\beta}_1 \cdot d \\
# v &= \beta_2 \cdot v + \overline{\beta}_2 \cdot (d \cdot d) \\
# \theta &= \theta - rate \cdot (m / c_1) / (\sqrt{v / c_2} + \epsilon)
# \end{aligned}$$
#
# `hyper` is an array that holds $clip, l2, \beta_1, \overline\beta_1, \beta_2, \overline\beta_2, c_1, c_2, rate, \epsilon$ in this order, where
# $\overline\beta = 1 - \beta$ and $c_1, c_2$ are the bias corrections of this step. It is the engine's own kernel, and the engine will run yours.


# %% nbgrader={"grade": false, "grade_id": "update", "locked": false, "schema_version": 3, "solution": true, "task": false}
def adam_update(theta, g, m, v, hyper):
    """Change theta, m and v, arrays of shape (n,), in place, in one pass; g and hyper (10 numbers) stay as they are."""
    ### BEGIN SOLUTION
    clip, l2, beta1, rest1, beta2, rest2, c1, c2, rate, eps = hyper
    for i in range(theta.size):
        d = clip * g[i] + l2 * theta[i]
        m[i] = beta1 * m[i] + rest1 * d
        v[i] = beta2 * v[i] + rest2 * (d * d)
        theta[i] = theta[i] - rate * (m[i] / c1) / (np.sqrt(v[i] / c2) + eps)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "update-numbers", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
@test
def update_numbers(student, rng):
    """Put the numbers into the four formulas, one after the other, with pencil and paper: there is one entry only."""

    def program(update, theta, g, m, v, hyper):
        update(theta, g, m, v, hyper)
        return theta, m, v

    hyper = np.array([0.5, 2.0, 0.75, 0.25, 0.5, 0.5, 0.5, 2.0, 1.0, 1.0])
    theta, g, m, v = (np.array([float(n)]) for n in (2, 6, 1, 4))
    got = student.run(program, student.adam_update, theta, g, m, v, hyper)
    given = {"theta": theta, "g": g, "m": m, "v": v, "hyper": hyper}
    close(
        got[1],
        [2.5],
        hint="m is not right. What is d here, and what is left of the old m?",
        **given,
        slips={
            "m has stayed as it was: write into m[i].": m,
            "g was taken as it is, and d was not.": [2.25],
            "d lacks the penalty, l2 · θ.": [1.5],
            "The penalty was clipped too: clip belongs to g alone.": [2.0],
            "g was not clipped: d has clip · g in it.": [3.25],
            "The two factors of m have changed places.": [5.5],
        },
    )
    close(
        got[2],
        [26.5],
        hint="m is right, v is not.",
        **given,
        slips={
            "v has stayed as it was: write into v[i].": v,
            "d has no square.": [5.5],
            "v was worked out from g instead of d.": [20.0],
            "v was worked out from m instead of d.": [5.125],
        },
    )
    close(
        got[0],
        [0.922426553],
        hint="m and v are right, theta is not.",
        atol=1e-6,
        **given,
        slips={
            "theta has stayed as it was: write into theta[i].": theta,
            "Uphill: the sign.": [3.077573447],
            "ε stands inside the root.": [0.675467643],
            "The bias corrections c₁ and c₂ are missing.": [1.593351464],
            "c₁ multiplies where it divides.": [1.730606638],
            "c₂ is missing.": [1.186702927],
            "theta was worked out from the old m and v.": [1.171572875],
            "The root is missing.": [1.649122807],
            "This is the change alone.": [-1.077573447],
        },
    )


# %% nbgrader={"grade": true, "grade_id": "update-one-pass", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
@test
def update_one_pass(student, rng):
    """One loop, and in it everything for entry i: all three are written before the next entry's turn."""

    def program(update, theta, g, m, v, hyper):
        log = []
        arrays = [
            Watched(a, log, name) for a, name in zip((theta, g, m, v), ("theta", "g", "m", "v"), strict=True)
        ]
        plain(update)(*arrays, hyper)
        return [[name, indices(key)[0]] for kind, name, key in log if kind == "write"]

    arrays = rng.random((4, 3))
    written = student.run(program, student.adam_update, *arrays, np.full(10, 0.5))
    holds("g" not in [name for name, _ in written], "g is written into; it stays as it is.", got=written)
    holds(
        {(name, i) for name, i in written} == {(name, i) for name in ("theta", "m", "v") for i in range(3)},
        "Every entry of theta, m and v is written, one at a time.",
        expected="3 entries of each",
        got=written,
    )
    places = [i for _, i in written]
    holds(
        places == sorted(places) or places == sorted(places, reverse=True),
        "That is more than one pass: finish entry i before you begin with i + 1.",
        expected="theta, m and v of entry 0, then those of entry 1 …",
        got=written,
    )


# %% nbgrader={"grade": true, "grade_id": "update-bits", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(
    advice="In the engine: your kernel drives its Adam, with weight decay and clipping, over several steps. Every bit counts, in float32 too."
)
def update_bits(student, rng):
    """The engine's optimizer, with this kernel in the place of its own, ends at the same bits."""

    def program(theta, gradients):
        found = []
        for dtype in ("float64", "float32"):
            parameter = mg.Tensor(theta.astype(dtype), requires_grad=True, name="theta")
            optimizer = mg.optim.Adam([parameter], lr=0.05, weight_decay=0.1, max_norm=2.0)
            for g in gradients:
                parameter.grad = g.astype(dtype)
                optimizer.step()
            found += [parameter.numpy().copy(), *(a.copy() for a in optimizer.state["theta"].values())]
        return found

    theta, gradients = rng.normal(size=37), list(rng.normal(size=(5, 37)))
    same(
        student.run(program, theta, gradients, install=[kernel("adam", student.adam_update)]),
        program(theta, gradients),
    )


### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "update-numba", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(
    advice="Numba compiles it there; the bits must be those that plain Python gives, and nothing outside the arrays is touched."
)
def update_numba(student, rng):
    """Compiled, to the same bits as the engine's reference, with NaN at both ends of each array."""

    def program(update, theta, g, m, v, hyper, by_numba):
        pairs = [guarded(a) for a in (theta, g, m, v)]
        before = [outside(around) for around, _ in pairs]
        (compiled(update) if by_numba else update)(*(inside for _, inside in pairs), hyper)
        return [inside for _, inside in pairs], [outside(around) for around, _ in pairs] == before

    theta, g, m, v = rng.random((4, 29))
    hyper = np.array([0.7, 0.1, 0.9, 1 - 0.9, 0.999, 1 - 0.999, 1 - 0.9**3, 1 - 0.999**3, 5.0, 1e-8])
    given = theta, g, m, v, hyper
    d = 0.7 * g + 0.1 * theta
    m, v = 0.9 * m + (1 - 0.9) * d, 0.999 * v + (1 - 0.999) * (d * d)
    theta = theta - 5.0 * (m / hyper[6]) / (np.sqrt(v / hyper[7]) + 1e-8)
    for by_numba in (False, True):
        got, untouched = student.run(program, student.adam_update, *given, by_numba)
        holds(
            untouched is True,
            expected="nothing outside the arrays was touched",
            got=untouched,
            advice="Something was written outside the arrays.",
        )
        same(got[1], g, advice="g has changed; it stays as it is.")
        same(got, [theta, g, m, v])


### END HIDDEN TESTS


# %% [markdown]
# ## What you have now
#
# The inside of `kernels/minigrad_kernels/`: `matmul.py` goes two steps further than your tile, and `update_rules.py` holds your update, once for each rule.
