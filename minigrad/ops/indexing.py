"""Entries picked by an index, and put back at one: ``a[index]``, ``np.take_along_axis`` and their gradients."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from minigrad_kernels import embedding as embedding_kernels

from minigrad.backend import Array
from minigrad.operation import Operation, define
from minigrad.ops.half import wide
from minigrad.tensor import register_methods, unwrap

Shape = tuple[int, ...]


_getitem = define(
    "getitem",
    lambda a, index: a[index],
    "a[index]",
    ("g put back at index, 0 elsewhere", lambda g, a_shape, index: scatter(g, index=index, shape=a_shape)),
    inputs="a",
    params={"index": ()},
)


def _scattered(g: Array, index: Any, shape: Shape) -> Array:
    basic = _is_basic(index)
    if not basic and not isinstance(g, np.ndarray):
        return _added_by_number(g, index, shape)
    if basic:
        result = np.zeros_like(g, shape=shape)
        result[index] = g
        return result
    result = np.zeros_like(wide(g), shape=shape)
    np.add.at(result, index, g)
    return result.astype(g.dtype, copy=False)


def _added_by_number(g: Array, index: Any, shape: Shape) -> Array:
    """What ``np.add.at`` does, which CuPy knows for a single array alone, and in no fixed order.

    The rows (or, where several axes are indexed, the entries) are numbered; the same index finds their numbers.
    """
    axes = _indexed_axes(index, len(shape))
    count, width = math.prod(shape[:axes]), math.prod(shape[axes:])
    numbers = np.arange(count, like=g).reshape(shape[:axes])[index].reshape(-1)
    return embedding_kernels.scatter_add(g.reshape(len(numbers), width), numbers, count).reshape(shape)


def _is_basic(index: Any) -> bool:
    parts = index if isinstance(index, tuple) else (index,)
    return all(p is None or p is Ellipsis or isinstance(p, (int, slice, np.integer)) for p in parts)


def _indexed_axes(index: Any, ndim: int) -> int:
    """Return how many axes, from the first on, an index with arrays in it speaks of."""
    if isinstance(index, tuple):
        return ndim
    array = index if hasattr(index, "dtype") else np.asarray(index)
    return int(array.ndim) if array.dtype == bool else 1


scatter: Operation = define(
    "scatter",
    _scattered,
    "zeros with a added at index",
    ("g[index]", lambda g, index: g[index]),
    inputs="a",
    params={"index": (), "shape": ()},
)


def getitem(a: Any, index: Any) -> Any:
    """Pick entries by integers, slices, None, boolean or integer arrays, as NumPy does."""
    return _getitem(a, index=unwrap(index))


take_along_axis = define(
    "take_along_axis",
    lambda a, indices, axis=-1: np.take_along_axis(a, indices, axis),
    "a at one index per row",
    (
        "g put back at the indices, 0 elsewhere",
        lambda g, indices, a_shape, axis: _put_back(g, indices, a_shape, axis),
    ),
    None,
    inputs="a indices",
    params={"axis": -1},
    of=np.take_along_axis,
)


def _put_back(g: Array, indices: Array, shape: Shape, axis: int | None) -> Array:
    if axis is None:  # a was made flat
        return np.reshape(put_along_axis(g, indices, axis=0, length=math.prod(shape)), shape)
    return put_along_axis(g, indices, axis=axis, length=shape[axis])


def _put(g: Array, indices: Array, axis: int, length: int) -> Array:
    """Add ``g`` into zeros at ``indices`` along ``axis``; entries that share a place are summed."""
    shape = list(g.shape)
    shape[axis] = length
    where = list(np.ix_(*(np.arange(n, like=g) for n in g.shape)))
    where[axis] = indices
    return _scattered(g, tuple(where), tuple(shape))


put_along_axis: Operation = define(
    "put_along_axis",
    _put,
    "zeros with a added at one index per row",
    ("g at the indices", lambda g, indices, axis: np.take_along_axis(g, indices, axis)),
    None,
    inputs="a indices",
    params={"axis": -1, "length": 0},
)


register_methods(getitem=getitem)
