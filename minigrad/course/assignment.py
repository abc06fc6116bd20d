"""An assignment: one source file of text, starter code, reference solution, public and hidden tests, points."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import minigrad
from minigrad.course.cells import Cell, read_cells
from minigrad.course.variant import drawn, needed
from minigrad.errors import ConfigError, DataError

BEGIN_SOLUTION, END_SOLUTION = "### BEGIN SOLUTION", "### END SOLUTION"
BEGIN_HIDDEN, END_HIDDEN = "### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS"
STUB = ("# YOUR CODE HERE", "raise NotImplementedError()")  # nbgrader's own
TEXT_STUB = "YOUR ANSWER HERE"  # nbgrader's too
HIDDEN = "# A hidden test, run at grading."
_BONUS = re.compile(r"\(bonus\)\s*$", re.IGNORECASE)


@dataclass(frozen=True)
class Test:
    """One test: it gives all of its points or none. ``source`` is empty where a release has hidden it."""

    __test__ = False  # it is no test of pytest's

    name: str
    points: int
    hidden: bool
    source: str
    line: int


@dataclass(frozen=True)
class Question:
    """What the student writes in one cell, and the tests of it; or a text, with ``by_hand`` points from a person.

    ``sample`` is the answer of the assignment's author.
    """

    name: str
    title: str
    tests: list[Test] = field(default_factory=list)
    by_hand: int = 0
    sample: str = ""

    @property
    def points(self) -> int:
        """Points to be had."""
        return sum(test.points for test in self.tests) + self.by_hand

    @property
    def is_bonus(self) -> bool:
        """Whether its points come on top: its heading ends in (bonus)."""
        return _BONUS.search(self.title) is not None


@dataclass(frozen=True)
class Assignment:
    """A loaded assignment: its cells, and what they say about questions, tests and points."""

    name: str
    title: str
    cells: list[Cell]
    questions: list[Question]

    @property
    def tests(self) -> list[Test]:
        """All tests, in the order of the file."""
        return [test for question in self.questions for test in question.tests]

    @property
    def points(self) -> int:
        """Points to be had, without those of bonus questions."""
        return sum(question.points for question in self.questions if not question.is_bonus)

    @property
    def bonus(self) -> int:
        """Points to be had on top."""
        return sum(question.points for question in self.questions if question.is_bonus)

    @property
    def shared(self) -> list[Cell]:
        """The code that tests and students have in common: imports and helpers."""
        return [cell for cell in self.cells if cell.kind == "code" and not (cell.is_solution or cell.is_test)]

    @property
    def submitted(self) -> list[Cell]:
        """The code that counts as the student's: everything but the tests."""
        return [cell for cell in self.cells if cell.kind == "code" and not cell.is_test]


def folder() -> Path:
    """Where the course's assignments are: beside the package in a clone, otherwise below the working folder."""
    beside = Path(minigrad.__file__).resolve().parents[1] / "tutorials" / "assignments"
    return beside if beside.is_dir() else Path("tutorials", "assignments")


def find(name: str) -> Path:
    """Return the file of ``A1``, or of a path that is given as it is.

    Raises ConfigError MG-941 where there is none; those that there are are named.
    """
    path = Path(name)
    if path.suffix in (".py", ".ipynb") and path.is_file():
        return path
    known = sorted(folder().glob("a[0-9]*_*.py"))
    for each in known:
        if name.lower() in (each.stem, each.stem.partition("_")[0]):
            return each
    there_are = ", ".join(each.stem.partition("_")[0].upper() for each in known)
    raise ConfigError(
        "MG-941",
        f"there is no assignment {name!r}; "
        + (f"there are {there_are}." if known else "assignments are found in a clone of the repository.")
        + " Give one of them, or the path of an assignment's file.",
    )


def load(path: Path, variant: str = "") -> Assignment:
    """Read an assignment, or a release of one, and check its form; its numbers are its own or a variant's.

    Raises DataError MG-943 where the form is wrong, MG-942 where the file cannot be read, MG-952 (a ConfigError where
    there are no variants) where its numbers cannot be.
    """
    cells = drawn(path.stem, read_cells(path), variant)
    questions: list[Question] = []
    title, heading = path.stem, ""
    names: set[str] = set()
    for cell in cells:
        if cell.kind == "markdown" and not cell.nbgrader:
            for level, text in re.findall(r"^(#+) (.*)$", cell.source, re.MULTILINE):
                title, heading = (text, heading) if level == "#" else (title, text)
        if cell.nbgrader:
            _check(path, cell, names)
        if cell.is_solution:
            by_hand, sample = (_points(path, cell), _without_marks(cell)) if cell.is_text else (0, "")
            questions.append(Question(cell.name, heading or cell.name, by_hand=by_hand, sample=sample))
        elif cell.is_test:
            if not questions:
                raise _malformed(path, cell, "stands above every question")
            questions[-1].tests.append(_test(path, cell))
    for question in questions:
        if not question.points:
            raise DataError("MG-943", f"{path}: question {question.name!r} has no test, and so no points.")
    if not questions:
        raise DataError(
            "MG-943", f"{path} has no question: no cell is marked as a solution by nbgrader's metadata."
        )
    if all(question.is_bonus for question in questions):
        raise DataError("MG-943", f"{path} has nothing but bonus questions, and so no points to be had.")
    return Assignment(path.stem, title, cells, questions)


def released(assignment: Assignment) -> list[Cell]:
    """Return the cells that a student gets: stubs for the solutions, hidden tests' cells empty, numbers that show."""
    handed_out = [replace(cell, source=_stripped(cell)) for cell in assignment.cells]
    return needed(handed_out, [cell for cell in assignment.cells if cell.is_solution])


def with_solutions(assignment: Assignment, solutions: Sequence[Cell]) -> list[Cell]:
    """Return the assignment's cells with the given solution cells in the place of its own, by name."""
    given = {cell.name: cell for cell in solutions if cell.is_solution}
    return [given.get(cell.name, cell) if cell.is_solution else cell for cell in assignment.cells]


def _stripped(cell: Cell) -> str:
    if cell.kind == "code" and not cell.nbgrader:
        return cell.source
    lines = []
    for inside, line in _regions(cell.source.split("\n")):
        if inside is None:
            lines.append(line)
        elif inside == BEGIN_SOLUTION and line.strip() == BEGIN_SOLUTION:
            indent = line[: len(line) - len(line.lstrip())]
            lines += [indent + stub for stub in (STUB if cell.kind == "code" else (TEXT_STUB,))]
    if cell.is_text and cell.kind == "markdown" and BEGIN_SOLUTION not in cell.source:
        return TEXT_STUB  # the whole cell is the answer, as nbgrader has it
    return "\n".join(lines).strip("\n") or HIDDEN


def _without_marks(cell: Cell) -> str:
    marks = (BEGIN_SOLUTION, END_SOLUTION)
    return "\n".join(line for line in cell.source.split("\n") if line.strip() not in marks).strip()


def _regions(lines: Sequence[str]) -> Iterator[tuple[str | None, str]]:
    """Give every line with the marker that opened the region which it stands in; the markers stand in it too."""
    inside: str | None = None
    for line in lines:
        mark = line.strip()
        if mark in (BEGIN_SOLUTION, BEGIN_HIDDEN):
            inside = mark
        yield inside, line
        if mark in (END_SOLUTION, END_HIDDEN):
            inside = None


def _check(path: Path, cell: Cell, names: set[str]) -> None:
    needed = {"grade", "grade_id", "locked", "schema_version", "solution"}
    missing = (needed | ({"points"} if cell.is_test or cell.is_text else set())) - set(cell.nbgrader)
    if missing:
        raise _malformed(path, cell, f"lacks {', '.join(sorted(missing))} in its metadata")
    if not re.fullmatch(r"[a-z][a-z0-9_-]*", cell.name) or cell.name in names:
        raise _malformed(path, cell, "needs a grade_id of its own: small letters, digits, - and _")
    names.add(cell.name)
    pairs = {BEGIN_SOLUTION: END_SOLUTION, BEGIN_HIDDEN: END_HIDDEN}
    wanted = None
    for line in cell.source.split("\n"):
        mark = line.strip()
        if mark in pairs or mark in pairs.values():
            if mark != wanted and (wanted is not None or mark not in pairs):
                raise _malformed(path, cell, f"has {mark!r} where {wanted or 'a BEGIN'!r} is due")
            wanted = pairs.get(mark) if wanted is None else None
            if mark == BEGIN_SOLUTION and line == mark and cell.kind == "code":
                raise _malformed(
                    path, cell, "has a solution outside a function: its release could not be imported"
                )
            if (mark in (BEGIN_SOLUTION, END_SOLUTION)) != cell.is_solution:
                raise _malformed(path, cell, f"has {mark!r} in a cell of another kind")
    if wanted:
        raise _malformed(path, cell, f"lacks {wanted!r}")


def _points(path: Path, cell: Cell) -> int:
    points = cell.nbgrader["points"]
    if not isinstance(points, int) or points < 1:
        raise _malformed(path, cell, "needs whole points, 1 or more")
    return points


def _test(path: Path, cell: Cell) -> Test:
    points = _points(path, cell)
    lines = cell.source.split("\n")
    code = [line for line in lines if line.strip() not in (BEGIN_HIDDEN, END_HIDDEN)]
    empty = cell.source in ("", HIDDEN)
    hidden = empty or (lines[0] == BEGIN_HIDDEN and lines[-1] == END_HIDDEN)
    if (
        not hidden and BEGIN_HIDDEN in lines
    ):  # indented, it hides lines of a function: hints of the grader's alone
        raise _malformed(path, cell, "is hidden in part; hide all of it, or make it two cells")
    if not empty:
        for source in {cell.source, cell.source if hidden else _stripped(cell)}:
            _check_test(path, cell, source)
    return Test(cell.name, points, hidden, "" if empty else "\n".join(code), cell.line)


def _check_test(path: Path, cell: Cell, source: str) -> None:
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise _malformed(path, cell, f"is no Python: {error}") from error
    marked = [part for part in tree.body if isinstance(part, ast.FunctionDef) and is_marked(part)]
    if len(marked) != 1 or not ast.get_docstring(marked[0]):
        raise _malformed(path, cell, "needs one function marked @test, with a hint as its docstring")


def is_marked(function: ast.FunctionDef) -> bool:
    """Tell whether a function has the mark ``@test``."""
    called = [mark.func if isinstance(mark, ast.Call) else mark for mark in function.decorator_list]
    return any(isinstance(mark, ast.Name) and mark.id == "test" for mark in called)


def _malformed(path: Path, cell: Cell, what: str) -> DataError:
    return DataError("MG-943", f"{path} line {cell.line}: cell {cell.name or 'without a name'!r} {what}.")
