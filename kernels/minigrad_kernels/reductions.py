"""Sums, means, maxima and the like of the rows of an array, by the loops that NumPy itself has for them.

``np.sum`` adds up pairwise, and how in detail differs from processor to processor. A row is handed to the very loop
that NumPy hands it to, by its address (``ufuncs``), and so the bits are the same.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from minigrad_kernels.launch import Loop
from minigrad_kernels.ufuncs import Inner, call_inner, inner

call: Any = None  # where the loop is compiled

REDUCTIONS = {
    "np.sum": np.add, "np.mean": np.add, "np.prod": np.multiply,
    "np.max": np.maximum, "np.amax": np.maximum, "np.min": np.minimum, "np.amin": np.minimum,
}  # fmt: skip
"""The function of two entries that each is made of."""

_BEGINNINGS: dict[np.ufunc, float] = {np.add: 0.0, np.multiply: 1.0}
"""What a function's reduction begins with; the others begin with a row's first entry."""

Call = tuple[Loop, tuple[Any, ...]]


def reduce_rows_loop(
    a: Any, beginning: Any, begun: int, count: Any, address: int, data: int, room: Any, out: Any
) -> None:
    """out[i] = (a[i, 0] ∘ a[i, 1] ∘ …) / count, where the loop of ∘ lies at an address.

    It begins with ``beginning``, or, where one entry has ``begun``, with that. ``room`` is where the loop finds its
    operands' addresses, the count of entries, and the bytes from one to the next.
    """
    rows, columns = a.shape
    words = room.ctypes.data
    room[3] = columns - begun
    room[4], room[5], room[6] = 0, a.itemsize, 0
    for i in range(rows):
        out[i] = a[i, 0] if begun else beginning[0]
        room[0] = room[2] = out.ctypes.data + i * out.itemsize
        room[1] = a.ctypes.data + (i * columns + begun) * a.itemsize
        call(address, words, words + 24, words + 32, data)
        out[i] = out[i] / count


@cache
def _loop() -> Loop:
    return Loop(reduce_rows_loop, call=call_inner)


def reducing(name: str, a: Any, out: Any) -> Call | None:
    """Return the loop for a reduction over an array's last axes, those that ``out`` has not, and what to call it with.

    ``name`` is the function's as one writes it, such as ``"np.sum"``. The arrays lie in one piece and are of one float
    dtype. None where there is no such loop, or where NumPy goes another way, which is tried with other numbers.
    """
    dtype = a.dtype
    if (
        (function := REDUCTIONS.get(name)) is None
        or not (a.size and a.flags.c_contiguous and out.flags.c_contiguous)
        or dtype != out.dtype
        or dtype.char not in "fd"
        or (found := inner(function, (dtype, dtype))) is None
        or not _is_numpys(name, out.size, a.size // out.size, dtype)
    ):
        return None
    return _loop(), _arguments(name, found, a.reshape(out.size, -1), out.reshape(-1))


def _arguments(name: str, found: Inner, a: Any, out: Any) -> tuple[Any, ...]:
    first = _BEGINNINGS.get(REDUCTIONS[name])
    beginning = np.full(1, first or 0.0, a.dtype)
    count = a.dtype.type(a.shape[1] if name == "np.mean" else 1)
    return a, beginning, int(first is None), count, found.address, found.data, np.zeros(7, np.int64), out


@cache
def _is_numpys(name: str, rows: int, columns: int, dtype: np.dtype[Any]) -> bool:
    """Tell whether the loop has NumPy's bits for arrays of this shape."""
    found = inner(REDUCTIONS[name], (dtype, dtype))
    assert found is not None
    a = np.random.default_rng(0).standard_normal((rows, columns)).astype(dtype)
    out = np.empty(rows, dtype)
    _loop().compiled(*_arguments(name, found, a, out))
    return bool(out.tobytes() == getattr(np, name[3:])(a, axis=1).tobytes())
