"""A replay that is compared with the eager step, on the same numbers, from the same state."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from minigrad.backend import to_numpy
from minigrad.blocks import switched
from minigrad.errors import ProgramError
from minigrad.program import messages, source, updating
from minigrad.program.capture import Capture
from minigrad.program.instructions import Instruction, Value, mapped, values
from minigrad.program.passes.common import is_draw
from minigrad.program.program import Program
from minigrad.program.surroundings import held_in
from minigrad.program.tracer import is_array
from minigrad.program.updating import Advance
from minigrad.tensor import Tensor


def is_due(calls: int) -> bool:
    """Tell whether this call of a program is one that is compared: 2, 3, 4, 8, 16 …"""
    return calls == 3 or calls & (calls - 1) == 0


def before_due(calls: int) -> int:
    """Return how many calls may come, behind so many, before the next one that is compared."""
    return 0 if calls < 4 else (1 << calls.bit_length()) - 1 - calls


def run(
    program: Program,
    function: Callable[..., Any],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    leaves: Sequence[Any],
    grads: bool,
) -> Any:
    """Run the step eagerly, go back to where it began, replay it, and compare what both have left.

    Raises ProgramError MG-635, with everything as it was before the step, where they differ.
    """
    with switched(updating.asked, {}):
        return _run(program, function, args, kwargs, leaves, grads)


def _run(
    program: Program, function: Callable[..., Any], args: Any, kwargs: Any, leaves: Sequence[Any], grads: bool
) -> Any:
    eager = Capture(function, args, kwargs, grads=grads, again=True)
    expected = [(name, np.copy(to_numpy(array))) for name, array in _left(eager, eager.result)]
    eager.rewind()
    try:
        result = program.run(leaves)
    except BaseException:
        eager.rewind()
        raise
    found = list(_left(eager, result))
    worst = _difference(expected, found)
    if worst is None:
        return result
    eager.rewind()
    where = _first_other(program, eager, leaves)
    eager.rewind()
    raise ProgramError("MG-635", messages.differs(program.name, *worst, where))


def _left(eager: Capture, result: Any) -> Iterator[tuple[str, Any]]:
    """Yield what a step has left, by names: its results, the memory it wrote, gradients, generators and counts."""
    for k, each in enumerate(held_in(result)):
        if isinstance(each, Tensor):
            each = each._data
        if is_array(each) or isinstance(each, (np.generic, int, float)):
            yield (f"result {k}" if k or isinstance(result, (tuple, dict, list)) else "the result"), each
    for tensor, name in eager.around.tensors:
        yield name, tensor._data
        grad = tensor._grad._data if isinstance(tensor._grad, Tensor) else tensor._grad
        if grad is not None:
            yield f"{name}.grad", grad
    for optimizer in eager.around.optimizers:
        yield "the optimizer's count of steps", optimizer.t
        yield from ((f"{slot.name}'s skipped steps", slot.skipped) for slot in optimizer._slots)
        for name, state in optimizer.state.items():
            yield from ((f"{name}'s {key} in the optimizer", array) for key, array in state.items())
    for place in eager.around.places:
        there = place.get()  # the items of lists and dicts have places of their own
        for held in held_in(there) if isinstance(there, tuple) else (there,):
            array = held._data if isinstance(held, Tensor) else held
            if is_array(array):
                yield place.name, array
    for rng in eager.around.generators:
        yield (
            "the state of a random generator",
            np.frombuffer(repr(rng.bit_generator.state).encode(), np.uint8),
        )


def _difference(
    expected: Sequence[tuple[str, Any]], found: Sequence[tuple[str, Any]]
) -> tuple[str, str] | None:
    """Return the name of the first array that differs, and by how much."""
    if [name for name, _ in expected] != [name for name, _ in found]:
        return "what the step leaves", f"{len(expected)} arrays eagerly, {len(found)} by the program"
    for (name, a), (_, b) in zip(expected, found, strict=True):
        if (text := _unlike(to_numpy(a), to_numpy(b))) is not None:
            return f"'{name}'", text
    return None


def _unlike(a: Any, b: Any) -> str | None:
    if a.shape != b.shape or a.dtype != b.dtype:
        return f"{a.dtype} {a.shape} eagerly, {b.dtype} {b.shape} by the program"
    if a.tobytes() == b.tobytes() or np.array_equal(a, b, equal_nan=a.dtype.kind == "f"):
        return None
    place = tuple(int(i) for i in np.argwhere(~((a == b) | ((a != a) & (b != b))))[0])
    return f"at {list(place)} {a[place]!r} eagerly, {b[place]!r} by the program"


def _first_other(program: Program, eager: Capture, leaves: Sequence[Any]) -> str:
    """Say at which instruction the program and the eager step part."""
    ours, theirs = program.listing.instructions, eager.trace.instructions
    for a, b in zip(ours, theirs, strict=False):
        if _shape_of(a) != _shape_of(b):
            return (
                f"They part at {source.place(b)}, where the step does {b.text()} and the program, from "
                f"{source.place(a)}, does {a.text()}."
            )
    if len(ours) != len(theirs):
        return f"The step does {len(theirs)} instructions, the program {len(ours)}."
    return _first_other_numbers(program, eager, leaves)


def _first_other_numbers(program: Program, eager: Capture, leaves: Sequence[Any]) -> str:
    """Run the program once more, one instruction at a time, beside the eager step's, which is run again too."""
    ours = {
        value: each.read(leaves) for value, each in zip(program.listing.given, program.sources, strict=True)
    }
    theirs = {value: each.read(leaves) for value, each in eager.trace.given}
    for a, b in zip(program.listing.given, eager.program.listing.given, strict=False):
        one, other = ours[a], theirs[b]
        both = is_array(one) and is_array(other)
        if both and _unlike(to_numpy(one), to_numpy(other)) is not None:
            return f"What they are given differs already: '{a.name}'."
    copies = {id(each): each.copy() for each in theirs.values() if is_array(each)}
    theirs = {value: copies.get(id(each), each) for value, each in theirs.items()}
    for mine, other_one in zip(program.listing.instructions, eager.trace.instructions, strict=True):
        if isinstance(mine.function, Advance):
            continue
        found = list(_result(mine, ours))
        if is_draw(mine):  # there is one generator for both
            theirs.update(zip(other_one.makes, map(np.copy, found), strict=True))
            continue
        pairs = list(zip(found, _result(other_one, theirs), strict=True))
        for a, b in zip(mine.reads, other_one.reads, strict=True):
            if a.memory in mine.writes:
                pairs.append((ours[a], theirs[b]))
        if any(_unlike(to_numpy(one), to_numpy(other)) is not None for one, other in pairs):
            return f"The first instruction whose numbers differ: {mine.text()}, from {source.place(mine)}."
    return "No single instruction differs on the same numbers."


def _result(instruction: Instruction, arrays: dict[Any, Any]) -> Iterator[Any]:
    def look(structure: Any) -> Any:
        return mapped(structure, lambda x: arrays[x] if isinstance(x, Value) else x)

    found = instruction.function.run(*look(instruction.arguments), **look(instruction.options))
    made = list(values(instruction.result))
    parts = list(found) if isinstance(instruction.result, (tuple, list)) else [found]
    parts = [part for part in parts if part is not None] if len(parts) != len(made) else parts
    for value, part in zip(made, parts, strict=False):
        arrays[value] = part
        yield part


def _shape_of(instruction: Instruction) -> tuple[Any, ...]:
    """Return what two instructions have in common that do the same on arrays of the same shapes."""

    def leaf(x: Any) -> Any:
        return x.described if isinstance(x, Value) else repr(x)

    return instruction.function.name, repr(mapped((instruction.arguments, instruction.options), leaf))
