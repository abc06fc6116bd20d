"""How one entry of a recorded array came about: first in symbols, then with its numbers."""

from __future__ import annotations

import operator
from typing import Any, NamedTuple

from minigrad.viz import entrywise, moves, products, sums, update_entries
from minigrad.viz.entries import Case, Index, Pair
from minigrad.viz.numbers import entry, show
from minigrad.viz.trace import AccumulateGrad, Backward, Event, Forward, NewLoss, Seed, Trace

_KINDS = (moves, sums, products, entrywise)


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
    case = Case(trace, node)
    value = show(node.value[index])
    pair = next((p for kind in _KINDS if (p := kind.forward(case, index)) is not None), None)
    return _told(entry(node.name, index), pair or Pair(f"{node.operation}: {node.formula}", value), value)


def _seed(trace: Trace, event: Seed, index: Index) -> Explanation:
    value = show(event.gradient[index])
    name = trace.nodes[event.node].name
    left = entry(f"dL/d{name}", index)
    if event.gradient.size == 1 and float(event.gradient.item()) == 1:
        return Explanation(f"{left}, the derivative of L = {name} by itself", "= 1")
    return Explanation(f"{left}, the gradient that the walk starts from", f"= {value}")


def _backward(trace: Trace, event: Backward, index: Index) -> Explanation:
    case = Case(trace, trace.nodes[event.node], event)
    name, part, total = trace.nodes[event.input].name, event.contribution[index], event.total[index]
    pair = next((p for kind in _KINDS if (p := kind.backward(case, event, index)) is not None), None)
    pair = pair or Pair(f"{case.node.operation}: {event.rule}", show(part))
    left = entry(f"dL/d{name}", index)
    if event.first:
        return _told(left, pair, show(part))
    before = show(_earlier(trace, event)[index])
    sums_up = f"= {before} + ({pair.numbers.split(' = ')[0]})"
    middle = f"= {before} + {_enclosed(show(part))}"
    numbers = f"{sums_up} {middle}" if pair.numbers != show(part) else middle
    return Explanation(f"{left} = earlier + ({pair.symbols})", f"{numbers} = {show(total)}")


def _accumulate_grad(trace: Trace, event: AccumulateGrad, index: Index) -> Explanation:
    name = trace.nodes[event.node].name
    left, gradient = entry(f"{name}.grad", index), entry(f"dL/d{name}", index)
    value = show(event.total[index])
    if event.before is None:
        return Explanation(f"{left} = {gradient}", f"= {value}")
    walked = _walked(trace, event)
    if walked is None:
        return Explanation(f"{left} = earlier + {gradient}", f"= {value}")
    numbers = f"= {show(event.before[index])} + {_enclosed(show(walked[index]))} = {value}"
    return Explanation(f"{left} = earlier + {gradient}", numbers)


def _new_loss(trace: Trace, event: NewLoss) -> Explanation:
    name = trace.nodes[event.node].name
    symbols = f"{name} with the weights before → {name} with the new weights"
    return Explanation(symbols, f"{show(event.old.item())} → {show(event.new.item())}")


def _told(left: str, pair: Pair, value: str) -> Explanation:
    numbers = f"= {value}" if pair.numbers == value else f"= {pair.numbers} = {value}"
    return Explanation(f"{left} = {pair.symbols}", numbers)


def _enclosed(number: str) -> str:
    return f"({number})" if number.startswith("−") else number


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
