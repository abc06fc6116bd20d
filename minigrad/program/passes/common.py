"""What is worked out twice is worked out once, and what nobody writes into needs no copy."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from minigrad.program.functions import Method, OfPython
from minigrad.program.instructions import Instruction, Listing, Value, mapped
from minigrad.program.passes.telling import Tell, nobody


def shared(listing: Listing, tell: Tell = nobody) -> Listing:
    """Work out once what two instructions would work out from the same values, in memory that nobody writes into."""
    known: dict[Any, Instruction] = {}
    instead: dict[Value, Value] = {}
    kept = []
    for each in listing.instructions:
        each = replaced(each, instead)
        if is_pure(each) and not any(value in listing.kept for value in each.makes):
            key = each.function.name, repr(mapped((each.arguments, each.options), _key))
            if (first := known.setdefault(key, each)) is not each:
                instead.update(zip(each.makes, first.makes, strict=True))
                tell(f"{', '.join(v.name for v in each.makes)} is {', '.join(v.name for v in first.makes)}")
                continue
        kept.append(each)
    return Listing(listing.given, kept, listing.kept)


def without_copies(listing: Listing, tell: Tell = nobody) -> Listing:
    """Take an array itself in the place of its copy, where nobody writes into either and both lie alike."""
    instead: dict[Value, Value] = {}
    kept = []
    for each in listing.instructions:
        each = replaced(each, instead)
        if each.function.name == ".copy" and len(each.arguments) == 1 and is_pure(each):
            original, copy = each.arguments[0], each.result
            if copy not in listing.kept and original.in_order:
                instead[copy] = original
                tell(f"{copy} is {original}: nobody writes into either")
                continue
        kept.append(each)
    return Listing(listing.given, kept, listing.kept)


def replaced(instruction: Instruction, instead: dict[Value, Value]) -> Instruction:
    """Return an instruction with other values in the place of some."""
    if not instead:
        return instruction

    def other(x: Any) -> Any:
        return instead.get(x, x) if isinstance(x, Value) else x

    return replace(
        instruction,
        arguments=mapped(instruction.arguments, other),
        options=mapped(instruction.options, other),
    )


def is_pure(instruction: Instruction) -> bool:
    """Tell whether an instruction gives the same wherever it stands, and nobody writes into what it makes."""
    touched = [*instruction.reads, *instruction.makes]
    return (
        not instruction.writes
        and not isinstance(instruction.function, OfPython)
        and not is_draw(instruction)
        and not any(value.memory.written for value in touched)
        and any(True for _ in instruction.makes)
    )


def is_draw(instruction: Instruction) -> bool:
    """Tell whether an instruction draws random numbers from a generator of the host's."""
    return isinstance(instruction.function, Method) and any(v.dtype is None for v in instruction.reads)


def _key(x: Any) -> Any:
    return id(x) if isinstance(x, Value) else (type(x).__name__, x)
