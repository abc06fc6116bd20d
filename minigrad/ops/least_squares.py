"""Least squares: the pseudo-inverse, and what comes nearest to the solution of a system that has none."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.backend import Array
from minigrad.errors import ConfigError, ShapeError
from minigrad.operation import define, stands_for
from minigrad.ops.factorizations import svdvals
from minigrad.ops.matrices import in_lapack, turned, widened
from minigrad.ops.products import arrays, matmul
from minigrad.tensor import unwrap


@widened
def _pinv_rule(g: Array, y: Array, a: Array) -> Any:
    """Golub & Pereyra 1973, eq. 4.12, transposed: it holds where a small change of ``a`` does not change its rank."""
    y_t, g_t = turned(y), turned(g)
    return -y_t @ g @ y_t + (g_t - a @ y @ g_t) @ y @ y_t + y_t @ y @ (g_t - g_t @ y @ a)


def _inverted(a: Array, rcond: Any = None, hermitian: bool = False) -> Array:
    if rcond is None:  # of which other libraries have other defaults than NumPy
        rcond = np.finfo(a.dtype if a.dtype.kind == "f" else float).eps * max(a.shape[-2:])
    return np.linalg.pinv(a, rcond, hermitian=True) if hermitian else np.linalg.pinv(a, rcond)


_pinv: Any = define(
    "pinv",
    in_lapack("pinv", _inverted),
    "a⁺",
    ("-yᵀ g yᵀ + (1 - a y) gᵀ y yᵀ + yᵀ y gᵀ (1 - y a)", _pinv_rule),
    inputs="a",
    params={"rcond": None, "hermitian": False},
)


def pinv(a: Any, rcond: Any = None, hermitian: bool = False, rtol: Any = None) -> Any:
    """Return the pseudo-inverse, in which singular values up to ``rcond`` (``rtol``) · the largest count as 0.

    Its gradient holds where a small change of ``a`` does not change its rank. ConfigError MG-215 where both are given.
    """
    if rcond is not None and rtol is not None:
        raise ConfigError("MG-215", "pinv got a bound twice: rcond and rtol are one.")
    if rcond is None and rtol is None:
        return _pinv(a, hermitian=hermitian)
    return _pinv(a, rcond=unwrap(rcond if rtol is None else rtol), hermitian=hermitian)


def lstsq(a: Any, b: Any, rcond: float | None = None) -> tuple[Any, Any, Any, Any]:
    """Return x of the smallest |a x - b|², those squares, a's rank and its singular values; ``np.linalg.lstsq``.

    x = a⁺ b, whose gradient is that of ``pinv``. The squares are an empty array where they are 0 or x is not the only
    one, as in NumPy; on a GPU, whose rank would have to be waited for, where ``a`` is not tall.

    Raises ShapeError MG-103 where ``a`` is no matrix or ``b`` has another number of rows.
    """
    a, b = arrays("lstsq", a, b)
    if a.ndim != 2 or b.ndim not in (1, 2) or a.shape[0] != b.shape[0]:
        raise ShapeError(
            "MG-103",
            f"lstsq takes a matrix and a vector or matrix of as many rows, not shapes {a.shape} and {b.shape}.",
        )
    rows, columns = a.shape
    s = svdvals(a)
    if rcond is None:
        rcond = np.finfo(s.dtype).eps * max(rows, columns)
    elif isinstance(rcond, str):
        raise ConfigError("MG-215", f"lstsq: rcond is a number, or None; {rcond!r} was given.")
    elif rcond < 0:
        rcond = np.finfo(s.dtype).eps
    numbers = unwrap(s)
    rank = np.count_nonzero(numbers > rcond * numbers[:1])
    only = rows > columns and (not isinstance(numbers, np.ndarray) or rank == columns)
    x = matmul(pinv(a, rcond), b)
    squares = np.reshape(np.sum(np.square(b - matmul(a, x)), axis=0), (-1,))
    return x, squares if only else squares[:0], rank, s


stands_for(np.linalg.pinv, pinv, "a⁺")
stands_for(np.linalg.lstsq, lstsq, "x = a⁺ b")
