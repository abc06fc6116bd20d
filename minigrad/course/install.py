"""A student's function in the engine's own table, in the place of the reference; everything else stays as it is.

``rule("tanh", 0, student.tanh_vjp)`` and the others only describe; ``installed`` puts in place what they describe,
where the student's code is, and takes it out again.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
from minigrad_kernels.launch import kernels

from minigrad import modes, registry
from minigrad.course.walking import assembled
from minigrad.rules import Primitive, Rule
from minigrad.tensor import Tensor

Description = tuple[Any, ...]
Function = Callable[..., Any]


def rule(operation: str, i: int, function: Any, takes: str = "") -> Description:
    """``function`` as the operation's gradient rule for input ``i``.

    ``takes`` says what it is given, in order, by the names of ``mg.define``, inputs before parameters: ``"g a_shape"``.
    The function may call it what it likes. Without, its parameters say it.
    """
    return ("rule", operation, i, function, takes)


def forward(operation: str, function: Any) -> Description:
    """``function`` as what the operation of that name computes."""
    return ("forward", operation, function)


def method(name: str, function: Any) -> Description:
    """``function`` as the method of that name of every Tensor; ``"backward"`` is the walk."""
    return ("method", name, function)


def piece(name: str, function: Any) -> Description:
    """``function`` as one of the four pieces of ``backward()``: seed, order, walk or deposit (see ``walking.py``)."""
    return ("piece", name, function)


def kernel(name: str, function: Any) -> Description:
    """``function`` as the kernel of that name, in every implementation of the processor."""
    return ("kernel", name, function)


def unbroadcast(function: Any) -> Description:
    """``function(g, shape)`` behind every rule of add, subtract, multiply, divide, power, maximum and minimum."""
    return ("unbroadcast", function)


@contextmanager
def installed(descriptions: Sequence[Description]) -> Iterator[None]:
    """Put in place what is described, for the ``with`` block, in which no operation stands for two of the table."""
    with ExitStack() as stack:
        stack.enter_context(modes.unfused())
        for kind, *arguments in descriptions:
            stack.enter_context(_KINDS[kind](*arguments))
        yield


@contextmanager
def _rule(name: str, i: int, function: Function, takes: str) -> Iterator[None]:
    operation = registry.operations[name]
    rules = list(operation.rules)
    rules[i] = _made(operation, i, function, takes.split() or [*inspect.signature(function).parameters])
    with _refitted(operation, operation.forward, rules):
        yield


@contextmanager
def _forward(name: str, function: Function) -> Iterator[None]:
    operation = registry.operations[name]

    def theirs(*args: Any, **params: Any) -> Any:
        return _array(function(*args, **params))

    new = function if isinstance(function, np.ufunc) else theirs
    with _refitted(operation, new, operation.rules):
        yield


@contextmanager
def _refitted(operation: Primitive, forward: Function, rules: Sequence[Rule | None]) -> Iterator[None]:
    """Make the operation anew in its place, so that whoever holds it has the new one."""
    before = operation.forward, operation.rules, operation.joint_vjp, operation.textbook
    textbook = operation.textbook if forward is operation.forward else None
    # no kernel that would give all gradients without asking the rules
    _refit(operation, forward, rules, None, textbook)
    try:
        yield
    finally:
        _refit(operation, *before)


def _refit(
    operation: Primitive,
    forward: Function,
    rules: Sequence[Rule | None],
    joint_vjp: Function | None,
    textbook: Function | None,
) -> None:
    o = operation
    o.__init__(  # type: ignore[misc]
        o.name,
        forward,
        o.formula,
        rules,
        o.inputs,
        o.params,
        variadic=o.variadic,
        saves=o.saves,
        joint_vjp=joint_vjp,
        explain=o.explain,
        textbook=textbook,
    )


def _made(operation: Primitive, i: int, function: Function, takes: Sequence[str]) -> Rule:
    def theirs(*args: Any, **params: Any) -> Any:
        return _array(function(*args, *(params[name] for name in takes if name in params)))

    theirs.__signature__ = _signature(takes)  # type: ignore[attr-defined]
    return Rule(
        f"{operation.name}_vjp_{i}",
        "the student's",
        theirs,
        inputs=operation.inputs,
        params=operation.params,
        saves=tuple(operation.saves),
        variadic=operation.variadic,
    )


@contextmanager
def _entry(registry: dict[str, Any], name: str, function: Function) -> Iterator[None]:
    before = registry[name]
    registry[name] = function
    try:
        yield
    finally:
        registry[name] = before


@contextmanager
def _method(name: str, function: Function) -> Iterator[None]:
    if name in registry.methods:
        with _entry(registry.methods, name, function):
            yield
        return
    before = getattr(Tensor, name)
    setattr(Tensor, name, function)
    try:
        yield
    finally:
        setattr(Tensor, name, before)


def _piece(name: str, function: Function) -> Any:
    return _method("backward", assembled(**{name: function}))


@contextmanager
def _kernel(name: str, function: Function) -> Iterator[None]:
    import minigrad_kernels.update_rules  # noqa: F401 (which enters its own)

    one = kernels[name]
    before = one.reference, one.cpu, one.flat, one.parallel
    one.reference, one.cpu, one.flat, one.parallel = function, None, False, None
    try:
        yield
    finally:
        one.reference, one.cpu, one.flat, one.parallel = before


@contextmanager
def _unbroadcast(function: Function) -> Iterator[None]:
    with ExitStack() as stack:
        for name in ("add", "subtract", "multiply", "divide", "power", "maximum", "minimum"):
            operation = registry.operations[name]
            rules = [_behind(operation, i, function) for i in range(len(operation.inputs))]
            stack.enter_context(_refitted(operation, operation.forward, rules))
        yield


def _behind(operation: Primitive, i: int, function: Function) -> Rule:
    before = operation.rules[i]
    assert before is not None
    wanted = list(inspect.signature(before.function).parameters)
    shape = f"{operation.inputs[i]}_shape"

    takes = [*wanted, *([shape] if shape not in wanted else [])]

    def theirs(*values: Any) -> Any:
        offered = dict(zip(takes, values, strict=True))
        undone = _array(function(before.function(*(offered[name] for name in wanted)), offered[shape]))
        if undone.shape != offered[shape]:  # the walk would do it now
            raise ValueError(f"a gradient of shape {undone.shape} was left for an input of {offered[shape]}")
        return undone

    return _made(operation, i, theirs, takes)


def _signature(names: Sequence[str]) -> inspect.Signature:
    return inspect.Signature(
        [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in names]
    )


def _array(value: Any) -> Any:
    """Let the engine have an array where a function returned a list, or a plain number."""
    return np.asarray(value) if type(value) in (list, tuple, int, float) else value


_KINDS: dict[str, Function] = {
    "rule": _rule,
    "forward": _forward,
    "method": _method,
    "piece": _piece,
    "kernel": _kernel,
    "unbroadcast": _unbroadcast,
}
