"""Which entries one weight touches: the same operations, run again with that weight moved a little."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from minigrad import table
from minigrad.errors import ConfigError
from minigrad.viz.page_arrays import entry_text
from minigrad.viz.trace import Backward, Deposit, Forward, Host, Node, Seed, Trace, Update

Entry = tuple[int, ...]
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
        if isinstance(event, Forward | Seed):
            at = touched.get(event.node)
        elif isinstance(event, Backward):
            at = touched.get(event.input) if event.node in touched else None
        else:
            assert isinstance(event, Deposit | Update)
            at = touched.get(event.node) if trace.nodes[event.node].operation is None else None
        if at is not None:
            concerned.append((event.index, at))
    return concerned


def reach(trace: Trace, weight: Node, entry: Entry) -> dict[int, Entry]:
    """Return, for every node that this entry changes, the entry through which it changes the loss most.

    The operations run once more in float64, as they were and with the entry moved; what differs is touched.
    """
    at = {weight.index: entry}
    for node in trace.nodes:
        if node.earlier in at:
            at[node.index] = entry
    before: dict[int, Host] = {}
    after: dict[int, Host] = {}
    for k in at:
        before[k] = _double(trace.nodes[k].value)
        after[k] = before[k].copy()
        after[k][entry] += 1e-4 * max(1.0, abs(float(before[k][entry])))
    for event in trace.events:
        if not isinstance(event, Forward):
            continue
        node = trace.nodes[event.node]
        if not any(i in after for i in node.inputs):
            continue
        try:
            old, new = _again(trace, node, before), _again(trace, node, after)
        except Exception:  # what does not run twice (a custom operation, say) ends the path, not the page
            continue
        with np.errstate(invalid="ignore"):
            change = np.nan_to_num(np.abs(new - old))
        if change.shape == node.shape and change.any():
            before[node.index], after[node.index] = old, new
            at[node.index] = _clearest(change, trace.gradient(node.index))
    return at


def _clearest(change: Host, gradient: Host | None) -> Entry:
    """Return where a change matters most to the loss; where that is not known, or nowhere, where it is largest."""
    effect = change if gradient is None else change * np.abs(gradient)
    flat = int(np.argmax(effect if effect.any() else change))
    return tuple(int(i) for i in np.unravel_index(flat, change.shape))


def _again(trace: Trace, node: Node, values: dict[int, Host]) -> Host:
    arguments: list[Any] = []
    for i, constant in zip(node.inputs, node.constants, strict=True):
        arguments.append(constant if i is None else values.get(i, _double(trace.nodes[i].value)))
    with np.errstate(all="ignore"):
        return np.asarray(table.operations[str(node.operation)].forward(*arguments, **node.params))


def _double(value: Host) -> Host:
    return value.astype(np.float64) if value.dtype.kind == "f" else value


def label(weight: Node, entry: Entry) -> str:
    """Return the weight as a person writes it: ``W1[0,2]``."""
    return weight.name + entry_text(entry)
