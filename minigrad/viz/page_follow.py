"""The weights that a page offers to follow, and the events that concern one of them."""

from __future__ import annotations

import re

import numpy as np

from minigrad.errors import ConfigError
from minigrad.viz.thread import Entry, reach
from minigrad.viz.trace import AccumulateGrad, Backward, Forward, NewLoss, Node, Seed, Trace, Update

_MOST = 24


def choices(trace: Trace, wanted: tuple[str, ...] = ()) -> list[tuple[Node, Entry]]:
    """Return the weights that a page offers to follow: all of a small network, of others those that move most.

    Of a deep network they are those of some parameters, spread from the first to the last.

    ``wanted`` names more of them: ``"W1[0,2]"``, or ``"b"`` for a scalar. MG-911 where there is none such.
    """
    found = [_parsed(trace, text) for text in wanted]
    parameters = [
        node for node in trace.nodes if node.role == "parameter" and node.earlier is None and node.value.size
    ]
    everything = sum(node.value.size for node in parameters) <= _MOST
    share = max(2, _MOST // 2 // max(1, len(parameters)))
    if len(parameters) > _MOST // 2:
        share = 1
        chosen = np.linspace(0, len(parameters) - 1, _MOST // 2).round().astype(int).tolist()
        parameters = [parameters[k] for k in chosen]
    for node in parameters:
        gradient = trace.gradient(node.index)
        if gradient is None:
            continue
        order = list(range(node.value.size))
        if not everything:
            order = np.argsort(-np.abs(gradient.ravel()), kind="stable")[:share].tolist()
        for flat in order:
            entry = tuple(int(i) for i in np.unravel_index(int(flat), node.shape))
            if (node, entry) not in found:
                found.append((node, entry))
    return found


def _parsed(trace: Trace, text: str) -> tuple[Node, Entry]:
    match = re.fullmatch(r"\s*(.+?)\s*(?:\[([\d,\s]+)\])?\s*", text)
    names = [node.name for node in trace.nodes if node.role == "parameter"]
    if match and match[1] in names:
        node = trace.node(match[1])
        entry = tuple(int(i) for i in (match[2] or "").replace(",", " ").split())
        if len(entry) == len(node.shape) and all(i < n for i, n in zip(entry, node.shape, strict=True)):
            return node, entry
        raise ConfigError("MG-911", f"{text!r} is no entry of {node.name}, which has shape {node.shape}.")
    raise ConfigError(
        "MG-911", f"there is no parameter for {text!r} to follow; there are {', '.join(names)}."
    )


def followed(trace: Trace, weight: Node, entry: Entry) -> list[tuple[int, Entry]]:
    """Return the events that concern this entry, each with the entry of the event's own array to look at."""
    touched = reach(trace, weight, entry)
    concerned: list[tuple[int, Entry]] = []
    for event in trace.events:
        if isinstance(event, Forward | Seed | NewLoss):
            at = touched.get(event.node)
        elif isinstance(event, Backward):
            at = touched.get(event.input) if event.node in touched else None
        else:
            assert isinstance(event, AccumulateGrad | Update)
            at = touched.get(event.node) if trace.nodes[event.node].operation is None else None
        if at is not None:
            concerned.append((event.index, at))
    return concerned
