"""Operations that the array's library computes by its module of special functions: ``scipy.special``, or CuPy's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np

from minigrad import messages
from minigrad.backend import backend_of, device_of, special
from minigrad.errors import OperationError
from minigrad.operation import Operation, define
from minigrad.ops.half import wide
from minigrad.rules import Formula
from minigrad.symbols.expression import Formal, named

Rule = Callable[..., Any] | tuple[Formula, Callable[..., Any]]


def from_library(
    name: str,
    *rules: Rule,
    inputs: str = "a",
    formula: str | tuple[str, Callable[..., Any]] | None = None,
    function: str | None = None,
) -> Operation:
    """Define an operation that the library's ``function`` (of the same name, as a rule) computes, and its rules.

    float16 goes through float32, and a Python number beside float32 does not widen it. Raises OperationError MG-611
    where the library has no such function.

    """
    called = f"{name} {inputs}" if " " not in inputs else f"{name}({', '.join(inputs.split())})"
    return define(name, library_function(function or name), formula or called, *rules, inputs=inputs)


def one_of_several(name: str, k: int, formula: str, *rules: Rule, inputs: str = "a") -> Operation:
    """Define the operation that is the result number ``k`` of a function of several results."""
    every, own_name = library_function(name), f"{name}_{k}"
    forward = named(own_name)(lambda *arrays: every(*arrays)[k])
    return define(own_name, forward, formula, *rules, inputs=inputs)


def library_function(name: str) -> Callable[..., Any]:
    """Return what finds the function of this name in the library of the arrays that it is given."""

    @named(name)
    def compute(*arrays: Any) -> Any:
        array = next((a for a in arrays if backend_of(a) is not None), arrays[0])
        library = special(array)
        function = getattr(library, name, None)
        if function is None:
            raise missing_function(name, library.__name__, device_of(array))
        dtype = _narrow(arrays)
        if dtype is None:
            return function(*arrays)
        result = function(*map(wide, arrays))
        return tuple(r.astype(dtype) for r in result) if isinstance(result, tuple) else result.astype(dtype)

    return compute


def _narrow(arrays: Sequence[Any]) -> np.dtype[Any] | None:
    """The dtype below float64 that arrays of floats have, beside Python's numbers; None where there is none such."""
    dtypes = [a.dtype for a in arrays if hasattr(a, "dtype") and not isinstance(a, Formal)]
    if not dtypes or any(dtype.kind != "f" for dtype in dtypes):
        return None
    dtype = np.result_type(*dtypes)
    return dtype if dtype.itemsize < 8 else None


def missing_function(name: str, library: str, device: str) -> OperationError:
    """Return the error for a function that a device's library of special functions lacks."""
    return OperationError("MG-611", messages.not_in_library(name, library, device))


def refused(function: str, argument: str) -> tuple[str, Callable[..., NoReturn]]:
    """Return the rule for an argument in which there is no derivative: it raises OperationError MG-610."""

    def rule(g: Any) -> NoReturn:
        raise OperationError("MG-610", messages.no_derivative_in(function, argument))

    return f"none: no formula gives the derivative in {argument}", rule
