"""The product of two matrices of 8-bit integers, summed in 32 bits, on bare arrays; equal in every bit.

c = a·bᵀ for a (m, k) and b (n, k), both int8, c (m, n) int32: c_ij = Σ_p a_ip b_jp. Both are read along their rows,
as a dense layer's samples and weights lie. Integers add up to the same bits in any order, so there is no bound to
state, as long as the sum fits: a product is at most 2^14, so ``MOST_TERMS`` of them stay below 2^31.

Two rows of a meet three rows of b at a time: six sums in registers, 5 loads for 6 multiplications. The compiler turns
a loop along the rows into vector instructions. On processors without instructions for sums of 8-bit products (AVX2)
that reaches two thirds of what BLAS reaches in float32 on one thread: what integers save there is memory, not time.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad_kernels import gpu
from minigrad_kernels.launch import Loop, output, register, written

MOST_TERMS = 2**17 - 1
"""The longest rows: 2^17 products of -128 and -128 would be 2^31, one more than an int32 holds."""


def matmul_reference(a: Any, b: Any, out: Any = None) -> Any:
    """c = a·bᵀ in int32; ValueError where rows are longer than ``MOST_TERMS``."""
    _check_terms(a)
    return written(np.matmul(a, b.T, dtype=np.int32), out)


def _check_terms(a: Any) -> None:
    if a.shape[-1] > MOST_TERMS:
        raise ValueError(f"rows of {a.shape[-1]} entries could overflow 32 bits; {MOST_TERMS} is the most")


# np.int32(…) around every sum: Numba would otherwise carry integers in 64 bits, and a vector hold half as many.


def dot_loop(a: Any, b: Any) -> Any:
    """Σ_p a_p b_p."""
    total = np.int32(0)
    for p in range(a.size):
        total = np.int32(total + np.int32(a[p]) * np.int32(b[p]))
    return total


dot = Loop(dot_loop)


def two_rows_loop(a0: Any, a1: Any, b: Any, c0: Any, c1: Any) -> None:
    """Two rows of c, three columns at a time."""
    whole = b.shape[0] - b.shape[0] % 3
    for j in range(0, whole, 3):
        b0, b1, b2 = b[j], b[j + 1], b[j + 2]
        c00 = c01 = c02 = c10 = c11 = c12 = np.int32(0)
        for p in range(a0.size):
            x0, x1 = np.int32(a0[p]), np.int32(a1[p])
            y0, y1, y2 = np.int32(b0[p]), np.int32(b1[p]), np.int32(b2[p])
            c00 = np.int32(c00 + x0 * y0)
            c01 = np.int32(c01 + x0 * y1)
            c02 = np.int32(c02 + x0 * y2)
            c10 = np.int32(c10 + x1 * y0)
            c11 = np.int32(c11 + x1 * y1)
            c12 = np.int32(c12 + x1 * y2)
        c0[j], c0[j + 1], c0[j + 2] = c00, c01, c02
        c1[j], c1[j + 1], c1[j + 2] = c10, c11, c12
    for j in range(whole, b.shape[0]):
        c0[j], c1[j] = dot(a0, b[j]), dot(a1, b[j])


two_rows = Loop(two_rows_loop)


def matmul_loop(a: Any, b: Any, c: Any) -> None:
    """See ``matmul_reference``."""
    whole = a.shape[0] - a.shape[0] % 2
    for i in range(0, whole, 2):
        two_rows(a[i], a[i + 1], b, c[i], c[i + 1])
    for i in range(whole, a.shape[0]):
        for j in range(b.shape[0]):
            c[i, j] = dot(a[i], b[j])


multiply = Loop(matmul_loop)


def fits(a: Any, b: Any, out: Any = None) -> bool:
    """Tell whether the loop takes these."""
    return bool(a.ndim == b.ndim == 2 and a.shape[1] == b.shape[1] and a.dtype == b.dtype == np.int8)


def matmul_cpu(a: Any, b: Any, out: Any = None) -> Any:
    """See ``matmul_reference``."""
    _check_terms(a)
    c = output(out, (a.shape[0], b.shape[0]), np.int32(0))
    multiply(a, b, c)
    return c


def matmul_gpu(a: Any, b: Any, out: Any = None) -> Any:
    """See ``matmul_reference`` and cuda/int8.cu."""
    gpu.require(a.ndim == b.ndim == 2 and a.shape[1] == b.shape[1], f"a is {a.shape}, b is {b.shape}")
    _check_terms(a)
    (m, k), n = a.shape, b.shape[0]
    c = gpu.output(out, (m, n), np.int32(0))
    grid = (gpu.blocks(n, 16), gpu.blocks(m, 16))
    arrays = (gpu.contiguous(a), gpu.contiguous(b), c)
    gpu.launch("int8", "matmul", np.float32, grid, (16, 16), *arrays, np.int32(m), np.int32(k), np.int32(n))
    return c


matmul = register("int8_matmul", reference=matmul_reference, cpu=matmul_cpu, gpu=matmul_gpu, fits=fits)
