"""The entries to look at: one thread from a weight through the whole step to the loss, back, and to its update.

The weight is the one with the largest gradient. Each entry of the thread is computed from the one before it. What the
thread does not pass is looked at where it meets the thread: W[k,j] where h[i,k] and y[i,j] = … + h[i,k] · W[k,j] + …
are on it.
"""

from __future__ import annotations

import contextlib
from typing import Any, TypeAlias

import numpy as np

from minigrad.viz import again
from minigrad.viz.trace import Backward, Event, Forward, Host, Node, Seed, Trace

Entry: TypeAlias = tuple[int, ...]


def thread(trace: Trace) -> dict[int, Entry]:
    """Return for every node of a trace the entry to look at; nodes without entries have ()."""
    if trace.found_thread[0] != len(trace.events):
        trace.found_thread = (len(trace.events), _thread(trace))
    return trace.found_thread[1]


def _thread(trace: Trace) -> dict[int, Entry]:
    weight = strongest(trace)
    at = {} if weight is None else reach(trace, *weight)
    on = set(at)
    leading = _ancestors(trace)
    for nodes in (leading, {node.index for node in trace.nodes}):
        for node in reversed(trace.nodes):
            if node.index not in nodes:
                continue
            if node.index not in at:
                at[node.index] = _peak(trace, node)
            for position, i in enumerate(node.inputs):
                if i is not None and i not in at:
                    at[i] = _meeting(trace, node, position, at, on)
    for node in trace.nodes:
        if node.earlier is not None:
            at[node.index] = at[node.earlier]
    return at


def looked_at(trace: Trace, event: Event) -> Entry:
    """Return the entry of what an event brings about that lies on the trace's thread."""
    return thread(trace)[event.input if isinstance(event, Backward) else event.node]


def strongest(trace: Trace) -> tuple[Node, Entry] | None:
    """Return the parameter's entry with the largest gradient, None where no parameter has one."""
    best: tuple[Node, Entry] | None = None
    most = -1.0
    for node in trace.nodes:
        if node.role != "parameter" or node.earlier is not None or not node.value.size:
            continue
        gradient = trace.gradient(node.index)
        if gradient is not None:
            entry = peak(gradient)
            size = float(np.nan_to_num(abs(gradient[entry])))
            if size > most:
                best, most = (node, entry), size
    return best


def peak(array: Host) -> Entry:
    """Return the index of the entry farthest from 0; where all are equal, of the first."""
    if array.size == 0:
        return ()
    flat = int(np.argmax(np.abs(np.nan_to_num(array.astype(np.float64)))))
    return tuple(int(i) for i in np.unravel_index(flat, array.shape))


def reach(trace: Trace, weight: Node, entry: Entry) -> dict[int, Entry]:
    """Return, for every node that this entry changes, the entry through which it changes the loss most.

    The operations run once more in float64, as they were and with the entry moved; what differs is touched. Of that,
    an entry is taken that depends on those taken before it, where there is one.
    """
    at = {weight.index: entry}
    for node in trace.nodes:
        if node.earlier in at:
            at[node.index] = entry
    before: dict[int, Host] = {}
    after: dict[int, Host] = {}
    for k in at:
        before[k] = again.double(trace.nodes[k].value)
        after[k] = before[k].copy()
        after[k][entry] += 1e-4 * max(1.0, abs(float(before[k][entry])))
    thin = dict(after)  # where only the entries of the thread are moved
    for event in trace.events:
        if not isinstance(event, Forward):
            continue
        node = trace.nodes[event.node]
        if not any(i in after for i in node.inputs):
            continue
        try:
            old, new, alone = (_result(trace, node, values) for values in (before, after, thin))
        except Exception:  # what does not run twice (a custom operation, say) ends the path, not the page
            continue
        with np.errstate(invalid="ignore"):
            change, own = (np.nan_to_num(np.abs(moved - old)) for moved in (new, alone))
        if change.shape == node.shape and change.any():
            place = _clearest(own if own.any() else change, trace.gradient(node.index))
            at[node.index], before[node.index], after[node.index] = place, old, new
            thin[node.index] = old.copy()
            thin[node.index][place] = (alone if own.any() else new)[place]
    return at


def _result(trace: Trace, node: Node, values: dict[int, Host]) -> Host:
    given = again.arguments(trace, node, values)
    doubled = [again.double(x) if isinstance(x, np.ndarray) else x for x in given]
    return again.run(node, doubled)[0]


def _clearest(change: Host, gradient: Host | None) -> Entry:
    """Return where a change matters most to the loss; where that is not known, or nowhere, where it is largest."""
    effect = change if gradient is None else change * np.abs(gradient)
    return peak(effect if effect.any() else change)


def _ancestors(trace: Trace) -> set[int]:
    """What the losses were computed from, and they themselves."""
    found = {event.node for event in trace.events if isinstance(event, Seed)}
    for node in reversed(trace.nodes):
        if node.index in found:
            found.update(i for i in node.inputs if i is not None)
    return found


def _peak(trace: Trace, node: Node) -> Entry:
    gradient = trace.gradient(node.index)
    return peak(node.value if gradient is None else gradient)


def _meeting(trace: Trace, node: Node, position: int, at: dict[int, Entry], on: set[int]) -> Entry:
    """The entry of an argument that has most to do with the entries that are looked at beside it."""
    source = node.inputs[position]
    assert source is not None
    with contextlib.suppress(Exception):  # what does not run twice has no meeting place
        share = _share(trace, node, position, at[node.index], {})
        others = {i for i in node.inputs if i in on and i != source}
        moved = {i: trace.nodes[i].value.copy() for i in others if i is not None}
        for i, array in moved.items():
            array[at[i]] += max(1.0, abs(float(array[at[i]])))
        change = (
            np.nan_to_num(_share(trace, node, position, at[node.index], moved) - share) if moved else share
        )
        best = change if change.any() else share
        if best.shape == trace.nodes[source].shape and best.any():
            return peak(best)
    shape = trace.nodes[source].shape
    same = at[node.index][: len(shape)]  # labels go by the row that they belong to
    if len(same) == len(shape) and all(i < n for i, n in zip(same, shape, strict=True)):
        return same
    return _peak(trace, trace.nodes[source])


def _share(trace: Trace, node: Node, position: int, entry: Entry, values: dict[int, Host]) -> Any:
    """d(the entry of the result)/d(an argument), by the operation's own rule."""
    rule = node.definition.rule(position)
    assert rule is not None
    given = again.arguments(trace, node, values)
    value, saved = again.run(node, given)
    g = np.zeros_like(value)
    g[entry] = 1
    with np.errstate(all="ignore"):
        share = np.asarray(rule(position, g, value, (*given, *saved), node.params))
    shape = given[position].shape
    extra = share.ndim - len(shape)
    stretched = [extra + axis for axis, n in enumerate(shape) if n == 1 != share.shape[extra + axis]]
    return np.nan_to_num(share.sum(axis=(*range(extra), *stretched)).reshape(shape))
