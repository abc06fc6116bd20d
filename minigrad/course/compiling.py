"""A student's loop as Numba compiles it, for the assignment on kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad_kernels.launch import Loop

_compiled: dict[Any, Callable[..., Any]] = {}


def compiled(function: Any) -> Callable[..., Any]:
    """Return ``function`` compiled; what differs in nothing but its place in a file is compiled once."""
    function = getattr(function, "py_func", function)  # it may be the student who has compiled it
    code, scope = function.__code__, function.__globals__
    around = tuple(id(scope.get(name)) for name in code.co_names)
    key = (code.co_code, repr(code.co_consts), code.co_names, code.co_varnames, around)
    if key not in _compiled:
        _compiled[key] = Loop(function).compiled
    return _compiled[key]
