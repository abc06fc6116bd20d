"""How an entry came about, as an expression: the operation's own function, or its rule, is run on symbols."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from minigrad.operation import Operation
from minigrad.source import sealed
from minigrad.symbols import Expression, NoExpression, Number
from minigrad.symbols.meanings import Entries
from minigrad.symbols.terms import leaves, worth
from minigrad.viz.local import stretched
from minigrad.viz.trace import Backward, Forward, Node, Trace

_ROUNDING = 1e-12
"""What may be left of numbers that cancel, in a formula or in the program alone."""


def expression(trace: Trace, event: Forward | Backward, index: tuple[int, ...]) -> Expression:
    """Return the expression of one entry of a result, or of what a rule contributes to a gradient.

    Raises NoExpression, which says what is in the way, where there is none.
    """
    made = trace.formulas.get(event.index)
    if made is None:
        made = _forward(trace, event) if isinstance(event, Forward) else _backward(trace, event)
        trace.formulas[event.index] = made
    if isinstance(made, NoExpression):
        raise made
    tree = made.entry(index)
    value = trace.nodes[event.node].value if isinstance(event, Forward) else event.contribution
    _check(tree, float(value[index]))
    return tree


def _forward(trace: Trace, event: Forward) -> Entries | NoExpression:
    node = trace.nodes[event.node]
    operation: Operation = node.definition
    if kept := sealed(operation.textbook or operation.forward):
        return NoExpression(kept)

    def run(params: dict[str, Any]) -> Any:
        given = inputs(trace, node)
        if operation.textbook is not None:
            return operation.textbook(*given, **params)
        made = operation.forward(*given, **params)
        return made[0] if operation.saves else made

    return _run(run, node, node.shape)


def _backward(trace: Trace, event: Backward) -> Entries | NoExpression:
    node = trace.nodes[event.node]
    operation: Operation = node.definition
    rule = operation.rule(event.position)
    assert rule is not None
    if kept := sealed((rule.textbook or rule).function):
        return NoExpression(kept)

    def run(params: dict[str, Any]) -> Any:
        g = Entries.named(f"dL/d{node.name}", event.incoming)
        y, given = Entries.named(node.name, node.value), inputs(trace, node)
        saved = [again(*given, **params) for again in operation.saves.values()]
        part = (rule.textbook or rule)(event.position, g, y, (*given, *saved), params)
        if part.shape == event.contribution.shape:
            return part
        axes = stretched(part.shape, event.contribution.shape)
        return np.sum(part, axis=axes, keepdims=True).reshape(event.contribution.shape)

    return _run(run, node, event.contribution.shape)


def _run(run: Callable[..., Any], node: Node, shape: tuple[int, ...]) -> Entries | NoExpression:
    """Run a function on symbols, with its settings as numbers of the formula, or, where it reads them, as they are."""
    try:
        try:
            made = run({name: _setting(name, value) for name, value in node.params.items()})
        except NoExpression:
            made = run(node.params)
    except NoExpression as error:
        return error
    except Exception as error:  # a function of the user's may do anything
        return NoExpression(f"{type(error).__name__}: {error}")
    found = made if isinstance(made, Entries) else Entries.constant(np.asarray(made))
    return found if found.shape == shape else NoExpression(f"a formula of shape {found.shape}, not {shape}")


def _setting(name: str, value: Any) -> Any:
    if isinstance(value, float):
        return Number(value)
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return Entries.named(name, value) if value.size > 1 else Entries.constant(value)
    return value


def inputs(trace: Trace, node: Node) -> list[Entries | None]:
    """Return what the operation that made a node was given, by the names that it has in the program."""
    return [
        None if array is None else Entries.named(name, array) if name else Entries.constant(array)
        for name, array in named_inputs(trace, node)
    ]


def indices(trace: Trace, node: Node) -> dict[str, Any]:
    """Return the arrays of whole numbers among the inputs, labels say, by their names."""
    given = named_inputs(trace, node)
    return {name: array for name, array in given if name and array is not None and array.dtype.kind in "iu"}


def named_inputs(trace: Trace, node: Node) -> Iterator[tuple[str, Any]]:
    """Yield the name and the numbers of each input; a number that stands in the program has no name."""
    given = node.definition.inputs
    for place, (source, constant) in enumerate(zip(node.inputs, node.constants, strict=True)):
        if source is not None:
            yield trace.nodes[source].name, trace.nodes[source].value
            continue
        known = node.constant_names[place] if place < len(node.constant_names) else None
        called = known or (given[place] if place < len(given) else f"input{place}")
        yield "" if constant is not None and constant.size == 1 else called, constant


def _check(tree: Expression, value: float) -> None:
    """Raise NoExpression where a formula (a textbook's, a user's) comes to something else than the program did."""
    with np.errstate(all="ignore"):
        found = float(worth(tree))
        size = max([abs(value), *(float(np.max(np.abs(worth(leaf)), initial=0)) for leaf in leaves(tree))])
    if np.isfinite(found) and np.isfinite(value) and abs(found - value) > 1e-2 * size + _ROUNDING:
        raise NoExpression(f"the formula comes to {found:g}, the program to {value:g}")
