"""Grading: a class's submissions, each test in a process of its own, one JSON file per student as it comes."""

from __future__ import annotations

import csv
import hashlib
import io
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import minigrad
from minigrad.course.assignment import Assignment, Test
from minigrad.course.cells import Cell, to_percent
from minigrad.course.remote import Forks
from minigrad.course.running import Bench, Outcome, failed
from minigrad.course.seeds import seed_of
from minigrad.course.student import Problem
from minigrad.course.submissions import Submission
from minigrad.course.texts import file_names, line, whole
from minigrad.errors import DataError
from minigrad.files import atomic_write, read_json, write_json

_MOST_DROPPED = 6  # cells of a submission that end or hang the process while it loads
_TOTAL = 12  # a submission's time altogether, in tests' limits
_AFTERWARDS = 0.1  # what a test has of its limit when that is used up


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

    @property
    def score(self) -> int:
        """Points of all tests together."""
        return sum(outcome.score for outcome in self.outcomes)

    @property
    def points(self) -> int:
        """Points to be had."""
        return sum(outcome.points for outcome in self.outcomes)

    def of(self, names: Sequence[str]) -> int:
        """Points of some tests together."""
        return sum(outcome.score for outcome in self.outcomes if outcome.test in names)


@dataclass(frozen=True)
class Settings:
    """How to grade: what seeds are made with; a test's limits (seconds; bytes beyond what Python itself takes)."""

    secret: bytes = b""
    seconds: float = 10.0
    memory: int = 1 << 30


class Stopped(Exception):
    """The grader was closed in the middle of a submission, which then has no result."""


class Grader:
    """An assignment, ready to grade submissions with; each thread that grades has a fork server of its own."""

    def __init__(self, assignment: Assignment, settings: Settings | None = None) -> None:
        self.assignment, self.settings = assignment, settings or Settings()
        self._bench = Bench(assignment)
        self._digest = hashlib.sha256(to_percent(assignment.cells).encode()).hexdigest()
        self._of_thread = threading.local()
        self._all_forks: list[Forks] = []
        self._lock = threading.Lock()
        self._closed = False

    def key(self, submission: Submission) -> dict[str, Any]:
        """What a result depends on. The seed is the student's own, and made from the secret."""
        return {
            "assignment": self.assignment.name,
            "source": self._digest,
            "submission": submission.digest,
            "trouble": submission.trouble,
            "seed": seed_of(self.settings.secret, self.assignment.name, submission.student),
            "seconds": self.settings.seconds,
            "memory": self.settings.memory,
            "minigrad": minigrad.__version__,
        }

    def grade(self, submission: Submission) -> Result:
        """Run every test on one submission."""
        key = self.key(submission)
        result = Result(submission.student, submission.file, key, [], trouble=submission.trouble)
        if submission.trouble:
            result.outcomes = [failed(test, "trouble", submission.trouble) for test in self.assignment.tests]
            return result
        until = time.monotonic() + _TOTAL * self.settings.seconds
        cells, result.problems = self.loadable(submission.cells)
        outcomes: dict[str, Outcome] = {}
        # Public tests first: what a page quotes was said before the student's code has seen a hidden test.
        for test in sorted(self.assignment.tests, key=lambda test: test.hidden):
            outcomes[test.name] = self.outcome(test, cells, key["seed"], until)
        result.outcomes = [outcomes[test.name] for test in self.assignment.tests]
        return result

    def outcome(self, test: Test, cells: list[Cell], seed: int, until: float = float("inf")) -> Outcome:
        """Run one test on loaded cells; after ``until`` (of ``time.monotonic()``), in a tenth of the time."""
        share = 1.0 if time.monotonic() < until else _AFTERWARDS
        try:
            with self._forks(share).session(cells, self.assignment.shared) as student:
                return self._bench.run(test, student, seed)
        except Problem as problem:
            return failed(test, problem.kind, problem.message)

    def failure(self, submission: Submission, error: Exception) -> Result:
        """Return the result of a submission at which the grader itself failed; the next run grades it again."""
        why = line(
            f"{type(error).__name__}: {error}", 300
        )  # not for the student: it may name the grader's files
        trouble = "It could not be graded, which is the grader's fault and not the student's."
        outcomes = [failed(test, "trouble", trouble) for test in self.assignment.tests]
        key = self.key(submission) | {"failed": True}
        return Result(submission.student, submission.file, key, outcomes, trouble=trouble, notes=[why])

    def close(self) -> None:
        """End the fork servers; whatever is being graded ends with Stopped."""
        self._closed = True
        for forks in self._all_forks:
            forks.kill()
        for forks in self._all_forks:
            forks.close()

    def loadable(self, cells: list[Cell]) -> tuple[list[Cell], list[dict[str, Any]]]:
        """Leave out cells that end, hang or fill the process as they are loaded, so that the others can be graded.

        Returns the cells that are left and what went wrong in others. Where too many had to be left out, those
        before the last of them are left.
        """
        cells = list(cells)
        problems: list[dict[str, Any]] = []
        while True:
            begun: list[int] = []
            try:
                with self._forks().session(cells, self.assignment.shared, begun) as student:
                    greedy = {
                        problem["number"] for problem in student.problems if problem["kind"] == "memory"
                    }
                    kept = [cell for number, cell in enumerate(cells) if number not in greedy]
                    return kept, [*problems, *map(_shortened, student.problems)]
            except Problem as problem:
                k = begun[-1] if begun and 0 <= begun[-1] < len(cells) else 0
                name = cells[k].name or f"number {k + 1}" if cells else ""
                found = {"cell": name, "number": k, "kind": problem.kind, "message": problem.message}
                problems.append(_shortened(found | {"line": 0, "text": ""}))
                if len(problems) > _MOST_DROPPED or not cells:
                    return cells[:k], problems
                cells.pop(k)

    def _forks(self, share: float = 1.0) -> Forks:
        if self._closed:
            raise Stopped
        forks: Forks | None = getattr(self._of_thread, "forks", None)
        if forks is None:
            with self._lock:
                forks = Forks(seconds=self.settings.seconds, memory=self.settings.memory)
                self._all_forks.append(forks)
            self._of_thread.forks = forks
        forks.seconds = self.settings.seconds * share
        return forks


def _shortened(problem: dict[str, Any]) -> dict[str, Any]:
    limits = {"cell": 80, "message": 500, "text": 200}
    return problem | {name: line(problem[name], most) for name, most in limits.items()}


def grade_class(
    grader: Grader,
    given: Sequence[Submission],
    folder: Path,
    *,
    jobs: int = 2,
    trust_stored: bool = True,
    done: Callable[[Result, bool], None] = lambda result, kept: None,
) -> list[Result]:
    """Grade all, ``jobs`` at a time, and return the results in the order of the submissions.

    Each result is written to ``folder/STUDENT.json`` as it comes (``file_names`` says what a student's file is
    called). Where that file holds the result of this very submission under these settings it is taken from there, so
    that a run which was stopped goes on where it was; unless it is not to be trusted, since students' code can write
    there (``holding``). ``done`` hears of every result, and whether it was there
    already. Whatever goes wrong with one of them is its note and nobody else's.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = file_names(submission.student for submission in given)
    results: dict[str, Result] = {}
    waiting = []

    def finish(result: Result, kept: bool) -> None:
        results[result.student] = result
        try:
            done(result, kept)
        except Exception as error:
            result.notes.append(f"Its pages could not be written ({line(str(error), 200)}).")

    for submission in given:
        path = folder / f"{names[submission.student]}.json"
        kept = _kept(path, grader.key(submission)) if trust_stored else None
        if kept is None:
            waiting.append(submission)
        else:
            finish(kept, True)

    def work(submission: Submission) -> Result:
        try:
            result = grader.grade(submission)
        except Stopped:
            raise
        except Exception as error:
            result = grader.failure(submission, error)
        path = folder / f"{names[submission.student]}.json"
        try:
            write_json(path, as_json(result))
        except (OSError, ValueError) as error:
            with suppress(OSError):
                path.unlink()  # what is there is not this
            result.notes.append(f"The result could not be written ({line(str(error), 200)}).")
        return result

    pool = ThreadPoolExecutor(jobs)
    try:
        for future in as_completed([pool.submit(work, submission) for submission in waiting]):
            finish(future.result(), False)
    except BaseException:
        grader.close()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return [results[submission.student] for submission in given]


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
    return {"score": result.score, "points": result.points, **asdict(result)}


def from_json(content: Any) -> Result:
    """Build a result from ``as_json``; DataError MG-945 where it is none."""
    try:
        outcomes = [Outcome(**outcome) for outcome in content["outcomes"]]
        names = ("student", "file", "key", "problems", "trouble")
        return Result(outcomes=outcomes, **{name: content[name] for name in names})
    except (KeyError, TypeError) as error:
        raise DataError("MG-945", f"this is no result of a student ({error}). Grade again.") from error


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


def _kept(path: Path, key: dict[str, Any]) -> Result | None:
    try:
        result = from_json(read_json(path))
    except DataError:  # not there yet, or damaged: it is graded again
        return None
    return result if result.key == key else None


def write_csv(path: Path, assignment: Assignment, results: Sequence[Result]) -> None:
    """Write one row per student: points of each question, and of all together."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(
        ["student", "file", "score", "points", *(question.name for question in assignment.questions), "note"]
    )
    for result in results:
        of_questions = [
            result.of([test.name for test in question.tests]) for question in assignment.questions
        ]
        problems = [f"cell {problem['cell']}: {problem['message']}" for problem in result.problems]
        note = "; ".join([*([result.trouble] if result.trouble else problems), *result.notes])
        row = [_harmless(result.student), _harmless(result.file), result.score, result.points, *of_questions]
        table.writerow([*row, _harmless(line(note, 2000))])
    atomic_write(path, text.getvalue())


def _harmless(text: str) -> str:
    """Keep a spreadsheet from taking a text for a formula, and the table in UTF-8."""
    text = whole(text)
    return f"'{text}" if text[:1] in "=+-@\t" and text else text
