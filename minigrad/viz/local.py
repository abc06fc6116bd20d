"""Local derivatives of operations that work entry by entry, and the axes over which a gradient was summed."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from minigrad import backend
from minigrad.rules import Primitive
from minigrad.symbols import Symbol, trace
from minigrad.tape import Step
from minigrad.tensor import Tensor
from minigrad.viz.update_rows import host


@cache
def is_entrywise(operation: Primitive) -> bool:
    """Tell whether each entry of the result is made from one entry of each input: its formula takes symbols."""
    given = [Symbol(name) for name in operation.inputs]
    params = {name: Symbol(name, scalar=True) for name in operation.params}
    try:
        (result,) = trace(operation.textbook or operation.forward, *given, **params).results
    except Exception:  # a function of the user's may do anything with symbols
        return False
    return bool(given) and not result.scalar


def local_derivative(step: Step) -> Any:
    """Return d(result)/d(input), entry by entry and of the result's shape: the rule for a gradient of ones.

    None where the operation does not work entry by entry.
    """
    if not is_entrywise(step.record.operation):
        return None
    ones = np.ones_like(_bare(step.incoming))
    return host(np.broadcast_to(backend.to_numpy(_part(step, ones)), ones.shape))


def stretched_axes(step: Step) -> tuple[int, ...]:
    """Return the axes of the rule's gradient that the walk sums, since broadcasting had stretched the input there."""
    return stretched(np.shape(_part(step, _bare(step.incoming))), step.input.shape)


def stretched(made: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the axes of ``made`` along which an array of ``shape`` was repeated."""
    extra = len(made) - len(shape)
    return tuple(range(extra)) + tuple(
        extra + axis for axis, length in enumerate(shape) if length == 1 and made[extra + axis] != 1
    )


def _part(step: Step, g: Any) -> Any:
    rule = step.record.operation.rule(step.position)
    assert rule is not None
    arrays = (*step.record.arrays, *step.record.saved)
    return rule(step.position, g, step.record.value, arrays, step.record.params)


def _bare(array: Any) -> Any:
    return array.data if isinstance(array, Tensor) else array
