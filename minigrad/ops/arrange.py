"""Entries repeated, rolled, turned and laid out in another way: ``tile``, ``roll``, ``rot90``, ``diag``, ``tril``."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad import registry
from minigrad.errors import OperationError, ShapeError
from minigrad.operation import stands_for
from minigrad.ops.indexing import scatter
from minigrad.ops.operands import along, on_host, place, tensors, whole
from minigrad.ops.reduce import plain
from minigrad.ops.shape import filled_like, moveaxis
from minigrad.tensor import Tensor, unwrap

# What is said of the place in memory (order, subok) has no meaning for a result that is a tensor of its own.


def _copy(a: Any, order: str = "K", subok: bool = False) -> Any:
    return Tensor(unwrap(a).copy()) if a.dtype == bool else np.positive(a)


def _repeat(a: Any, repeats: Any, axis: int | None = None) -> Any:
    (a,) = tensors(a)
    if axis is None or a.ndim == 0:
        a, axis = np.ravel(a), axis or 0
    axis, counts = place("repeat", a, axis), on_host(repeats)
    length = a.shape[axis]
    if counts.dtype.kind not in "iub" or (counts.size and length and counts.min() < 0):
        raise OperationError("MG-215", f"repeat: counts are whole numbers from 0 on, not {repeats!r}.")
    if counts.size != 1:
        if counts.shape != (length,):
            raise ShapeError(
                "MG-103",
                f"repeat: an axis of length {length} takes {length} counts, or one; {counts.size} were given.",
            )
        return along(a, axis, np.repeat(np.arange(length), counts))
    before, behind, count = a.shape[:axis], a.shape[axis + 1 :], max(int(counts.item()), 0)
    spread = np.broadcast_to(np.expand_dims(a, axis + 1), (*before, length, count, *behind))
    return np.reshape(spread, (*before, length * count, *behind))


def _tile(a: Any, reps: Any) -> Any:
    times = whole(reps)
    ndim = max(a.ndim, len(times))
    shape = (1,) * (ndim - a.ndim) + a.shape
    times = (1,) * (ndim - len(times)) + times
    apart = np.reshape(a, [k for n in shape for k in (1, n)])
    spread = np.broadcast_to(apart, [k for both in zip(times, shape, strict=True) for k in both])
    return np.copy(np.reshape(spread, [k * n for k, n in zip(times, shape, strict=True)]))


def _roll(a: Any, shift: Any, axis: Any = None) -> Any:
    if axis is None:
        return np.reshape(_roll(np.ravel(a), shift, 0), a.shape)
    pairs = np.broadcast(whole(shift), whole(axis))
    if pairs.ndim > 1:
        raise ShapeError("MG-103", "roll: shifts and axes are numbers, or sequences of one length.")
    rolled = np.copy(a)
    for by, k in pairs:
        k = place("roll", a, k)
        start = a.shape[k] and -operator.index(by) % a.shape[k]
        if start:
            before = (slice(None),) * k
            rolled = np.concatenate(
                [rolled[(*before, slice(start, None))], rolled[(*before, slice(start))]], axis=k
            )
    return rolled


def _rot90(a: Any, k: int = 1, axes: Any = (0, 1)) -> Any:
    turns, given = operator.index(k) % 4, plain(unwrap(axes))
    first, second = (place("rot90", a, axis) for axis in _two("rot90", given))
    if first == second:
        raise ShapeError(
            "MG-103", f"rot90 turns two axes into each other; {given} is one of shape {a.shape}."
        )
    if turns == 0:
        return np.copy(a)
    if turns == 2:
        return np.flip(a, (first, second))
    if turns == 1:
        return np.swapaxes(np.flip(a, second), first, second)
    return np.flip(np.swapaxes(a, first, second), second)


def _two(function: str, axes: Any) -> tuple[int, int]:
    if not isinstance(axes, tuple) or len(axes) != 2:
        raise ShapeError("MG-103", f"{function} takes two axes, not {axes!r}.")
    return axes


def _flip_along(function: str, axis: int) -> Callable[[Any], Any]:
    return lambda a: np.flip(a, place(function, a, axis))


def _rollaxis(a: Any, axis: int, start: int = 0) -> Any:
    axis, first = place("rollaxis", a, axis), operator.index(start)
    if not -a.ndim <= first <= a.ndim:
        raise OperationError(
            "MG-215", f"rollaxis of shape {a.shape}: there is no place {first} among the axes."
        )
    first += a.ndim if first < 0 else 0
    return np.moveaxis(a, axis, first - (axis < first))


def _matrix_transpose(x: Any) -> Any:
    if x.ndim < 2:
        raise ShapeError(
            "MG-103", f"matrix_transpose takes an array of two or more axes, not one of shape {x.shape}."
        )
    return np.swapaxes(x, -1, -2)


def _diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    if a.ndim < 2:
        raise ShapeError(
            "MG-103", f"diagonal takes an array of two or more axes, not one of shape {a.shape}."
        )
    one, two, k = place("diagonal", a, axis1), place("diagonal", a, axis2), operator.index(offset)
    if one == two:
        raise ShapeError("MG-103", f"diagonal runs along two axes; axis1 and axis2 are both {one}.")
    last = np.moveaxis(a, (one, two), (-2, -1))
    rows, columns = last.shape[-2:]
    start = k if k >= 0 else -k * columns
    count = max(min(rows, columns - k) if k >= 0 else min(rows + k, columns), 0)
    flat = np.reshape(last, (*last.shape[:-2], rows * columns))
    return flat[..., start : start + count * (columns + 1) : columns + 1]


def _diag(v: Any, k: int = 0) -> Any:
    if v.ndim == 2:
        return np.diagonal(v, k)
    if v.ndim != 1:
        raise ShapeError("MG-103", f"diag takes a vector or a matrix, not an array of shape {v.shape}.")
    k = operator.index(k)
    n = len(v) + abs(k)
    start = k if k >= 0 else -k * n
    places = slice(start, start + len(v) * (n + 1), n + 1)
    return np.reshape(scatter(v, index=places, shape=(n * n,)), (n, n))


def _diagflat(v: Any, k: int = 0) -> Any:
    return np.diag(np.ravel(v), k)


def _tril(m: Any, k: int = 0) -> Any:
    return np.where(_below(m, "tril", k), m, np.zeros_like(m, shape=()))


def _triu(m: Any, k: int = 0) -> Any:
    return np.where(_below(m, "triu", k - 1), np.zeros_like(m, shape=()), m)


def _below(m: Any, function: str, k: int) -> Any:
    if m.ndim == 0:
        raise ShapeError("MG-103", f"{function} takes an array of one or more axes, not a single number.")
    return np.tri(*m.shape[-2:], k=operator.index(k), dtype=bool, like=unwrap(m))  # type: ignore[call-overload]


def _vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    if x.ndim != 1:
        raise ShapeError("MG-103", f"vander takes a vector, not an array of shape {x.shape}.")
    count = len(x) if N is None else operator.index(N)
    # NumPy makes float64 of floats too; here a float32 stays one, as everywhere
    dtype = np.promote_types(x.dtype, int) if x.dtype.kind != "f" else x.dtype
    columns = [Tensor(np.ones_like(unwrap(x), dtype=dtype))]
    while len(columns) < count:
        columns.append(columns[-1] * x)
    matrix = np.stack(columns, axis=1)[:, :count]
    return matrix if increasing else matrix[:, ::-1]


def _resize(a: Any, new_shape: Any) -> Any:
    shape = whole(new_shape)
    if min(shape, default=0) < 0:
        raise ShapeError("MG-103", f"resize: lengths are numbers from 0 on; {shape} was given.")
    size = int(np.prod(shape))
    if size and not a.size:
        return Tensor(np.zeros_like(unwrap(a), shape=shape))
    return np.reshape(np.tile(np.ravel(a), -(-size // max(a.size, 1)))[:size], shape)


def _trim_zeros(filt: Any, trim: Any = "fb", axis: Any = None) -> Any:
    data, options = unwrap(filt), {} if axis is None else {"axis": plain(axis)}
    index = [slice(None)] * filt.ndim
    if "f" in trim.lower():
        left = np.trim_zeros(data, "f", **options).shape
        index = [slice(n - m, None) for n, m in zip(filt.shape, left, strict=True)]
    if "b" in trim.lower():
        index = [
            slice(part.start, n)
            for part, n in zip(index, np.trim_zeros(data, "b", **options).shape, strict=True)
        ]
    np.trim_zeros(data, trim, **options)  # which refuses other letters
    return filt[tuple(index)]


def _windows(x: Any, window_shape: Any, axis: Any = None) -> Any:
    """A view of NumPy's would be as small as ``x``; here the windows are copied, each with all of its entries."""
    lengths = whole(window_shape)
    axes = [place("sliding_window_view", x, k) for k in (range(x.ndim) if axis is None else whole(axis))]
    if len(axes) != len(lengths):
        raise ShapeError(
            "MG-103", f"sliding_window_view: {len(lengths)} lengths of windows for {len(axes)} axes."
        )
    for k, length in zip(axes, lengths, strict=True):
        if not 0 <= length <= x.shape[k]:
            raise ShapeError(
                "MG-103", f"sliding_window_view: no window of {length} fits into axis {k} of shape {x.shape}."
            )
        first = np.arange(x.shape[k] - length + 1, like=unwrap(x))
        places = first[:, None] + np.arange(length, like=unwrap(x))
        x = moveaxis(along(x, k, places), source=k + 1, destination=-1)
    return x


def _full_like(
    a: Any,
    fill_value: Any,
    dtype: Any = None,
    order: Any = "K",
    subok: bool = True,
    shape: Any = None,
    *,
    device: Any = None,
) -> Any:
    full = Tensor(np.empty_like(unwrap(a), dtype=dtype, shape=shape), device=device)
    if isinstance(fill_value, Tensor):
        return np.positive(np.broadcast_to(fill_value.astype(full.dtype), full.shape))
    full[...] = fill_value
    return full


_COMPOSED: Sequence[tuple[Callable[..., Any], Callable[..., Any], str]] = (
    (np.copy, _copy, "a"),
    (np.full_like, _full_like, "the value in every place"),
    (np.repeat, _repeat, "each entry of a several times, one after another"),
    (np.tile, _tile, "a several times along each axis"),
    (np.roll, _roll, "a shifted along axes, what leaves at one end coming in at the other"),
    (np.rot90, _rot90, "a turned by quarters in the plane of two axes"),
    (np.fliplr, _flip_along("fliplr", 1), "the columns in reverse order"),
    (np.flipud, _flip_along("flipud", 0), "the rows in reverse order"),
    (np.rollaxis, _rollaxis, "an axis moved to before another"),
    (np.matrix_transpose, _matrix_transpose, "the last two axes exchanged"),
    (np.diagonal, _diagonal, "a_ij with j = i + offset"),
    (np.diag, _diag, "the diagonal of a matrix; a vector as the diagonal of one that is 0 elsewhere"),
    (np.diagflat, _diagflat, "all entries as the diagonal of a matrix that is 0 elsewhere"),
    (np.tril, _tril, "a_ij where j ≤ i + k, else 0"),
    (np.triu, _triu, "a_ij where j ≥ i + k, else 0"),
    (np.vander, _vander, "x_i to the powers N-1, …, 1, 0"),
    (np.resize, _resize, "the entries again and again until another shape is full"),
    (np.trim_zeros, _trim_zeros, "a without the zeros at its ends"),
    (np.lib.stride_tricks.sliding_window_view, _windows, "x_i, …, x_(i+w-1) for every i"),
)
for _function, _run, _formula in _COMPOSED:
    stands_for(_function, _run, _formula)
stands_for(np.empty_like, filled_like(np.empty_like))
registry.constants[np.empty_like] = registry.constants[np.zeros_like]
