"""Functions of functions: from f to its gradient, as many times over as one likes."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from minigrad import modes
from minigrad.errors import GradientError
from minigrad.operation import define
from minigrad.tape import gradients, tape
from minigrad.tensor import Tensor

Argnums = int | tuple[int, ...]

_alias = define("alias", lambda a: a[...], "a, under another name", lambda g: g, inputs="a")


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
                arguments[k] = _alias(x)  # so that f's own uses of x are told from this argument
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
