"""What depends on no array of the step is done first, so that what does depend on them lies in one piece."""

from __future__ import annotations

from minigrad.program.functions import Method
from minigrad.program.instructions import Instruction, Listing
from minigrad.program.passes.telling import Tell, nobody
from minigrad.program.updating import Advance, Coefficients


def hoisted(listing: Listing, tell: Tell = nobody) -> Listing:
    """Move draws of random numbers, and the optimizers' coefficients, to the beginning, in their order.

    Coefficients depend on the count of steps: those behind a step of an optimizer's stay where they are.
    """
    first: list[Instruction] = []
    rest: list[Instruction] = []
    advanced = False
    for each in listing.instructions:
        advanced = advanced or isinstance(each.function, Advance)
        is_early = isinstance(each.function, Method) or (
            isinstance(each.function, Coefficients) and not advanced
        )
        if is_early and all(value.dtype is None for value in each.reads) and any(True for _ in each.makes):
            first.append(each)
        else:
            rest.append(each)
    return Listing(listing.given, first + rest, listing.kept)
