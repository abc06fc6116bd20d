"""What nobody asks for is left out."""

from __future__ import annotations

from minigrad.program.functions import OfPython
from minigrad.program.instructions import Instruction, Listing
from minigrad.program.passes.common import is_draw
from minigrad.program.passes.telling import Tell, nobody


def without_dead(listing: Listing, tell: Tell = nobody) -> Listing:
    """Leave out what neither a result, nor memory that is there afterwards, nor the host depends on.

    Random numbers are drawn all the same, because the next ones depend on it.
    """
    needed = set(listing.kept)
    memories = {value.memory for value in listing.kept}
    kept: list[Instruction] = []
    for each in reversed(listing.instructions):
        if (
            any(not memory.made or memory in memories for memory in each.writes)
            or any(value in needed for value in each.makes)
            or _has_effect(each)
        ):
            kept.append(each)
            needed.update(each.reads)
            memories.update(value.memory for value in each.reads)
    return Listing(
        [value for value in listing.given if value in needed or value.dtype is None], kept[::-1], listing.kept
    )


def _has_effect(instruction: Instruction) -> bool:
    """Tell whether the host, or a generator, is another one afterwards."""
    if isinstance(instruction.function, OfPython):
        return not any(True for _ in instruction.makes)
    return is_draw(instruction)
