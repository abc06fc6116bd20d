"""Norms of vectors and of matrices in all their orders, and condition numbers.

The gradients at 0, at ties and at kinks are PyTorch's: a norm at 0 has the gradient 0, the largest of several equal
entries share theirs, and so do equal singular values.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.backend import Array
from minigrad.errors import ConfigError, MatrixError
from minigrad.operation import define, stands_for
from minigrad.ops.factorizations import svdvals
from minigrad.ops.half import through_float32
from minigrad.ops.linalg import inv
from minigrad.ops.matrices import widened
from minigrad.ops.products import places
from minigrad.ops.reduce import Axis, count, plain, restore, several
from minigrad.tensor import Tensor, unwrap


@through_float32
def _power_norm(a: Array, ord: float = 2, axis: Axis = None, keepdims: bool = False) -> Array:
    axes = several(a.shape, axis)
    if ord == 2:
        return np.sqrt(np.sum(a * a, axis=axes, keepdims=keepdims))
    if ord == 0:
        return np.sum((a != 0).astype(a.dtype), axis=axes, keepdims=keepdims)
    return np.sum(np.abs(a) ** ord, axis=axes, keepdims=keepdims) ** (1 / ord)


@widened
def _norm_rule(g: Array, y: Array, a: Array, ord: float, axis: Axis, keepdims: bool) -> Any:
    if ord == 0:
        return np.zeros_like(a)
    size, g = (restore(x, a.shape, axis, keepdims) for x in (y, g))
    nothing = size == 0
    if ord == 2:
        return a * np.where(nothing, 0, g / np.where(nothing, 1, size))
    nothing = nothing | (a == 0)
    share = np.abs(np.where(nothing, 1, a)) / np.where(nothing, 1, size)
    return np.where(nothing, 0, g * np.sign(a) * share ** (ord - 1))


_norm: Any = define(
    "power_norm",
    _power_norm,
    "(Σ |a|^ord)^(1 / ord)",
    ("g · sign(a) · (|a| / y)^(ord - 1), 0 where a or y is 0", _norm_rule),
    inputs="a",
    params={"ord": 2, "axis": None, "keepdims": False},
)


def _floats(x: Any) -> Any:
    return x if x.dtype.kind == "f" else x.astype("float64")


def _largest(sizes: Any, axis: Axis, keepdims: bool = False) -> Any:
    """The largest of sizes; of none 0."""
    reduction: Any = np.max if count(sizes.shape, axis) else np.sum
    return reduction(sizes, axis=axis, keepdims=keepdims)


def vector_norm(x: Any, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    """Return (Σ |x|^ord)^(1 / ord) of all entries, or along one axis or several; ``np.linalg.vector_norm``.

    The order ``inf`` is the largest |x|, ``-inf`` the smallest, 0 the number of entries that are not 0.
    """
    axis, x = plain(axis), _floats(x)
    if ord == math.inf:
        return _largest(np.abs(x), axis, keepdims)
    if ord == -math.inf:
        return np.min(np.abs(x), axis=axis, keepdims=keepdims)
    if ord == 1:
        return np.sum(np.abs(x), axis=axis, keepdims=keepdims)
    if isinstance(ord, str):
        raise ConfigError("MG-215", f"a vector has norms of orders that are numbers; {ord!r} was given.")
    return _norm(x, ord=ord, axis=axis, keepdims=keepdims)


def matrix_norm(x: Any, keepdims: bool = False, ord: Any = "fro") -> Any:
    """Return a norm of the matrices of the last two axes; ``np.linalg.matrix_norm``.

    ``fro`` is √Σ x²; ``nuc`` the sum of the singular values, 2 the largest and -2 the smallest of them; 1 the largest
    sum of |x| down a column and -1 the smallest; inf and -inf those along a row. Raises ConfigError MG-215 for others.
    """
    if x.ndim < 2:
        raise ConfigError(
            "MG-215", f"shape {x.shape} is no matrix, whose norm of order {ord!r} there could be."
        )
    if ord in ("fro", "f", None):
        return vector_norm(x, (-2, -1), keepdims)
    if ord in ("nuc", 2, -2):
        reduction: Any = {"nuc": np.sum, 2: _largest, -2: np.min}[ord]
        reduced = reduction(svdvals(x), axis=-1)
    elif ord in (1, -1, math.inf, -math.inf):
        sums = np.sum(np.abs(_floats(x)), axis=-2 if abs(ord) == 1 else -1)
        reduced = _largest(sums, -1) if ord > 0 else np.min(sums, axis=-1)
    else:
        raise ConfigError(
            "MG-215",
            f"a matrix has norms of the orders 'fro', 'nuc', 1, -1, 2, -2, inf and -inf, not {ord!r}.",
        )
    return np.expand_dims(reduced, (-2, -1)) if keepdims else reduced


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """Return the norm of vectors along one axis, or of matrices along two; ``np.linalg.norm``.

    Without an axis it is that of a vector or matrix, and without an order √Σ x² over whatever there is. See
    ``vector_norm`` and ``matrix_norm`` for the orders.
    """
    if axis is None and (ord is None or x.ndim == 1):
        return vector_norm(x, None, keepdims, 2 if ord is None else ord)
    axes = places(range(x.ndim) if axis is None else axis, x.ndim, "norm")
    if len(axes) == 1:
        return vector_norm(x, axes[0], keepdims, 2 if ord is None else ord)
    if len(axes) != 2 or axes[0] == axes[1]:
        raise ConfigError(
            "MG-215",
            f"norm of shape {x.shape}: it runs along one axis, or two; {axis} was given, and order {ord!r}.",
        )
    result = matrix_norm(np.moveaxis(x, axes, (-2, -1)), ord=ord)
    return np.expand_dims(result, tuple(sorted(axes))) if keepdims else result


def cond(x: Any, p: Any = None) -> Any:
    """Return the condition number ‖x‖ · ‖x⁻¹‖, or that of the singular values, s_1 / s_n; ``np.linalg.cond``.

    That of a singular matrix is inf, which has no gradient, nor have the others in its stack. Raises MatrixError MG-616
    for a matrix without entries.
    """
    if x.ndim > 1 and 0 in x.shape[-2:]:
        raise MatrixError("MG-616", f"a matrix without entries, of shape {x.shape}, has no condition number.")
    if p in (None, 2, -2):
        s = svdvals(x)
        return s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]
    try:
        return matrix_norm(x, ord=p) * matrix_norm(inv(x), ord=p)
    except MatrixError as error:
        if error.code != "MG-617":
            raise
        return Tensor(np.linalg.cond(unwrap(x), p))


stands_for(np.linalg.norm, norm, "(Σ |a|^ord)^(1 / ord)")
stands_for(np.linalg.vector_norm, vector_norm, "(Σ |a|^ord)^(1 / ord)")
stands_for(np.linalg.matrix_norm, matrix_norm, "√Σ a²; or, by its order, sums of |a| or singular values")
stands_for(np.linalg.cond, cond, "‖a‖ · ‖a⁻¹‖")
