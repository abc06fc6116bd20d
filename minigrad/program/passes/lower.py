"""Kernels as NumPy: each is replaced by what its reference does, so that nothing but NumPy is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from minigrad.program.closed import Closed
from minigrad.program.functions import Function, Item, Method, Moved, OfKernel, literal
from minigrad.program.instructions import Instruction, Listing, Value, mapped
from minigrad.program.sources import Constant
from minigrad.program.trace import Trace
from minigrad.program.tracer import Tracer


class Same(Function):
    """A value under another name."""

    def __init__(self) -> None:
        super().__init__("same", lambda array: array)

    def text(self, arguments: Any, options: Any) -> str:
        """See ``Function.text``."""
        return literal(arguments[0])


def lowered(listing: Listing) -> Listing:
    """Replace each kernel by the instructions of its reference, found by tracing that on arrays of the same shapes."""
    trace = Trace()
    for each in listing.instructions:
        for value in (*each.reads, *each.makes):
            trace.take(value.name)
    instructions: list[Instruction] = []
    for each in listing.instructions:
        if isinstance(each.function, OfKernel):
            instructions += _of_reference(each, each.function, trace)
        elif isinstance(each.function, Moved):
            instructions.append(replace(each, function=Method("copy")))  # all is the host's there
        else:
            instructions.append(each)
    return Listing(listing.given, instructions, listing.kept)


def _name_coefficients(inside: list[Instruction], names: Sequence[str], trace: Trace) -> None:
    """Call an update rule's coefficients what they are called in its formula."""
    for each in inside:
        place = each.arguments[1] if isinstance(each.function, Item) else None
        if names and type(place) is int and isinstance(each.result, Value):
            each.result.name = trace.free(names[place])


def _of_reference(kernel: Instruction, function: OfKernel, trace: Trace) -> list[Instruction]:
    outer: dict[Value, Value] = {}
    tracers: dict[Value, Any] = {}

    def stand_in(x: Any) -> Any:
        if not isinstance(x, Value):
            return x
        if x not in tracers:
            array = np.zeros(x.shape, x.dtype) if x.shape is not None else x.dtype(0)
            tracers[x] = trace.give(array, x.name, Constant(array))
            outer[tracers[x].node] = x
        return tracers[x]

    start = len(trace.instructions)
    with np.errstate(all="ignore"):
        result = function.kernel.reference(
            *mapped(kernel.arguments, stand_in), **mapped(kernel.options, stand_in)
        )
    inside = trace.instructions[start:]
    _name_coefficients(inside, getattr(function.kernel, "names", ()), trace)
    own = {
        tracer.node.memory: value.memory for value, tracer in tracers.items() if isinstance(tracer, Tracer)
    }
    same: list[Instruction] = []
    if kernel.result is None:  # it has written into arrays that have their names
        result = None
    pairs = (
        [(result, kernel.result)]
        if isinstance(kernel.result, Value)
        else zip(result or (), kernel.result or (), strict=True)
    )
    for found, wanted in pairs:
        if not (isinstance(found, Tracer) and isinstance(wanted, Value)):
            continue
        if found.node in outer:
            same.append(
                replace(kernel, function=Same(), arguments=(outer[found.node],), options={}, result=wanted)
            )
        else:
            outer[found.node] = wanted
            if found.node.memory.made:  # what the reference has written into is what it returns
                own.setdefault(found.node.memory, wanted.memory)
                wanted.memory.written += found.node.memory.written

    def other(x: Any) -> Any:
        return outer.get(x, x) if isinstance(x, Value) else x

    return [
        replace(
            each,
            arguments=mapped(each.arguments, other),
            options=mapped(each.options, other),
            result=mapped(each.result, other),
            writes=tuple(own.get(memory, memory) for memory in each.writes),
            phase=kernel.phase,
            location=kernel.location,
            closed=each.closed and Closed(function.name, each.closed.why),
        )
        for each in inside
    ] + same
