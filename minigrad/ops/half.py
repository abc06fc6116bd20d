"""float16 keeps 11 bits and ends at 65,504: what is summed, counted or centred goes through float32, rounded once."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from minigrad.backend import Array


def _is_half(a: Array) -> bool:
    dtype = getattr(a, "dtype", None)  # which numbers and lists have none of
    return dtype is not None and dtype.char == "e"


def wide(a: Array) -> Array:
    """Return float16 numbers as float32, and others as they are; a gradient gets its input's dtype in the walk."""
    return a.astype("float32") if _is_half(a) else a


def through_float32(forward: Callable[..., Array]) -> Callable[..., Array]:
    """Let a forward function of one array compute in float32 where the array is of float16, and round its result."""

    @wraps(forward)
    def compute(a: Array, *args: Any, **params: Any) -> Array:
        if not _is_half(a):
            return forward(a, *args, **params)
        return forward(a.astype("float32"), *args, **params).astype("float16")

    return compute
