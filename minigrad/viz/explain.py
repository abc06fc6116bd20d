"""How one entry of a recorded array came about: first in symbols, then with its numbers."""

from __future__ import annotations

import operator
from typing import Any, NamedTuple

from minigrad.symbols import Call, Expression, NoExpression, Number
from minigrad.symbols.expression import COMPARISONS
from minigrad.symbols.terms import worth
from minigrad.viz import update_entries
from minigrad.viz.entries import Index, Pair, pair, simple
from minigrad.viz.formulas import expression, indices
from minigrad.viz.numbers import enclosed, entry, show
from minigrad.viz.trace import AccumulateGrad, Backward, Event, Forward, NewLoss, Seed, Trace


class Explanation(NamedTuple):
    """An entry's formula in symbols, and the same with numbers: ``y[0] = w · x[0]``, ``= 2 · 0.3 = 0.6``.

    An update has one line for each line of the optimizer's formula, in both.
    """

    symbols: str
    numbers: str


def explain(trace: Trace, event: Event | int, index: int | tuple[int, ...] = ()) -> Explanation:
    """Explain one entry of what an event produced.

    ``index`` points into the node's value for a ``Forward``, the gradient for a ``Seed``, the input's gradient for a
    ``Backward``, ``.grad`` for an ``AccumulateGrad``, the parameter for an ``Update`` and the loss for a ``NewLoss``;
    ``()`` is a single number. Numbers have four significant digits; of a sum of more than four terms, the three
    largest and the sum of the others are written. Raises IndexError where there is no such entry.
    """
    event = trace.events[event] if isinstance(event, int) else event
    place = (index,) if isinstance(index, int) else tuple(operator.index(i) for i in index)
    place = _checked(place, _shape(trace, event))
    if isinstance(event, Forward):
        return _forward(trace, event, place)
    if isinstance(event, Seed):
        return _seed(trace, event, place)
    if isinstance(event, Backward):
        return _backward(trace, event, place)
    if isinstance(event, AccumulateGrad):
        return _accumulate_grad(trace, event, place)
    if isinstance(event, NewLoss):
        return _new_loss(trace, event)
    name = update_entries.name_in(event.rows, trace.nodes[event.node].name)
    pairs = update_entries.lines(event.rows, place, name)
    return Explanation("\n".join(p.symbols for p in pairs), "\n".join(p.numbers for p in pairs))


def _shape(trace: Trace, event: Event) -> tuple[int, ...]:
    return trace.nodes[event.input if isinstance(event, Backward) else event.node].shape


def _checked(index: Index, shape: tuple[int, ...]) -> Index:
    if len(index) != len(shape) or any(not -n <= i < n for i, n in zip(index, shape, strict=True)):
        raise IndexError(f"there is no entry {index} in shape {shape}")
    return tuple(i % n for i, n in zip(index, shape, strict=True))


def _forward(trace: Trace, event: Forward, index: Index) -> Explanation:
    node = trace.nodes[event.node]
    value = show(node.value[index])
    try:
        found = pair(expression(trace, event, index), indices(trace, node))
    except NoExpression:
        found = Pair(f"{node.operation}: {node.formula}", value)
    return _told(entry(node.name, index), found, value)


def _seed(trace: Trace, event: Seed, index: Index) -> Explanation:
    value = show(event.gradient[index])
    name = trace.nodes[event.node].name
    left = entry(f"dL/d{name}", index)
    if event.gradient.size == 1 and float(event.gradient.item()) == 1:
        return Explanation(f"{left}, the derivative of L = {name} by itself", "= 1")
    return Explanation(f"{left}, the gradient that the walk starts from", f"= {value}")


def _backward(trace: Trace, event: Backward, index: Index) -> Explanation:
    name, part, total = trace.nodes[event.input].name, event.contribution[index], event.total[index]
    found, value = _contribution(trace, event, index), show(part)
    left = entry(f"dL/d{name}", index)
    if event.first:
        return _told(left, found, value)
    before = show(_earlier(trace, event)[index])
    sums_up = f"= {before} + ({found.numbers.split(' = ')[0]})"
    middle = f"= {before} + {enclosed(value)}"
    numbers = f"{sums_up} {middle}" if found.numbers != value else middle
    return Explanation(f"{left} = earlier + ({found.symbols})", f"{numbers} = {show(total)}")


def _contribution(trace: Trace, event: Backward, index: Index) -> Pair:
    """What the rule adds to the gradient of an entry: its formula, its numbers, and incoming · local between."""
    node = trace.nodes[event.node]
    try:
        tree = expression(trace, event, index)
    except NoExpression:
        return Pair(f"{node.operation}: {event.rule}", show(event.contribution[index]))
    found = pair(tree, indices(trace, node))
    if isinstance(tree, Number) and tree.value == 0:
        return Pair(f"0, as it is not in {node.name}", "0")
    middle = _between(event, tree, index)
    return Pair(found.symbols, f"{found.numbers} = {middle}" if middle else found.numbers)


def _between(event: Backward, tree: Expression, index: Index) -> str:
    """The two factors of a rule that is more than a product of two numbers."""
    if simple(tree):
        return ""
    if event.local is not None:
        if event.summed:
            return ""
        at = (0,) * (event.local.ndim - len(index)) + index
        return f"{show(event.incoming[at])} · {enclosed(show(event.local[at]))}"
    if isinstance(tree, Call) and tree.function == "multiply" and any(map(_difference, tree.arguments)):
        factors = [_worked_out(factor) for factor in tree.arguments]
        return pair(Call("multiply", (factors[0], factors[1]))).numbers
    return ""


def _difference(tree: Expression) -> bool:
    return isinstance(tree, Call) and tree.function in ("add", "subtract") and not tree.scalar


def _worked_out(tree: Expression) -> Expression:
    """The value of a factor; of a sum or a difference of two those of both, where they are more than entries."""
    parts = tree.arguments if isinstance(tree, Call) and _difference(tree) else ()
    if len(parts) == 2 and any(isinstance(each, Call) and each.function not in COMPARISONS for each in parts):
        return Call(tree.function, tuple(map(_worked_out, parts)))  # type: ignore[attr-defined]
    return Number(float(worth(tree)))


def _accumulate_grad(trace: Trace, event: AccumulateGrad, index: Index) -> Explanation:
    name = trace.nodes[event.node].name
    left, gradient = entry(f"{name}.grad", index), entry(f"dL/d{name}", index)
    value = show(event.total[index])
    if event.before is None:
        return Explanation(f"{left} = {gradient}", f"= {value}")
    walked = _walked(trace, event)
    if walked is None:
        return Explanation(f"{left} = earlier + {gradient}", f"= {value}")
    numbers = f"= {show(event.before[index])} + {enclosed(show(walked[index]))} = {value}"
    return Explanation(f"{left} = earlier + {gradient}", numbers)


def _new_loss(trace: Trace, event: NewLoss) -> Explanation:
    name = trace.nodes[event.node].name
    symbols = f"{name} with the weights before → {name} with the new weights"
    return Explanation(symbols, f"{show(event.old.item())} → {show(event.new.item())}")


def _told(left: str, pair: Pair, value: str) -> Explanation:
    numbers = f"= {value}" if pair.numbers == value else f"= {pair.numbers} = {value}"
    return Explanation(f"{left} = {pair.symbols}", numbers)


def _earlier(trace: Trace, event: Backward) -> Any:
    """What the input had received in this walk before."""
    for other in reversed(trace.events[: event.index]):
        if isinstance(other, Backward) and other.input == event.input:
            return other.total
    return event.total - event.contribution


def _walked(trace: Trace, event: AccumulateGrad) -> Any:
    """What the last walk brought to the tensor."""
    for other in reversed(trace.events[: event.index]):
        if isinstance(other, Backward) and other.input == event.node:
            return other.total
        if isinstance(other, Seed) and other.node == event.node:
            return other.gradient
    return None
