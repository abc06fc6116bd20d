# %% [markdown]
# # 15. Inside a kernel: the same matmul five times
#
# Nearly all the time of training goes into one formula, the matrix product
#
# $$c_{ij} = \sum_p a_{ip}\, b_{pj}.$$
#
# Three loops, one line inside. Written down just so and compiled to machine code, it runs many times slower
# than what NumPy does when you type `a @ b`, **although both do exactly the same multiplications**. Where
# does the time go?
#
# The file `kernels/minigrad_kernels/matmul.py` answers in five versions, each one idea faster than the last.
# We read them, run them, and watch them fetch numbers from memory, one by one. The engine itself multiplies
# elsewhere: dense layers in float32 and of middling size go through tiles of its own
# (`kernels/minigrad_kernels/products.py`, where the processor has AVX2 or AVX-512), everything else to the
# library that NumPy calls (BLAS). Both are built from the ideas of this file, which is there to be read.

# %%
import inspect
from collections import OrderedDict
from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np
from minigrad_kernels import matmul
from minigrad_kernels.launch import Loop, numba

from minigrad.exercises import exercise
from minigrad.viz.plots import BLUE, GREEN, ORANGE

# %% [markdown]
# ## 1. The formula as it stands
#
# By hand, with two 2×2 matrices:
#
# $$\begin{pmatrix}1&2\\3&4\end{pmatrix}\begin{pmatrix}5&6\\7&8\end{pmatrix} =
# \begin{pmatrix}1\cdot5+2\cdot7 & 1\cdot6+2\cdot8\\ 3\cdot5+4\cdot7 & 3\cdot6+4\cdot8\end{pmatrix} =
# \begin{pmatrix}19&22\\43&50\end{pmatrix}.$$
#
# Each entry takes 2 multiplications and 2 additions (the first to 0). For $n\times n$ matrices there are
# $n^2$ entries of $2n$ operations: $2n^3$ in all. Here is the first version, as it stands in the file:

# %%
print(inspect.getsource(matmul.naive_loop))

# %% [markdown]
# In the engine a loop like this is handed to Numba, which turns it into machine code. That is a **jit**
# ("just in time") compiler. With the jit off the same text is ordinary Python: `.plain` gives it to you, for
# a debugger to step through, or for this notebook to play with.

# %%
a = np.array([[1, 2], [3, 4]], "float32")
b = np.array([[5, 6], [7, 8]], "float32")
c = np.empty((2, 2), "float32")
matmul.STEPS["naive"].plain(a, b, c)
print(c)
assert c.tolist() == [[19, 22], [43, 50]]

# %% [markdown]
# ## 2. Watching it read
#
# Since it is ordinary Python, it does not care whether `a` is a NumPy array. We can pass something that
# behaves like one and writes down every number that is touched. Memory is one long row of places; a matrix is
# stored row after row, so entry $(i, j)$ of the first matrix lies at place $i\cdot n + j$, the second matrix
# begins at place $n^2$, the third at $2n^2$.


# %%
class Watched:
    """An array that notes the place in memory of every single number that is read or written."""

    def __init__(self, values, places, log):
        self.values, self.places, self.log = values, places, log
        self.shape, self.size, self.dtype = values.shape, values.size, values.dtype

    def __getitem__(self, key):
        picked = self.values[key]
        if isinstance(picked, np.ndarray):  # a row is not read yet, only pointed at
            return Watched(picked, self.places[key], self.log)
        self.log.append(int(self.places[key]))
        return picked

    def __setitem__(self, key, value):
        self.log.extend(np.ravel(self.places[key]).tolist())
        self.values[key] = value


def watch(step, n):
    """Multiply two n×n matrices with a plain loop; return the places that it touched, in order."""
    log = []
    arrays = np.random.default_rng(0).random((3, n, n), dtype="float32")
    places = np.arange(3 * n * n).reshape(3, n, n)
    step(*(Watched(values, place, log) for values, place in zip(arrays, places, strict=True)))
    assert np.allclose(arrays[2], arrays[0] @ arrays[1], rtol=1e-5)  # it did multiply
    return np.array(log)


def named(place, n):
    """'a10' for the place of the entry in row 1, column 0 of the first matrix."""
    matrix, entry = divmod(int(place), n * n)
    return "abc"[matrix] + f"{entry // n}{entry % n}"


print("naive:    ", *(named(place, 2) for place in watch(matmul.STEPS["naive"].plain, 2)[:10]), "...")

# %% [markdown]
# For $c_{00}$: `a00 b00 a01 b10`, then write `c00`. Look at `b`: it is read **down a column**, `b00`, `b10`.
# In memory those two are a whole row apart. For larger matrices the two readings look like this (the first
# 400 numbers that are touched at $n = 16$):

# %%
fig, axes = plt.subplots(1, 2, figsize=(9, 3.2), sharey=True)
for ax, name in zip(axes, ("naive", "reordered"), strict=True):
    log = watch(matmul.STEPS[name].plain, 16)
    start = 0 if name == "naive" else 256  # the second version first sets c to 0
    ax.plot(log[start : start + 400], ".", color=BLUE, markersize=2)
    ax.set(xlabel="time (numbers touched)", title=name)
    for edge, matrix in zip((0, 256, 512), "abc", strict=True):
        ax.axhline(edge, color="grey", linewidth=0.6)
        ax.annotate(matrix, (395, edge + 110), color="grey")
axes[0].set_ylabel("place in memory")
plt.show()

# %% [markdown]
# The steep stripes on the left are walks down the columns of `b`. On the right the loops stand in another
# order, and everything moves in short runs to the right. Why would that matter?
#
# ## 3. Memory comes in lines
#
# A number from main memory takes many times as long as a multiplication. So the processor keeps what it
# fetched in a small fast memory, the **cache**, and it never fetches one number alone: it fetches a **line**
# of 64 bytes, 16 neighbouring float32 numbers, in the hope that you want the neighbours next. You can see
# that with NumPy alone. Both sums below add a million numbers: neighbours, and numbers that lie 16 places
# apart.
#
# **Guess before you run:** the additions are the same. How many times as long does the second sum take?

# %%
memory = np.ones(16 * 2**20, "float32")


def best_time(function, repeats=5):
    """Seconds of the fastest of several runs, after one to warm up."""
    function()
    times = []
    for _ in range(repeats):
        start = perf_counter()
        function()
        times.append(perf_counter() - start)
    return min(times)


near, far = memory[: 2**20], memory[::16]
assert near.size == far.size
print(f"neighbours:      {1e3 * best_time(near.sum):.2f} ms")
print(f"16 places apart: {1e3 * best_time(far.sum):.2f} ms")
del memory, near, far

# %% [markdown]
# <details>
# <summary><b>What came out, and why</b></summary>
#
# Walk along a row and 15 of 16 reads are free. Walk down a column and each read fetches 16 numbers to use one:
# sixteen times as much memory moves for the same sum. How much slower that is depends on the machine: less than
# sixteen times where the processor fetches lines ahead of time, more where the million neighbours (4 MiB) stay in
# a cache that the 64 MiB of the others do not fit into, and since neighbours are added several at once.
#
# </details>
#
# Let us build a cache: it holds so many lines, and throws out the one that was not used for longest. Twelve
# lines of Python:


# %%
def misses(log, capacity, line=16):
    """How many lines have to be fetched from memory, for a cache that holds ``capacity`` of them."""
    cache, fetched = OrderedDict(), 0
    for number in (log // line).tolist():
        if number in cache:
            cache.move_to_end(number)
            continue
        fetched += 1
        cache[number] = None
        if len(cache) > capacity:
            cache.popitem(last=False)
    return fetched


# %% [markdown]
# Take $n = 32$ and a cache of 32 lines (2 KiB). A row is 2 lines, a matrix 64. **By hand**, for the naive
# loops:
#
# - `b`: every step of a column lies in another line, 32 of them; together with the lines of `a` and `c` that
#   is more than 32, so when the next column begins, its lines are gone again. All $32^3 = 32{,}768$ reads of
#   `b` fetch.
# - `c`: one entry for each column, and its line is gone by then too: $32^2 = 1{,}024$.
# - `a`: the row in use is touched all the time and stays: 2 lines for each of 32 rows, 64.
#
# Together 33,856. And the cache says:

# %%
naive = misses(watch(matmul.STEPS["naive"].plain, 32), 32)
print(f"naive: {naive:,} lines fetched")
assert naive == 32**3 + 32**2 + 64

# %% [markdown]
# ## 4. The second version: change the order of the loops
#
# A sum may be worked out in any order. Let $p$ be the middle loop and $j$ the inner one, and collect in `c`:

# %%
print(inspect.getsource(matmul.reordered_loop))

# %% [markdown]
# Now the inner loop runs along a row of `b` and a row of `c`. By hand: for each of the 32 rows of `a`, all 64
# lines of `b` come past once, $32\cdot64 = 2{,}048$; `a` 64; `c` 64 to set it to 0 and 64 to collect.
# Together 2,240, a fifteenth of what it was. The cache counts:

# %%
reordered = misses(watch(matmul.STEPS["reordered"].plain, 32), 32)
print(f"reordered: {reordered:,} lines fetched, {naive / reordered:.1f} times fewer")
assert reordered == 32 * 64 + 64 + 64 + 64

# %% [markdown]
# There is a second gain, which the count does not show. A processor has *vector* instructions that multiply 8
# or 16 neighbouring float32 numbers at once. Neighbours are what the inner loop now works on, and no addition
# has to wait for the one before, since each goes to another entry of `c`.
#
# ## 5. The third version: tiles
#
# For each row of `a` **all** of `b` came past. If `b` does not fit into the cache, cut it into tiles that do,
# and let all rows of `a` meet one tile before the next is fetched:

# %%
print(inspect.getsource(matmul.tiled_loop))

# %% [markdown]
# The file's tile has 64 × 1024 entries. For our small cache we take the same text with another tile of
# $8\times 32$: 16 lines, half the cache. By hand, with 4 such tiles: `b` is fetched **once**, 64 lines. For
# each tile the rows of `a` come past, one line each, $4\cdot 32 = 128$, and those of `c`, two lines each,
# $4\cdot 64 = 256$; and 64 to set `c` to 0. Together 512:

# %%
small_tiles = Loop(matmul.tiled_loop, TILE_P=8, TILE_J=32)
tiled = misses(watch(small_tiles.plain, 32), 32)
print(f"tiled: {tiled:,} lines fetched, {naive / tiled:.0f} times fewer than naive")
assert tiled == 64 + 128 + 256 + 64

# %%
sizes = (1, 2, 4, 8, 16, 32, 64, 128, 256)
fig, ax = plt.subplots(figsize=(6.5, 3.2))
logs = {
    "naive": (watch(matmul.STEPS["naive"].plain, 32), ORANGE, "o-"),
    "reordered": (watch(matmul.STEPS["reordered"].plain, 32), BLUE, "s--"),
    "tiled 8×32": (watch(small_tiles.plain, 32), GREEN, "^:"),
}
for name, (log, colour, style) in logs.items():
    ax.loglog(sizes, [misses(log, size) for size in sizes], style, color=colour, label=name, base=2)
ax.axhline(3 * 64, color="grey", linewidth=0.8)
ax.annotate("each line once", (1, 3 * 64), xytext=(2, 4), textcoords="offset points", color="grey")
ax.set(xlabel="cache size (lines)", ylabel="lines fetched", title="32 × 32: how much memory moves")
ax.legend(frameon=False)
plt.show()

# %% [markdown]
# Read the figure from the right: where the cache holds all three matrices (192 lines), every version fetches
# each line once, and order is all the same. The better the order, the smaller the cache may become before it
# hurts.
#
# ## 6. The fourth version: keep the sums in registers
#
# Even a number in the cache has to be loaded into a **register** before it can be multiplied. In the last two
# versions every multiplication loads an entry of `b` and one of `c`, and stores one of `c`. The multipliers
# wait for the loads. The next idea works out a small block of $r\times s$ entries of `c` at once, with all
# $r\cdot s$ sums in registers. For each $p$ it loads $r$ numbers of `a` and $s$ of `b`, and uses each of them
# several times:
#
# $$\text{loads per multiplication} = \frac{r + s}{r\, s}.$$

# %%
for r, s in ((1, 1), (2, 2), (4, 3), (8, 8)):
    print(f"block {r} × {s}: {r * s:2d} sums in registers, {(r + s) / (r * s):.2f} loads per multiplication")
source = inspect.getsource(matmul.micro_kernel)
print(source.split("        c01")[0] + "        ...")

# %% [markdown]
# The file takes $4 \times 3$: 12 sums. A processor with AVX2 has 16 vector registers, so four are left for
# what is loaded. An $8\times8$ block would load less, but its 64 sums do not fit, and what does not fit is
# stored to memory and loaded again, which is what we wanted to avoid.
#
# Around it, `packed_loop` copies pieces of `a` and `b` so that the micro-kernel reads both in order
# ("packing"). The copy costs $n^2$, the product $n^3$, so it pays. The fifth version, `parallel`, is the same
# text with its blocks of rows shared out among threads.
#
# ## 7. The clock
#
# Now let the compiled versions run. We count in GFLOP/s: billions of operations a second, $2n^3$ divided by
# the time. The first call of a version compiles it, which can take seconds, once (the result is kept on
# disk), so we call it before we measure. The best of several runs is the one least disturbed by other work.
# **These are the numbers of the machine that ran this notebook**; on yours they differ.

# %%
n = 256 if numba() is not None else 24  # without Numba only the plain loops are left, which are slow
rng = np.random.default_rng(0)
a, b = rng.random((2, n, n), dtype="float32")

results, speeds = {}, {}
for name, step in matmul.STEPS.items():
    loop = step if numba() is not None else step.plain
    results[name] = np.empty((n, n), "float32")
    speeds[name] = 2 * n**3 / best_time(lambda loop=loop, name=name: loop(a, b, results[name])) / 1e9
results["BLAS"] = np.empty((n, n), "float32")
speeds["BLAS"] = 2 * n**3 / best_time(lambda: np.matmul(a, b, out=results["BLAS"])) / 1e9
for name, speed in speeds.items():
    print(f"{name:10s} {speed:9.3f} GFLOP/s   {speed / speeds['naive']:6.1f} × naive")

# %%
fig, ax = plt.subplots(figsize=(6.5, 3))
colours = [GREEN if name == "BLAS" else BLUE for name in speeds]
bars = ax.barh(list(speeds), list(speeds.values()), color=colours)
ax.bar_label(bars, fmt="%.1f", padding=3)
ax.invert_yaxis()
ax.set(xlabel="GFLOP/s", title=f"The same {2 * n**3:,} operations, {n} × {n}, float32")
plt.show()

# %% [markdown]
# And with the jit off? One multiplication takes so much longer that a smaller matrix has to do:

# %%
m = 40
small_a, small_b, small_c = (np.ascontiguousarray(x[:m, :m]) for x in (a, b, a))
seconds = best_time(lambda: matmul.STEPS["naive"].plain(small_a, small_b, small_c), repeats=2)
print(f"plain Python: {2 * m**3 / seconds / 1e9:.4f} GFLOP/s, {1e9 * seconds / m**3:.0f} ns for each a·b + c")
print(f"compiled:     {speeds['naive']:.4f} GFLOP/s, {2 / speeds['naive']:.2f} ns")

# %% [markdown]
# Put the two experiments side by side, the lines that the toy cache counted and the time that the clock
# showed:

# %%
for better, worse, fewer in (
    ("reordered", "naive", naive / reordered),
    ("tiled", "reordered", reordered / tiled),
):
    faster = speeds[better] / speeds[worse]
    print(f"{better:9s} against {worse:9s}: {fewer:4.1f} times fewer lines, {faster:4.1f} times the speed")

# %% [markdown]
# The second row is a lesson in itself. If the tiles gain nothing on your machine either, it is because all of
# `b` (a quarter of a megabyte here) lies in the processor's second or third cache, which is a good deal
# larger than our toy. An idea that is right can be useless at the size at hand; that is why one measures. The
# table in the docstring of `matmul.py` shows the same for 1024 × 1024.
#
# Does it matter for training? The first layer of a 784–128–10 network at batch 32 multiplies $32\times784$ by
# $784\times128$:

# %%
flop = 2 * 32 * 784 * 128
for name in ("naive", "packed", "BLAS"):
    print(f"{name:7s} {flop / speeds[name] / 1e3:9.1f} µs for each forward pass, at the speed measured above")

# %% [markdown]
# ## 8. Are they equal?
#
# Not to the last bit. $(x + y) + z$ and $x + (y + z)$ round differently, and the versions add in different
# orders. For **any** order of a sum of $k$ products the error is at most about
# $k\,\varepsilon\sum_p |a_{ip} b_{pj}|$ with $\varepsilon = 1.2\cdot10^{-7}$ for float32 (Higham 2002,
# section 3.1). That is the bound the tests use, and you can see how far inside it they all are:

# %%
exact = a.astype("float64") @ b.astype("float64")
bound = n * np.finfo("float32").eps * (np.abs(a).astype("float64") @ np.abs(b).astype("float64"))
for name, product in results.items():
    worst = (np.abs(product - exact) / bound).max()
    print(f"{name:10s} largest error {np.abs(product - exact).max():.1e}, {100 * worst:.2f} % of the bound")
    assert worst < 1
assert np.array_equal(results["packed"], results["parallel"])  # threads share out rows, not sums: same bits

# %% [markdown]
# On a GPU the same ideas come back under other names: `kernels/minigrad_kernels/cuda/matmul.cu` has a naive
# version, one with tiles in *shared memory*, and one with blocks in registers. On an H200, at 4096³ in float32, they
# reach 11, 16 and 70 % of what NVIDIA's own library does: it is the registers that count.
#
# A convolution is a product of matrices too, and has a lesson of its own, in four steps:
# `kernels/minigrad_kernels/conv_lesson.py`.
#
# ## Exercises
#
# **15.1** A 100 × 100 matrix of **float64** numbers is stored row after row and begins at the start of a line
# of 64 bytes. How many different lines does reading the first row touch, and how many does reading the first
# column? Hand in the pair (row, column).

# %%
row_and_column = None  # your answer: (…, …)

exercise("15.1")(row_and_column)

# %% [markdown]
# **15.2** There is a third order. Let $p$ be the **outer** loop: then each pass adds a whole matrix to `c`,
# column $p$ of `a` times row $p$ of `b`. Write `outer_matmul(a, b)` with one loop, over `p`, and without `@`,
# `np.dot`, `einsum` or another ready-made product of matrices.


# %%
def outer_matmul(a, b): ...  # your answer


exercise("15.2")(outer_matmul)

# %% [markdown]
# **15.3** A processor with AVX-512 has 32 vector registers. A micro-kernel for blocks of $r\times s$ needs
# $r\cdot s$ of them for the sums, $s$ for the numbers of `b`, and one for a number of `a`. Which block that
# fits has the fewest loads per multiplication, $(r+s)/(rs)$? Hand in $(r, s)$. (You may let a loop find it.)

# %%
block = None  # your answer: (r, s)

exercise("15.3")(block)
