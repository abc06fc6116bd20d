"""Entries chosen by place or by condition: ``take``, ``choose``, ``select``, ``compress``, ``piecewise``."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad import backend, messages, registry, switches
from minigrad.errors import GradientError, OperationError, ShapeError
from minigrad.operation import stands_for
from minigrad.ops.elementwise import astype
from minigrad.ops.indexing import scatter
from minigrad.ops.operands import along, place, tensors
from minigrad.tensor import Tensor, unwrap
from minigrad.variable import Variable


def _take(a: Any, indices: Any, axis: int | None = None, mode: str = "raise") -> Any:
    (a,) = tensors(a)
    if axis is None or a.ndim == 0:
        a, axis = np.ravel(a), axis or 0
    axis = place("take", a, axis)
    index = _whole(indices)
    shape = (*a.shape[:axis], *index.shape, *a.shape[axis + 1 :])
    if a.size == 0 == math.prod(shape):  # where NumPy looks at no index
        return np.reshape(a, shape)
    return along(a, axis, _within("take", index, a.shape[axis], mode))


def _whole(indices: Any) -> Any:
    """Return what may be a list of indices as an array of them; true and false are 1 and 0 here."""
    index = _array(indices)
    return index if index.size and index.dtype != bool else index.astype(int)


def _array(value: Any, dtype: Any = None) -> Any:
    """Return an array as it is, wherever it lies; a number or a list as one."""
    bare = unwrap(value)
    return bare if hasattr(bare, "dtype") else np.asarray(bare, dtype)


def _within(function: str, index: Any, length: int, mode: str) -> Any:
    if mode not in ("raise", "wrap", "clip"):
        raise OperationError("MG-215", f"{function}: mode is 'raise', 'wrap' or 'clip', not {mode!r}.")
    if mode == "raise":
        return index
    return index % length if mode == "wrap" else np.clip(index, 0, length - 1)


def _choose(a: Any, choices: Any, mode: str = "raise") -> Any:
    index, given = _whole(a), tensors(*choices)
    shape = np.broadcast_shapes(index.shape, *(choice.shape for choice in given))
    index = _within("choose", index, len(given), mode)
    if mode == "raise" and backend.found(index < 0, "an index is negative"):
        raise ShapeError(
            "MG-103", f"choose: an index is negative; there are the choices 0..{len(given) - 1}."
        )
    together = np.stack([np.broadcast_to(choice, shape) for choice in given])
    return np.take_along_axis(together, np.broadcast_to(index, shape)[None], axis=0)[0]


def _select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Any:
    if len(condlist) != len(choicelist) or not len(condlist):
        raise ShapeError(
            "MG-103",
            f"select: {len(condlist)} conditions for {len(choicelist)} choices; each condition has one, at least one.",
        )
    for k, condition in enumerate(condlist):
        if _array(condition).dtype.kind != "b":
            raise OperationError("MG-215", f"select: condition {k} is not of true and false; compare: x > 0.")
    chosen = default
    for condition, choice in zip(reversed([*condlist]), reversed([*choicelist]), strict=True):
        chosen = np.where(condition, choice, chosen)
    return chosen


def _compress(condition: Any, a: Any, axis: int | None = None) -> Any:
    kept = _array(condition, bool)
    if kept.ndim != 1:
        raise ShapeError(
            "MG-103", f"compress: the condition is a vector, not an array of shape {kept.shape}."
        )
    return _take(a, np.flatnonzero(kept), axis)


def _extract(condition: Any, a: Any) -> Any:
    return _take(a, np.flatnonzero(_array(condition)))


def _piecewise(x: Any, condlist: Any, funclist: Sequence[Any], *args: Any, **kw: Any) -> Any:
    (x,), conditions = tensors(x), unwrap(condlist)
    several = isinstance(conditions, (list, tuple)) or np.ndim(conditions) > 0
    if not several or (x.ndim and not isinstance(conditions[0], list) and _array(conditions[0]).ndim == 0):
        conditions = [conditions]
    masks = [_array(mask).astype(bool) for mask in conditions]
    if len(funclist) == len(masks) + 1:
        elsewhere = ~masks[0]
        for mask in masks[1:]:
            elsewhere = elsewhere & ~mask
        masks.append(elsewhere)
    elif len(funclist) != len(masks):
        raise ShapeError(
            "MG-103",
            f"piecewise: {len(masks)} conditions go with {len(masks)} functions, or one more for where none is true; "
            f"{len(funclist)} were given.",
        )
    nowhere = np.zeros_like(unwrap(x), dtype=bool)
    y = np.where(nowhere, x, np.zeros_like(x))  # has a graph, whatever the conditions come to
    for mask, function in zip(masks, funclist, strict=True):
        if callable(function):
            picked = x[mask]
            if not picked.size:
                continue
            value = np.broadcast_to(_like(x, function(picked, *args, **kw)), picked.shape)
            y = np.where(mask, scatter(value, index=mask, shape=x.shape), y)
        else:
            y = np.where(mask, _like(x, function), y)
    return y


def _like(x: Tensor, value: Any) -> Any:
    return astype(tensors(x, value)[1], x.dtype)


def _in_place(function: Callable[..., None], instead: str) -> Callable[..., None]:
    """A function that writes into its first argument, as ``t[index] = value`` does: where no graph would miss it."""
    signature = inspect.signature(function)

    def write(*args: Any, **kwargs: Any) -> None:
        target, *sources = signature.bind(*args, **kwargs).arguments.values()
        watched = switches.recording.get() and any(
            isinstance(x, Variable) and x.requires_grad for x in (target, *sources)
        )
        if watched and not isinstance(target, Variable):
            source = next(x for x in sources if isinstance(x, Variable) and x.requires_grad)
            raise GradientError("MG-208", messages.into_an_array(function.__name__, source.label))
        if watched:
            raise GradientError(
                "MG-207",
                f"np.{function.__name__} writes into {target.label}, where a gradient is required: backward() could "
                f"not see it. Write a new tensor: {instead}. Where none is wanted: with mg.no_grad(): ….",
            )
        function(*unwrap(args), **{name: unwrap(value) for name, value in kwargs.items()})
        if isinstance(target, Variable):
            target.bump_version()

    return write


IN_PLACE: dict[Callable[..., None], str] = {
    # a function that writes into its tensor t: the new tensor that it would be
    np.copyto: "t = np.where(where, src, t)",
    np.fill_diagonal: "t = np.where(np.eye(*t.shape, dtype=bool), val, t)",
    np.place: "t = np.where(mask, mg.ops.scatter(vals, index=mask, shape=t.shape), t)",
    np.put: "t = np.where(np.isin(np.arange(t.size), ind).reshape(t.shape), "
    "mg.ops.scatter(v, index=ind, shape=(t.size,)).reshape(t.shape), t)",
    np.put_along_axis: "t = t + mg.ops.put_along_axis(values - np.take_along_axis(t, indices, axis), indices, "
    "axis=axis, length=t.shape[axis])",
    np.putmask: "t = np.where(mask, values, t)",
}

_COMPOSED: Sequence[tuple[Callable[..., Any], Callable[..., Any], str]] = (
    (np.take, _take, "a_i for every index i"),
    (np.choose, _choose, "the entry of the a-th choice"),
    (np.select, _select, "the entry of the first choice whose condition is true"),
    (np.compress, _compress, "the slices of a where the condition is true"),
    (np.extract, _extract, "the entries of a where the condition is true"),
    (np.piecewise, _piecewise, "f_k(x) where condition k is true"),
)
for _function, _run, _formula in _COMPOSED:
    stands_for(_function, _run, _formula)
for _writes, _instead in IN_PLACE.items():
    registry.functions[_writes] = _in_place(_writes, _instead)
    registry.constants[_writes] = "writes into a tensor, which no graph may need"
