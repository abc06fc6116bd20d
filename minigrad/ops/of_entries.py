"""Operations of single entries that run as one loop, made from their own formula and rule."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Container
from typing import Any, NamedTuple

import numpy as np
from minigrad_kernels import activations

from minigrad.backend import Array
from minigrad.operation import Operation, define
from minigrad.ops.half import through_float32, wide
from minigrad.rules import Formula


class Formulas(NamedTuple):
    """What an operation computes, its gradient, and the names of its settings."""

    forward: Callable[..., Array]
    backward: Callable[..., Array]
    settings: tuple[str, ...]


FORMULAS: dict[str, Formulas] = {}
"""Of each operation that is defined here; ``python -m minigrad.ops.generate`` makes the kernels of them."""


def _run(kernel: Any, function: Callable[..., Any], arrays: tuple[Any, ...], settings: dict[str, Any]) -> Any:
    """Run the kernel; and the function itself where it would run its reference, on an array library's own functions."""
    kind = type(arrays[-1])
    if (
        kind is np.ndarray
        or hasattr(kind, "__kernel__")
        or kernel.pick(*arrays, *settings.values()) is not kernel.reference
    ):
        return kernel(*arrays, *settings.values())
    return function(*arrays, **settings)


def activation(
    name: str,
    computed: Callable[..., Array],
    formula: str | tuple[str, Callable[..., Any]],
    rule: Callable[..., Array] | tuple[Formula, Callable[..., Array]],
    params: dict[str, float] | None = None,
) -> Operation:
    """Define an operation of one input, a, as ``define`` does, with kernels for bare arrays.

    ``computed`` is what the forward kernel is made from; the rule is what the backward kernel is made from, and what a
    derivative of it goes through.
    """
    function = rule[1] if isinstance(rule, tuple) else rule
    defaults = params or {}
    forward, backward = (activations.KERNELS.get(f"{name}_{part}") for part in ("forward", "backward"))
    reads_result = "y" in inspect.signature(function).parameters

    def compute(a: Array, **given: Any) -> Any:
        return _run(forward, computed, (a,), defaults | given if given else defaults)

    def gradient(_: Container[int], g: Array, y: Array, a: Array, **given: Any) -> tuple[Any]:
        return (_run(backward, function, (wide(g), wide(y if reads_result else a)), given),)

    text = formula if isinstance(formula, tuple) else (formula, computed)
    operation = define(
        name, through_float32(compute), text, rule, inputs="a", params=params, joint_vjp=gradient
    )
    operation.computed = computed
    FORMULAS[name] = Formulas(computed, function, tuple(defaults))
    return operation
