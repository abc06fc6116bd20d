"""float16 keeps 11 bits and ends at 65,504: what is summed, counted or centred goes through float32, rounded once."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from minigrad.backend import Array

_HALF = frozenset({np.dtype(np.float16)})


def wide(a: Array) -> Array:
    """Return float16 numbers as float32, and others as they are; a gradient gets its input's dtype in the walk."""
    return a.astype("float32") if getattr(a, "dtype", None) in _HALF else a  # numbers and lists have none


def through_float32(forward: Callable[..., Array]) -> Callable[..., Array]:
    """Let a forward function of one array compute in float32 where the array is of float16, and round its result."""

    @wraps(forward)
    def compute(a: Array, *args: Any, **params: Any) -> Array:
        if getattr(a, "dtype", None) not in _HALF:
            return forward(a, *args, **params)
        return forward(a.astype("float32"), *args, **params).astype("float16")

    return compute
