"""Operations that bring many entries down to one, and running sums."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from operator import index
from typing import Any

import numpy as np

from minigrad.backend import Array
from minigrad.errors import AxisError
from minigrad.operation import define, stands_for
from minigrad.ops.half import through_float32, wide

Axis = int | Sequence[int] | None


def plain(axis: Any) -> int | tuple[int, ...] | None:
    """Return one axis as Python's integer and several as a tuple of them; they may come as NumPy's, in any sequence."""
    if axis is None or isinstance(axis, int):
        return axis
    if isinstance(axis, (tuple, list)) or (isinstance(axis, np.ndarray) and axis.ndim == 1):
        return tuple(index(k) for k in axis)
    return index(axis)


def several(shape: Sequence[int], axis: Axis) -> tuple[int, ...]:
    """Return the axes that are reduced, counted from the first; a single number has none, whatever is asked for."""
    if axis is None or not shape:
        return tuple(range(len(shape)))
    axes = plain(axis)
    return tuple(k % len(shape) for k in (axes if isinstance(axes, tuple) else (axes,)) if k is not None)


def named_axes(function: str, shape: Sequence[int], axis: Axis) -> tuple[int, ...]:
    """Return the axes, counted from the first, that a function was asked for; AxisError MG-216 where there is none."""
    axes = range(len(shape)) if axis is None else plain(axis)
    given = axes if isinstance(axes, (tuple, range)) else (axes,)
    for k in given:
        if not isinstance(k, int) or not -len(shape) <= k < len(shape):
            raise AxisError("MG-216", f"{function} of shape {tuple(shape)}: there is no axis {k}.")
    found = tuple(k % len(shape) for k in given if k is not None)
    if len({*found}) < len(found):
        raise AxisError("MG-216", f"{function} of shape {tuple(shape)}: an axis comes twice in {given}.")
    return found


def restore(g: Array, shape: tuple[int, ...], axis: Axis, keepdims: bool) -> Array:
    """Stretch a reduced array back over the axes that were reduced."""
    if axis is not None and not keepdims:
        g = np.expand_dims(g, several(shape, axis))
    return np.broadcast_to(g, shape)


def count(shape: tuple[int, ...], axis: Axis) -> int:
    """How many entries are reduced to one."""
    return math.prod(shape[k] for k in several(shape, axis))


def _chosen(a: Array, y: Array, axis: Axis, keepdims: bool) -> Array:
    """Where the entries are that are the extreme value; where that is nan, the entries that are nan."""
    return (a == restore(y, a.shape, axis, keepdims)) | (a != a)


def _centred(a: Array, axis: Axis) -> Array:
    a = wide(a)
    return a - np.mean(a, axis=several(a.shape, axis), keepdims=True)


_REDUCTION: dict[str, Any] = {"axis": None, "keepdims": False}

# NumPy's own functions carry options (dtype, out, where …) that the rules do not; these do not accept them.


@through_float32
def _sum(a: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    return np.sum(a, axis=plain(axis), keepdims=keepdims)


def _mean(a: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    return np.mean(a, axis=plain(axis), keepdims=keepdims)


def _max(a: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    return np.max(a, axis=plain(axis), keepdims=keepdims)


def _min(a: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    return np.min(a, axis=plain(axis), keepdims=keepdims)


@through_float32
def _prod(a: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    return np.prod(a, axis=plain(axis), keepdims=keepdims)


@through_float32
def _var(a: Array, axis: Axis = None, ddof: int = 0, keepdims: bool = False) -> Array:
    return np.var(a, axis=plain(axis), ddof=ddof, keepdims=keepdims)


@through_float32
def _std(a: Array, axis: Axis = None, ddof: int = 0, keepdims: bool = False) -> Array:
    return np.std(a, axis=plain(axis), ddof=ddof, keepdims=keepdims)


sum = define(
    "sum",
    _sum,
    "Σ a",
    ("g for every a", lambda g, a_shape, axis, keepdims: restore(g, a_shape, axis, keepdims)),
    inputs="a",
    params=_REDUCTION,
    of=np.sum,
    method="sum",
)

mean = define(
    "mean",
    _mean,
    "Σ a / n",
    (
        "g / n for every a",
        lambda g, a_shape, axis, keepdims: restore(wide(g) / count(a_shape, axis), a_shape, axis, keepdims),
    ),
    inputs="a",
    params=_REDUCTION,
    of=np.mean,
    method="mean",
)

var = define(
    "var",
    _var,
    "Σ (a - mean a)² / (n - ddof)",
    (
        "g · 2 · (a - mean a) / (n - ddof)",
        lambda g, a, a_shape, axis, ddof, keepdims: (
            restore(g, a_shape, axis, keepdims) * _centred(a, axis) / (0.5 * (count(a_shape, axis) - ddof))
        ),
    ),
    inputs="a",
    params={"axis": None, "ddof": 0, "keepdims": False},
    of=np.var,
    method="var",
)

std = define(
    "std",
    _std,
    "√ var a",
    (
        "g · (a - mean a) / ((n - ddof) · y), 0 where all a are equal",
        lambda g, y, a, a_shape, axis, ddof, keepdims: (
            restore(wide(g) / np.where(y == 0, 1, y), a_shape, axis, keepdims)
            * _centred(a, axis)
            / (count(a_shape, axis) - ddof)
        ),
    ),
    inputs="a",
    params={"axis": None, "ddof": 0, "keepdims": False},
    of=np.std,
    method="std",
)


def _extreme_rule(g: Array, y: Array, a: Array, axis: Axis, keepdims: bool) -> Array:
    chosen = _chosen(a, y, axis, keepdims)
    equals = np.sum(wide(chosen.astype(a.dtype)), axis=several(a.shape, axis), keepdims=True)
    return np.where(chosen, restore(g, a.shape, axis, keepdims) / equals, 0)


max = define(
    "max",
    _max,
    "max a",
    (
        "g where a is the maximum, shared among equals",
        lambda g, y, a, axis, keepdims: _extreme_rule(g, y, a, axis, keepdims),
    ),
    inputs="a",
    params=_REDUCTION,
    of=np.max,
    method="max",
)

min = define(
    "min",
    _min,
    "min a",
    (
        "g where a is the minimum, shared among equals",
        lambda g, y, a, axis, keepdims: _extreme_rule(g, y, a, axis, keepdims),
    ),
    inputs="a",
    params=_REDUCTION,
    of=np.min,
    method="min",
)


stands_for(np.amax, max)
stands_for(np.amin, min)


def _product_of_others(a: Array, axis: Axis) -> Array:
    """Product of all the entries but this one, along the axes: exact where some are 0, and without a division.

    The reduced axes are flattened to one; then the products of everything before and of everything after
    each entry come from log2(n) doublings.
    """
    axes = several(a.shape, axis)
    kept = tuple(k for k in range(a.ndim) if k not in axes)
    order = kept + axes
    rows = np.transpose(a, order)
    shape = rows.shape
    rows = rows.reshape((*shape[: len(kept)], count(a.shape, axis)))
    others = running_product(shift(rows, 1)) * running_product(shift(rows[..., ::-1], 1))[..., ::-1]
    return np.transpose(others.reshape(shape), tuple(int(k) for k in np.argsort(order)))


def shift(a: Array, by: int) -> Array:
    """Move entries ``by`` places along the last axis, with 1 coming in."""
    ones = np.ones_like(a[..., :by])
    return np.concatenate([ones, a[..., : a.shape[-1] - by]], axis=-1)


def running_product(a: Array) -> Array:
    """Return the products a_1 · … · a_i along the last axis, in log2(n) doublings."""
    by = 1
    while by < a.shape[-1]:
        a = a * shift(a, by)
        by *= 2
    return a


prod = define(
    "prod",
    _prod,
    "Π a",
    (
        "g · the product of the other entries",
        lambda g, a, a_shape, axis, keepdims: (
            restore(g, a_shape, axis, keepdims) * _product_of_others(wide(a), axis)
        ),
    ),
    inputs="a",
    params=_REDUCTION,
    of=np.prod,
    method="prod",
)


@through_float32
def _cumsum(a: Array, axis: int | None = None) -> Array:
    return np.cumsum(a, axis=axis)


cumsum = define(
    "cumsum",
    _cumsum,
    "y_i = a_1 + … + a_i",
    ("sum of g from i to the end", lambda g, a_shape, axis: _reverse_cumsum(g, a_shape, axis)),
    inputs="a",
    params={"axis": None},
    of=np.cumsum,
    method="cumsum",
)


def _reverse_cumsum(g: Array, shape: tuple[int, ...], axis: int | None) -> Array:
    k = 0 if axis is None else axis
    backwards = np.flip(np.cumsum(np.flip(wide(g), axis=k), axis=k), axis=k)
    return backwards.reshape(shape)


_CONSTANT: list[tuple[str, Callable[..., Any], str]] = [
    ("argmax", np.argmax, "no gradient: an index"),
    ("argmin", np.argmin, "no gradient: an index"),
    ("any", np.any, "no gradient: true or false"),
    ("all", np.all, "no gradient: true or false"),
]
for _name, _function, _formula in _CONSTANT:
    define(
        _name,
        lambda a, axis=None, keepdims=False, _function=_function: _function(
            a, plain(axis), keepdims=keepdims
        ),
        _formula,
        None,
        inputs="a",
        params=_REDUCTION,
        of=_function,
        method=_name,
    )
