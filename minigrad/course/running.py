"""Running tests: one test against one student gives one outcome, in plain text that can be kept."""

from __future__ import annotations

import linecache
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from minigrad_kernels.launch import reference_only

import minigrad
from minigrad.course.assignment import Assignment, Test
from minigrad.course.cells import Cell
from minigrad.course.interactive import as_python
from minigrad.course.places import neutral
from minigrad.course.seeds import generator
from minigrad.course.student import Problem, Student
from minigrad.course.testing import Wrong, comparisons
from minigrad.course.theirs import Theirs

_WORDS = {
    "missing": "There is no {message} in your file. Was it renamed, or did its cell fail?",
    "unwritten": "Not written yet",
    "syntax": "Python cannot read your cell: {message}",
    "raised": "Your code raised {message}",
    "memory": "Your code ran out of memory",
    "unplain": "What came back is of no kind that a test knows: {message}",
    "died": "Your code ended its process before it answered ({message})",
    "time": "Your code was stopped: {message}",
    "forged": "Your code answered for the grader: {message}",
}


class Verdict(NamedTuple):
    """How an outcome is shown everywhere: its word and its mark."""

    word: str
    mark: str


PASSED, WRONG = Verdict("passed", "✓"), Verdict("wrong", "✗")
UNWRITTEN = Verdict("not written yet", "·")
UNGRADED = Verdict("could not be graded", "!")
_ANSWERED = ("wrong", "unplain", "odd")  # kinds of outcomes for which an answer came, and was not right


def counted(outcomes: Iterable[Outcome]) -> list[tuple[Verdict, int]]:
    """Count what did not pass, by verdict; what there is none of is left out."""
    verdicts = [outcome.verdict for outcome in outcomes]
    return [(each, verdicts.count(each)) for each in (WRONG, UNGRADED, UNWRITTEN) if each in verdicts]


@dataclass
class Outcome:
    """What came of one test. The texts are for the student, and empty where the test passed."""

    test: str
    points: int
    passed: bool
    message: str = ""
    hint: str = ""
    call: str = ""
    given: dict[str, str] = field(default_factory=dict)
    expected: str = ""
    got: str = ""
    advice: str = ""
    kind: str = ""

    @property
    def score(self) -> int:
        """All of the points or none."""
        return self.points if self.passed else 0

    @property
    def verdict(self) -> Verdict:
        """Whether it passed, was answered wrongly, or was not answered, which need not be for want of knowing."""
        if self.passed:
            return PASSED
        return WRONG if self.kind in _ANSWERED else UNWRITTEN if self.kind == "unwritten" else UNGRADED

    def lines(self) -> list[tuple[str, str]]:
        """What there is to say, as pairs of a label and a text that may have several lines."""
        inputs = "\n".join(_named(name, text) for name, text in self.given.items())
        found = [("hint", self.hint if self.kind != "unwritten" else ""), ("problem", self.message)]
        found += [("call", self.call), ("input", inputs)]
        found += [("expected", self.expected), ("got", self.got)]
        return [(label, text) for label, text in found if text]


def _named(name: str, text: str) -> str:
    return f"{name} = " + text.replace("\n", "\n" + " " * (len(name) + 3))


def judged(function: Any, student: Student, rng: np.random.Generator) -> Outcome:
    """Run one test function; never raises for anything that a student can do."""
    hint = " ".join((function.__doc__ or "").split())
    outcome = Outcome(function.__name__, 1, False, hint=hint, advice=str(getattr(function, "advice", "")))
    token = comparisons.set(0)
    try:
        with np.errstate(all="ignore"), reference_only():
            function(student, rng)
        if comparisons.get():
            return Outcome(function.__name__, 1, True)
        outcome.kind, outcome.message = "empty", "The test compared nothing, which is no pass."
    except Wrong as wrong:
        outcome.kind, outcome.hint = "wrong", wrong.hint or hint
        outcome.given = {name: neutral(text) for name, text in wrong.given.items()}
        outcome.expected, outcome.got = neutral(wrong.expected), neutral(wrong.got)
        outcome.call = student.called_
        outcome.advice = outcome.advice if wrong.advice is None else wrong.advice
    except Problem as problem:
        outcome.kind = problem.kind if problem.kind in _WORDS else "forged"
        where = (
            f" (line {problem.line}: {problem.text})" if problem.line and problem.kind != "unwritten" else ""
        )
        outcome.message = _message(outcome.kind, problem.message, where)
    except Exception as error:  # an answer of a kind that the test's author did not think of
        outcome.kind = "odd"
        outcome.message = _message(
            "odd", f"The test could not use what came back ({type(error).__name__}: {error})"
        )
    finally:
        comparisons.reset(token)
    return outcome


def failed(test: Test, kind: str, message: str) -> Outcome:
    """Return the outcome of a test that could not begin."""
    return Outcome(test.name, test.points, False, message=_message(kind, message), kind=kind)


def _message(kind: str, message: str, where: str = "") -> str:
    message = _WORDS.get(kind, "{message}").format(message=message) + where
    return neutral(message) if message.endswith((".", "?", "!")) else f"{neutral(message)}."


class Bench:
    """The assignment's tests, ready to run: its own cells have run, the student's and the solutions have not."""

    def __init__(self, assignment: Assignment) -> None:
        self.assignment = assignment
        self.shared: dict[str, Any] = {"np": np, "mg": minigrad, "__name__": "assignment"}
        for cell in assignment.shared:
            self._execute(cell.source, cell.name or f"line {cell.line}", self.shared)

    def run(self, test: Test, student: Student, seed: int = 0) -> Outcome:
        """Run one test; what the student's code does can fail it and can do nothing else."""
        outcome = judged(self._function(test), student, generator(self.assignment.name, test.name, seed))
        outcome.test, outcome.points = test.name, test.points
        return outcome

    def _function(self, test: Test) -> Any:
        scope = dict(self.shared)
        self._execute(test.source, test.name, scope)
        (marked,) = (value for value in scope.values() if hasattr(value, "advice"))
        return marked

    def _execute(self, source: str, name: str, scope: dict[str, Any]) -> None:
        source, filename = as_python(source), f"<{self.assignment.name}: {name}>"
        # kept, so that inspect finds the text of programs
        linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
        exec(compile(source, filename, "exec", dont_inherit=True), scope)


def local(cells: Sequence[Cell], assignment: Assignment) -> tuple[Student, list[dict[str, Any]]]:
    """Load a student's cells into this process; return the student, and what went wrong on the way."""
    theirs = Theirs()
    theirs.share(assignment.shared)
    problems = theirs.load(cells)
    return Student(theirs.answer), problems
