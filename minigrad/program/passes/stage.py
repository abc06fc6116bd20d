"""A pass as it can be looked at: the program before and after, the lines that differ, and what the pass says itself."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from minigrad.program import source
from minigrad.program.instructions import Listing
from minigrad.program.passes.telling import Tell, nobody

Pass = Callable[[Listing, Tell], Listing]


@dataclass(slots=True, frozen=True)
class Stage:
    """What a pass did: its name, what it is for, the listing before and after, and what it had to say."""

    name: str
    purpose: str
    before: Listing
    after: Listing
    said: Sequence[str]

    @property
    def changed(self) -> bool:
        """Whether the program is another one."""
        return source.lines(self.before) != source.lines(self.after)

    def __str__(self) -> str:
        before, after = (source.lines(each) for each in (self.before, self.after))
        count, now = len(self.before.instructions), len(self.after.instructions)
        title = f"{self.name}: {self.purpose}"
        if not self.changed:
            return "\n".join([title, *(f"  # {text}" for text in self.said), "  nothing to do"])
        hunks = list(difflib.unified_diff(before, after, n=0, lineterm=""))[2:]
        differing = [f"{line[0]} {line[1:]}" for line in hunks if line[0] != "@" and line[1:3] != "# "]
        return "\n".join(
            [
                f"{title} ({count} instructions, then {now})",
                *(f"  # {text}" for text in self.said),
                *(f"  {line}" for line in differing),
            ]
        )


class Stages(tuple[Stage, ...]):
    """All passes, in their order; ``print`` shows what each did."""

    __slots__ = ()

    def __str__(self) -> str:
        return "\n\n".join(map(str, self))

    def __repr__(self) -> str:
        return str(self)

    @property
    def last(self) -> Listing:
        """The listing as it is after all of them."""
        return self[-1].after


def staged(listing: Listing, passes: Sequence[Pass]) -> Stages:
    """Run passes one after another and return what each did."""
    found: list[Stage] = []
    for each in passes:
        said: list[str] = []
        after = each(listing, said.append)
        purpose = (inspect.getdoc(each) or "").split("\n\n")[0].replace("\n", " ")
        found.append(Stage(each.__name__, purpose, listing, after, said))
        listing = after
    return Stages(found)


def after(listing: Listing, passes: Sequence[Pass]) -> Listing:
    """Run passes one after another and return what is left."""
    for each in passes:
        listing = each(listing, nobody)
    return listing
