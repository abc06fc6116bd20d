"""Entries of operations that work entry by entry, with broadcasting and the sum that undoes it."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.viz.entries import Case, Index, Operand, Pair, letters, tensor
from minigrad.viz.numbers import show
from minigrad.viz.templates import BACKWARD, FORWARD
from minigrad.viz.trace import Backward


def forward(case: Case, index: Index) -> Pair | None:
    """Return how the result's entry is made, None where the operation is another kind."""
    name = case.node.operation or ""
    if name == "clip":
        return _clipped(case, index)
    if name == "where":
        chosen, other = ("b", "") if case.operands["a"].value(index) else ("c", "not ")
        pair = case.pair(f"{{{chosen}}}", index)
        condition = case.operands["a"].symbol(index)
        return Pair(f"{pair.symbols}, where {other}{condition}", pair.numbers)
    if name not in FORWARD:
        return None
    _add_conditions(case, None)
    return case.pair(FORWARD[name], index)


def backward(case: Case, event: Backward, index: Index) -> Pair | None:
    """Return the contribution to the input's entry: the rule, its numbers, and incoming · local."""
    template = BACKWARD.get((case.node.operation or "", event.position))
    if template is None or event.local is None:
        return None
    _add_conditions(case, event)
    rank = event.local.ndim
    full: list[Any] = [0] * (rank - len(index)) + list(index)
    if not event.summed:
        place = tuple(full)
        pair = case.pair(template, place)
        if template in ("{g}", "−{g}", "{g} · {a}", "{g} · {b}", "{g} · {y}", "{g} · {on}"):
            return pair
        case.operands["local"] = tensor("local", event.local)
        return Pair(pair.symbols, f"{pair.numbers} = {case.pair('{g} · {local}', place).numbers}")
    sizes = {}
    for letter, axis in zip(letters(len(event.summed)), event.summed, strict=True):
        full[axis] = letter
        sizes[letter] = event.local.shape[axis]
    terms = event.incoming.astype(np.float64) * event.local
    return case.total(template, tuple(full), sizes, lambda at: terms[at])


def _add_conditions(case: Case, event: Backward | None) -> None:
    """Give the templates ``on`` and the parameters that they name."""
    name, params = case.node.operation, case.node.params
    a, b = case.operands.get("a"), case.operands.get("b")
    if name == "dropout" and b is not None:
        case.operands["p"] = Operand(lambda index: show(params["p"]), lambda index: params["p"])
        random, p = b, params["p"]
        case.operands["on"] = Operand(
            lambda index: f"[{random.symbol(index)} ≥ {show(p)}]",
            lambda index: float(random.value(index) >= p),
        )
        return
    if a is None:
        return
    text: Any = None
    if name == "relu":
        text = lambda index: f"[{a.symbol(index)} > 0]"  # noqa: E731
    elif name == "leaky_relu":
        slope = params["slope"]
        text = lambda index: f"[1 where {a.symbol(index)} > 0, else {show(slope)}]"  # noqa: E731
        case.operands["on"] = Operand(text, lambda index: 1 if a.value(index) > 0 else slope)
    elif name in ("maximum", "minimum") and b is not None and event is not None:
        mine, other = (a, b) if event.position == 0 else (b, a)
        sign = ">" if name == "maximum" else "<"
        text = lambda index: f"[{mine.symbol(index)} {sign} {other.symbol(index)}, ½ where equal]"  # noqa: E731
    elif name == "clip":
        text = lambda index: f"[{_bounds(case, index)}]"  # noqa: E731
    elif name == "where" and event is not None:
        negated = "" if event.position == 1 else "not "
        text = lambda index: f"[{negated}{a.symbol(index)}]"  # noqa: E731
    if text is not None and event is not None and event.local is not None:
        case.operands["on"] = Operand(text, tensor("on", event.local).value)


def _bounds(case: Case, index: Index) -> str:
    low, high = case.node.params["a_min"], case.node.params["a_max"]
    text = case.operands["a"].symbol(index)
    if low is not None:
        text = f"{tensor('a_min' if np.size(low) > 1 else '', np.asarray(low)).symbol(index)} ≤ {text}"
    if high is not None:
        text = f"{text} ≤ {tensor('a_max' if np.size(high) > 1 else '', np.asarray(high)).symbol(index)}"
    return text


def _clipped(case: Case, index: Index) -> Pair:
    template = "{a}"
    for key, outer in (("a_min", "max"), ("a_max", "min")):
        bound = case.node.params[key]
        if bound is not None:
            case.operands[key] = tensor(key if np.size(bound) > 1 else "", np.asarray(bound))
            template = f"{outer}({template}, {{{key}}})"
    return case.pair(template, index)
