"""Functions of single entries as loops, for arrays so small that a call of NumPy's takes longer than its work.

Only those that are rounded alike everywhere, so that the bits are NumPy's.
"""

from __future__ import annotations

from functools import cache
from math import isfinite, sqrt
from typing import Any

import numpy as np

from minigrad_kernels.launch import Loop

LARGEST = 1 << 12
"""Entries up to which these loops pay, since NumPy's use vectors of their own for more."""

of_entry: Any = None  # of single entries, where a loop is compiled


def unary_loop(a: Any, out: Any) -> None:
    """out = of_entry(a)."""
    for i in range(out.size):
        out[i] = of_entry(a[i])


def binary_loop(a: Any, b: Any, out: Any) -> None:
    """out = of_entry(a, b)."""
    for i in range(out.size):
        out[i] = of_entry(a[i], b[i])


def number_left_loop(a: Any, b: Any, out: Any) -> None:
    """out = of_entry(a, b) for a single number a."""
    for i in range(out.size):
        out[i] = of_entry(a, b[i])


def number_right_loop(a: Any, b: Any, out: Any) -> None:
    """out = of_entry(a, b) for a single number b."""
    for i in range(out.size):
        out[i] = of_entry(a[i], b)


def add(a: Any, b: Any) -> Any:  # noqa: D103
    return a + b


def subtract(a: Any, b: Any) -> Any:  # noqa: D103
    return a - b


def multiply(a: Any, b: Any) -> Any:  # noqa: D103
    return a * b


def divide(a: Any, b: Any) -> Any:  # noqa: D103
    return a / b


def square(a: Any) -> Any:  # noqa: D103
    return a * a


def negative(a: Any) -> Any:  # noqa: D103
    return -a


def root(a: Any) -> Any:  # noqa: D103
    return sqrt(a)


def finite(a: Any) -> Any:  # noqa: D103
    return isfinite(a)


def inverse(a: Any) -> Any:  # noqa: D103
    return not a


def none_loop(wrong: Any) -> None:
    """Raise where any entry is true."""
    for i in range(wrong.size):
        if wrong[i]:
            raise ValueError


none = Loop(none_loop, raises=True)

_FUNCTIONS = {
    "np.add": add, "+": add, "np.subtract": subtract, "-": subtract, "np.multiply": multiply, "*": multiply,
    "np.true_divide": divide, "np.divide": divide, "/": divide,
    "np.square": square, "np.negative": negative, "np.sqrt": root, "np.isfinite": finite,
    "~": inverse, "np.invert": inverse, "np.logical_not": inverse,
}  # fmt: skip
_PREDICATES = (finite, inverse)
"""Those whose results are true or false."""


@cache
def _loop(called: Any, how: Any) -> Loop:
    return Loop(how, of_entry=Loop(called))


def find(name: str, arguments: tuple[Any, ...], out: Any) -> tuple[Loop, tuple[Any, ...]] | None:
    """Return the loop for a function on these arguments, and what to call it with; None where there is none.

    ``name`` is the function's as one writes it: ``"np.add"``, ``"+"``. Arrays are C-contiguous, of one shape and float
    dtype, where the function is not about truth; one of two may be a number.
    """
    called = _FUNCTIONS.get("np.negative" if name == "-" and len(arguments) == 1 else name)
    if called is None or not 0 < out.size <= LARGEST or (out.dtype == bool) != (called in _PREDICATES):
        return None
    dtype = getattr(arguments[0], "dtype", None) if called is finite else out.dtype
    if dtype is None or dtype.char not in ("?" if called is inverse else "fd"):
        return None
    flat = []
    for each in arguments:
        if type(each) in (int, float):
            flat.append(dtype.type(each))
        elif isinstance(each, np.ndarray) and each.shape == out.shape and each.dtype == dtype:
            if not each.flags.c_contiguous:
                return None
            flat.append(each.reshape(-1))
        else:
            return None
    arrays = [isinstance(each, np.ndarray) for each in flat]
    how = {
        (True,): unary_loop, (True, True): binary_loop, (False, True): number_left_loop,
        (True, False): number_right_loop,
    }.get(tuple(arrays))  # fmt: skip
    if how is None or len(arguments) != called.__code__.co_argcount or not out.flags.c_contiguous:
        return None
    return _loop(called, how), (*flat, out.reshape(-1))
