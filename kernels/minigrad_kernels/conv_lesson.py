"""Convolution as a lesson: from seven loops to the speed of a library, one idea at a time.

y[n, o, p, q] = Σ_cij x[n, c, p·stride + i - padding, q·stride + j - padding] · w[o, c, i, j]: 2·|y|·c·kh·kw operations
in every version. In GFLOP/s on one thread, for 8 pictures of 64 channels, 56 by 56, and 64 kernels of 3 by 3 in float32
(Zen 3 with AVX2, CPU time, beside other work; ``pytest bench/test_convolution.py`` measures them anew):

    =========  =======  ===================================================================================
    step       GFLOP/s  what it bought
    =========  =======  ===================================================================================
    naive          0.6  -
    reordered      3    rows instead of single numbers: no addition waits for another
    im2col        28    the product's tiles; each pixel is written nine times for it
    implicit      57    the same tiles without that: they take each number from where it lies
    =========  =======  ===================================================================================

Read ``matmul`` first: what made a product of matrices fast makes this one fast. The last step is what the engine runs,
on several threads too, with strides, dilations and groups: ``conv_tiles``, whose idea ``patches`` explains.
``STEPS["naive"].plain`` is the first step as plain Python, for a debugger.

How far two versions may be apart: as many ulp of Σ |x w| as a sum has terms.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad_kernels import conv, products
from minigrad_kernels.launch import Loop

# 1. The formula as it stands. The innermost loops go along a kernel, three numbers long: no vector register is filled,
#    and each sum waits for the addition before it.


def naive_loop(x: Any, w: Any, stride: int, padding: int, y: Any) -> None:
    """Entry by entry, what a window sees times the weights."""
    for n in range(y.shape[0]):
        for o in range(y.shape[1]):
            for p in range(y.shape[2]):
                for q in range(y.shape[3]):
                    total = x.dtype.type(0)
                    for c in range(x.shape[1]):
                        for i in range(w.shape[2]):
                            for j in range(w.shape[3]):
                                row, column = p * stride + i - padding, q * stride + j - padding
                                if 0 <= row < x.shape[2] and 0 <= column < x.shape[3]:
                                    total += x[n, c, row, column] * w[o, c, i, j]
                    y[n, o, p, q] = total


# 2. The loops change places, as in ``matmul``: one weight meets a whole row of pixels. Each term is added to another
#    entry, so no addition waits for the one before it. But for each multiplication an entry of y is loaded and stored.


def reordered_loop(x: Any, w: Any, stride: int, padding: int, y: Any) -> None:
    """Row by row of y: every weight times a row of x is added to it."""
    y[:] = 0
    for n in range(y.shape[0]):
        for o in range(y.shape[1]):
            for c in range(x.shape[1]):
                for i in range(w.shape[2]):
                    for j in range(w.shape[3]):
                        first = max(0, (padding - j + stride - 1) // stride)
                        behind = min(y.shape[3], (x.shape[3] - 1 + padding - j) // stride + 1)
                        for p in range(y.shape[2]):
                            row = p * stride + i - padding
                            if 0 <= row < x.shape[2]:
                                line, weight = y[n, o, p], w[o, c, i, j]
                                seen = x[n, c, row, first * stride + j - padding :: stride]
                                for q in range(behind - first):
                                    line[first + q] += weight * seen[q]


# 3. A product of matrices is what processors do best, so the problem is made one: all that a pixel's window sees is
#    made a column of a matrix, "image to columns" (Chellapilla et al. 2006, "High performance convolutional neural
#    networks for document processing"). The price is memory: each pixel of x is written kh·kw times.


def columns_loop(x: Any, kernel: Any, stride: int, padding: int, size: Any, columns: Any) -> None:
    """columns[(c, i, j), (p, q)] = what tap (i, j) of channel c meets at pixel (p, q) of a picture x."""
    (kh, kw), (oh, ow) = kernel, size
    for c in range(x.shape[0]):
        for i in range(kh):
            for j in range(kw):
                k = (c * kh + i) * kw + j
                for p in range(oh):
                    row = p * stride + i - padding
                    for q in range(ow):
                        column = q * stride + j - padding
                        inside = 0 <= row < x.shape[1] and 0 <= column < x.shape[2]
                        columns[k, p * ow + q] = x[c, row, column] if inside else 0


write_columns = Loop(columns_loop)


def im2col(x: Any, w: Any, stride: int, padding: int, y: Any) -> None:
    """Picture by picture, weights (o, c·kh·kw) times columns (c·kh·kw, pixels)."""
    outputs, kernel, size = len(w), w.shape[2:], y.shape[2:]
    columns = np.empty((w[0].size, size[0] * size[1]), x.dtype)
    for picture, result in zip(x, y, strict=True):
        write_columns.compiled(picture, kernel, stride, padding, size, columns)
        products.dot(w.reshape((outputs, -1)), columns, result.reshape((outputs, -1)), by_rows=True)


# 4. The matrix of patches holds nothing new: its entries lie in x, at an address that two short tables tell, one by
#    pixel and one by tap. So the tile of the product takes them from there, and no column is ever written.


def implicit(x: Any, w: Any, stride: int, padding: int, y: Any) -> None:
    """As the engine does it."""
    conv.forward(x, w, None, (stride, stride), ((padding, padding), (padding, padding)), out=y)


STEPS: dict[str, Any] = {
    "naive": Loop(naive_loop),
    "reordered": Loop(reordered_loop),
    "im2col": im2col,
    "implicit": implicit,
}
"""The steps of the lesson, each ``step(x, w, stride, padding, y)`` on C-contiguous arrays of one dtype."""
