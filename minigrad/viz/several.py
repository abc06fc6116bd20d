"""A recording of several steps as one step and what the others were given: their batches, masks and settings.

Steps that run the same program differ in nothing else, and so a page of one takes the others' batches in turn.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from minigrad.errors import ProgramError
from minigrad.program.instructions import Listing, Value, mapped
from minigrad.viz.live import FIX, Live, live
from minigrad.viz.trace import Backward, Forward, Host, Trace, Update, moved


@dataclass(slots=True)
class Batch:
    """What a further step is given in the place of what the first was: arrays by the names of the program's values.

    ``settings`` has for each of its updates the optimizer's numbers.
    """

    arrays: dict[str, Host]
    settings: list[dict[str, float]]


def first(trace: Trace) -> Trace:
    """Return the first recorded step alone."""
    return trace if len(trace.steps) < 2 else _alone(trace, trace.steps[0])


def batches(trace: Trace, one: Trace, program: Live) -> list[Batch]:
    """Return what the steps behind the first are given, as far as any is given something else.

    - one: the first step alone, and its program

    ProgramError MG-671 where a step is another program, or an array changes between them that is neither data nor an
    optimizer's.
    """
    recorded = {value.name: one.nodes[node].value for node, value in program.given.items()}
    recorded |= {value.name: array for value, array in program.constants}
    found = [_batch(program, recorded, _alone(trace, part), k) for k, part in enumerate(trace.steps[1:], 2)]
    differ = {
        name for batch in found for name, array in batch.arrays.items() if not _same(array, recorded[name])
    }
    for batch in found:
        batch.arrays = {name: array for name, array in batch.arrays.items() if name in differ}
    return found


def _batch(program: Live, recorded: Mapping[str, Host], step: Trace, number: int) -> Batch:
    other = live(step)
    (mine, own), (theirs, others) = _pattern(program.listing), _pattern(other.listing)
    if mine != theirs:
        raise ProgramError(
            "MG-671",
            f"step {number} of the recording is another program than the first, such as one on a batch of another "
            f"size. {FIX}",
        )
    updates = [event for event in step.events if isinstance(event, Update)]
    names = dict(zip(others, (value.name for value in own), strict=True))
    arrays = {names[value]: array for value, array in other.constants if value in names}
    for index, value in other.given.items():
        node, name = step.nodes[index], names.get(value)
        if name is None or any(event.node == index for event in updates):
            continue
        if node.role == "parameter" and not _same(node.value, recorded[name]):
            raise ProgramError(
                "MG-671", f"{name} is another before step {number}, and no optimizer has changed it. {FIX}"
            )
        arrays[name] = node.value
    settings = [
        {row.symbol: row.value.item() for row in event.rows if row.setting and row.symbol != "t"}
        for event in updates
    ]
    return Batch(arrays, settings)


def _same(array: Host, other: Host) -> bool:
    return np.array_equal(array, other, equal_nan=array.dtype.kind == "f")


def _pattern(listing: Listing) -> tuple[str, list[Value]]:
    """What a program does, whatever its values are called; and these, as they come in it."""
    numbers: dict[Value, str] = {}

    def number(x: Any) -> Any:
        return numbers.setdefault(x, f"{len(numbers)}: {x.described}") if isinstance(x, Value) else x

    told = [
        (each.function.name, mapped((each.arguments, each.options, each.result), number), each.phase)
        for each in listing.instructions
    ]
    return repr(told), list(numbers)


def _alone(trace: Trace, part: range) -> Trace:
    """One step of a recording as a recording of its own."""
    events = trace.events[part.start : part.stop]
    made = {event.node for event in events if isinstance(event, Forward)}
    used = made | {event.node for event in events}
    used |= {event.input for event in events if isinstance(event, Backward)}
    used |= {i for node in made for i in trace.nodes[node].inputs if i is not None}
    new = {old: k for k, old in enumerate(sorted(used))}
    found = Trace(trace.title)
    found.about, found.hint, found.source, found.texts = trace.about, trace.hint, trace.source, trace.texts
    found.layers = trace.layers
    for old, k in new.items():
        node = trace.nodes[old]
        if old in made:
            inputs = tuple(None if i is None else new[i] for i in node.inputs)
            node = replace(node, inputs=inputs)
        elif node.operation is not None:  # what an earlier step has made is given to this one
            node = replace(node, operation=None, definition=None, inputs=(), constants=(), params={})
        found.nodes.append(
            replace(node, index=k, earlier=new.get(-1 if node.earlier is None else node.earlier))
        )
    found.events = [moved(event, k, new) for k, event in enumerate(events)]
    found.starts = [0]
    return found
