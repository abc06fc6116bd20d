from itertools import product as pairs
from math import sqrt

from numba import njit

Array = np.ndarray


def matmul(a: Array, b: Array, c: Array) -> None:
    """Entry by entry, in one loop."""
    for i, j in pairs(range(len(a)), range(b.shape[1])):
        c[i, j] = sum((a[i, p] * b[p, j] for p in range(len(b))), a.dtype.type(0))


@njit
def matmul_by_rows(a, b, c):
    for i in range(a.shape[0]):
        for j in range(b.shape[1]):
            c[i, j] = 0
        for p in range(a.shape[1]):
            factor = a[i, p]
            for j in range(b.shape[1]):
                c[i, j] += factor * b[p, j]


def add_tile(a: Array, b: Array, c: Array, i0: int, j0: int, p0: int, size: int) -> None:
    rows, columns = (
        range(*slice(i0, i0 + size).indices(len(a))),
        range(*slice(j0, j0 + size).indices(b.shape[1])),
    )
    for i, j, p in pairs(rows, columns, range(p0, min(p0 + size, len(b)))):
        c[i, j] += a[i, p] * b[p, j]


def dot_in_four(x: Array, y: Array) -> float:
    parts = np.zeros((2, 2), dtype=x.dtype)
    for k in np.arange(len(x)):
        parts[k % 4 // 2, k % 2] += x[k] * y[k]
    return parts[0].sum() + parts[1].sum()


def adam_update(theta: Array, g: Array, m: Array, v: Array, hyper: Array) -> None:
    clip, l2, rate = hyper[0], hyper[1], hyper[8]
    for i in np.arange(theta.size):
        d = clip * g[i] + l2 * theta[i]
        v[i] = hyper[4] * v[i] + hyper[5] * (d * d)
        m[i] = hyper[2] * m[i] + hyper[3] * d
        root = np.sqrt(v[i] / hyper[7])
        theta[i] = theta[i] - rate * (m[i] / hyper[6]) / (root + hyper[9])
