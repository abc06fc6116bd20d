"""Grading: a class's submissions, each test in a process of its own, one JSON file per student as it comes."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import minigrad
from minigrad.course.assignment import Assignment, Question, Test
from minigrad.course.cells import Cell, to_percent
from minigrad.course.places import neutral
from minigrad.course.regrading import NOTHING_ANEW, Regrade, merged, outdated
from minigrad.course.remote import Forks, Lost
from minigrad.course.results import Result, as_json, stored_in
from minigrad.course.running import Bench, Outcome, failed
from minigrad.course.seeds import seed_of
from minigrad.course.student import Problem
from minigrad.course.submissions import Submission
from minigrad.course.texts import file_names, line
from minigrad.files import write_json

_MOST_DROPPED = 6  # cells of a submission that end or hang the process while it loads
_TOTAL = 12  # a submission's time altogether, in tests' limits
_PAUSE = 1.0  # seconds before a submission is graded again for which there was no process
_AFTERWARDS = 0.1  # what a test has of its limit when that is used up


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

    def __init__(
        self, assignment: Assignment, settings: Settings | None = None, held: Mapping[str, bool] | None = None
    ) -> None:
        self.assignment, self.settings, self.held = assignment, settings or Settings(), dict(held or {})
        self._bench = Bench(assignment)
        self._digest = _digest(assignment.shared)
        self.digests = {
            question.name: _digest(_cells_of(assignment, question))
            for question in assignment.questions
            if question.tests
        }
        self._of_thread = threading.local()
        self._all_forks: list[Forks] = []
        self._lock = threading.Lock()
        self._closed = False

    def key(self, submission: Submission) -> dict[str, Any]:
        """What a result depends on. The seed is the student's own, and made from the secret."""
        return {
            "assignment": self.assignment.name,
            "source": self._digest,
            "questions": self.digests,
            "submission": submission.digest,
            "trouble": submission.trouble,
            "seed": seed_of(self.settings.secret, self.assignment.name, submission.student),
            "seconds": self.settings.seconds,
            "memory": self.settings.memory,
            "minigrad": minigrad.__version__,
        }

    def grade(
        self, submission: Submission, only: Sequence[str] | None = None, seed: int | None = None
    ) -> Result:
        """Run every test on one submission, or those of some questions alone."""
        key = self.key(submission)
        tests = [
            test
            for question in self.assignment.questions
            if only is None or question.name in only
            for test in question.tests
        ]
        seed = key["seed"] if seed is None else seed
        result = Result(
            submission.student, submission.file, key, [], trouble=submission.trouble, held=self.held
        )
        if submission.trouble:
            result.outcomes = [failed(test, "trouble", submission.trouble) for test in tests]
            return result
        until = time.monotonic() + _TOTAL * self.settings.seconds
        cells, result.problems = self.loadable(submission.cells)
        outcomes: dict[str, Outcome] = {}
        # Public tests first: what a page quotes was said before the student's code has seen a hidden test.
        for test in sorted(tests, key=lambda test: test.hidden):
            outcomes[test.name] = self.outcome(test, cells, seed, until)
        result.outcomes = [outcomes[test.name] for test in tests]
        return result

    def outcome(self, test: Test, cells: list[Cell], seed: int, until: float = float("inf")) -> Outcome:
        """Run one test on loaded cells; after ``until`` (of ``time.monotonic()``), in a tenth of the time."""
        share = 1.0 if time.monotonic() < until else _AFTERWARDS
        try:
            with self._forks(share).session(cells, self.assignment.shared) as student:
                return self._bench.run(test, student, seed)
        except Lost:
            if self._closed:
                raise Stopped from None
            raise
        except Problem as problem:
            if self._closed:  # it is the grader that has ended it
                raise Stopped from None
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
                if self._closed:
                    raise Stopped from None
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


def _digest(cells: Sequence[Cell]) -> str:
    return hashlib.sha256(to_percent(cells).encode()).hexdigest()


def _cells_of(assignment: Assignment, question: Question) -> list[Cell]:
    names = {question.name, *(test.name for test in question.tests)}
    return [cell for cell in assignment.cells if cell.name in names and (cell.is_test or cell.is_solution)]


def _shortened(problem: dict[str, Any]) -> dict[str, Any]:
    limits = {"cell": 80, "message": 500, "text": 200}
    return problem | {name: line(neutral(problem[name]), most) for name, most in limits.items()}


def grade_class(
    grader: Grader,
    given: Sequence[Submission],
    folder: Path,
    *,
    jobs: int = 2,
    trust_stored: bool = True,
    regrade: Regrade = NOTHING_ANEW,
    done: Callable[[Result, bool], None] = lambda result, kept: None,
) -> list[Result]:
    """Grade all, ``jobs`` at a time, and return the results in the order of the submissions.

    Each result is written to ``folder/STUDENT.json`` as it comes (``file_names`` says what a student's file is
    called). Where that file holds the result of this very submission under these settings it is taken from there, so
    that a run which was stopped goes on where it was; unless it is not to be trusted, since students' code can write
    there (``holding``). Where nothing but some questions' tests have changed, those alone are run; ``regrade`` runs
    some anew for all. ``done`` hears of every result, and whether it was there
    already. Whatever goes wrong with one of them is its note and nobody else's.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = file_names(submission.student for submission in given)
    results: dict[str, Result] = {}
    waiting: list[tuple[Submission, Result | None, list[str] | None]] = []

    def finish(result: Result, kept: bool) -> None:
        results[result.student] = result
        try:
            done(result, kept)
        except Exception as error:
            result.notes.append(f"Its pages could not be written ({line(str(error), 200)}).")

    for submission in given:
        path = folder / f"{names[submission.student]}.json"
        stored = stored_in(path) if trust_stored else None
        questions = outdated(stored, grader.key(submission), regrade)
        if stored is None or questions is None or questions:
            waiting.append((submission, stored, questions))
        else:
            finish(stored, True)

    def graded(submission: Submission, stored: Result | None, questions: list[str] | None) -> Result:
        if stored is None or questions is None:
            return grader.grade(submission)
        fresh = grader.grade(submission, questions, stored.key["seed"])
        return merged(grader.assignment, stored, fresh, questions, grader.key(submission), regrade)

    def work(submission: Submission, stored: Result | None, questions: list[str] | None) -> Result:
        try:
            try:
                result = graded(submission, stored, questions)
            except Lost:  # once more, for a disk may have room again
                time.sleep(_PAUSE)
                result = graded(submission, stored, questions)
        except Stopped:
            raise
        except Exception as error:
            result = grader.failure(submission, error)
            if stored is not None and questions is not None:
                stored.notes.append(f"{', '.join(questions)} could not be graded anew ({result.notes[0]}).")
                return stored
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
        for future in as_completed([pool.submit(work, *each) for each in waiting]):
            finish(future.result(), False)
    except BaseException:
        grader.close()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return [results[submission.student] for submission in given]
