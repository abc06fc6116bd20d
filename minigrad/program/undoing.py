"""What has to be saved before a replay, so that an exception leaves parameters and state as they were.

Nearly always that is nothing but the states of generators: updates come last, and what could fail comes before them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.optim.optimizer import Optimizer
from minigrad.program.functions import Method, OfKernel
from minigrad.program.instructions import Instruction, Listing
from minigrad.program.updating import Advance, Coefficients


class Undo:
    """Saves, of what a program is given, what it writes before something that may fail."""

    def __init__(self, listing: Listing) -> None:
        instructions = listing.instructions
        last = max((k for k, each in enumerate(instructions) if _may_fail(each)), default=-1)
        early = instructions[:last]
        written = {memory for each in early for memory in each.writes if not memory.made}
        self.arrays = [k for k, value in enumerate(listing.given) if value.memory in written]
        drawn = {value for each in instructions if isinstance(each.function, Method) for value in each.reads}
        self.generators = [
            k for k, value in enumerate(listing.given) if value in drawn and value.dtype is None
        ]
        counted = {
            value for each in instructions if isinstance(each.function, Advance) for value in each.reads
        }
        self.optimizers = [k for k, value in enumerate(listing.given) if value in counted]
        self.is_more = bool(self.arrays or self.generators)

    def saved(self, given: Sequence[Any]) -> list[tuple[Any, Any]]:
        """Return what would be lost, with whose it is."""
        saved = []
        for k in self.optimizers:  # no comprehensions: this runs for every step
            saved.append((given[k], given[k].t))  # noqa: PERF401
        if self.is_more:
            saved += [(given[k], given[k].copy()) for k in self.arrays]
            saved += [(given[k], given[k].bit_generator.state) for k in self.generators]
        return saved

    def restore(self, saved: Sequence[tuple[Any, Any]]) -> None:
        """Put it back."""
        for whose, before in saved:
            if isinstance(whose, np.random.Generator):
                whose.bit_generator.state = before
            elif isinstance(whose, Optimizer):
                whose.t = before
            else:
                whose[...] = before


def _may_fail(instruction: Instruction) -> bool:
    """Tell whether an instruction may raise that did not raise on other numbers of the same shapes."""
    function = instruction.function
    is_update = isinstance(function, OfKernel) and hasattr(function.kernel, "states")
    return not (is_update or isinstance(function, (Advance, Coefficients)))
