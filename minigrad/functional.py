"""Functions of functions: from f to its gradient, as many times over as one likes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import numpy as np

from minigrad import modes
from minigrad.errors import GradientError
from minigrad.operation import define
from minigrad.records import Version
from minigrad.tape import tape, walk
from minigrad.tensor import Tensor, seed, wrap

Argnums = int | tuple[int, ...]

_alias = define("alias", lambda a: a[...], "a, under another name", lambda g: g, inputs="a")


def gradients(
    outputs: Tensor,
    inputs: Tensor | Sequence[Tensor],
    *,
    create_graph: bool = False,
    allow_constant: bool = False,
) -> list[Tensor]:
    """Return d(outputs)/d(input) for each input without touching any ``.grad``; zeros where there is no path.

    ``outputs`` must be a single number (MG-202), and require a gradient like every input (MG-204): what was not
    recorded is not zero. With ``allow_constant`` outputs that require none have zeros too. The graph is kept.
    """
    inputs = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    for i, x in enumerate(inputs):
        if not isinstance(x, Tensor):
            raise GradientError(
                "MG-204",
                f"input {i} of gradients is {x!r:.40}, and no Tensor: no path to it was recorded. Give the Tensors "
                "that the outputs were computed from.",
            )
        if not x.requires_grad:
            raise GradientError(
                "MG-204",
                f"input {i} of gradients, {x.label}, does not require a gradient, so no path to it was recorded. "
                "Write x.requires_grad_() before the forward pass.",
            )
    if allow_constant and not outputs.requires_grad:
        return [Tensor(np.zeros_like(x.data)) for x in inputs]
    found = {outputs: seed(outputs, None, create_graph)}
    for _ in walk(found, retain_graph=True, create_graph=create_graph, stop=inputs, watched=False):
        pass
    for i, x in enumerate(inputs):
        if x not in found and any(x is y for record in tape(outputs) for y in record.inputs):
            raise GradientError(
                "MG-204",
                f"input {i} of gradients, {x.label}, was used before it required a gradient, so no path to it was "
                "recorded. Write x.requires_grad_() before the forward pass.",
            )
    return [_as_tensor(found.get(x), x) for x in inputs]


def _as_tensor(gradient: Any, x: Tensor) -> Tensor:
    if gradient is None:
        return Tensor(np.zeros_like(x.data))
    return gradient if isinstance(gradient, Tensor) else wrap(gradient, None, Version())


def value_and_grad(f: Callable[..., Tensor], argnums: Argnums = 0) -> Callable[..., tuple[Tensor, Any]]:
    """Return a function that gives f's value and its gradient with respect to the arguments ``argnums``.

    f must return one number (MG-202). Arguments may be numbers, arrays or Tensors; where one of them, or a
    tensor that f uses besides them, is being differentiated already, as in ``mg.grad(mg.grad(f))``, the gradient
    is recorded too. With a tuple of argument numbers the gradient is a tuple.
    """
    positions = (argnums,) if isinstance(argnums, int) else argnums

    @wraps(f)
    def evaluated(*args: Any, **kwargs: Any) -> tuple[Tensor, Any]:
        arguments = list(args)
        outer = modes.is_grad_enabled()
        for k in positions:
            x = args[k] if isinstance(args[k], Tensor) else Tensor(args[k])
            if x.requires_grad and outer:
                arguments[k] = _alias(x)  # to tell f's own uses of x apart from this argument
            else:
                arguments[k] = Tensor(x.data, requires_grad=True, name=x.name)
        with modes.enable_grad():
            value = f(*arguments, **kwargs)
            if not isinstance(value, Tensor):
                raise GradientError(
                    "MG-202", f"{f.__name__} returned {type(value).__name__}; it must return one Tensor."
                )
            differentiated = [arguments[k] for k in positions]
            nested = outer and not _leaves(value) <= set(differentiated)
            found = gradients(value, differentiated, create_graph=nested, allow_constant=True)
        return (value if nested else value.detach()), (found[0] if isinstance(argnums, int) else tuple(found))

    return evaluated


def _leaves(value: Tensor) -> set[Tensor]:
    """The leaves that require a gradient and on which ``value`` depends."""
    inputs = (x for record in tape(value) for x in record.inputs)
    return {x for x in (value, *inputs) if isinstance(x, Tensor) and x.requires_grad and x.is_leaf}


def grad(f: Callable[..., Tensor], argnums: Argnums = 0) -> Callable[..., Any]:
    """Return the gradient of f as a function: ``mg.grad(np.sin)(0.0)`` is 1. See ``value_and_grad``."""
    evaluated = value_and_grad(f, argnums)

    @wraps(f)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        return evaluated(*args, **kwargs)[1]

    return gradient
