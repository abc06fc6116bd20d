"""What the script on a stepper page reads: nodes, events, explanations, arrays, the weights to follow."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.source import file_name
from minigrad.viz import page_follow, page_live
from minigrad.viz.explain import explain
from minigrad.viz.numbers import entry as entry_name
from minigrad.viz.numbers import show
from minigrad.viz.page_arrays import Store, shape_text
from minigrad.viz.page_graph import answer, cell, head, stretches, timelines
from minigrad.viz.page_numbers import template
from minigrad.viz.thread import looked_at, strongest
from minigrad.viz.trace import (
    AccumulateGrad,
    Backward,
    Event,
    Forward,
    Host,
    NewLoss,
    Row,
    Seed,
    Trace,
    Update,
)
from minigrad.viz.update_entries import name_in

_ALL_ENTRIES = 12
_SIGNS = {"add": "+", "subtract": "−", "multiply": "·", "divide": "/", "matmul": "@", "power": "^"}
PHASES = {
    "forward": "forward",
    "seed": "backward",
    "backward": "backward",
    "accumulate_grad": "backward",
    "update": "update",
    "outcome": "update",
}


def collect(
    trace: Trace, follow: tuple[str, ...], budget: int, live: page_live.Page | None = None
) -> dict[str, Any]:
    """Return everything as plain lists, dicts, strings and numbers."""
    store, thread = Store(budget, None if live is None else live.names), strongest(trace)
    weights: list[dict[str, Any]] = [
        {"name": entry_name(node.name, entry), "steps": page_follow.followed(trace, node, entry)}
        for node, entry in page_follow.choices(trace, follow)
    ]
    wanted: dict[int, set[tuple[int, ...]]] = {}
    for weight in weights:
        for k, entry in weight["steps"]:
            wanted.setdefault(k, set()).add(entry)
    steps = trace.steps
    events = [_event(trace, event, store, wanted.get(event.index, set())) for event in trace.events]
    for place, part in enumerate(steps):
        for k in part:
            events[k]["step"] = place
    nodes = _nodes(trace, store)
    told = None if live is None else live.data(store)
    first = [event["answer"] for event in events] + [a for event in events for _, a in event["arrays"]]
    store.fill(list(dict.fromkeys(first)))
    return {
        "nodes": nodes,
        "live": told,
        "events": events,
        "steps": len(steps),
        "thread": "" if thread is None else entry_name(thread[0].name, thread[1]),
        "follow": [{"name": w["name"], "steps": [[k, list(at)] for k, at in w["steps"]]} for w in weights],
        "arrays": store.arrays,
    }


def _nodes(trace: Trace, store: Store) -> list[dict[str, Any]]:
    values, gradients = timelines(trace)
    made = []
    for node in trace.nodes:
        uses = [e.index for e in trace.events if isinstance(e, Forward) and node.index in _inputs(trace, e)]
        own = [e.index for e in trace.events if isinstance(e, Forward) and e.node == node.index]
        found: dict[str, Any] = {"name": node.name, "head": head(node), "jump": (own or uses)[:1]}
        for kind, line in (("value", values[node.index]), ("grad", gradients.get(node.index, []))):
            found[kind] = [[k, (shown := cell(a))["text"], shown["heat"], store.add(a)] for k, a in line]
        found["jump"] += [k for k, *_ in found["grad"][-1:]]
        made.append(found)
    return made


def _inputs(trace: Trace, event: Forward) -> tuple[int | None, ...]:
    return trace.nodes[event.node].inputs


def entries(trace: Trace, event: Event) -> list[tuple[int, ...]]:
    """Return the entries that a page explains without being asked: the thread's, and all others of a small array."""
    array = answer(trace, event)
    first = looked_at(trace, event)
    others = list(np.ndindex(array.shape)) if 0 < array.size <= _ALL_ENTRIES else []
    return [first, *(entry for entry in others if entry != first)] if array.size else []


def _event(trace: Trace, event: Event, store: Store, wanted: set[tuple[int, ...]]) -> dict[str, Any]:
    nodes = trace.nodes
    first = entries(trace, event)
    array = answer(trace, event)
    target = event.input if isinstance(event, Backward) else event.node
    explanations = {}
    for entry in [*first, *sorted(wanted - set(first))]:
        explanation = explain(trace, event, entry)
        explanations[",".join(map(str, entry))] = [
            explanation.symbols,
            explanation.numbers,
            _finite(array[entry]),
        ]
        if store.named(array) and (places := template(trace, event, entry, store)) is not None:
            explanations[",".join(map(str, entry))].append(places)
    name = nodes[target].name
    found: dict[str, Any] = {
        "kind": event.kind,
        "phase": PHASES[event.kind],
        "title": title(trace, event),
        "rule": rule(trace, event),
        "notes": notes(trace, event),
        "target": target,
        "sources": [],
        "entry": list(first[0]) if first else [],
        "explanations": explanations,
        "answer": store.add(array),
        "symbol": name if isinstance(event, Forward | Update | NewLoss) else f"dL/d{name}",
        "added": isinstance(event, Backward) and not event.first,
    }
    arrays: list[tuple[str, Host]] = []
    if isinstance(event, Forward):
        found["sources"] = sorted({i for i in nodes[event.node].inputs if i is not None})
        arrays = [(nodes[i].name, nodes[i].value) for i in found["sources"]]
    elif isinstance(event, Backward):
        found["sources"], found["position"] = [event.node], event.position
        arrays = [(f"incoming dL/d{nodes[event.node].name}", event.incoming)]
        if event.local is not None:
            arrays.append(("local derivative", event.local))
        arrays.append(("contribution", event.contribution))
    elif isinstance(event, AccumulateGrad) and event.before is not None:
        arrays = [("the gradient before", event.before)]
    elif isinstance(event, NewLoss):
        arrays = [("with the weights before", event.old)]
    elif isinstance(event, Update):
        found["theta"] = name_in(event.rows, name)
        seen = [row.symbol for row in event.rows]
        found["rows"] = [
            _row(row, array.shape, store, explanations, "←" if row.symbol in seen[:i] else "=")
            | store.named(row.value)
            for i, row in enumerate(event.rows)
        ]
        arrays = [(row.symbol, row.value) for row in event.rows if row.value.shape == array.shape][:-1]
    found["arrays"] = [[f"{found['symbol']} (the result)", found["answer"]]]
    found["arrays"] += [[label, store.add(value)] for label, value in arrays]
    if event.line is not None:
        found["line"] = [list(trace.source).index(event.line.file), event.line.number]
    return found


def _finite(value: Any) -> float | None:
    """JSON knows no NaN and no infinity."""
    return float(f"{float(value):.8g}") if np.isfinite(value) else None


def _exact(value: Host) -> float | None:
    return float(value) if value.size == 1 and np.isfinite(value).all() else None


def _row(
    row: Row, shape: tuple[int, ...], store: Store, explanations: dict[str, Any], sign: str
) -> dict[str, Any]:
    made: dict[str, Any] = {"symbol": row.symbol, "text": row.text, "sign": sign}
    if row.value.shape == shape and shape:
        made["at"] = {key: show(row.value[tuple(map(int, key.split(",")))]) for key in explanations}
        made["array"] = store.add(row.value)
    else:
        made["number"], made["exact"] = show(row.value), _exact(row.value)
    return made


def title(trace: Trace, event: Event) -> str:
    """Return what happens in one line: ``h = linear(x, W1, b1)``."""
    node = trace.nodes[event.node]
    if isinstance(event, Forward):
        names = [
            trace.nodes[i].name if i is not None else "…" if c is None or c.size > 1 else show(c.item())
            for i, c in zip(node.inputs, node.constants, strict=True)
        ]
        sign = _SIGNS.get(node.operation or "")
        made = (
            f" {sign} ".join(names) if sign and len(names) == 2 else f"{node.operation}({', '.join(names)})"
        )
        return f"{node.name} = {made}"
    if isinstance(event, Seed):
        return f"the walk back starts at {node.name}"
    if isinstance(event, Backward):
        return f"{node.name} → {trace.nodes[event.input].name}"
    if isinstance(event, AccumulateGrad):
        return f"{node.name}.grad"
    if isinstance(event, NewLoss):
        return f"{node.name} again, with the new weights"
    return f"{event.optimizer} changes {node.name}, step {event.t}"


def rule(trace: Trace, event: Event) -> str:
    """Return the general formula behind an event."""
    node = trace.nodes[event.node]
    if isinstance(event, Forward):
        return f"{(node.operation or '').replace('_', ' ')}: {node.formula}"
    if isinstance(event, Seed):
        return "dL/dL = 1, unless another gradient is given"
    if isinstance(event, Backward):
        return f"rule of {(node.operation or '').replace('_', ' ')}: {event.rule}"
    if isinstance(event, AccumulateGrad):
        return (
            "grad ← grad + this walk's gradient"
            if event.before is not None
            else "grad ← this walk's gradient"
        )
    if isinstance(event, NewLoss):
        return "the same operations on the same data, once more"
    return "the optimizer's formula, line by line"


def notes(trace: Trace, event: Event) -> list[str]:
    """Return what is easily overlooked: stretched axes, the sum over them, a second contribution."""
    node = trace.nodes[event.node]
    if isinstance(event, Forward):
        found = []
        for i in dict.fromkeys(i for i in node.inputs if i is not None):
            source = trace.nodes[i]
            if stretches(source.shape, node):
                axes = _axes(source.shape, node.shape)
                found.append(
                    f"{source.name} ({shape_text(source.shape)}) is stretched to {shape_text(node.shape)} along {axes}"
                )
        return found
    if not isinstance(event, Backward):
        return []
    source = trace.nodes[event.input]
    found = []
    if event.summed or stretches(source.shape, node):
        axes = _axes(source.shape, node.shape)
        found.append(
            f"summed over {axes}, along which {source.name} was stretched: "
            f"{shape_text(node.shape)} → {shape_text(source.shape)}"
        )
    if not event.first:
        found.append(f"{source.name} was used more than once: this contribution is added to what came before")
    return found


def _axes(small: tuple[int, ...], large: tuple[int, ...]) -> str:
    extra = len(large) - len(small)
    axes = [*range(extra), *(extra + i for i, n in enumerate(small) if n == 1 and large[extra + i] != 1)]
    return ("axis " if len(axes) == 1 else "axes ") + ", ".join(map(str, axes))


def where(trace: Trace, event: Event) -> str:
    """Return ``train.py line 7``, or nothing where the line is not known."""
    return f"{file_name(event.line.file)} line {event.line.number}" if event.line is not None else ""
