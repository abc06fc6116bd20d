"""A program: the instructions of one step for one case, which can be run, printed and saved."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from minigrad.program import arguments, graph, native, passes, saving, source, undoing
from minigrad.program.effects import Effect
from minigrad.program.guards import Guards
from minigrad.program.instructions import Listing
from minigrad.program.memory import Lives
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
    replayed: Listing = field(init=False, repr=False)
    _function: Any = field(default=None, repr=False)
    _native: native.Native | graph.Graph | None = field(default=None, repr=False)
    _reads: Any = field(default=None, repr=False)
    _undo: Any = field(default=None, repr=False)
    _changing: Any = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self.replayed = list(self.stages.values())[-1]

    def __str__(self) -> str:
        listing = self.replayed
        title = f"# {self.name}({arguments.described(self.case)}): {len(listing.instructions)} instructions"
        given = f"# given:\n{source.given_text(listing)}" if listing.given else "# given: nothing"
        return f"{title}\n{given}\n{source.function_text(self.name_in_python, listing)}"

    @property
    def told(self) -> str:
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
        for make in (passes.without_copies, passes.shared, passes.without_dead):
            found[make.__name__] = make(next(reversed(found.values())))
        return found

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
        """Return when each buffer lives, and how much memory is needed at once; ``print`` draws it."""
        return Lives(self.replayed)

    @property
    def numpy(self) -> str:
        """The program as text with every kernel written out, formula by formula: what ``save`` writes."""
        return source.function_text(self.name_in_python, passes.folded(self.lowered))

    def save(self, path: str | os.PathLike[str], steps: int = 10_000) -> None:
        """Write the step as a Python file that runs with NumPy alone, and its arrays as ``.npz`` beside it.

        ::

            step.program.save("step.py")  # and then, anywhere: import step; loss = step.step(x, y)

        A schedule's rates are written for the next ``steps`` steps. The numbers are those of the kernels' references:
        to rounding those of the program. Raises ProgramError MG-638 where an optimizer has no formula in NumPy.
        """
        saving.save(self, path, steps)

    def _replay(self, given: Sequence[Any]) -> tuple[Any, ...]:
        """Run on the processor's target, or a GPU's; its first run makes it ready, where that is possible."""
        if self._native is None and graph.is_for(self.replayed, given):
            self._native = graph.Graph(self.replayed, given, self._changing)
            return self._native.first
        if self._native is None and native.is_possible(given):
            self._native = native.Native(self.replayed, given)
            return self._native.first
        values: tuple[Any, ...] = self._function(*given) if self._native is None else self._native.run(given)
        return values

    def run(self, leaves: Sequence[Any]) -> Any:
        """Replay the step on the arrays and numbers among its arguments; return what it returns."""
        if self._function is None:
            self._function = source.compiled(self.name_in_python, self.replayed)
            self._undo = undoing.Undo(self.replayed)
            needed = set(self.replayed.given)
            found = [
                each for value, each in zip(self.listing.given, self.sources, strict=True) if value in needed
            ]
            self._reads = [each.read for each in found]
            self._changing = [isinstance(each, Argument) for each in found]
        given = [read(leaves) for read in self._reads]
        before = self._undo.saved(given)
        try:
            values = self._replay(given)
        except Exception:
            self._undo.restore(before)
            raise
        arrays = dict(zip(self.listing.kept, values, strict=True))
        for effect in self.effects:
            effect.happen(arrays)
        return filled(self.tree, arrays)
