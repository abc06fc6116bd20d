"""The student's own check: every public test of a file, here and now."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minigrad.course.assignment import Assignment, Question, load
from minigrad.course.running import Bench, Outcome, local
from minigrad.course.student import Student
from minigrad.course.theirs import TookTooLong

SECONDS = 10.0  # for one test


@dataclass
class Check:
    """A student's file, loaded, and its public tests, which run as they are asked for."""

    assignment: Assignment
    problems: list[dict[str, Any]]
    _bench: Bench
    _student: Student

    @classmethod
    def of(cls, path: Path) -> Check:
        """Load a student's file, or an assignment's source; MG-942 or MG-943 where that is not possible."""
        assignment = load(path)
        bench = Bench(assignment)
        with _limited():
            student, problems = local(assignment.submitted, assignment)
        return cls(assignment, problems, bench, student)

    @property
    def hidden(self) -> int:
        """How many tests run at grading only."""
        return sum(test.hidden for test in self.assignment.tests)

    def outcomes(self) -> Iterator[tuple[Question, list[Outcome]]]:
        """Run the public tests, question by question."""
        for question in self.assignment.questions:
            yield question, [self._run(test) for test in question.tests if not test.hidden]

    def _run(self, test: Any) -> Outcome:
        with _limited():
            return self._bench.run(test, self._student)


@contextmanager
def _limited() -> Iterator[None]:
    """End what takes longer than ``SECONDS``, where the system has timers for that."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: object) -> None:
        raise TookTooLong(f"it ran for more than {SECONDS:.0f} s. Is there a loop that never ends?")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
