"""Points that a person has changed: one readable table beside the results, with reasons; no regrading undoes it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from minigrad.course.assignment import Assignment, Question
from minigrad.course.tables import number, one_line, read_table, shown, write_table
from minigrad.errors import DataError

OVERRIDES = "overrides.csv"
_COLUMNS = ("student", "question", "points", "reason", "by", "when")


class Who(Protocol):
    """Knows the students of a class by whatever names them."""

    def student(self, named: str) -> str | None:
        """Return the key of the one student whom this names; None where it is nobody, or several."""

    def nobody(self, named: str) -> str:
        """Say that it is nobody, and who may be meant."""


@dataclass(frozen=True)
class Override:
    """One student's points for a question, or for one test of it (``test``), set by hand."""

    student: str
    question: str
    test: str
    points: float
    reason: str
    by: str = ""
    when: str = ""
    line: int = 0

    @property
    def what(self) -> str:
        """The question's or the test's name."""
        return self.test or self.question


@dataclass(frozen=True)
class Change:
    """What an override has changed, or points by hand have given: from ``before`` to ``points``."""

    question: str
    test: str
    before: float
    points: float
    reason: str
    by: str = ""
    when: str = ""
    graded: bool = False  # points by hand for a text, which has none before

    @property
    def gained(self) -> float:
        """What the score has more, or less, by it."""
        return self.points - self.before

    def in_words(self) -> str:
        """Say it in a sentence."""
        signed = ", ".join(part for part in (self.by, self.when) if part)
        end = f" ({signed})" if signed else ""
        if self.graded:
            return f"Graded by hand{end}{': ' if self.reason else '.'}{self.reason}"
        of = f" for {self.test}" if self.test else ""
        return f"Changed by hand{of} from {shown(self.before)} to {shown(self.points)}{end}: {self.reason}"


def read_overrides(path: Path, assignment: Assignment, who: Who) -> tuple[list[Override], list[str]]:
    """Read the table of overrides, and check that each changes something that there is.

    Of two for the same points the later
    line counts, which a note says. Raises DataError MG-958 where a student, a question or a test does not exist, a
    reason is missing, or the points are no number from 0 to what there is to be had.
    """
    if not path.exists():
        return [], []
    table = read_table(path, "MG-958")
    where = {name: table.find((name,)) for name in _COLUMNS}
    missing = [name for name in _COLUMNS[:4] if where[name] is None]
    if missing:
        raise DataError(
            "MG-958",
            f"{path} lacks the column {missing[0]!r}; its columns are {', '.join(map(repr, table.columns))}, and "
            f"wanted are {', '.join(_COLUMNS)}.",
        )
    latest: dict[tuple[str, str], Override] = {}
    notes = []
    for row in table.rows:
        cells = {name: "" if place is None else one_line(row.cells[place]) for name, place in where.items()}
        at = f"{path} line {row.line}"
        made = checked(at, assignment, cells, who, row.line)
        before = latest.pop((made.student, made.what), None)
        if before:
            notes.append(
                f"{path.name} line {row.line} takes the place of line {before.line}: {made.student}, {made.what}"
            )
        latest[made.student, made.what] = made
    return list(latest.values()), notes


def checked(
    at: str,
    assignment: Assignment,
    cells: dict[str, str],
    who: Who,
    number_of_line: int = 0,
) -> Override:
    """Return the override that some cells make; DataError MG-958, which begins with ``at``, where there is none."""
    key = who.student(cells["student"]) if cells["student"] else None
    if key is None:
        raise DataError("MG-958", f"{at}: {who.nobody(cells['student'])}")
    question, test, most = _named(at, assignment, cells["question"])
    points = number(cells["points"])
    if points is None or not 0 <= points <= most:
        raise DataError(
            "MG-958",
            f"{at}: {cells['points']!r} is to be the points of {test or question.name}, a number from 0 to {most}.",
        )
    if not cells["reason"]:
        raise DataError(
            "MG-958", f"{at}: a change of {key}'s points needs a reason, which the student gets to read."
        )
    return Override(
        key, question.name, test, points, cells["reason"], cells["by"], cells["when"], number_of_line
    )


def _named(at: str, assignment: Assignment, name: str) -> tuple[Question, str, int]:
    """Return a question, a test's name where one is meant, and the points to be had."""
    for question in assignment.questions:
        if name.casefold() in (question.name, question.title.casefold()):
            return question, "", question.points
        for test in question.tests:
            if name.casefold() == test.name:
                return question, test.name, test.points
    names = [question.name for question in assignment.questions] + [test.name for test in assignment.tests]
    near = difflib.get_close_matches(name.casefold(), names, 2)
    hint = f"Is {' or '.join(map(repr, near))} meant?" if near else f"There are {', '.join(names)}."
    raise DataError("MG-958", f"{at}: {assignment.name} has no question and no test {name!r}. {hint}")


def question_with_tests(assignment: Assignment, name: str) -> str:
    """Return the question that has this name, this title or a test of this name; DataError MG-958 where none has."""
    question = _named("--question", assignment, name)[0]
    if not question.tests:
        raise DataError("MG-958", f"--question: {question.name} is graded by hand, and has no test to run.")
    return question.name


def add_override(path: Path, made: Override) -> None:
    """Write one more line, signed with the day, behind those that are there."""
    columns: Sequence[str] = _COLUMNS
    rows: list[list[object]] = []
    if path.exists():
        table = read_table(path, "MG-958")
        columns = [*table.columns, *(name for name in _COLUMNS if table.find((name,)) is None)]
        rows = [[*row.cells, *[""] * (len(columns) - len(row.cells))] for row in table.rows]
    new = {
        "student": made.student, "question": made.what, "points": shown(made.points), "reason": made.reason,
        "by": made.by, "when": made.when or datetime.now().strftime("%Y-%m-%d %H:%M"),
    }  # fmt: skip
    rows.append([new.get(name.casefold().strip(), "") for name in columns])
    write_table(path, columns, rows, edited=True)


def changes(
    overrides: Iterable[Override], scores: dict[str, float], questions: Sequence[Question]
) -> list[Change]:
    """Return what one student's overrides change; ``scores`` are those of the tests, by name.

    One of a whole question counts whatever its tests are given.
    """
    found: list[Change] = []
    ordered = sorted(overrides, key=lambda each: not each.test)
    whole = {each.question for each in ordered if not each.test}
    for each in ordered:
        if each.test and each.question in whole:
            continue
        question = next(question for question in questions if question.name == each.question)
        before = scores[each.test] if each.test else sum(scores[test.name] for test in question.tests)
        found.append(Change(each.question, each.test, before, each.points, each.reason, each.by, each.when))
    return found
