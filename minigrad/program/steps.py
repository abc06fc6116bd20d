"""The steps of a replay on the processor: loops with their arrays, lines of Python, and what is made of neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from minigrad_kernels import driver, sample, teams, updates
from minigrad_kernels.blas import Product
from minigrad_kernels.chains import Chain
from minigrad_kernels.launch import Host, Loop

from minigrad.program.closed import Closed
from minigrad.program.instructions import Instruction
from minigrad.program.tracer import is_array
from minigrad.program.updating import Advance, Coefficients


class Step:
    """Something that the replay does: a loop or a Host with its arguments, or a line of Python and its arrays.

    ``ahead`` is the instruction of a line of Python's that could be done for many steps at once: of an optimizer's
    coefficients, of random numbers, of the count of steps. ``closed`` is what may not be read in it.
    """

    __slots__ = ("ahead", "arguments", "closed", "what")

    def __init__(
        self, what: Loop | Host | Product | str, arguments: tuple[Any, ...], ahead: Instruction | None = None
    ) -> None:
        self.what, self.arguments, self.ahead = what, arguments, ahead
        self.closed: Closed | None = None

    def __repr__(self) -> str:
        if self.closed is not None:
            return self.closed.name
        if isinstance(self.what, Loop):
            helper = self.what.names.get("of_entry", self.what)
            return str(helper.function.__name__.removesuffix("_loop"))
        if isinstance(self.what, Host):
            return self.what.name.removesuffix("_loop")
        return "product" if isinstance(self.what, Product) else str(self.what)

    @property
    def is_for_table(self) -> bool:
        """Whether the driver can call it."""
        if isinstance(self.what, (Chain, Product)):
            return True
        is_loop = isinstance(self.what, (Loop, teams.Team))
        return is_loop and None not in map(driver.kind_of, self.arguments)

    def instead(self, what: Loop | Host, arguments: tuple[Any, ...]) -> Step:
        """Return what takes this step's place."""
        step = Step(what, arguments)
        step.closed = self.closed
        return step

    def touches(self, root: Any) -> bool:
        """Tell whether one of its arrays lies in this memory."""
        return any(isinstance(each, np.ndarray) and root_of(each) is root for each in self.arguments)


def updated_by_rows(steps: Sequence[Step], kept: Sequence[Any]) -> list[Step]:
    """Make the gradient of a single sample's weights, where only an update needs it, row by row in the update.

    It is worked out and used entry by entry as before, but never lies in memory.
    """
    found = list(steps)
    for step in steps:
        if step.what is not sample.BACKWARD:
            continue
        *workers, db, x, w, dx, dw = step.arguments
        root = root_of(dw)
        others = [other for other in steps if other is not step and other.touches(root)]
        if len(others) != 1 or any(isinstance(each, np.ndarray) and root_of(each) is root for each in kept):
            continue
        update = others[0]
        if (rows := updates.by_rows(update.what, dw.size)) is None:
            continue
        team, count = rows
        theta, _, *state, coefficients = update.arguments
        matrices = [each.reshape(dw.shape) for each in (theta, *state)]
        less = (*workers, db, x, w, dx, np.empty((0, x.size), x.dtype))
        at = found.index(step)
        found[at : at + 1] = [step.instead(step.what, less)] if dx.size else []
        by_rows = (count, count, db, x, *matrices, coefficients)
        found[found.index(update)] = update.instead(team, by_rows)
    return found


def root_of(array: Any) -> Any:
    """Return the array that owns the memory on which this one lies."""
    below = array
    while (below := getattr(below, "base", None)) is not None:
        array = below if is_array(below) else array
    return array


def is_ahead(instruction: Instruction) -> bool:
    """Tell whether something could be done for many steps at once: it depends on no array."""
    of_host = (
        isinstance(instruction.function, (Coefficients, Advance)) or instruction.function.name == ".random"
    )
    return of_host and all(value.dtype is None for value in instruction.reads)


def is_one_piece(steps: Sequence[Step]) -> bool:
    """Tell whether all loops come one after another; only counts of steps may come between or behind them."""
    kinds = [
        step.ahead is None for step in steps if not (step.ahead and isinstance(step.ahead.function, Advance))
    ]
    return kinds == sorted(kinds)
