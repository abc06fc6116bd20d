"""Reductions of some entries (``where=``), with a start (``initial=``) or about a given mean; those that pass over nan.

What is left out is chosen by ``np.where``, never multiplied by 0: 0 · nan is nan.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.errors import ConfigError, ShapeError
from minigrad.operation import stands_for, with_options
from minigrad.ops.half import wide
from minigrad.ops.reduce import Axis, count
from minigrad.tensor import unwrap


def _mask(a: Any, where: Any) -> Any:
    """Return where entries are taken, in a's shape."""
    data = unwrap(a)
    if where is True:
        return np.ones_like(data, dtype=bool)
    try:
        return np.broadcast_to(unwrap(where), data.shape)
    except ValueError as error:
        raise ShapeError(
            "MG-103", f"where= of shape {np.shape(where)} does not stretch to entries of shape {a.shape}."
        ) from error


def _only(a: Any, where: Any, else_: Any) -> Any:
    return a if where is True else np.where(_mask(a, where), a, else_)


def _number(a: Any, where: Any, axis: Axis, keepdims: bool) -> Any:
    """How many entries are reduced to one."""
    dtype = unwrap(a).dtype
    floats = np.result_type(dtype, np.float32) if dtype.kind == "f" else np.float64
    return np.sum(_mask(a, where).astype(floats), axis=axis, keepdims=keepdims)


def total(a: Any, axis: Axis = None, keepdims: bool = False, initial: Any = None, where: Any = True) -> Any:
    """initial + Σ a, where ``where`` is True; ``np.sum``."""
    found = np.sum(_only(a, where, 0), axis=axis, keepdims=keepdims)
    return found if initial is None else found + initial


def product(a: Any, axis: Axis = None, keepdims: bool = False, initial: Any = None, where: Any = True) -> Any:
    """initial · Π a, where ``where`` is True; ``np.prod``."""
    found = np.prod(_only(a, where, 1), axis=axis, keepdims=keepdims)
    return found if initial is None else found * initial


def largest(a: Any, axis: Axis = None, keepdims: bool = False, initial: Any = None, where: Any = True) -> Any:
    """The largest of ``initial`` and of a, where ``where`` is True; ``np.max``. Equals share the gradient."""
    return _extreme(np.max, np.maximum, -np.inf, a, axis, keepdims, initial, where)


def smallest(
    a: Any, axis: Axis = None, keepdims: bool = False, initial: Any = None, where: Any = True
) -> Any:
    """The smallest of ``initial`` and of a, where ``where`` is True; ``np.min``. Equals share the gradient."""
    return _extreme(np.min, np.minimum, np.inf, a, axis, keepdims, initial, where)


def _extreme(
    reduce: Any, pairwise: Any, worst: float, a: Any, axis: Axis, keepdims: bool, initial: Any, where: Any
) -> Any:
    if initial is None:
        if where is not True:
            name = reduce.__name__.removeprefix("a")
            raise ConfigError(
                "MG-215",
                f"{name} with where= has no value where nothing is left. Say which: np.{name}(t, where=…, "
                f"initial={worst}).",
            )
        return reduce(a, axis=axis, keepdims=keepdims)
    if count(a.shape, axis) == 0:  # nothing but the start
        return np.sum(a, axis=axis, keepdims=keepdims) + initial
    chosen = _only(a, where, worst if unwrap(a).dtype.kind == "f" else initial)
    return pairwise(reduce(chosen, axis=axis, keepdims=keepdims), initial)


def mean(a: Any, axis: Axis = None, keepdims: bool = False, where: Any = True) -> Any:
    """Σ a / n over the entries where ``where`` is True; ``np.mean``. nan where there are none."""
    if where is True:
        return np.mean(a, axis=axis, keepdims=keepdims)
    found = np.sum(wide(_only(a, where, 0)), axis=axis, keepdims=keepdims)
    return _as(found / _number(a, where, axis, keepdims), a)


def var(
    a: Any, axis: Axis = None, ddof: float = 0, keepdims: bool = False, where: Any = True, mean: Any = None
) -> Any:
    """Σ (a - m)² / (n - ddof) over the entries where ``where`` is True; ``np.var``.

    m is their mean, or ``mean``, with the axes kept: as a number or as a tensor, through which a gradient goes too.
    """
    deviations = _deviations(a, axis, where, mean)
    freedom = np.maximum(_number(a, where, axis, keepdims) - ddof, 0)
    return _as(np.sum(np.square(deviations), axis=axis, keepdims=keepdims) / freedom, a)


def std(
    a: Any, axis: Axis = None, ddof: float = 0, keepdims: bool = False, where: Any = True, mean: Any = None
) -> Any:
    """√ var a; ``np.std``. Its gradient is 0 where the variance is."""
    return _root(var(a, axis, ddof, keepdims, where, mean))


def _deviations(a: Any, axis: Axis, where: Any, given: Any) -> Any:
    values = wide(_only(a, where, 0))
    if given is None:
        given = np.sum(values, axis=axis, keepdims=True) / _number(a, where, axis, True)
    return _only(values - given, where, 0)


def _root(variance: Any) -> Any:
    flat = unwrap(variance) == 0  # where the root has no derivative
    return np.where(flat, 0, np.sqrt(np.where(flat, 1, variance)))


def _as(found: Any, a: Any) -> Any:
    """Round to float16 again what was counted in float32."""
    return found.astype("float16") if unwrap(a).dtype == np.float16 else found


def _there(a: Any, where: Any) -> Any:
    """Where there is an entry that is not nan, among those that ``where`` asks for."""
    data = unwrap(a)
    return data == data if where is True else (data == data) & unwrap(where)


def nansum(a: Any, axis: Axis = None, keepdims: bool = False, initial: Any = None, where: Any = True) -> Any:
    """Σ a over what is not nan; ``np.nansum``. The gradient of a nan is 0."""
    return total(a, axis, keepdims, initial, _there(a, where))


def nanprod(a: Any, axis: Axis = None, keepdims: bool = False, initial: Any = None, where: Any = True) -> Any:
    """Π a over what is not nan; ``np.nanprod``. The gradient of a nan is 0."""
    return product(a, axis, keepdims, initial, _there(a, where))


def nanmean(a: Any, axis: Axis = None, keepdims: bool = False, where: Any = True) -> Any:
    """Σ a / n over what is not nan; ``np.nanmean``. nan where there is nothing else."""
    return mean(a, axis, keepdims, _there(a, where))


def nanvar(
    a: Any, axis: Axis = None, ddof: float = 0, keepdims: bool = False, where: Any = True, mean: Any = None
) -> Any:
    """Σ (a - m)² / (n - ddof) over what is not nan; ``np.nanvar``. nan where n is not above ddof."""
    there = _there(a, where)
    freedom = _number(a, there, axis, keepdims) - ddof
    squares = np.sum(np.square(_deviations(a, axis, there, mean)), axis=axis, keepdims=keepdims)
    return _as(np.where(freedom > 0, squares / np.where(freedom > 0, freedom, 1), np.nan), a)


def nanstd(
    a: Any, axis: Axis = None, ddof: float = 0, keepdims: bool = False, where: Any = True, mean: Any = None
) -> Any:
    """√ nanvar a; ``np.nanstd``. Its gradient is 0 where the variance is."""
    return _root(nanvar(a, axis, ddof, keepdims, where, mean))


with_options(np.sum, total)
with_options(np.prod, product)
with_options(np.max, largest)
with_options(np.min, smallest)
with_options(np.mean, mean)
with_options(np.var, var)
with_options(np.std, std)
stands_for(np.amax, largest, "max a")
stands_for(np.amin, smallest, "min a")
stands_for(np.nansum, nansum, "Σ of what is not nan")
stands_for(np.nanprod, nanprod, "Π of what is not nan")
stands_for(np.nanmean, nanmean, "the mean of what is not nan")
stands_for(np.nanvar, nanvar, "Σ (a - mean)² / (n - ddof) over what is not nan")
stands_for(np.nanstd, nanstd, "√ nanvar a")
