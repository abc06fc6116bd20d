"""Operations that move entries without changing them: axes, order, joining, cutting, padding, picking."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from minigrad_kernels import embedding as embedding_kernels

from minigrad import table
from minigrad.backend import Array
from minigrad.operation import Operation, define
from minigrad.ops.elementwise import astype
from minigrad.tensor import Tensor, bare, offer

Shape = tuple[int, ...]


reshape = define(
    "reshape",
    lambda a, shape: np.reshape(a, shape),
    "the entries in another shape",
    ("g reshaped back", lambda g, a_shape: np.reshape(g, a_shape)),
    inputs="a",
    params={"shape": ()},
    of=np.reshape,
)

transpose = define(
    "transpose",
    lambda a, axes=None: np.transpose(a, axes),
    "the axes in another order",
    ("g with the axes put back", lambda g, axes: np.transpose(g, _inverse(axes))),
    inputs="a",
    params={"axes": None},
    of=np.transpose,
)


def _inverse(axes: Sequence[int] | None) -> tuple[int, ...] | None:
    if axes is None:
        return None
    places = [k % len(axes) for k in axes]
    return tuple(places.index(k) for k in range(len(axes)))


swapaxes = define(
    "swapaxes",
    lambda a, axis1, axis2: np.swapaxes(a, axis1, axis2),
    "two axes exchanged",
    ("g with the two exchanged again", lambda g, axis1, axis2: np.swapaxes(g, axis1, axis2)),
    inputs="a",
    params={"axis1": 0, "axis2": 1},
    of=np.swapaxes,
    method="swapaxes",
)

moveaxis = define(
    "moveaxis",
    lambda a, source, destination: np.moveaxis(a, source, destination),
    "axes moved to other places",
    ("g with the axes moved back", lambda g, source, destination: np.moveaxis(g, destination, source)),
    inputs="a",
    params={"source": 0, "destination": 0},
    of=np.moveaxis,
    method="moveaxis",
)

broadcast_to = define(
    "broadcast_to",
    lambda a, shape: np.broadcast_to(a, shape),
    "a repeated along new axes and axes of length 1",
    ("g, summed over the repetitions", lambda g: g),
    inputs="a",
    params={"shape": ()},
    of=np.broadcast_to,
)

squeeze = define(
    "squeeze",
    lambda a, axis=None: np.squeeze(a, axis),
    "without axes of length 1",
    ("g reshaped back", lambda g, a_shape: np.reshape(g, a_shape)),
    inputs="a",
    params={"axis": None},
    of=np.squeeze,
    method="squeeze",
)

expand_dims = define(
    "expand_dims",
    lambda a, axis: np.expand_dims(a, axis),
    "with new axes of length 1",
    ("g reshaped back", lambda g, a_shape: np.reshape(g, a_shape)),
    inputs="a",
    params={"axis": 0},
    of=np.expand_dims,
    method="expand_dims",
)

flip = define(
    "flip",
    lambda a, axis=None: np.flip(a, axis),
    "the entries in reverse order",
    ("g reversed", lambda g, axis: np.flip(g, axis)),
    inputs="a",
    params={"axis": None},
    of=np.flip,
)


def _part(g: Array, i: int, shapes: Sequence[Shape], axis: int) -> Array:
    before = sum(shape[axis] for shape in shapes[:i])
    return g[_slice(g.ndim, axis, before, before + shapes[i][axis])]


def _slice(ndim: int, axis: int, start: int, stop: int) -> tuple[slice, ...]:
    index = [slice(None)] * ndim
    index[axis] = slice(start, stop)
    return tuple(index)


_concatenate = define(
    "concatenate",
    lambda *arrays, axis=0: np.concatenate(arrays, axis=axis),
    "a_1, a_2, … one after another",
    ("the part of g that lies at a_i", lambda g, i, shapes, axis: _part(g, i, shapes, axis)),
    inputs="",
    params={"axis": 0},
    variadic=True,
)

_stack = define(
    "stack",
    lambda *arrays, axis=0: np.stack(arrays, axis=axis),
    "a_1, a_2, … along a new axis",
    ("the i-th slice of g", lambda g, i, axis: np.moveaxis(g, axis, 0)[i]),
    inputs="",
    params={"axis": 0},
    variadic=True,
)


def concatenate(arrays: Sequence[Any], axis: int = 0) -> Any:
    """Join arrays along an axis that they have; ``np.concatenate``."""
    return _concatenate(*arrays, axis=axis)


def stack(arrays: Sequence[Any], axis: int = 0) -> Any:
    """Join arrays of one shape along a new axis; ``np.stack``."""
    return _stack(*arrays, axis=axis)


def split(a: Any, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Any]:
    """Cut ``a`` into equal parts, or before the given indices; ``np.split``. Each part is a ``getitem``."""
    length = a.shape[axis]
    if isinstance(indices_or_sections, int):
        size, rest = divmod(length, indices_or_sections)
        if rest:
            raise ValueError(
                f"an axis of length {length} cannot be split into {indices_or_sections} equal parts"
            )
        cuts = [size * k for k in range(1, indices_or_sections)]
    else:
        cuts = list(indices_or_sections)
    return [
        a[_slice(a.ndim, axis, start, stop)] for start, stop in zip([0, *cuts], [*cuts, length], strict=True)
    ]


_pad = define(
    "pad",
    lambda a, pad_width, value=0.0: np.pad(a, pad_width, constant_values=value),
    "a with a constant border",
    ("the inside of g", lambda g, a_shape, pad_width: g[_inner(a_shape, pad_width)]),
    inputs="a",
    params={"pad_width": 0, "value": 0.0},
)


def pad(a: Any, pad_width: Any, mode: str = "constant", constant_values: float = 0.0) -> Any:
    """Surround ``a`` with a constant border; ``np.pad`` in its constant mode."""
    if mode != "constant":
        raise NotImplementedError(f"pad knows mode='constant', not {mode!r}")
    return _pad(a, pad_width=pad_width, value=constant_values)


def _inner(shape: Shape, pad_width: Any) -> tuple[slice, ...]:
    widths = np.broadcast_to(np.asarray(pad_width, dtype=int), (len(shape), 2))
    return tuple(slice(int(w[0]), int(w[0]) + n) for w, n in zip(widths, shape, strict=True))


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
    result = np.zeros_like(g, shape=shape)
    if basic:
        result[index] = g
    else:
        np.add.at(result, index, g)
    return result


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
    return _getitem(a, index=bare(index))


take_along_axis = define(
    "take_along_axis",
    lambda a, indices, axis=-1: np.take_along_axis(a, indices, axis),
    "a at one index per row",
    (
        "g put back at the indices, 0 elsewhere",
        lambda g, indices, a_shape, axis: put_along_axis(g, indices, axis=axis, length=a_shape[axis]),
    ),
    None,
    inputs="a indices",
    params={"axis": -1},
    of=np.take_along_axis,
)


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


def _reshape_method(a: Any, *shape: Any) -> Any:
    return reshape(a, shape=shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape)


def _transpose_method(a: Any, *axes: Any) -> Any:
    return transpose(a, axes=None if not axes else axes[0] if isinstance(axes[0], (tuple, list)) else axes)


def _flatten(a: Any) -> Any:
    return reshape(a, shape=(-1,))


def _zeros_like(a: Any, dtype: Any = None, shape: Any = None) -> Tensor:
    return Tensor(np.zeros_like(bare(a), dtype=dtype, shape=shape))


def _ones_like(a: Any, dtype: Any = None, shape: Any = None) -> Tensor:
    return Tensor(np.ones_like(bare(a), dtype=dtype, shape=shape))


offer(getitem=getitem, reshape=_reshape_method, transpose=_transpose_method, flatten=_flatten, ravel=_flatten)
table.functions.update(
    {
        np.concatenate: concatenate,
        np.stack: stack,
        np.split: split,
        np.pad: pad,
        np.ravel: _flatten,
        np.shape: lambda a: a.shape,
        np.ndim: lambda a: a.ndim,
        np.size: lambda a: a.size,
        np.zeros_like: _zeros_like,
        np.ones_like: _ones_like,
        np.astype: astype,
    }
)
