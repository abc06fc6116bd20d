"""A test in a notebook: its cell runs it at once against what the other cells have defined."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.answers import NotYet
from minigrad.course.running import judged
from minigrad.course.seeds import generator
from minigrad.course.student import Student
from minigrad.course.theirs import Theirs


def run_here(function: Callable[..., None], namespace: dict[str, Any]) -> None:
    """Run a marked test on a notebook's namespace; prints "passed", or raises NotYet."""
    theirs = Theirs(namespace, namespace)
    outcome = judged(function, Student(theirs.answer), generator("notebook", function.__name__, 0))
    if not outcome.passed:
        lines = [f"{label:>8}  " + text.replace("\n", "\n" + " " * 10) for label, text in outcome.lines()]
        raise NotYet("\n".join(lines))
    print("passed")
