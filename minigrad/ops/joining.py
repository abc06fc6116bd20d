"""Arrays joined, cut, and brought to one shape: the stacks, the splits, ``block``, ``insert``, ``meshgrid``."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.errors import OperationError, ShapeError
from minigrad.operation import stands_for
from minigrad.ops.elementwise import astype
from minigrad.ops.operands import along, on_host, place, tensors
from minigrad.ops.shape import concatenate
from minigrad.tensor import Tensor, unwrap


def _each(widened: Callable[[Tensor], Any]) -> Callable[..., Any]:
    """A function of one array, or of several, of which it gives a tuple."""

    def each(*arrays: Any) -> Any:
        made = tuple(widened(a) for a in tensors(*arrays))
        return made[0] if len(made) == 1 else made

    return each


def _one(a: Tensor) -> Any:
    return np.reshape(a, (1,)) if a.ndim == 0 else a


def _two(a: Tensor) -> Any:
    return _one(a)[None] if a.ndim < 2 else a


def _three(a: Tensor) -> Any:
    return _two(a)[..., None] if a.ndim < 3 else a


def _vstack(arrays: Any) -> Any:
    return np.concatenate([_two(a) for a in tensors(*arrays)])


def _hstack(arrays: Any) -> Any:
    parts = [_one(a) for a in tensors(*arrays)]
    return np.concatenate(parts, axis=0 if parts and parts[0].ndim == 1 else 1)


def _dstack(arrays: Any) -> Any:
    return np.concatenate([_three(a) for a in tensors(*arrays)], axis=2)


def _column_stack(arrays: Any) -> Any:
    return np.concatenate([a if a.ndim > 1 else np.reshape(a, (-1, 1)) for a in tensors(*arrays)], axis=1)


def _block(arrays: Any) -> Any:
    leaves, depth = _leaves(arrays, ())
    parts = tensors(*leaves)
    ndim = max([depth, *(a.ndim for a in parts)])
    following = iter(parts)

    def join(nested: Any, level: int) -> Any:
        if not isinstance(nested, list):
            a = next(following)
            return np.reshape(a, (1,) * (ndim - a.ndim) + a.shape)
        return np.concatenate([join(each, level + 1) for each in nested], axis=level - depth)

    return join(arrays, 0)


def _leaves(nested: Any, where: tuple[int, ...]) -> tuple[list[Any], int]:
    """Return what stands in nested lists, and how deep they are, which has to be the same everywhere."""
    if isinstance(nested, tuple):
        raise OperationError("MG-215", f"block: rows are lists; a tuple stands at {_at(where)}.")
    if not isinstance(nested, list):
        return [nested], 0
    if not nested:
        raise ShapeError("MG-103", f"block: the list at {_at(where)} is empty.")
    found = [_leaves(each, (*where, k)) for k, each in enumerate(nested)]
    for k, (_, depth) in enumerate(found):
        if depth != found[0][1]:
            raise ShapeError(
                "MG-103",
                f"block: lists are nested {depth + len(where) + 1} deep at {_at((*where, k))}, and "
                f"{found[0][1] + len(where) + 1} deep at {_at((*where, 0))}.",
            )
    return [leaf for leaves, _ in found for leaf in leaves], found[0][1] + 1


def _at(where: tuple[int, ...]) -> str:
    return "arrays" + "".join(f"[{k}]" for k in where)


def _append(a: Any, values: Any, axis: int | None = None) -> Any:
    return np.concatenate(tensors(a, values), axis=axis)


def _insert(a: Any, obj: Any, values: Any, axis: int | None = None) -> Any:
    a, values = tensors(a, values)
    if axis is None:
        a, axis = np.ravel(a), 0
    axis = place("insert", a, axis)
    length, before = a.shape[axis], on_host(obj)
    if isinstance(before, slice):
        before = np.arange(*before.indices(length))
    elif before.dtype == bool:
        before = np.flatnonzero(before)
    values = np.reshape(astype(values, a.dtype), (1,) * (a.ndim - values.ndim) + values.shape)
    if before.ndim == 0:
        values = np.moveaxis(values, 0, axis)
    count = values.shape[axis] if before.size == 1 else len(before)
    while values.ndim > a.ndim and values.shape[0] == 1:
        values = values[0]
    values = np.broadcast_to(values, (*a.shape[:axis], count, *a.shape[axis + 1 :]))
    order = np.insert(
        np.arange(length), before.item() if before.size == 1 else before, length + np.arange(count)
    )
    return along(concatenate([a, values], axis), axis, order)


def _delete(a: Any, obj: Any, axis: int | None = None) -> Any:
    (a,) = tensors(a)
    if axis is None:
        a, axis = np.ravel(a), 0
    axis = place("delete", a, axis)
    gone = on_host(obj)
    return along(a, axis, np.delete(np.arange(a.shape[axis]), gone))


def _unstack(a: Any, *, axis: int = 0) -> tuple[Any, ...]:
    if a.ndim == 0:
        raise ShapeError("MG-103", "unstack takes an array apart along an axis; a single number has none.")
    return tuple(np.moveaxis(a, place("unstack", a, axis), 0))


def _array_split(a: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    (a,), cuts = tensors(a), unwrap(indices_or_sections)
    axis = place("array_split", a, axis)
    if np.ndim(cuts) == 0:
        parts = operator.index(cuts)
        if parts < 1:
            raise ShapeError("MG-103", f"array_split: an axis is cut into at least 1 part, not {parts}.")
        size, longer = divmod(a.shape[axis], parts)
        cuts = [k * size + min(k, longer) for k in range(1, parts)]
    return np.split(a, cuts, axis)


def _hsplit(a: Any, indices_or_sections: Any) -> list[Any]:
    return np.split(a, indices_or_sections, 1 if _has("hsplit", a, 1).ndim > 1 else 0)


def _vsplit(a: Any, indices_or_sections: Any) -> list[Any]:
    return np.split(_has("vsplit", a, 2), indices_or_sections, 0)


def _dsplit(a: Any, indices_or_sections: Any) -> list[Any]:
    return np.split(_has("dsplit", a, 3), indices_or_sections, 2)


def _has(function: str, a: Any, ndim: int) -> Tensor:
    (made,) = tensors(a)
    if made.ndim < ndim:
        raise ShapeError(
            "MG-103", f"{function} takes an array of {ndim} or more axes, not one of shape {made.shape}."
        )
    return made


def _broadcast_arrays(*arrays: Any, subok: bool = False) -> tuple[Any, ...]:
    made = tensors(*arrays)
    try:
        shape = np.broadcast_shapes(*(a.shape for a in made))
    except ValueError as error:
        shapes = " and ".join(str(a.shape) for a in made)
        raise ShapeError("MG-103", f"broadcast_arrays: shapes {shapes} do not stretch to one.") from error
    return tuple(np.broadcast_to(a, shape) for a in made)


def _meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> tuple[Any, ...]:
    if indexing not in ("xy", "ij"):
        raise OperationError("MG-215", f"meshgrid: indexing is 'xy' or 'ij', not {indexing!r}.")
    made, n = tensors(*xi), len(xi)
    axes = [1, 0, *range(2, n)] if indexing == "xy" and n > 1 else range(n)
    grid = tuple(
        np.reshape(x, (1,) * k + (-1,) + (1,) * (n - k - 1)) for k, x in zip(axes, made, strict=True)
    )
    grid = grid if sparse else np.broadcast_arrays(*grid) if grid else ()
    return tuple(np.copy(x) for x in grid) if copy else grid


_COMPOSED: Sequence[tuple[str, Callable[..., Any], str]] = (
    ("atleast_1d", _each(_one), "a, a number as an array of 1"),
    ("atleast_2d", _each(_two), "a with axes in front until it has two"),
    ("atleast_3d", _each(_three), "a with axes of length 1 until it has three"),
    ("vstack", _vstack, "the rows of a_1, a_2, … one after another"),
    ("hstack", _hstack, "the columns of a_1, a_2, … one after another"),
    ("dstack", _dstack, "a_1, a_2, … behind one another along the third axis"),
    ("column_stack", _column_stack, "a_1, a_2, … as the columns of a matrix"),
    ("block", _block, "nested lists of arrays joined, the innermost along the last axis"),
    ("append", _append, "a, then the values"),
    ("insert", _insert, "a with values before given places"),
    ("delete", _delete, "a without given places"),
    ("unstack", _unstack, "the slices of a along an axis"),
    ("array_split", _array_split, "a cut into parts of nearly equal lengths, or at given places"),
    ("hsplit", _hsplit, "a cut into groups of columns"),
    ("vsplit", _vsplit, "a cut into groups of rows"),
    ("dsplit", _dsplit, "a cut along its third axis"),
    ("broadcast_arrays", _broadcast_arrays, "a_1, a_2, … stretched to one shape"),
    ("meshgrid", _meshgrid, "coordinates of a grid from those of its axes"),
)
for _name, _run, _formula in _COMPOSED:
    if hasattr(np, _name):  # unstack came with NumPy 2.1
        stands_for(getattr(np, _name), _run, _formula)
