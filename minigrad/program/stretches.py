"""A step on many batches, a stretch of them at a time: as many rounds in one call of the driver as Ctrl-C can wait for.

Between two stretches Python looks up: at what is shown, at a loss that is NaN, at whoever wants to see a batch's end
and not only the last one's. A batch that is compared with the eager step, or whose program has no rounds, is a stretch
of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from time import perf_counter
from typing import TYPE_CHECKING, Any

from minigrad import switches
from minigrad.program import arguments, verifying
from minigrad.program.batches import Batches

if TYPE_CHECKING:
    from minigrad.program.compiled import Compiled
    from minigrad.program.program import Program

SECONDS = 0.03
"""How long a stretch is, about."""


class Stretches:
    """Runs a compiled step on batches, in their order."""

    def __init__(self, step: Compiled, batches: Batches) -> None:
        self.step, self.batches = step, batches
        self._fitting = 1  # rounds in a stretch
        self._held: set[int] = set()

    def look_again(self) -> None:
        """See once more whether programs hold, since somebody may have changed anything."""
        self._held.clear()

    def run(self, most: float = inf) -> Sequence[Any]:
        """Run the step on the next batches, ``most`` of them at most, and return what it returned for each.

        At least one is run where there is any. Where the step raises, nothing of this call was done.
        """
        args = self.batches.peek()
        if args is None:
            return ()
        began = perf_counter()
        with self.step.lock:
            found = self._run(args, most)
        self.batches.advance(len(found))
        fitting = int(len(found) * SECONDS / max(perf_counter() - began, 1e-6))
        self._fitting = max(1, min(fitting, 64 * self._fitting))
        return found

    def _run(self, args: tuple[Any, ...], most: float) -> Sequence[Any]:
        case, leaves = arguments.split(args, {})
        program = None if switches.is_watched() else self._program(case)
        if program is None:
            return [self.step(*args)]
        return self._rounds(program, leaves, most) or [self.step.run(program, leaves, args, {})]

    def _program(self, case: tuple[Any, ...]) -> Program | None:
        known = self.step.programs_for(case)
        program = next((each for each in known if id(each) in self._held), None) or self.step.find(case)[0]
        if program is not None:
            self._held.add(id(program))
        return program

    def _rounds(self, program: Program, leaves: Sequence[Any], most: float) -> Sequence[Any]:
        """Run as many rounds as are known ahead; none where the next call is one by itself."""
        if (rounds := program.rounds) is None:
            return ()
        before_due = verifying.before_due(program.calls) if self.step.verify else inf
        count = int(min(self._fitting, rounds.most, most, before_due))
        ahead = self.batches.ahead(program.case, program.takes, count) if count > 1 else None
        if ahead is None:
            return ()
        done, returned = rounds.run(ahead, leaves)
        program.calls += done
        return returned
