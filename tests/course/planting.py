"""Wrong solutions, each made from the reference by one change, and the tests that it must lose: no more, no less.

An assignment's own are in ``planted_a1.py`` … as ``PLANTED``, a list of these:

    Planted(
        "tanh: the square is missing",                 # what is wrong, in words
        "return g * (1 - y * y)", "return g * (1 - y)",  # the text in the solution cells that is replaced, and by what
        loses="tanh-numbers tanh-network",             # names of tests; all others must pass
    )

The text to be replaced must occur once in the solution cells (give ``cell="tanh"`` to look in that one alone), and may
go over several lines.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path

from minigrad.course.assignment import Assignment, folder, load
from minigrad.course.cells import Cell
from minigrad.course.running import Bench, Outcome, local


@dataclass(frozen=True)
class Planted:
    what: str
    old: str
    new: str
    loses: str
    cell: str = ""

    @property
    def lost(self) -> set[str]:
        return set(self.loses.split())


def sources() -> list[Path]:
    return sorted(folder().glob("a[0-9]*_*.py"))


def planted(name: str) -> list[Planted]:
    """The wrong solutions of ``a1_rules``: those of planted_a1.py."""
    return list(import_module(f"tests.course.planted_{name.partition('_')[0]}").PLANTED)


def changed(assignment: Assignment, wrong: Planted) -> list[Cell]:
    """The student's cells with the one change made."""
    places = [
        cell
        for cell in assignment.submitted
        if cell.is_solution and wrong.cell in ("", cell.name) and wrong.old in cell.source
    ]
    count = sum(cell.source.count(wrong.old) for cell in places)
    assert count == 1, f"{wrong.what}: {wrong.old!r} occurs {count} times in the solution cells"
    return [
        replace(cell, source=cell.source.replace(wrong.old, wrong.new)) if cell is places[0] else cell
        for cell in assignment.submitted
    ]


def graded(assignment: Assignment, cells: list[Cell], seed: int = 1) -> list[Outcome]:
    """Every test, hidden ones too, in this process."""
    bench = Bench(assignment)
    student, _ = local(cells, assignment)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as in a student's process, where none is an error
        return [bench.run(test, student, seed) for test in assignment.tests]


def loaded(path: Path) -> Assignment:
    return load(path)
