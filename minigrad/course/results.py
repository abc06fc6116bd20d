"""A student's result: what the tests say, what people add to it, and how it is kept in a file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from minigrad.course.adjusting import Change
from minigrad.course.assignment import Assignment, Question
from minigrad.course.late import Lateness
from minigrad.course.roster import Person
from minigrad.course.running import Outcome
from minigrad.course.texts import file_names
from minigrad.errors import DataError
from minigrad.files import read_json


@dataclass
class Settled:
    """What people add to what the tests say: who it is, points changed or given by hand, what being late costs.

    It is made anew for every table and page, and not stored with the result.
    """

    person: Person | None = None
    changes: list[Change] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)  # questions that a person has yet to grade
    late: Lateness | None = None
    penalty: float = 0.0
    missing: bool = False  # nothing was handed in


@dataclass
class Result:
    """One student's result; ``key`` says what it is the result of, so that it is taken again only for the same."""

    student: str
    file: str
    key: dict[str, Any]
    outcomes: list[Outcome]
    problems: list[dict[str, Any]] = field(default_factory=list)
    trouble: str = ""
    notes: list[str] = field(default_factory=list)  # of this run, for the instructor
    spared: dict[str, str] = field(
        default_factory=dict
    )  # questions that a regrading left, and under which tests
    regraded: list[dict[str, Any]] = field(default_factory=list)
    settled: Settled = field(default_factory=Settled)
    held: dict[str, bool] = field(default_factory=dict)  # what a student's code could do there (``holding``)

    @property
    def score(self) -> float:
        """Points of all tests together, and those given by hand; what being late costs is not taken off."""
        return _plain(sum(outcome.score for outcome in self.outcomes) + self._gained(self.settled.changes))

    @property
    def final(self) -> float:
        """The score less what being late costs."""
        return _plain(round(self.score - self.settled.penalty, 2))

    @property
    def points(self) -> int:
        """Points of all tests together, those of bonus questions among them."""
        return sum(outcome.points for outcome in self.outcomes)

    def points_of(self, question: Question) -> float:
        """Points of one question, changed or given by hand where somebody has."""
        changes = [change for change in self.settled.changes if change.question == question.name]
        return _plain(self.of([test.name for test in question.tests]) + self._gained(changes))

    def _gained(self, changes: Sequence[Change]) -> float:
        return sum(change.gained for change in changes)

    def of(self, names: Sequence[str]) -> int:
        """Points of some tests together."""
        return sum(outcome.score for outcome in self.outcomes if outcome.test in names)


def _plain(points: float) -> float:
    return int(points) if points == int(points) else points


def remove_others(folder: Path, students: Iterable[str]) -> list[str]:
    """Remove what ``results``, ``feedback`` and ``gradescope`` in ``folder`` hold of others than these students.

    Returns the names of what was removed. Files of other kinds stay.
    """
    keep = set(file_names(students).values())
    gone: set[str] = set()
    for kind, pattern in (
        ("results", "[!.]*.json"),
        ("feedback", "[!.]*.html"),
        ("gradescope", "[!.]*/results.json"),
    ):
        for path in (folder / kind).glob(pattern):
            entry = path.parent if kind == "gradescope" else path
            name = entry.name if kind == "gradescope" else entry.stem
            if name not in keep:
                with suppress(OSError):  # others have put something there as well
                    path.unlink()
                    gone.add(name)
                    if entry is not path:
                        entry.rmdir()
    return sorted(gone)


def as_json(result: Result) -> dict[str, Any]:
    """Return a result as plain data, with its score in it for those who read the file."""
    plain = {name: value for name, value in asdict(result).items() if name != "settled"}
    return {"score": result.score, "points": result.points, **plain}


def from_json(content: Any) -> Result:
    """Build a result from ``as_json``; DataError MG-945 where it is none."""
    try:
        outcomes = [Outcome(**_current(outcome)) for outcome in content["outcomes"]]
        names = ("student", "file", "key", "problems", "trouble")
        later = {name: content[name] for name in ("spared", "regraded") if name in content}
        held = {str(name): bool(can) for name, can in dict(content.get("held", {})).items()}
        return Result(outcomes=outcomes, held=held, **{name: content[name] for name in names}, **later)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError("MG-945", f"this is no result of a student ({error}). Grade again.") from error


def _current(outcome: dict[str, Any]) -> dict[str, Any]:
    """Return a stored outcome under today's names: what is ``message`` now was ``said`` in files before."""
    return {"message" if name == "said" else name: value for name, value in outcome.items()}


def read_results(folder: Path, assignment: Assignment) -> list[Result]:
    """Read all results of a folder; MG-945 where there are none, or one is damaged or another assignment's."""
    paths = sorted(folder.glob("[!.]*.json"))
    if not paths:
        raise DataError("MG-945", f"there are no results in {folder}: grade first.")
    results = [from_json(read_json(path)) for path in paths]
    names = {test.name for test in assignment.tests}
    for path, result in zip(paths, results, strict=True):
        if {outcome.test for outcome in result.outcomes} != names:
            raise DataError(
                "MG-945", f"{path} is the result of another assignment, or of another state of it."
            )
    return results


def without_missing(results: Sequence[Result]) -> list[Result]:
    """Return the results of those who have handed something in, or were given points nevertheless."""
    return [result for result in results if not result.settled.missing or result.settled.changes]


def stored_in(path: Path) -> Result | None:
    """Return the result in a file; None where it is not there yet, or damaged, and is to be graded again."""
    try:
        return from_json(read_json(path))
    except DataError:
        return None
