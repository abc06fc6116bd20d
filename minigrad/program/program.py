"""A program: the instructions of one step for one case, which can be run, printed and saved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from minigrad.program import arguments, source, undoing
from minigrad.program.effects import Effect
from minigrad.program.guards import Guards
from minigrad.program.instructions import Listing
from minigrad.program.results import filled
from minigrad.program.sources import Source


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
    _function: Any = field(default=None, repr=False)
    _undo: Any = field(default=None, repr=False)

    def __str__(self) -> str:
        title = (
            f"# {self.name}({arguments.described(self.case)}): {len(self.listing.instructions)} instructions"
        )
        given = f"# given:\n{source.given_text(self.listing)}" if self.listing.given else "# given: nothing"
        return f"{title}\n{given}\n{source.function_text(self.name_in_python, self.listing)}"

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

    def run(self, leaves: Sequence[Any]) -> Any:
        """Replay the step on the arrays and numbers among its arguments; return what it returns."""
        if self._function is None:
            self._function = source.compiled(self.name_in_python, self.listing)
            self._undo = undoing.Undo(self.listing)
        given = [source.read(leaves) for source in self.sources]
        before = self._undo.saved(given)
        try:
            values = self._function(*given)
        except Exception:
            self._undo.restore(before)
            raise
        arrays = dict(zip(self.listing.kept, values, strict=True))
        for effect in self.effects:
            effect.happen(arrays)
        return filled(self.tree, arrays)
