"""The student's own check: every public test of a file, graded here and now as it will be graded."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from minigrad.course import stand_ins
from minigrad.course.assignment import Assignment, Question, Test, load
from minigrad.course.cells import Cell, cells_of, read_bytes
from minigrad.course.handout import handed_out
from minigrad.course.running import Bench, Outcome, local
from minigrad.course.student import Student
from minigrad.course.submissions import read_submission
from minigrad.course.theirs import TookTooLong
from minigrad.errors import DataError, MinigradError

SECONDS = 10.0  # for one test


class Runner(Protocol):
    """What runs tests on a student's cells: the grader itself, or where that is not possible, this process."""

    def loadable(self, cells: list[Cell]) -> tuple[list[Cell], list[dict[str, Any]]]:
        """Leave out cells that cannot be loaded; return the others, and what went wrong."""

    def outcome(self, test: Test, cells: list[Cell], seed: int) -> Outcome:
        """Run one test."""

    def close(self) -> None:
        """End what was started."""


class Check:
    """A student's file, and its public tests, which run as they are asked for."""

    def __init__(self, assignment: Assignment, cells: list[Cell]) -> None:
        self.assignment = assignment
        public = [
            replace(question, tests=[test for test in question.tests if not test.hidden])
            for question in assignment.questions
        ]
        self._runner, self.unlike = _runner(replace(assignment, questions=public))
        self._public = public
        self._cells, self.problems = self._runner.loadable(cells)

    @classmethod
    def of(cls, path: Path, source: Path | None = None) -> Check:
        """Load a student's file. The tests are those in it, or those of ``source``, a release or an assignment.

        Raises DataError MG-942 where the file cannot be graded either, MG-948 where it has no test.
        """
        cells = cells_of(path, read_bytes(path), strict=False)
        given = read_submission(path.stem, path)
        if given.trouble:
            raise DataError("MG-942", f"{path}: {given.trouble}")
        assignment = load(source) if source else handed_out(path, cells)
        if not assignment.questions:
            raise DataError(
                "MG-948",
                f"{path} has no test in it: no cell with a function marked @test. Take them from the file that you "
                f"were given, or from a fresh release: minigrad course check {path.name} --tests RELEASED_FILE",
            )
        return cls(assignment, given.cells)

    @property
    def hidden(self) -> int:
        """How many tests run at grading only."""
        return sum(test.hidden for test in self.assignment.tests)

    def outcomes(self) -> Iterator[tuple[Question, list[Outcome]]]:
        """Run the public tests, question by question."""
        try:
            for question in self._public:
                yield question, [self._runner.outcome(test, self._cells, 0) for test in question.tests]
        finally:
            self._runner.close()


HERE = (
    "{why} So your cells run in this very process, with everything that you may do yourself: {limits} and what they "
    "change (files, NumPy, the engine) the next test sees. Grading does that in a process of its own for each test, "
    "with 1 GB, 64 MB of files and no network. Points can differ where a solution depends on these."
)


def _runner(assignment: Assignment) -> tuple[Runner, str]:
    """Return what is to run the tests, and where that is not what grades, in words how it differs."""
    from minigrad.course.grading import Grader, Settings
    from minigrad.course.remote import possible

    why = f"This system ({sys.platform}) is no Linux."
    if sys.platform.startswith("linux") and possible():
        grader = Grader(assignment, Settings(seconds=SECONDS))
        try:
            if not grader.loadable([])[1]:  # with nothing of the student's, so that the machine is to blame
                return grader, ""
            why = "A process of its own does not come up here."
        except (MinigradError, OSError) as error:
            why = f"A process of its own does not come up here ({error})."
        grader.close()
    limits = "nothing limits their memory,"
    if not hasattr(signal, "setitimer"):
        limits = "nothing limits their time and their memory (Ctrl-C ends them),"
    return _Here(assignment), HERE.format(why=why, limits=limits)


class _Here:
    """Runs everything in this process, where students' code cannot have processes of its own."""

    def __init__(self, assignment: Assignment) -> None:
        self._assignment, self._bench = assignment, Bench(assignment)
        self._student: Student | None = None

    def loadable(self, cells: list[Cell]) -> tuple[list[Cell], list[dict[str, Any]]]:
        stand_ins.put()
        with _limited():
            self._student, problems = local(cells, self._assignment)
        return cells, problems

    def outcome(self, test: Test, cells: list[Cell], seed: int) -> Outcome:
        assert self._student is not None
        with _limited():
            return self._bench.run(test, self._student, seed)

    def close(self) -> None:
        stand_ins.take_away()


@contextmanager
def _limited() -> Iterator[None]:
    """End what takes longer than ``SECONDS``, cell by cell, where the system has timers for that."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: object) -> None:
        raise TookTooLong(f"it ran for more than {SECONDS:g} s. Is there a loop that never ends?")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, SECONDS, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
