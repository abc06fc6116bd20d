"""A border around an array: ``np.pad``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad import registry
from minigrad.backend import operand
from minigrad.errors import AxisError, ConfigError, OperationError, ShapeError
from minigrad.forms import no_option
from minigrad.operation import define
from minigrad.ops.elementwise import astype
from minigrad.ops.operands import along, tensors
from minigrad.tensor import Tensor, unwrap

_pad = define(
    "pad",
    lambda a, pad_width, value=0.0: np.pad(a, pad_width or 0, constant_values=value),
    "a with a constant border",
    ("the inside of g", lambda g, a_shape, pad_width: g[_inner(a_shape, pad_width)]),
    inputs="a",
    params={"pad_width": (), "value": 0.0},
)


_PICKED = ("edge", "reflect", "symmetric", "wrap")
_BORDERS: dict[str, tuple[str, Any]] = {
    # a mode that works a border out: its option of NumPy's, and what that is where it is not given
    "constant": ("constant_values", 0.0),
    "linear_ramp": ("end_values", 0.0),
    "maximum": ("stat_length", None),
    "mean": ("stat_length", None),
    "minimum": ("stat_length", None),
}


def pad(a: Any, pad_width: Any, mode: str = "constant", **options: Any) -> Any:
    """Surround ``a`` with a border; ``np.pad`` in all its modes but median and empty.

    In mode constant ``constant_values`` are the border's, in linear_ramp it falls to ``end_values`` in equal steps;
    both may be Tensors, and get gradients. In edge, reflect, symmetric and wrap the border's entries are a's own, so
    that their gradients add up. In maximum, mean and minimum it is that of the ``stat_length`` entries next to it.
    Raises OperationError MG-214 in NumPy's other modes and with their options.
    """
    if mode not in _PICKED and mode not in _BORDERS:
        raise no_option("pad", "mode", mode)
    name, default = _BORDERS.get(mode, ("", None))
    value = options.pop(name, default)
    a = a if isinstance(a, Tensor) else np.asarray(a)
    for option, given in options.items():
        if (option, given) != ("reflect_type", "even") or mode not in ("reflect", "symmetric"):
            raise no_option("pad", option, given)
    widths = _widths(pad_width, a.ndim)
    if mode == "constant" and not isinstance(value, Tensor):
        operand(unwrap(value))
        return _pad(a, pad_width=widths, value=value)
    if mode in _PICKED:
        for k, (n, width) in enumerate(zip(a.shape, widths, strict=True)):
            if width != (0, 0):
                a = along(a, k, np.pad(np.arange(n), width, mode=mode))  # type: ignore[call-overload]
        return a[...]
    (a,) = tensors(a)
    if a.dtype.kind != "f":
        return Tensor(np.pad(a.data, widths, mode, **({} if value is None else {name: unwrap(value)})))  # type: ignore[call-overload]
    borders = {"constant": _level, "linear_ramp": _ramp}.get(mode) or _STATISTICS[mode]
    ends = _ends(a, name, value)
    for k, width in enumerate(widths):
        if width != (0, 0):
            if a.shape[k] == 0 and mode != "constant":
                raise ShapeError(
                    "MG-103", f"pad: axis {k} is empty, and mode {mode!r} makes its border of entries."
                )
            left = borders(a, k, width[0], ends[k][0])
            right = np.flip(borders(np.flip(a, k), k, width[1], ends[k][1]), k)
            a = np.concatenate([left, a, right], axis=k)
    return a[...]


def _ends(a: Tensor, option: str, value: Any) -> Any:
    """Return what an option says of both ends of each axis, of all the forms that NumPy takes."""
    if option == "stat_length":
        lengths = np.asarray(unwrap(value))
        if value is not None and (lengths.dtype.kind not in "iu" or (lengths.size and lengths.min() < 1)):
            raise OperationError(
                "MG-215", f"pad: stat_length is a number of entries from 1 on, not {value!r}."
            )
        return np.broadcast_to(lengths, (a.ndim, 2))
    if isinstance(value, Tensor):
        return np.broadcast_to(astype(value, a.dtype), (a.ndim, 2))
    return np.broadcast_to(np.asarray(value, float), (a.ndim, 2)).tolist()


def _level(a: Tensor, k: int, width: int, value: Any) -> Any:
    return np.broadcast_to(value, (*a.shape[:k], width, *a.shape[k + 1 :]))


def _ramp(a: Tensor, k: int, width: int, end: Any) -> Any:
    steps = np.arange(width, dtype=a.dtype, like=unwrap(a)).reshape((width,) + (1,) * (a.ndim - k - 1))
    edge = a[(slice(None),) * k + (slice(0, 1),)]
    return (edge - end) / max(width, 1) * steps + end


def _statistic(reduce: Callable[..., Any]) -> Callable[..., Any]:
    def level(a: Tensor, k: int, width: int, length: int | None) -> Any:
        near = a[(slice(None),) * k + (slice(length),)]
        return _level(a, k, width, reduce(near, axis=k, keepdims=True))

    return level


_STATISTICS = {"maximum": _statistic(np.max), "mean": _statistic(np.mean), "minimum": _statistic(np.min)}


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


def _inner(shape: tuple[int, ...], widths: Sequence[tuple[int, int]]) -> tuple[slice, ...]:
    return tuple(slice(before, before + n) for (before, _), n in zip(widths, shape, strict=True))


registry.functions[np.pad] = pad
