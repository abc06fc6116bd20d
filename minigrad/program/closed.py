"""What is kept from readers: a formula that an assignment asks for runs in a program, and is printed as one line.

Its module says so by ``__sealed__``, a text that stands wherever one would read the formula.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple


class Closed(NamedTuple):
    """What instructions are a part of, ``tanh.rule`` say, and what stands in the place of its text."""

    name: str
    why: str

    def line(self, made: Iterable[Any], read: Iterable[Any]) -> str:
        """Return the line that is read in the place of the instructions: what is made of what, and not how."""
        targets, given = ", ".join(map(str, made)), ", ".join(map(str, read))
        return f"{targets}{' = ' if targets else ''}{self.name}({given})  # closed {self.why}"
