"""PyTorch's names for methods that are seldom used: what sorts, picks places, and is made of several operations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from minigrad.errors import OperationError
from minigrad.ops.indexing import put_along_axis, scatter
from minigrad.ops.reduce import max as largest_of
from minigrad.ops.reduce import min as smallest_of
from minigrad.ops.shape import reshape
from minigrad.ops.words import Extreme, add, axes_of, narrow, norm
from minigrad.tensor import Tensor, register_methods, unwrap


def _places(a: Any, axis: int, descending: bool) -> Any:
    """The places of the entries along an axis in their order; equal ones stay in the order in which they stand."""
    if not descending:
        return np.argsort(a, axis=axis, kind="stable")
    return a.shape[axis] - 1 - np.flip(np.argsort(np.flip(a, axis), axis=axis, kind="stable"), axis)


def _picked(t: Any, places: Any, axis: int, keep: bool = True) -> Extreme:
    both = np.take_along_axis(t, places, axis), Tensor(places)
    return Extreme(*(both if keep else (np.squeeze(part, axis) for part in both)))


def _sort(t: Any, axis: Any = -1, descending: Any = False, *, dim: int | None = None, **options: Any) -> Any:
    if dim is None and isinstance(descending, bool) and not descending:
        return np.sort(t, axis, **options)
    if isinstance(descending, str):  # NumPy's kind
        options["kind"] = descending
        return np.sort(t, axis, **options)
    axis = axis if dim is None else dim
    return _picked(t, _places(unwrap(t), axis, descending), axis)


def _argsort(
    t: Any, axis: Any = -1, descending: bool = False, *, dim: int | None = None, **options: Any
) -> Any:
    if dim is None and not descending:
        return np.argsort(t, axis, **options)
    return Tensor(_places(unwrap(t), axis if dim is None else dim, descending))


def _topk(t: Any, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Extreme:
    return _picked(t, narrow(_places(unwrap(t), dim, largest), dim, 0, k), dim)


def _kthvalue(t: Any, k: int, dim: int = -1, keepdim: bool = False) -> Extreme:
    return _picked(t, narrow(_places(unwrap(t), dim, False), dim, k - 1, 1), dim, keepdim)


def _median(function: Callable[..., Any], skip_nan: bool) -> Callable[..., Any]:
    """The mean of the two in the middle, as in NumPy; with ``dim`` the lower of them and its place, as in PyTorch."""

    def median(t: Any, *args: Any, dim: int | None = None, keepdim: bool = False, **params: Any) -> Any:
        if dim is None:
            return function(t, *args, **params)
        a = unwrap(t)
        holes = np.isnan(a)
        count = np.sum(~holes if skip_nan else np.ones_like(holes), axis=dim, keepdims=True)
        middle = np.take_along_axis(_places(a, dim, False), np.maximum(count - 1, 0) // 2, dim)
        if not skip_nan:
            first = np.argmax(holes, axis=dim, keepdims=True)
            middle = np.where(np.any(holes, axis=dim, keepdims=True), first, middle)
        return _picked(t, middle, dim, keepdim)

    return median


def _repeat(t: Any, repeats: Any, axis: Any = None, *more: int) -> Any:
    if more:
        sizes = (repeats, axis, *more)
        raise OperationError(
            "MG-215", f"repeat is NumPy's, of entries, and takes an axis; PyTorch's is tile: t.tile({sizes})."
        )
    return np.repeat(t, repeats, axis)


def _scatter_add(t: Any, dim: int, index: Any, src: Any) -> Any:
    return t + put_along_axis(src, index, axis=dim, length=t.shape[dim])


def _index_add(t: Any, dim: int, index: Any, source: Any, alpha: float = 1) -> Any:
    there = (slice(None),) * (dim % t.ndim) + (unwrap(index),)
    return add(t, scatter(source, index=there, shape=t.shape), alpha)


def _index_fill(t: Any, dim: int, index: Any, value: Any) -> Any:
    mask = np.zeros_like(unwrap(t), dtype=bool)
    mask[(slice(None),) * (dim % t.ndim) + (unwrap(index),)] = True
    return np.where(mask, value, t)


def _unflatten(t: Any, dim: int, sizes: Sequence[int]) -> Any:
    dim %= t.ndim
    return reshape(t, shape=(*t.shape[:dim], *sizes, *t.shape[dim + 1 :]))


def _unfold(t: Any, dimension: int, size: int, step: int) -> Any:
    starts = np.arange(0, t.shape[dimension] - size + 1, step)
    windows = t[(slice(None),) * (dimension % t.ndim) + (starts[:, None] + np.arange(size),)]
    return np.moveaxis(windows, dimension % t.ndim + 1, -1)


def _logcumsumexp(t: Any, dim: int) -> Any:
    largest_so_far = np.max(unwrap(t), axis=dim, keepdims=True, initial=-np.inf)
    shift = np.where(np.isfinite(largest_so_far), largest_so_far, 0)
    return np.log(np.cumsum(np.exp(t - shift), axis=dim)) + shift


class Extremes(NamedTuple):
    """What ``t.aminmax()`` gives in PyTorch."""

    min: Any
    max: Any


def _aminmax(t: Any, dim: Any = None, keepdim: bool = False) -> Extremes:
    return Extremes(*(f(t, axis=dim, keepdims=keepdim) for f in (smallest_of, largest_of)))


def _svd(t: Any, some: bool = True) -> Any:
    u, s, vh = np.linalg.svd(t, full_matrices=not some)
    return u, s, np.swapaxes(vh, -1, -2)


_METHODS: dict[str, Callable[..., Any]] = {
    "argsort": _argsort,
    "sort": _sort,
    "msort": lambda t: np.sort(t, 0),
    "topk": _topk,
    "kthvalue": _kthvalue,
    "median": _median(lambda t, *args, **params: np.median(t, *args, **params), skip_nan=False),
    "nanmedian": _median(lambda t, *args, **params: np.nanmedian(t, *args, **params), skip_nan=True),
    "aminmax": _aminmax,
    "nonzero": lambda t, *, as_tuple=True: np.nonzero(t) if as_tuple else np.argwhere(t),
    "nan_to_num": lambda t, nan=0.0, posinf=None, neginf=None: np.nan_to_num(
        t, nan=nan, posinf=posinf, neginf=neginf
    ),
    "repeat": _repeat,
    "tile": lambda t, *reps, dims=None: np.tile(t, tuple(dims or axes_of(reps))),
    "compress": lambda t, condition, axis=None: np.compress(unwrap(condition), t, axis),
    "scatter_add": _scatter_add,
    "index_add": _index_add,
    "index_fill": _index_fill,
    "unflatten": _unflatten,
    "unfold": _unfold,
    "logcumsumexp": _logcumsumexp,
    "svd": _svd,
    "logdet": lambda t: np.log(np.linalg.det(t)),
    "frac": lambda t: t - np.trunc(t),
    "sgn": lambda t: np.sign(t),
    "lerp": lambda t, end, weight: t + weight * (end - t),
    "addmm": lambda t, mat1, mat2, *, beta=1, alpha=1: beta * t + alpha * (mat1 @ mat2),
    "addmv": lambda t, mat, vec, *, beta=1, alpha=1: beta * t + alpha * (mat @ vec),
    "addcmul": lambda t, tensor1, tensor2, *, value=1: t + value * (tensor1 * tensor2),
    "addcdiv": lambda t, tensor1, tensor2, *, value=1: t + value * (tensor1 / tensor2),
    "baddbmm": lambda t, batch1, batch2, *, beta=1, alpha=1: beta * t + alpha * (batch1 @ batch2),
    "dist": lambda t, other, p=2: norm(t - other, p),
}

for _name, _run in _METHODS.items():
    _run.__name__ = _run.__qualname__ = _name
register_methods(**_METHODS)
