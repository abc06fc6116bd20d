"""Forward mode: how fast the value of f changes where its arguments change, from the same tape and the same rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad import modes
from minigrad.errors import OperationError
from minigrad.functional.evaluation import Evaluation, checked_outputs, companions, name_of, zeros_like
from minigrad.functional.trees import leaves, rebuilt
from minigrad.records import Record, Version
from minigrad.tape import recorded, walk
from minigrad.tensor import Tensor, wrap


def jvp(f: Callable[..., Any], primals: Any, tangents: Any) -> tuple[Any, Any]:
    """Return f's value at the primals, and J·t, J the Jacobian and t the tangents: forward mode.

    The result is made as f's value is, which may be a Tensor of any shape or a tree of them. ``primals`` is the tuple
    (or list) of f's arguments, numbers, arrays or trees of these, and ``tangents`` is made in the same way; what is
    neither a tuple nor a list is the only argument. Differentiable itself: ``mg.grad`` of it is reverse over forward.

    There is no second set of rules. f runs once, and the tangents go along its tape in a pass of their own. The
    Jacobian of a ufunc is diagonal, so there its rule, which gives g·J, gives J·t of t. Any other rule is linear in g,
    and is transposed where it stands, by walking back through it alone. The other way, to differentiate the whole
    reverse pass in its incoming gradient, gives the same numbers; measured on chains of ufuncs, of products and on
    dense networks it took as long or up to three times as long, since it walks to all inputs and not to g alone.

    Raises OperationError MG-622 where the tangents do not fit the primals.

    Wengert 1964, "A simple automatic derivative evaluation program"; Griewank & Walther 2008, "Evaluating
    derivatives", section 3.1.
    """
    value, push = _linearized(f, arguments(primals), "the tangents for jvp")
    return value, push(*arguments(tangents))


def linearize(f: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[..., Any]]:
    """Return f's value at the primals, and the function t ↦ J·t: ``jvp`` for many tangents, for which f runs once.

    The function takes one tangent for each primal, and keeps f's tape alive. See ``jvp``.
    """
    return _linearized(f, primals, "the tangents for linearize")


def arguments(given: Any) -> tuple[Any, ...]:
    """Return the arguments of a function: a tuple or a list of them, or the only one."""
    if isinstance(given, tuple) and hasattr(given, "_fields"):
        return (given,)
    return tuple(given) if isinstance(given, (tuple, list)) else (given,)


def _linearized(f: Callable[..., Any], primals: tuple[Any, ...], what: str) -> tuple[Any, Callable[..., Any]]:
    run = Evaluation(f, primals, {}, range(len(primals)))
    places = checked_outputs(run)
    inputs = [(path, x) for (path, _), x in zip(leaves(run.trees), run.inputs, strict=True)]
    nested = run.is_nested(run.outputs)

    def push_forward(*tangents: Any) -> Any:
        if len(tangents) != len(primals):
            raise OperationError(
                "MG-622",
                f"{what}: {len(tangents)} were given for the {len(primals)} arguments of {name_of(f)}. "
                "Give one for each; zeros where an argument is held constant.",
            )
        given = companions(run.trees, inputs, list(tangents), what)
        recording = modes.is_grad_enabled() and (nested or any(t.requires_grad for t in given))
        with modes.enable_grad():
            found = pushed_forward(run.outputs, run.inputs, given, recording)
        return rebuilt(run.output, iter(_in_places(places, found)))

    return run.settled(run.output), push_forward


def _in_places(places: list[tuple[str, Any]], found: list[Tensor]) -> list[Any]:
    rest = iter(found)
    return [next(rest) if isinstance(y, Tensor) else np.zeros_like(y, float) for _, y in places]


def pushed_forward(
    outputs: Sequence[Tensor], inputs: Sequence[Tensor], tangents: Sequence[Tensor], create_graph: bool
) -> list[Tensor]:
    """Return Σ d(output)/d(input) · tangent for each output: one pass along the tape, oldest record first."""
    known: dict[Tensor, Any] = dict(zip(inputs, tangents, strict=True))
    for _, y, record in recorded(*outputs, stop=set(inputs)):
        total = None
        for i, x in enumerate(record.inputs):
            if record.tracked[i] and x in known and record.operation.rule(i) is not None:
                part = _pushed(record, i, known[x], y, create_graph)
                total = part if total is None else total + part
        if total is not None:
            known[y] = total
    return [known[y] if y in known else zeros_like(y) for y in outputs]


def _pushed(record: Record, i: int, tangent: Tensor, y: Tensor, create_graph: bool) -> Tensor:
    """Return J·t for input ``i`` of one record, whose rule gives g·J."""
    if is_entrywise(record):
        return _as(y, _pulled(record, i, _like(y, tangent), y, create_graph))
    g = Tensor(np.zeros_like(y._data), requires_grad=True)
    pulled = _pulled(record, i, g, y, create_graph)
    if not pulled.requires_grad:
        return zeros_like(y)
    t = _like(pulled, tangent)
    found: dict[Tensor, Any] = {pulled: t if create_graph else t._data}
    stop = {g, y, *(x for x in record.inputs if isinstance(x, Tensor))}
    for _ in walk(found, retain_graph=True, create_graph=create_graph, stop=stop, watched=False):
        pass
    total = found.get(g)
    if total is None:
        return zeros_like(y)
    return total if isinstance(total, Tensor) else wrap(total, None, Version())


def is_entrywise(record: Record) -> bool:
    """Tell whether each entry of the result comes from one entry of each input, so that Jacobians are diagonal."""
    forward = record.operation.forward
    return isinstance(forward, np.ufunc) and forward.signature is None


def _like(y: Tensor, tangent: Tensor) -> Tensor:
    """Stretch a tangent to where its input was stretched, in the dtype of the result."""
    stretched: Any = tangent if tangent.shape == y.shape else np.broadcast_to(tangent, y.shape)
    return _as(y, stretched)


def _as(like: Tensor, x: Tensor) -> Tensor:
    return x if x.dtype == like.dtype else x.astype(like.dtype)


def _pulled(record: Record, i: int, g: Tensor, y: Tensor, create_graph: bool) -> Tensor:
    """Return g·J for input ``i`` of one record, recorded in g; and in all else under ``create_graph``."""
    operation = record.operation
    record.check_unchanged(i)
    if create_graph or operation.joint_only:
        value, arrays = y, (*record.recorded_inputs(), *record.saved_again())
    else:
        value = wrap(record.value, None, Version())
        kept = zip(
            (*record.arrays, *record.saved), (*record.versions[:-1], *(0 for _ in record.saved)), strict=True
        )
        arrays = tuple(array if version is None else wrap(array, None, Version()) for array, version in kept)
    rule: Any = operation.rule(i)
    if operation.joint_only:
        pulled = operation.joint_vjp({i: rule}, g, value, *arrays, **record.params)[i]  # type: ignore[misc]
    else:
        pulled = rule(i, g, value, arrays, record.params)
    return pulled if isinstance(pulled, Tensor) else Tensor(pulled)
