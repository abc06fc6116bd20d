"""Operations that move entries without changing them: axes, order, joining, cutting."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad import registry
from minigrad.backend import Array
from minigrad.errors import AxisError, OperationError, ShapeError
from minigrad.forms import no_option
from minigrad.operation import define, stands_for
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
)


def _reshape(a: Any, shape: Any, order: str = "C", copy: Any = None) -> Any:
    if copy is not None:
        raise no_option("reshape", "copy", copy)
    if not _by_columns("reshape", order):
        return reshape(a, shape=shape)
    lengths = plain(unwrap(shape))
    backwards = lengths[::-1] if isinstance(lengths, tuple) else lengths
    return np.transpose(reshape(np.transpose(a), shape=backwards))


def _by_columns(function: str, order: str) -> bool:
    """Tell whether entries are counted with the first axis running fastest; 'A' and 'K' ask for a place in memory."""
    if order not in ("C", "F"):
        raise no_option(function, "order", order)
    return order == "F"


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


def _reshape_method(a: Any, *sizes: Any, shape: Any = None, order: str = "C", copy: Any = None) -> Any:
    if shape is None:
        shape = sizes[0] if len(sizes) == 1 else sizes
    return _reshape(a, shape, order, copy)


def _transpose_method(a: Any, *axes: Any) -> Any:
    return transpose(a, axes=axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes or None)


def ravel(a: Any, order: str = "C") -> Any:
    """Return all entries in a row, the last axis running fastest, or (order F) the first; ``np.ravel``."""
    return reshape(np.transpose(a) if _by_columns("ravel", order) else a, shape=(-1,))


def filled_like(function: Callable[..., Any]) -> Callable[..., Tensor]:
    """``np.zeros_like`` and its kin; order and subok, which say how an array lies in memory, change nothing."""

    def filled(
        a: Any,
        dtype: Any = None,
        order: Any = "K",
        subok: bool = True,
        shape: Any = None,
        *,
        device: Any = None,
    ) -> Tensor:
        return Tensor(function(unwrap(a), dtype=dtype, shape=shape), device=device)

    return filled


register_methods(reshape=_reshape_method, transpose=_transpose_method, flatten=ravel, ravel=ravel)
stands_for(np.concatenate, concatenate)
stands_for(np.stack, stack)
stands_for(np.split, split, "a[:i], a[i:j], …")
stands_for(np.reshape, _reshape)
stands_for(np.ravel, ravel, "the entries in one row")
stands_for(np.shape, lambda a: a.shape)
stands_for(np.ndim, lambda a: a.ndim)
stands_for(np.size, lambda a, axis=None: np.size(unwrap(a), axis))
stands_for(np.zeros_like, filled_like(np.zeros_like))
stands_for(np.ones_like, filled_like(np.ones_like))
for _function in (np.shape, np.ndim, np.size, np.zeros_like, np.ones_like):
    registry.constants[_function] = "of a, its shape alone matters"
