"""Local derivatives of operations that work entry by entry, and the axes over which a gradient was summed."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad import backend
from minigrad.rules import Primitive
from minigrad.tape import Step
from minigrad.tensor import Tensor
from minigrad.viz.update_rows import host

ENTRYWISE = frozenset(
    ("relu", "leaky_relu", "sigmoid", "softplus", "normal_cdf", "gelu", "clip", "where", "astype", "dropout")
)
"""Operations beside NumPy's ufuncs whose result depends, entry by entry, on one entry of each input."""


def is_entrywise(operation: Primitive) -> bool:
    """Tell whether each entry of the result is made from one entry of each input."""
    return isinstance(operation.forward, np.ufunc) or operation.name in ENTRYWISE


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
    operation, shape = step.record.operation, step.input.shape
    rule = operation.rule(step.position)
    assert rule is not None
    if is_entrywise(operation) or operation.name == "broadcast_to":
        made = step.output.shape
    elif operation.name == "matmul":
        shape = shape[:-2]
        made = np.broadcast_shapes(*(array.shape[:-2] for array in step.record.arrays))
    elif (rule.function.__module__ or "").startswith("minigrad."):
        made = shape
    else:  # a user's own operation, of which nothing else is known
        made = _part(step, _bare(step.incoming)).shape
    extra = len(made) - len(shape)
    return tuple(range(extra)) + tuple(
        extra + axis for axis, length in enumerate(shape) if length == 1 and made[extra + axis] != 1
    )


def _part(step: Step, g: Any) -> Any:
    rule = step.record.operation.rule(step.position)
    assert rule is not None
    return rule(step.position, g, step.record.value, step.record.arrays, step.record.params)


def _bare(array: Any) -> Any:
    return array.data if isinstance(array, Tensor) else array
