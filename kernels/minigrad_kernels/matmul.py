"""Matrix multiplication as a lesson: from three loops to the speed of a library, one idea at a time.

c = a·b for a (m, k), b (k, n): c_ij = Σ_p a_ip b_pj. The arithmetic, 2·m·n·k operations, is the same in every
version; what differs is how often a number travels between memory and the registers of the processor. In GFLOP/s
at 1024³ in float32 on one thread (Zen 5 with AVX-512, whose peak is about 260), with OpenBLAS beside it:

    =========  =======  ===================================================================================
    step       GFLOP/s  what it bought
    =========  =======  ===================================================================================
    naive          0.5  -
    reordered     51    the innermost loop runs along rows: whole cache lines and vector registers are used
    tiled         52    a tile of b is used again while it lies in the second-level cache: nothing gained here,
                        where all of b (4 MiB) lies in a third-level cache of 32 MiB already
    packed       118    12 sums stay in registers, so that a number that is loaded is used 3 or 4 times
    tiles        243    the same, with the registers named one by one, as Python cannot: see ``tiles``
    OpenBLAS     242    the same ideas in assembler, with a micro-kernel for each processor
    =========  =======  ===================================================================================

``parallel`` is ``packed`` with its blocks of rows shared out among threads. What dense layers use is the last step,
in ``products``; a product that is written out, ``x @ w``, is BLAS's.
``STEPS["naive"].plain`` is a step as plain Python, for a debugger.

How far two versions may be apart: k ulp of Σ_p |a_ip b_pj|, which holds for every order of the sum. One version
gives the same bits whatever the number of threads.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad_kernels import gpu
from minigrad_kernels.launch import Loop, output, register, written

prange = range  # Numba's prange, which shares its passes out among the threads, where a Loop is parallel


def matmul_reference(a: Any, b: Any, out: Any = None) -> Any:
    """c = a·b, by BLAS."""
    return written(a @ b, out)


# 1. The formula as it stands. For every entry of c it walks down a column of b, and each entry of that column lies
#    in another line of the cache: of the 64 bytes that are fetched, 4 are used.


def naive_loop(a: Any, b: Any, c: Any) -> None:
    """c_ij = Σ_p a_ip b_pj, entry by entry."""
    for i in range(a.shape[0]):
        for j in range(b.shape[1]):
            total = a.dtype.type(0)
            for p in range(a.shape[1]):
                total += a[i, p] * b[p, j]
            c[i, j] = total


# 2. The two inner loops change places. Now the innermost one runs along a row of b and a row of c, a vector
#    register at a time; each term is added to another entry, so no addition waits for the one before it.


def reordered_loop(a: Any, b: Any, c: Any) -> None:
    """Row i of c = Σ_p a_ip · row p of b."""
    c[:] = 0
    for i in range(a.shape[0]):
        for p in range(a.shape[1]):
            for j in range(b.shape[1]):
                c[i, j] += a[i, p] * b[p, j]


# 3. For each row of c all of b came past, from main memory when b is larger than the cache. A tile of b, 64 rows by
#    1024 columns (256 KiB in float32), stays in the second-level cache while all rows of a meet it.

TILE_P, TILE_J = 64, 1024


def tiled_loop(a: Any, b: Any, c: Any) -> None:
    """As ``reordered_loop``, one tile of b after another."""
    c[:] = 0
    for p0 in range(0, a.shape[1], TILE_P):
        p1 = min(p0 + TILE_P, a.shape[1])
        for j0 in range(0, b.shape[1], TILE_J):
            for i in range(a.shape[0]):
                row = c[i, j0 : j0 + TILE_J]
                for p in range(p0, p1):
                    other = b[p, j0 : j0 + TILE_J]
                    for j in range(row.size):
                        row[j] += a[i, p] * other[j]


# 4. Until here each multiplication loads an entry of b and of c and stores one of c: the adders wait for the loads.
#    A micro-kernel works out 4 x 3 entries of c at once. Its 12 sums fill 12 vector registers and stay there; for
#    each p it loads 4 + 3 numbers and does 12 multiplications. So that it reads memory in order, a and b are
#    packed: rows of a, and columns of b made into rows, DEPTH entries at a time; what is missing at the edges is
#    filled with zeros. The pitch of 16 entries more keeps rows from falling into the same places of the cache.

DEPTH, ROWS, PITCH = 512, 32, 528


def micro_kernel(a: Any, b: Any, depth: int, tile: Any) -> None:
    """tile = a·bᵀ for 4 packed rows of a and 3 packed columns of b, ``depth`` terms each."""
    a0, a1, a2, a3 = a[0], a[1], a[2], a[3]
    b0, b1, b2 = b[0], b[1], b[2]
    c00 = c01 = c02 = c10 = c11 = c12 = c20 = c21 = c22 = c30 = c31 = c32 = a.dtype.type(0)
    for p in range(depth):
        c00 += a0[p] * b0[p]
        c01 += a0[p] * b1[p]
        c02 += a0[p] * b2[p]
        c10 += a1[p] * b0[p]
        c11 += a1[p] * b1[p]
        c12 += a1[p] * b2[p]
        c20 += a2[p] * b0[p]
        c21 += a2[p] * b1[p]
        c22 += a2[p] * b2[p]
        c30 += a3[p] * b0[p]
        c31 += a3[p] * b1[p]
        c32 += a3[p] * b2[p]
    tile[0, 0], tile[0, 1], tile[0, 2] = c00, c01, c02
    tile[1, 0], tile[1, 1], tile[1, 2] = c10, c11, c12
    tile[2, 0], tile[2, 1], tile[2, 2] = c20, c21, c22
    tile[3, 0], tile[3, 1], tile[3, 2] = c30, c31, c32


# Multiply-and-add in one instruction, and vectors of partial sums: both move the last bits, within the bound.
block_product = Loop(micro_kernel, fastmath=frozenset({"reassoc", "contract"}))


def packed_loop(a: Any, b: Any, c: Any) -> None:
    """As ``tiled_loop``, with packed tiles, and 4 x 3 entries of c in registers at a time."""
    m, k = a.shape
    n = b.shape[1]
    columns = np.zeros((n + 2, PITCH), a.dtype)
    c[:] = 0
    for p0 in range(0, k, DEPTH):
        depth = min(DEPTH, k - p0)
        for p in range(depth):
            for j in range(n):
                columns[j, p] = b[p0 + p, j]
        for block in prange((m + ROWS - 1) // ROWS):
            add_rows(a, columns, c, block * ROWS, p0, depth)


def add_rows_loop(a: Any, columns: Any, c: Any, i0: int, p0: int, depth: int) -> None:
    """Add a[i0 : i0 + ROWS, p0 : p0 + depth] · the packed columns to these rows of c."""
    rows = np.zeros((ROWS + 3, PITCH), a.dtype)
    tile = np.empty((4, 3), a.dtype)
    i1 = min(i0 + ROWS, a.shape[0])
    rows[: i1 - i0, :depth] = a[i0:i1, p0 : p0 + depth]
    for i in range(i0, i1, 4):
        for j in range(0, c.shape[1], 3):
            block_product(rows[i - i0 : i - i0 + 4], columns[j : j + 3], depth, tile)
            for s in range(min(4, i1 - i)):
                for t in range(min(3, c.shape[1] - j)):
                    c[i + s, j + t] += tile[s, t]


add_rows = Loop(add_rows_loop)

STEPS = {
    "naive": Loop(naive_loop),
    "reordered": Loop(reordered_loop),
    "tiled": Loop(tiled_loop),
    "packed": Loop(packed_loop),
    "parallel": Loop(packed_loop, parallel=True),
}
"""The steps of the lesson, each ``step(a, b, c)`` on C-contiguous matrices of one dtype."""

PARALLEL_FROM = 2**24
"""Multiplications from which a second thread pays."""


def fits(a: Any, b: Any, out: Any = None) -> bool:
    """Tell whether the loops take these."""
    alike = a.ndim == b.ndim == 2 and a.shape[1] == b.shape[0] and a.dtype == b.dtype
    return bool(alike and a.dtype.kind == "f")


def matmul_cpu(a: Any, b: Any, out: Any = None) -> Any:
    """See ``matmul_reference``; by the last step of the lesson."""
    c = output(out, (a.shape[0], b.shape[1]), a)
    STEPS["parallel" if a.size * b.shape[1] >= PARALLEL_FROM else "packed"](a, b, c)
    return c


# On the GPU: cuda/matmul.cu. For each step, how many entries of c a block makes in each direction. On an H200 at 4096³
# in float32 they do 5.4, 8.1 and 36 TFLOP/s, and cuBLAS 51.
GPU_STEPS = {"naive": 16, "tiled": 16, "register_blocked": 128}


def gpu_step(step: str, a: Any, b: Any, out: Any = None) -> Any:
    """c = a·b by one of ``GPU_STEPS``."""
    gpu.require(a.ndim == b.ndim == 2 and a.shape[1] == b.shape[0], f"a is {a.shape}, b is {b.shape}")
    (m, k), n = a.shape, b.shape[1]
    c = gpu.output(out, (m, n), a)
    grid = (gpu.blocks(n, GPU_STEPS[step]), gpu.blocks(m, GPU_STEPS[step]))
    arrays = (gpu.contiguous(a), gpu.contiguous(b), c)
    gpu.launch("matmul", step, a.dtype, grid, (16, 16), *arrays, np.int32(m), np.int32(k), np.int32(n))
    return c


def matmul_gpu(a: Any, b: Any, out: Any = None) -> Any:
    """See ``matmul_reference``; by the last step of the lesson."""
    return gpu_step("register_blocked", a, b, out)


matmul = register("matmul", reference=matmul_reference, cpu=matmul_cpu, gpu=matmul_gpu, fits=fits)
