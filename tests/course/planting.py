"""Wrong solutions, each made from the reference by one change, and the tests that it must lose: no more, no less.

An assignment's own are in ``planted_a1.py`` … as ``PLANTED``, a list of these:

    Planted(
        "tanh: the square is missing",                 # what is wrong, in words
        "return g * (1 - y * y)", "return g * (1 - y)",  # the text in the solution cells that is replaced, and by what
        loses="tanh-numbers tanh-network",             # names of tests; all others must pass
        says="square",                                 # a regular expression: what hints meant for it speak of
    )

The text to be replaced must occur once in the solution cells (give ``cell="tanh"`` to look in that one alone), and may
go over several lines. Without ``says`` the student is told nothing but what every failure of these tests is told.
"""

from __future__ import annotations

import ast
import warnings
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path

from minigrad.course.assignment import Assignment, Test, folder, load
from minigrad.course.cells import Cell
from minigrad.course.feedback import lines
from minigrad.course.results import Result
from minigrad.course.running import Bench, Outcome, local


@dataclass(frozen=True)
class Planted:
    what: str
    old: str
    new: str
    loses: str
    cell: str = ""
    says: str = ""

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


def told(assignment: Assignment, outcomes: list[Outcome]) -> dict[str, str]:
    """What the page says about the mistake itself, test by test: hints and advice that not every failure gets."""
    result = Result("student", "", {}, outcomes)
    general = {test.name: "" if test.hidden else general_hint(test) for test in assignment.tests}
    words = {}
    for question in assignment.questions:
        for test, line in zip(question.tests, lines(question, result), strict=True):
            said = [
                text
                for label, text in line.messages
                if label in ("hint", "advice") and text != general[test.name]
            ]
            if said:
                words[test.name] = " ".join(said)
    return words


def general_hint(test: Test) -> str:
    """What every failure of a test is told: its docstring."""
    functions = [part for part in ast.parse(test.source).body if isinstance(part, ast.FunctionDef)]
    return " ".join((ast.get_docstring(functions[0]) or "").split())


def loaded(path: Path) -> Assignment:
    return load(path)
