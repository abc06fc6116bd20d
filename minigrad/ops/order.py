"""Operations that sort, and those that depend on the order of size: the middle, the spread, the extremes but nan."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.operation import stands_for, without_gradient
from minigrad.ops.masked import largest, smallest
from minigrad.ops.reduce import Axis, named_axes, several
from minigrad.tensor import unwrap


def rows_of(function: str, a: Any, axis: Axis) -> Any:
    """Return ``a`` with the axes that are reduced made one, the last."""
    axes = named_axes(function, a.shape, axis)
    kept = [k for k in range(a.ndim) if k not in axes]
    moved = np.transpose(a, (*kept, *axes)) if a.ndim else a
    return np.reshape(moved, (*(a.shape[k] for k in kept), math.prod(a.shape[k] for k in axes)))


def kept_shape(shape: tuple[int, ...], axis: Axis) -> tuple[int, ...]:
    """Return a shape in which the axes that are reduced have length 1."""
    axes = several(shape, axis)
    return tuple(1 if k in axes else n for k, n in enumerate(shape))


def sort(a: Any, axis: int | None = -1, kind: str | None = None, *, stable: bool | None = None) -> Any:
    """Sort along an axis, or all entries (None); ``np.sort``.

    The gradient of each place goes to the entry that came there; equal entries keep their order, whatever ``kind``
    and ``stable`` say, as in ``torch.sort(stable=True)``. nan comes last.
    """
    return _reordered(a, axis, lambda data, along: np.argsort(data, along, kind="stable"))


def partition(a: Any, kth: Any, axis: int | None = -1, kind: str = "introselect") -> Any:
    """Put the entries at ``kth`` where they would be sorted, smaller ones before and larger ones behind them;
    ``np.partition``. The gradient of each place goes to the entry that came there.
    """
    return _reordered(a, axis, lambda data, along: np.argpartition(data, unwrap(kth), along))


def _reordered(a: Any, axis: int | None, places: Any) -> Any:
    if axis is None:
        a, axis = np.reshape(a, (-1,)), 0
    return np.take_along_axis(a, places(unwrap(a), axis), axis)


def median(a: Any, axis: Axis = None, overwrite_input: bool = False, keepdims: bool = False) -> Any:
    """The entry in the middle, or the mean of both: (a_⌈n/2⌉ + a_⌊n/2+1⌋) / 2 of the sorted ones; ``np.median``.

    Each of the two gets half of the gradient, shared among the entries that are equal to it (as ``torch.median(t)``
    does, whose value is the lower of both). Where there is a nan, the result is nan, and its gradient goes there.
    """
    rows = rows_of("median", a, axis)
    data = np.sort(unwrap(rows), axis=-1)
    n = rows.shape[-1]
    if n == 0:
        result = np.mean(rows, axis=-1)
    else:
        last = data[..., -1]
        low, high = (np.where(last != last, last, data[..., k]) for k in ((n - 1) // 2, n // 2))
        result = _middle(rows, low, high, n % 2 == 1)
    return np.reshape(result, kept_shape(a.shape, axis)) if keepdims else result


def nanmedian(a: Any, axis: Axis = None, overwrite_input: bool = False, keepdims: bool = False) -> Any:
    """The median of what is not nan; nan where nothing is. ``np.nanmedian``; the gradient is ``median``'s."""
    rows = rows_of("nanmedian", a, axis)
    data = np.sort(unwrap(rows), axis=-1)
    if rows.shape[-1] == 0:
        result = np.mean(rows, axis=-1)
    else:
        n = np.maximum(np.sum(data == data, axis=-1, keepdims=True), 1)
        low, high = (np.take_along_axis(data, k, -1)[..., 0] for k in ((n - 1) // 2, n // 2))
        result = _middle(rows, low, high, False)
    return np.reshape(result, kept_shape(a.shape, axis)) if keepdims else result


def _middle(rows: Any, low: Any, high: Any, one: bool) -> Any:
    if one:
        return 1.0 * _equal_to(rows, low)
    # halved first only where they are two: a single one may be the largest number that there is
    both = _equal_to(rows, low), _equal_to(rows, high)
    return np.where(low == high, both[0] * 0.5 + both[1] * 0.5, (both[0] + both[1]) * 0.5)


def _equal_to(rows: Any, value: Any) -> Any:
    """Return ``value``, one for each row, as the entries of the row that are equal to it: they share its gradient."""
    data, value = unwrap(rows), np.expand_dims(value, -1)
    return np.max(np.where((data == value) | ((data != data) & (value != value)), rows, -np.inf), axis=-1)


def ptp(a: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """max a - min a; ``np.ptp``. The extremes' gradients are shared among equals."""
    return np.max(a, axis=axis, keepdims=keepdims) - np.min(a, axis=axis, keepdims=keepdims)


def nanmax(a: Any, axis: Axis = None, keepdims: bool = False, initial: Any = None, where: Any = True) -> Any:
    """The largest entry that is not nan; nan where there is none. ``np.nanmax``; equals share the gradient."""
    return _without_nan(np.max, largest, a, axis, keepdims, initial, where, -np.inf)


def nanmin(a: Any, axis: Axis = None, keepdims: bool = False, initial: Any = None, where: Any = True) -> Any:
    """The smallest entry that is not nan; nan where there is none. ``np.nanmin``; equals share the gradient."""
    return _without_nan(np.min, smallest, a, axis, keepdims, initial, where, np.inf)


def _without_nan(
    plain: Any, masked: Any, a: Any, axis: Axis, keepdims: bool, initial: Any, where: Any, worst: float
) -> Any:
    data = unwrap(a)
    if data.dtype.kind != "f":
        return masked(a, axis, keepdims, initial, where)
    missing = data != data
    if initial is not None or where is not True:
        return masked(np.where(missing, worst, a), axis, keepdims, initial, where)
    found = plain(np.where(missing, worst, a), axis=axis, keepdims=keepdims)
    return np.where(np.all(missing, axis=several(a.shape, axis), keepdims=keepdims), np.nan, found)


stands_for(np.sort, sort, "a sorted")
stands_for(np.partition, partition, "a with the k-th smallest at place k, smaller ones before it")
stands_for(np.median, median, "the middle of the sorted a, or the mean of both that are in the middle")
stands_for(np.nanmedian, nanmedian, "the median of what is not nan")
stands_for(np.ptp, ptp, "max a - min a")
stands_for(np.nanmax, nanmax, "max of what is not nan")
stands_for(np.nanmin, nanmin, "min of what is not nan")

for _unique in ("unique", "unique_all", "unique_counts", "unique_inverse", "unique_values"):
    if hasattr(np, _unique):
        without_gradient(getattr(np, _unique), "how many results there are changes with the values")
