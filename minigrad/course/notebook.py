"""A test in a notebook: its cell runs it at once against what the other cells have defined."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.course.running import Outcome, judged
from minigrad.course.seeds import generator
from minigrad.course.student import Student
from minigrad.course.theirs import Theirs


class NotYet(AssertionError):
    """Fails the cell, and shows what there is to say in the place of a traceback."""

    def __init__(self, outcome: Outcome) -> None:
        self.text = [f"{label:>8}  " + text.replace("\n", "\n" + " " * 10) for label, text in outcome.lines()]
        super().__init__("\n".join(["not yet", *self.text]))

    def _render_traceback_(self) -> list[str]:
        return ["not yet", *self.text]


def run_here(function: Callable[..., None], namespace: dict[str, Any]) -> None:
    """Run a marked test on a notebook's namespace; prints "passed", or raises NotYet."""
    theirs = Theirs(namespace, namespace)
    outcome = judged(function, Student(theirs.answer), generator("notebook", function.__name__, 0))
    if not outcome.passed:
        raise NotYet(outcome)
    print("passed")
