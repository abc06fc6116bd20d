"""How a call of a NumPy function, in any form that its signature allows, reaches the operation that stands for it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import numpy as np

from minigrad import backend, registry, words
from minigrad.backend import Array
from minigrad.errors import OperationError
from minigrad.rules import Primitive
from minigrad.variable import Variable

_INSTEAD: dict[str, str] = words.OPTIONS | {
    # an option of a NumPy function that no gradient rule knows: what to write
    "casting": "Cast the input first: t.astype('float32').",
    "copy": "Leave it out: a result is a tensor of its own.",
    "device": "Move it: t.to('cpu').",
    "mode": "It can be 'constant', 'edge', 'linear_ramp', 'maximum', 'mean', 'minimum', 'reflect', "
    "'symmetric' or 'wrap'.",
    "order": "Write 'C', row by row, or 'F', column by column: what NumPy's others ask for is a place in memory.",
    "reflect_type": "Leave it out: reflections are even.",
    "subok": "Leave it out: a result is a Tensor.",
    "where": "Put what changes nothing where it is False: np.where(condition, t, 0).",
}


def no_option(function: str, option: str, value: Any) -> OperationError:
    """Return the error for an option of a NumPy function that its operation does not have."""
    return OperationError(
        "MG-214",
        f"np.{function}(tensor, {option}={short(value)}): no gradient rule of minigrad's knows this {option!r}. "
        f"{_INSTEAD.get(option, 'Leave it out.')} Where no gradient is needed, work on t.numpy().",
    )


def in_all_forms(
    function: Callable[..., Any], run: Callable[..., Any], names: Sequence[str], inputs: int
) -> Callable[..., Any]:
    """Return what runs ``run`` for a call of ``function``, given as NumPy's signature has it.

    ``names`` are those of ``run``'s arguments, the ``inputs`` first ones under whatever name NumPy gives them.
    Arguments that NumPy has and ``run`` has not are dropped where they ask for nothing, and refused by name elsewhere.
    """
    try:
        signature = inspect.signature(function)
    except ValueError:  # a function in C, in some releases of NumPy
        return run
    if any(p.kind is p.VAR_POSITIONAL for p in signature.parameters.values()):
        return run  # which takes what NumPy takes
    theirs = [p.name for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
    ours = dict(zip(theirs[:inputs], names, strict=False)) | {name: name for name in names[inputs:]}
    ours |= {alias: name for alias, name in _ALIASES.items() if name in names}
    shared = 0
    while shared < min(len(theirs), len(names)) and ours.get(theirs[shared]) == names[shared]:
        shared += 1
    own = frozenset(names)

    @wraps(run, ("__name__", "__doc__"), ())
    def call(*args: Any, **kwargs: Any) -> Any:
        if len(args) <= shared and own.issuperset(kwargs):
            return run(*args, **kwargs)
        given: dict[str, Any] = {}
        for name, value in signature.bind(*args, **kwargs).arguments.items():
            if name not in theirs:  # **kwargs: any option by its name
                given |= value
            else:
                given[name] = value
        for name in list(given):
            if name not in ours and _asks_for_nothing(given[name], signature.parameters.get(name)):
                del given[name]
        for name, value in given.items():
            if name not in ours:
                further = registry.find(registry.fuller, function)
                if further is not None and further is not call:
                    return further(*args, **kwargs)
                raise no_option(function.__name__, name, value)
        taken = {ours[name]: value for name, value in given.items() if value is not _NO_VALUE}
        leading = [taken.pop(name) for name in names[:inputs] if name in taken]
        return run(*leading, **taken)

    return call


_ALIASES = {"correction": "ddof"}
_NO_VALUE = np._NoValue


def _asks_for_nothing(value: Any, parameter: inspect.Parameter | None) -> bool:
    """Tell whether an option has the value that it has anyway."""
    if value is None or value is _NO_VALUE:
        return True
    default = None if parameter is None else parameter.default
    if isinstance(value, (bool, np.bool_)) and parameter is not None and parameter.name == "where":
        return bool(value)
    return type(value) is type(default) and isinstance(value, (bool, str, int)) and value == default


def short(value: Any) -> str:
    """Return how ``value`` is written, where that is short."""
    text = repr(value)
    return text if len(text) <= 30 and "\n" not in text else "…"


def bind(operation: Primitive, args: tuple[Any, ...], params: dict[str, Any]) -> tuple[Any, ...]:
    """Sort out an operation's parameters that were given by position, and inputs that were given by name."""
    further = args[len(operation.inputs) :]
    by_position = list(zip(operation.params, further, strict=False))
    if len(further) > len(operation.params) or any(name in params for name, _ in by_position):
        raise OperationError(
            "MG-215", f"{operation.name} got too many arguments: {usage(operation, len(args), params)}"
        )
    params.update(by_position)
    args = args[: len(operation.inputs)]
    for name in operation.inputs[len(args) :]:
        if name in params:
            args += (params.pop(name),)
    return args


def usage(operation: Primitive, count: int, params: dict[str, Any]) -> str:
    """Say what an operation takes, beside what it was given."""
    by_name = "".join(f" and {name}=" for name in params)
    defaults = (f"{name}={short(value)}" for name, value in operation.params.items())
    takes = ", ".join([*operation.inputs, *defaults])
    return f"it takes {takes or 'arrays'}; it was given {count} by position{by_name}."


def listed(numbers: Any, operation: Primitive, inputs: tuple[Any, ...]) -> Array:
    """Return a list of numbers as an array: beside a tensor of floats in its dtype, as a single number would be."""
    array = backend.as_array(numbers)
    if array.dtype.kind in "iuf" and (operation.differentiable or isinstance(operation.forward, np.ufunc)):
        i = next(i for i, x in enumerate(inputs) if x is numbers)
        floats = [x._data.dtype for x in inputs if isinstance(x, Variable) and x._data.dtype.kind == "f"]
        if floats and (operation.rule(i) is not None or not operation.differentiable):
            return backend.as_array(numbers, np.result_type(*floats))
    return array
