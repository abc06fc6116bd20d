"""Reverse mode: from f to its gradient, and to the product of a vector with its Jacobian."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from typing import Any, Never

from minigrad import messages, modes
from minigrad.errors import GradientError, OperationError
from minigrad.functional.evaluation import (
    Argnums,
    Evaluation,
    as_tensor,
    checked_outputs,
    companions,
    pulled_back,
    zeros_like,
)
from minigrad.tape import tape, walk
from minigrad.tensor import Tensor, seed

OF_TENSORS = ("create_graph", "retain_graph", "grad_outputs", "allow_unused")
"""Keywords of ``torch.autograd.grad``, which takes Tensors where ``mg.grad`` takes a function."""


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
    if not isinstance(outputs, Tensor):
        raise GradientError(
            "MG-204",
            f"gradients differentiates a Tensor; outputs is {outputs!r:.40}, a {type(outputs).__name__}, which has no "
            "graph. Leave out .item(), float() and .numpy() where it is computed.",
        )
    inputs = (inputs,) if isinstance(inputs, Tensor) else sequence_of(inputs)
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
        return [zeros_like(x) for x in inputs]
    if outputs.requires_grad and outputs._data.size != 1:
        raise GradientError("MG-202", messages.many_differentiated("gradients", outputs.label, outputs.shape))
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
    return [as_tensor(found.get(x), x) for x in inputs]


def sequence_of(inputs: Any) -> tuple[Any, ...]:
    """Return the inputs in a row; GradientError MG-204 where what was given holds them by name, or is no sequence."""
    if isinstance(inputs, Mapping) or hasattr(inputs, "named_parameters"):
        held = "inputs.values()" if isinstance(inputs, Mapping) else "inputs.parameters()"
        raise GradientError(
            "MG-204",
            f"the inputs of gradients are a {type(inputs).__name__}, and its result is a list, in their order. "
            f"Give the Tensors themselves: mg.gradients(outputs, list({held})).",
        )
    return tuple(inputs) if isinstance(inputs, Iterable) else (inputs,)


def value_and_grad(
    f: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False, **others: Never
) -> Callable[..., tuple[Any, Any]]:
    """Return a function that gives f's value and its gradient with respect to the arguments ``argnums``.

    f must return one number, a Tensor (MG-202). The arguments ``argnums`` may be numbers, arrays, Tensors, or dicts,
    lists, tuples and named tuples of these, nested; the gradient is made in the same way, of Tensors of the same
    shapes and dtypes, with zeros where there is no path. A Python float is a number in float64, and so is its
    gradient: 0.1 has no shorter one. (Arrays keep their dtype.) With a tuple of argument numbers the gradient is a
    tuple. With ``has_aux`` f returns a pair, of the number and of what else is wanted; the value is that pair.

    Where an argument, or a tensor that f uses besides, is being differentiated already, as in
    ``mg.grad(mg.grad(f))``, the gradient is recorded too; else nothing of what comes out has a graph.

    Raises DtypeError MG-210 where an argument is no float, OperationError MG-621 where it is no number at all, and
    where f is no function.
    """
    require_function("value_and_grad", f, others)
    positions = (argnums,) if isinstance(argnums, int) else argnums

    @wraps(f)
    def evaluated(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        run = Evaluation(f, args, kwargs, positions)
        run.split(has_aux)
        value = run.output
        if not isinstance(value, Tensor):
            raise GradientError(
                "MG-202",
                f"{run.name} returned {type(value).__name__}; it must return one Tensor. (A number taken out by "
                ".item(), float() or .numpy() has no graph; what comes with it goes by has_aux=True.)",
            )
        if value._data.size != 1:
            raise GradientError(
                "MG-202", messages.many_differentiated("grad", value.label, value.shape, run.name)
            )
        with modes.enable_grad():
            nested = run.is_nested([value])
            found = gradients(value, run.inputs, create_graph=nested, allow_constant=True)
        gradient = run.in_trees(found)
        value = value if nested else value.detach()
        return (
            (value, run.settled(run.aux)) if has_aux else value,
            gradient[0] if isinstance(argnums, int) else tuple(gradient),
        )

    return evaluated


def require_function(transform: str, f: Any, others: Mapping[str, Any]) -> None:
    """Raise OperationError MG-621 where a Tensor was given in the place of f, or a keyword of another library's."""
    if isinstance(f, Tensor) or not others.keys().isdisjoint(OF_TENSORS):
        raise OperationError(
            "MG-621",
            f"{transform} takes a function and gives a function: mg.{transform}(f)(x). For Tensors that were computed "
            "already: dx, = mg.gradients(y.sum(), x, create_graph=True).",
        )
    if others:
        word = next(iter(others))
        hint = " Write argnums, which counts from 0." if word in ("argnum", "wrt") else ""
        raise OperationError(
            "MG-621", f"{transform} has no parameter {word!r}, but argnums and has_aux.{hint}"
        )
    if not callable(f):
        raise OperationError(
            "MG-621", f"{transform} takes a function; it got {f!r:.40}, a {type(f).__name__}."
        )


def grad(
    f: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False, **others: Never
) -> Callable[..., Any]:
    """Return the gradient of f as a function: ``mg.grad(np.sin)(0.0)`` is 1. See ``value_and_grad``.

    With ``has_aux`` it gives a pair, the gradient and what f returned besides. Of NumPy arrays it is what optimizers
    ask for: ``scipy.optimize.minimize(f, x, jac=mg.grad(f))``.
    """
    require_function("grad", f, others)
    evaluated = value_and_grad(f, argnums, has_aux)

    @wraps(f)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        value, found = evaluated(*args, **kwargs)
        return (found, value[1]) if has_aux else found

    return gradient


def vjp(f: Callable[..., Any], *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """Return f's value at the primals, and the function v ↦ v·J, J the Jacobian: reverse mode.

    f may return a Tensor of any shape, or a tree of them; v is made as its value is. The function gives the product for
    each primal, as a tuple; where there is only one, that product itself (as ``torch.func.vjp`` does). It may be called
    as often as one likes, at about the cost of f each time, and is differentiable itself, in v too.
    With ``has_aux`` f returns a pair, and a third thing is returned: its second part.

    Raises OperationError MG-622 where v does not fit f's value.

    Baur & Strassen 1983, "The complexity of partial derivatives"; Griewank & Walther 2008, "Evaluating derivatives",
    section 3.2.
    """
    run = Evaluation(f, primals, {}, range(len(primals)))
    run.split(has_aux)
    places = checked_outputs(run)
    nested = run.is_nested(run.outputs)

    def pull_back(v: Any) -> Any:
        given = companions(run.output, places, v, "the vector for vjp")
        pairs = [(y, g) for (_, y), g in zip(places, given, strict=True) if isinstance(y, Tensor)]
        recording = modes.is_grad_enabled() and (nested or any(g.requires_grad for _, g in pairs))
        with modes.enable_grad():
            found = pulled_back([y for y, _ in pairs], [g for _, g in pairs], run.inputs, recording)
        products = run.in_trees(found)
        return products[0] if len(products) == 1 else tuple(products)

    value = run.settled(run.output)
    return (value, pull_back, run.settled(run.aux)) if has_aux else (value, pull_back)
