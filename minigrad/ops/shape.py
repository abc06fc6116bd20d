"""Operations that move entries without changing them: axes, order, joining, cutting, padding, picking."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
from minigrad_kernels import embedding as embedding_kernels

from minigrad import registry
from minigrad.backend import Array, operand
from minigrad.errors import AxisError, ConfigError, OperationError, ShapeError
from minigrad.forms import no_option
from minigrad.operation import Operation, define, stands_for
from minigrad.ops.half import wide
from minigrad.ops.reduce import Axis, plain
from minigrad.tensor import Tensor, register_methods, unwrap

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
    lambda a, axes=None: np.transpose(a, plain(axes)),
    "the axes in another order",
    ("g with the axes put back", lambda g, axes: np.transpose(g, _inverse(axes))),
    inputs="a",
    params={"axes": None},
    of=np.transpose,
)


def _inverse(axes: Axis) -> tuple[int, ...] | None:
    order = plain(axes)
    if not isinstance(order, tuple):
        return None  # none was given, or that of a vector
    places = [k % len(order) for k in order]
    return tuple(places.index(k) for k in range(len(order)))


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
    lambda a, axis=None: np.squeeze(a, plain(axis)),
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
    lambda a, axis=None: np.flip(a, plain(axis)),
    "the entries in reverse order",
    ("g reversed", lambda g, axis: np.flip(g, plain(axis))),
    inputs="a",
    params={"axis": None},
    of=np.flip,
)


def _part(g: Array, i: int, shapes: Sequence[Shape], axis: int | None) -> Array:
    if axis is None:  # all were made flat
        before = sum(math.prod(shape) for shape in shapes[:i])
        return g[before : before + math.prod(shapes[i])].reshape(shapes[i])
    before = sum(shape[axis] for shape in shapes[:i])
    return g[_slice(g.ndim, axis, before, before + shapes[i][axis])]


def _slice(ndim: int, axis: int, start: int | None, stop: int | None) -> tuple[slice, ...]:
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


def concatenate(arrays: Sequence[Any], axis: int | None = 0) -> Any:
    """Join arrays along an axis that they have, or make all of them flat first (None); ``np.concatenate``."""
    return _concatenate(*arrays, axis=axis)


def stack(arrays: Sequence[Any], axis: int = 0) -> Any:
    """Join arrays of one shape along a new axis; ``np.stack``."""
    return _stack(*arrays, axis=axis)


def split(a: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """Cut ``a`` into equal parts, or before the given indices; ``np.split``. Each part is a ``getitem``.

    Raises ShapeError MG-103 where the parts would not be equal, AxisError MG-216 where there is no such axis.
    """
    cuts = unwrap(indices_or_sections)
    try:
        axis, cuts = operator.index(axis), plain(cuts)
    except TypeError as error:
        raise OperationError(
            "MG-215",
            f"split takes a number of parts or a sequence of indices, and an axis, all integers: {error}.",
        ) from error
    if not -a.ndim <= axis < a.ndim:
        raise AxisError("MG-216", f"split of shape {a.shape}: there is no axis {axis}.")
    length = a.shape[axis]
    if isinstance(cuts, int):
        if cuts < 1 or length % cuts:
            raise ShapeError(
                "MG-103", f"split: an axis of length {length} cannot be split into {cuts} equal parts."
            )
        cuts = tuple(length // cuts * k for k in range(1, cuts))
    return [
        a[_slice(a.ndim, axis, start, stop)] for start, stop in zip([0, *cuts], [*cuts, length], strict=True)
    ]


_pad = define(
    "pad",
    lambda a, pad_width, value=0.0: np.pad(a, pad_width or 0, constant_values=value),
    "a with a constant border",
    ("the inside of g", lambda g, a_shape, pad_width: g[_inner(a_shape, pad_width)]),
    inputs="a",
    params={"pad_width": (), "value": 0.0},
)


def pad(a: Any, pad_width: Any, mode: str = "constant", **options: Any) -> Any:
    """Surround ``a`` with a border; ``np.pad`` in the modes constant, edge, reflect, symmetric and wrap.

    ``constant_values`` are the border's in mode constant. In the others the border's entries are a's own, so that
    their gradients add up. Raises OperationError MG-214 in NumPy's other modes and with their options.
    """
    if mode not in ("constant", "edge", "reflect", "symmetric", "wrap"):
        raise no_option("pad", "mode", mode)
    value = options.pop("constant_values", 0.0) if mode == "constant" else 0.0
    operand(unwrap(value))
    a = a if isinstance(a, Tensor) else np.asarray(a)
    for option, given in options.items():
        if (option, given) != ("reflect_type", "even") or mode not in ("reflect", "symmetric"):
            raise no_option("pad", option, given)
    widths = _widths(pad_width, a.ndim)
    if mode == "constant":
        return _pad(a, pad_width=widths, value=value)
    picked = [np.pad(np.arange(n), width, mode=mode) for n, width in zip(a.shape, widths, strict=True)]  # type: ignore[call-overload]
    return a[np.ix_(*picked)] if picked else a[...]


def _widths(pad_width: Any, ndim: int) -> tuple[tuple[int, int], ...]:
    """Return how much is added before and behind along each axis, of all the forms that NumPy takes."""
    if isinstance(pad_width, dict):
        given: Any = [(0, 0)] * ndim
        for axis, width in pad_width.items():
            if not -ndim <= axis < ndim:
                raise AxisError("MG-216", f"pad: there is no axis {axis} among {ndim}.")
            given[axis] = width if np.ndim(width) else (width, width)
        pad_width = given
    widths = np.asarray(unwrap(pad_width))
    if widths.dtype.kind not in "iu" and widths.size:
        raise OperationError("MG-215", f"pad: the widths of a border are integers, not {widths.dtype}.")
    if widths.size and widths.min() < 0:
        raise ConfigError(
            "MG-215", f"pad: the widths of a border cannot be negative; {widths.min()} was given."
        )
    try:
        return tuple((int(before), int(behind)) for before, behind in np.broadcast_to(widths, (ndim, 2)))
    except ValueError as error:
        raise ShapeError(
            "MG-103", f"pad: widths of shape {widths.shape} do not fit {ndim} axes, each with two ends."
        ) from error


def _inner(shape: Shape, widths: Sequence[tuple[int, int]]) -> tuple[slice, ...]:
    return tuple(slice(before, before + n) for (before, _), n in zip(widths, shape, strict=True))


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


def _reshape_method(a: Any, *sizes: Any, shape: Any = None, order: str = "C", copy: Any = None) -> Any:
    if shape is None:
        shape = sizes[0] if len(sizes) == 1 else sizes
    _check_order("reshape", order)
    if copy is not None:
        raise no_option("reshape", "copy", copy)
    return reshape(a, shape=shape)


def _transpose_method(a: Any, *axes: Any) -> Any:
    return transpose(a, axes=axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes or None)


def _flat(a: Any, order: str = "C") -> Any:
    _check_order("ravel", order)
    return reshape(a, shape=(-1,))


def _check_order(function: str, order: str) -> None:
    if order != "C":
        raise no_option(function, "order", order)


def _zeros_like(a: Any, dtype: Any = None, shape: Any = None) -> Tensor:
    return Tensor(np.zeros_like(unwrap(a), dtype=dtype, shape=shape))


def _ones_like(a: Any, dtype: Any = None, shape: Any = None) -> Tensor:
    return Tensor(np.ones_like(unwrap(a), dtype=dtype, shape=shape))


register_methods(
    getitem=getitem, reshape=_reshape_method, transpose=_transpose_method, flatten=_flat, ravel=_flat
)
stands_for(np.concatenate, concatenate)
stands_for(np.stack, stack)
stands_for(np.split, split, "a[:i], a[i:j], …")
stands_for(np.ravel, _flat, "the entries in one row")
stands_for(np.shape, lambda a: a.shape)
stands_for(np.ndim, lambda a: a.ndim)
stands_for(np.size, lambda a, axis=None: np.size(unwrap(a), axis))
stands_for(np.zeros_like, _zeros_like)
stands_for(np.ones_like, _ones_like)
registry.functions[np.pad] = pad
