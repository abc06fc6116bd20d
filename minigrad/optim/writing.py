"""Whether a step can write all that it has to write, and what is said where it cannot: before any number changes."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from minigrad import backend
from minigrad.backend import Array
from minigrad.errors import GradientError, OptimizerError

_HOST = backend.backend_of(np.empty(0))


def plain(array: Array) -> Array:
    """Return a memory-mapped array, or another plain subclass of NumPy's, as the bare array over the same memory."""
    if type(array) is np.ndarray or not isinstance(array, np.ndarray) or isinstance(array, np.ma.MaskedArray):
        return array
    return array.view(np.ndarray) if backend.backend_of(array) is _HOST else array


def misfit(name: str, what: str, theta: Array, other: Array) -> GradientError:
    """The error for an array that does not agree with its parameter ``theta``."""
    described = [f"{a.dtype} of shape {a.shape} on {backend.device_of(a)}" for a in (theta, other)]
    if described[0] == described[1]:
        described = [
            f"a {type(a).__name__}, {text}" for a, text in zip((theta, other), described, strict=True)
        ]
    return GradientError(
        "MG-505",
        f"{name} is {described[0]}, but {what} is {described[1]}. The update works entry by entry, so "
        "they must agree. Convert or move the model before building the optimizer and before backward().",
    )


def read_only(name: str, array: Array) -> OptimizerError:
    """The error for an array that must not be written into."""
    why = (
        "It is a view that broadcasts fewer numbers to its shape"
        if _repeats(array)
        else "It belongs to others"
    )
    fix = f"Give it memory of its own: {name}.data = {name}.numpy().copy()"
    if (file := _file_of(array)) is not None:
        why = f"It lies in the file {file}, which was opened for reading"
        fix = "Open it with mode='c' to change it in memory alone, or 'r+' to change the file, too"
    return OptimizerError(
        "MG-511",
        f"{name}, of shape {array.shape}, is read-only, and step() writes the new numbers into it. {why}. "
        f"{fix}. No parameter was changed.",
    )


def _file_of(array: Array) -> str | None:
    while array is not None:
        if isinstance(array, np.memmap):
            return str(array.filename)
        array = getattr(array, "base", None)
    return None


def _repeats(array: Array) -> bool:
    """Tell whether entries of one array lie on the same bytes: each axis must reach beyond all shorter ones."""
    reach = array.itemsize
    for stride, length in sorted(
        (abs(s), n) for s, n in zip(array.strides, array.shape, strict=True) if n > 1
    ):
        if stride < reach:
            return True
        reach += stride * (length - 1)
    return False


def require_apart(arrays: Iterable[tuple[str, Array]]) -> None:
    """Raise MG-512 where two parameters, or two entries of one, lie on the same memory."""
    spans = []
    for name, array in arrays:
        if not isinstance(array, np.ndarray) or not array.size:
            continue
        if _repeats(array):
            raise _shared(f"entries of {name}, of shape {array.shape} and strides {array.strides},")
        ends = [stride * (length - 1) for stride, length in zip(array.strides, array.shape, strict=True)]
        start = array.__array_interface__["data"][0]
        first, last = start + sum(e for e in ends if e < 0), start + sum(e for e in ends if e > 0)
        spans.append((first, last + array.itemsize, name, array))
    spans.sort(key=lambda span: span[0])
    reaching: list[tuple[int, str, Array]] = []
    for first, end, name, array in spans:
        reaching = [other for other in reaching if other[0] > first]
        for _, other_name, other in reaching:
            if np.shares_memory(array, other):
                raise _shared(f"{other_name} and {name}")
        reaching.append((end, name, array))


def _shared(who: str) -> OptimizerError:
    return OptimizerError(
        "MG-512",
        f"{who} lie on the same memory, so one step would change their numbers more than once. To share weights, use "
        "the one Tensor in both places; otherwise give each memory of its own: Tensor(w.numpy().copy(), "
        "requires_grad=True). No parameter was changed.",
    )
