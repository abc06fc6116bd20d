"""Products of tensors, put together from matmul, multiplications and moves of axes: no rules of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.errors import ConfigError, ShapeError
from minigrad.operation import stands_for, without_gradient
from minigrad.ops.products import alike, arrays, dot, einsum, matmul, places, tensordot, whole_number


def inner(a: Any, b: Any) -> Any:
    """Sum the products along both last axes, ``Σ a[…, k] · b[…, k]``, of every row with every row; ``np.inner``."""
    a, b = arrays("inner", a, b)
    return np.multiply(a, b) if a.ndim == 0 or b.ndim == 0 else tensordot(a, b, (-1, -1))


def outer(a: Any, b: Any) -> Any:
    """Multiply every entry of ``a``, made flat, with every entry of ``b``: a[i] · b[j]; ``np.outer``."""
    a, b = arrays("outer", a, b)
    return np.reshape(a, (-1, 1)) * np.reshape(b, (1, -1))


def outer_of_vectors(a: Any, b: Any) -> Any:
    """``outer`` of vectors alone, which ``np.linalg.outer`` takes; ShapeError MG-103 for others."""
    a, b = arrays("outer", a, b)
    if a.ndim != 1 or b.ndim != 1:
        raise ShapeError(
            "MG-103", f"np.linalg.outer takes vectors, not shapes {a.shape} and {b.shape}: write np.outer."
        )
    return outer(a, b)


def vdot(a: Any, b: Any) -> Any:
    """Sum the products of all entries, both made flat: Σ a · b; ``np.vdot``."""
    a, b = arrays("vdot", a, b)
    return dot(np.reshape(a, (-1,)), np.reshape(b, (-1,)))


def vecdot(a: Any, b: Any, axis: int = -1) -> Any:
    """Sum the products along one axis of stacks of vectors: Σ a[…, k] · b[…, k]; ``np.vecdot``."""
    a, b = arrays("vecdot", a, b)
    if axis != -1:
        a, b = np.moveaxis(a, axis, -1), np.moveaxis(b, axis, -1)
    if a.shape[-1:] != b.shape[-1:] or not a.ndim:
        raise ShapeError(
            "MG-103",
            f"vecdot of shapes {a.shape} and {b.shape}: the vectors differ in length, or there are none.",
        )
    return einsum("...i,...i->...", a, b)


def matvec(a: Any, x: Any) -> Any:
    """Multiply stacks of matrices with stacks of vectors: Σ a[…, i, k] · x[…, k]; ``np.matvec``."""
    a, x = arrays("matvec", a, x)
    return np.squeeze(matmul(a, np.expand_dims(x, -1)), -1)


def vecmat(x: Any, a: Any) -> Any:
    """Multiply stacks of vectors with stacks of matrices: Σ x[…, k] · a[…, k, j]; ``np.vecmat``."""
    x, a = arrays("vecmat", x, a)
    return np.squeeze(matmul(np.expand_dims(x, -2), a), -2)


def kron(a: Any, b: Any) -> Any:
    """Put a copy of ``b``, times that entry, in the place of every entry of ``a``; ``np.kron``."""
    a, b = arrays("kron", a, b)
    n = max(a.ndim, b.ndim)
    a = np.reshape(a, (1,) * (n - a.ndim) + a.shape)
    b = np.reshape(b, (1,) * (n - b.ndim) + b.shape)
    blocks = np.expand_dims(a, tuple(range(1, 2 * n, 2))) * np.expand_dims(b, tuple(range(0, 2 * n, 2)))
    return np.reshape(blocks, tuple(p * q for p, q in zip(a.shape, b.shape, strict=True)))


def cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    """Return a × b of vectors with 3 components, (a₂b₃ - a₃b₂, a₃b₁ - a₁b₃, a₁b₂ - a₂b₁); ``np.cross``.

    Raises ShapeError MG-103 where an axis has another length.
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = arrays("cross", a, b)
    a = np.moveaxis(a, places(axisa, a.ndim, "cross")[0], -1)
    b = np.moveaxis(b, places(axisb, b.ndim, "cross")[0], -1)
    if a.shape[-1] != 3 or b.shape[-1] != 3:
        raise ShapeError(
            "MG-103",
            f"cross takes vectors of 3 components, not of {a.shape[-1]} and {b.shape[-1]}. In the plane the area is "
            "a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0].",
        )
    (a1, a2, a3), (b1, b2, b3) = ((x[..., 0], x[..., 1], x[..., 2]) for x in (a, b))
    product = np.stack([a2 * b3 - a3 * b2, a3 * b1 - a1 * b3, a1 * b2 - a2 * b1], axis=-1)
    return np.moveaxis(product, -1, axisc)


def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Return the entries a[i, i + offset] of two axes, along a last one; ``np.diagonal``."""
    offset = whole_number("diagonal", "offset", offset)
    if a.ndim < 2 or places(axis1, a.ndim, "diagonal") == places(axis2, a.ndim, "diagonal"):
        raise ConfigError(
            "MG-215", f"a diagonal runs along two axes of shape {a.shape}; {axis1} and {axis2} were given."
        )
    last = np.moveaxis(a, (axis1, axis2), (-2, -1))
    last = last[..., :, offset:] if offset >= 0 else last[..., -offset:, :]
    n = min(last.shape[-2:])
    return alike(last[..., :n, :n], (last.ndim - 2, last.ndim - 1))


def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Sum a diagonal, Σ a[i, i + offset]; ``np.trace``."""
    return np.sum(diagonal(a, offset, axis1, axis2), axis=-1)


def multi_dot(arrays_: Sequence[Any]) -> Any:
    """Multiply several matrices in the order that takes the fewest multiplications; ``np.linalg.multi_dot``.

    The first and the last may be vectors. The order is found as in Cormen et al., Introduction to Algorithms, §15.2.
    Raises ShapeError MG-103 for anything else.
    """
    factors = arrays("multi_dot", *arrays_)
    ends = [x.ndim for x in factors]
    if len(factors) < 2 or any(n != 2 for n in ends[1:-1]) or not {ends[0], ends[-1]} <= {1, 2}:
        raise ShapeError(
            "MG-103",
            "multi_dot takes two or more matrices, of which the first and the last may be vectors, not shapes "
            f"{', '.join(str(x.shape) for x in factors)}.",
        )
    sizes = [1 if ends[0] == 1 else factors[0].shape[0], *(x.shape[0] for x in factors[1:]), 1]
    sizes[1] = factors[0].shape[-1]
    sizes[-1] = 1 if ends[-1] == 1 else factors[-1].shape[1]
    best: dict[tuple[int, int], tuple[int, int]] = {}
    n = len(factors)
    for span in range(1, n):
        for i in range(n - span):
            j = i + span
            best[i, j] = min(
                (
                    _cost(best, i, k) + _cost(best, k + 1, j) + sizes[i] * sizes[k + 1] * sizes[j + 1],
                    k,
                )
                for k in range(i, j)
            )

    def product(i: int, j: int) -> Any:
        if i == j:
            return factors[i]
        k = best[i, j][1]
        return matmul(product(i, k), product(k + 1, j))

    return product(0, n - 1)


def _cost(best: dict[tuple[int, int], tuple[int, int]], i: int, j: int) -> int:
    return best[i, j][0] if i < j else 0


def _axis_first(a: Any) -> Any:
    if a.ndim < 2:
        raise ShapeError("MG-103", f"matrix_transpose turns the last two axes; shape {a.shape} has not two.")
    return np.swapaxes(a, -1, -2)


def _cross_of_threes(a: Any, b: Any, axis: int = -1) -> Any:
    return cross(a, b, axis=axis)


def _diagonal_of_matrices(a: Any, offset: int = 0) -> Any:
    return diagonal(a, offset, -2, -1)


def _trace_of_matrices(a: Any, offset: int = 0) -> Any:
    return trace(a, offset, -2, -1)


_KRON = "a[i, j] · b[k, l] at (i · rows of b + k, j · columns of b + l)"
_CROSS = "(a₂b₃ - a₃b₂, a₃b₁ - a₁b₃, a₁b₂ - a₂b₁)"

stands_for(np.inner, inner, "Σ a[…, k] · b[…, k]")
stands_for(np.outer, outer, "a[i] · b[j]")
stands_for(np.vdot, vdot, "Σ a · b")
stands_for(np.vecdot, vecdot, "Σ a[…, k] · b[…, k]")
stands_for(np.tensordot, tensordot, "Σ a[…, k] · b[k, …]")
stands_for(np.kron, kron, _KRON)
stands_for(np.cross, cross, _CROSS)
stands_for(np.trace, trace, "Σ a[i, i]")
stands_for(np.linalg.outer, outer_of_vectors, "a[i] · b[j]")
stands_for(np.linalg.vecdot, vecdot, "Σ a[…, k] · b[…, k]")
stands_for(np.linalg.tensordot, tensordot, "Σ a[…, k] · b[k, …]")
stands_for(np.linalg.cross, _cross_of_threes, _CROSS)
stands_for(np.linalg.matmul, matmul, "a @ b")
stands_for(np.linalg.trace, _trace_of_matrices, "Σ a[…, i, i]")
stands_for(np.linalg.diagonal, _diagonal_of_matrices, "a[…, i, i]")
stands_for(np.linalg.matrix_transpose, _axis_first, "a[…, j, i]")
stands_for(np.linalg.multi_dot, multi_dot, "a @ b @ c @ …")
for _name, _run, _formula in (
    ("matvec", matvec, "Σ a[…, i, k] · x[…, k]"),
    ("vecmat", vecmat, "Σ x[…, k] · a[…, k, j]"),
    ("matrix_transpose", _axis_first, "a[…, j, i]"),
):
    if hasattr(np, _name):  # newer than the oldest release of NumPy that is supported
        stands_for(getattr(np, _name), _run, _formula)
without_gradient(np.einsum_path, "an order of products")
