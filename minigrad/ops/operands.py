"""What functions that are made of operations do with their arguments before they begin."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from minigrad import backend
from minigrad.errors import AxisError, OperationError
from minigrad.ops.reduce import plain
from minigrad.tensor import Tensor, unwrap


def tensors(*values: Any) -> list[Tensor]:
    """Return all as tensors; numbers and lists beside tensors of floats have their dtype and lie where they do."""
    there = [x for x in values if isinstance(x, Tensor)]
    floats = [x.dtype for x in there if x.dtype.kind == "f"]
    made = []
    for x in values:
        if isinstance(x, Tensor):
            made.append(x)
            continue
        array = backend.as_array(x)
        if there and backend.backend_of(x) is None:
            dtype = np.result_type(*floats) if floats and array.dtype.kind in "iuf" else array.dtype
            if array.ndim == 0:
                array = np.full_like(there[0]._data, x, dtype=dtype, shape=())  # made where the tensor lies
            else:
                array = backend.to_device(backend.as_array(x, dtype), there[0].device)
        made.append(Tensor(array))
    return made


def place(function: str, a: Any, axis: Any) -> int:
    """Return an axis of ``a`` counted from the first; MG-216 where there is no such axis, MG-215 for what is none."""
    try:
        k = operator.index(unwrap(axis))
    except TypeError as error:
        raise OperationError("MG-215", f"{function}: an axis is an integer, not {axis!r}.") from error
    if not -a.ndim <= k < a.ndim:
        raise AxisError("MG-216", f"{function} of shape {a.shape}: there is no axis {k}.")
    return int(k % a.ndim)


def along(a: Tensor, axis: int, index: Any) -> Tensor:
    """Pick along one axis; an index that was worked out on the host goes to another device as a list."""
    if isinstance(index, np.ndarray) and a.device != "cpu":
        index = index.tolist()
    return a[(slice(None),) * axis + (index,)]


def whole(value: Any) -> tuple[int, ...]:
    """Return one whole number or a sequence of them as a tuple, whatever form they come in."""
    numbers = plain(unwrap(value))
    return numbers if isinstance(numbers, tuple) else (operator.index(numbers),)  # type: ignore[arg-type]


def on_host(index: Any) -> Any:
    """Return places that were given as numbers, a list or a Tensor as an array on the host; a slice as it is."""
    if isinstance(index, slice):
        return index
    places = backend.to_numpy(index.data) if isinstance(index, Tensor) else np.asarray(unwrap(index))
    return places if places.size else places.astype(int)  # an empty list is one of floats
