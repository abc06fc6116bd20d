"""A program: the instructions of one step for one case, which can be run, printed and saved."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from minigrad.program import arguments, graph, native, passes, rounds, saving, source, sources, undoing
from minigrad.program.effects import Effect
from minigrad.program.guards import Guards
from minigrad.program.instructions import Listing
from minigrad.program.memory import Lives, of_listing
from minigrad.program.results import filled
from minigrad.program.sources import Argument, Source


@dataclass(slots=True, eq=False)
class Program:
    """What a step does, for one case of its arguments and as long as its guards hold.

    ``print(program)`` shows it as NumPy, each line with the line of the step that it comes from.
    """

    name: str
    case: tuple[Any, ...]
    listing: Listing
    sources: Sequence[Source]
    tree: Any
    effects: Sequence[Effect]
    guards: Guards
    seconds: float
    calls: int = 1
    reason: str = ""
    _replayed: Listing | None = field(default=None, init=False, repr=False)
    _function: Any = field(default=None, repr=False)
    _native: native.Native | graph.Graph | None = field(default=None, repr=False)
    _rounds: Any = field(default=..., repr=False)
    takes: Any = field(default=arguments.no_match, repr=False)
    """Gives the leaves of arguments that are of this case, where they are arrays and tensors."""
    read: Any = field(default=None, repr=False)
    read_from: Sequence[Source] = field(default=(), repr=False)
    undo: Any = field(default=None, repr=False)

    @property
    def replayed(self) -> Listing:
        """The listing as it is after all passes."""
        if self._replayed is None:
            self._replayed = list(self.stages.values())[-1]
        return self._replayed

    def __str__(self) -> str:
        listing = self.replayed
        title = f"# {self.name}({arguments.described(self.case)}): {len(listing.instructions)} instructions"
        given = f"# given:\n{source.given_text(listing)}" if listing.given else "# given: nothing"
        return f"{title}\n{given}\n{source.function_text(self.name_in_python, listing)}"

    @property
    def summary(self) -> str:
        """One line on the program: its case, why it was made, how long that took, how often it ran."""
        return (
            f"{arguments.described(self.case)}: made for {self.reason}, "
            f"{len(self.listing.instructions)} instructions, traced in {1e3 * self.seconds:.1f} ms, "
            f"{self.calls} call{'' if self.calls == 1 else 's'}"
        )

    @property
    def name_in_python(self) -> str:
        """The step's name, where it is one that Python takes."""
        return self.name if self.name.isidentifier() else "step"

    @property
    def stages(self) -> dict[str, Listing]:
        """The listing as it was traced, and after each pass, by the pass's name."""
        found = {"traced": self.listing}
        return found | {each.name: each.after for each in passes.staged(self.listing, passes.EVERYWHERE)}

    def passes(self) -> passes.Stages:
        """Return what each pass did to the program, the processor's included; ``print`` shows it.

        Each has a ``name``, a ``purpose``, the listings ``before`` and ``after``, and what it ``said``.
        """
        return passes.staged(self.listing, (*passes.EVERYWHERE, *passes.ON_PROCESSOR))

    @property
    def lowered(self) -> Listing:
        """The program with every kernel written out in NumPy."""
        return passes.without_dead(passes.shared(passes.lowered(self.replayed)))

    @property
    def native(self) -> str:
        """The replay as its target has it: the loops of each table, or the graph, and what Python does beside it.

        It is made ready by the program's first replay; before that, and where there is no Numba, it is NumPy.
        """
        if self._native is None:
            return source.function_text(self.name_in_python, self.replayed)
        return self._native.text

    def memory(self) -> Lives:
        """Return when each buffer lives, and how much memory is needed at once; ``print`` draws it.

        Before the program is made ready by its first replay, that is told from its instructions alone.
        """
        lives = (
            self._native.block.lives
            if isinstance(self._native, native.Native)
            else of_listing(self.passes().last)
        )
        return Lives(lives.lives, lives.count, before=of_listing(self.listing))

    @property
    def numpy(self) -> str:
        """The program as text with every kernel written out, formula by formula: what ``save`` writes."""
        return source.function_text(self.name_in_python, passes.folded(self.lowered))

    def save(self, path: str | os.PathLike[str], steps: int = 10_000) -> None:
        """Write the step as a Python file that runs with NumPy alone, and its arrays as ``.npz`` beside it.

        ::

            step.program.save("step.py")  # and then, anywhere: import step; loss = step.step(x, y)

        A schedule's rates are written for the next ``steps`` steps. The numbers are those of the kernels' references:
        to rounding those of the program. Raises ProgramError MG-638 where an optimizer has no formula in NumPy, and
        MG-650 where a formula is kept from readers.
        """
        saving.save(self, path, steps)

    def _make_ready(self) -> None:
        self.takes = arguments.matcher(self.case)
        self.undo = undoing.Undo(self.replayed)
        needed = set(self.replayed.given)
        pairs = zip(self.listing.given, self.sources, strict=True)
        self.read_from = [each for value, each in pairs if value in needed]
        self.read = sources.reader(self.read_from)

    def _first(self, given: Sequence[Any]) -> tuple[Any, ...]:
        """Run without the processor's target, which this makes ready where that is possible."""
        if graph.is_for(self.replayed, given):
            changing = [isinstance(each, Argument) for each in self.read_from]
            self._native = graph.Graph(self.replayed, given, changing)
            return self._native.first
        if native.is_possible(given):
            self._native = native.Native(self.replayed, given)
            return self._native.first
        if self._function is None:
            self._function = source.compiled(self.name_in_python, self.replayed)
        values: tuple[Any, ...] = self._function(*given)
        return values

    def run(self, leaves: Sequence[Any]) -> Any:
        """Replay the step on the arrays and numbers among its arguments; return what it returns."""
        if self.read is None:
            self._make_ready()
        given = self.read(leaves)
        before = self.undo.saved(given)
        try:
            values = self._first(given) if self._native is None else self._native.run(given)
        except Exception:
            self.undo.restore(before)
            raise
        arrays = dict(zip(self.listing.kept, values))  # noqa: B905 (this runs for every step)
        for effect in self.effects:
            effect.happen(arrays)
        return filled(self.tree, arrays)

    @property
    def rounds(self) -> rounds.Rounds | None:
        """The program as many rounds at once, where it is ready and Python has nothing to do between them."""
        if not isinstance(self._native, native.Native):
            return None
        if self._rounds is ...:
            self._rounds = rounds.of(self, self._native)
        found: rounds.Rounds | None = self._rounds
        return found
