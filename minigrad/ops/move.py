"""Moving a tensor to another device, with its gradient moving back."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad import backend
from minigrad.backend import Array
from minigrad.operation import Operation, define
from minigrad.ops.elementwise import astype
from minigrad.tensor import Tensor, register_methods


def _move(a: Array, device: str, home: str = "cpu") -> Array:
    return backend.to_device(a, device)  # home is where the gradient goes back to


_to_device: Operation = define(
    "to_device",
    _move,
    "a on another device",
    ("g on a's device", lambda g, device, home: _to_device(g, device=home, home=device)),
    inputs="a",
    params={"device": "cpu", "home": "cpu"},
)


def to(a: Any, target: Any) -> Any:
    """Return ``a`` on another device (``"cpu"``, ``"cuda:0"``) or in another dtype (``"float64"``)."""
    try:
        dtype = np.dtype(target)
    except TypeError:
        home = a.device if isinstance(a, Tensor) else backend.device_of(a)
        return _to_device(a, device=target, home=home)
    return astype(a, dtype=dtype)


register_methods(to=to)
