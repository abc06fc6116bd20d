"""What a student's file still tells of its assignment, whatever an editor or the student has done to it.

An assignment's source has a form that is checked (``assignment.load``). A file that was worked in need not have it any
more: metadata is stripped, cells are added, deleted, moved, or all of them are one script. A test is known by its tag
or, without one, by what it is: a function marked ``@test`` with a hint.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from minigrad.course.assignment import (
    BEGIN_HIDDEN,
    END_HIDDEN,
    HIDDEN,
    Assignment,
    Question,
    Test,
    is_marked,
)
from minigrad.course.cells import Cell
from minigrad.course.interactive import as_python
from minigrad.course.texts import named

_OURS = re.compile(r"^\s*(?:from|import) minigrad\.course\b", re.MULTILINE)


def handed_out(path: Path, cells: Sequence[Cell]) -> Assignment:
    """Return the assignment that a student's file was made from, as far as it can be told.

    Its questions are those that have a test, by the headings above them. Its cells are the shared ones: imports,
    helpers and plain values of the cells that belong to the assignment; whatever else a student has written there
    does not run with the tests.
    """
    questions: dict[str, Question] = {}
    name_of_file = named(path.stem)
    title, heading, solution = name_of_file, "", ""
    seen: set[str] = set()
    for cell in cells:
        if cell.kind == "markdown":
            for level, text in re.findall(r"^(#+) (.*)$", cell.source, re.MULTILINE):
                title, heading = (text, heading) if level == "#" else (title, text)
        elif cell.is_solution:
            solution = cell.name
        for test in _tests(cell) if cell.kind == "code" else ():
            name = heading or solution or title
            if test.name not in seen:
                questions.setdefault(name, Question(name, name)).tests.append(test)
            seen.add(test.name)
    shared = [Cell("code", _plain_part(cell), cell.nbgrader) for cell in cells if _is_shared(cell)]
    return Assignment(name_of_file, title, shared, list(questions.values()))


def _is_shared(cell: Cell) -> bool:
    if cell.kind != "code" or cell.is_solution or cell.is_test:
        return False
    return bool(cell.nbgrader.get("locked")) or _OURS.search(cell.source) is not None


def _tests(cell: Cell) -> Iterator[Test]:
    """Give the tests of a cell: one where it has its tag, any number in a file that has lost its cells."""
    if cell.is_solution:
        return
    lines = cell.source.split("\n")
    hidden = BEGIN_HIDDEN in lines
    points = cell.nbgrader.get("points")
    points = points if type(points) is int and points > 0 else 1
    if cell.is_test and cell.source in ("", HIDDEN):
        yield Test(cell.name, points, True, "", cell.line)
        return
    for number in range(lines.count(HIDDEN)):
        yield Test(f"hidden at line {cell.line} {number}", 1, True, "", cell.line)
    if "@test" not in cell.source:
        return
    for part in _parsed("\n".join(line for line in lines if line not in (BEGIN_HIDDEN, END_HIDDEN))):
        if isinstance(part, ast.FunctionDef) and is_marked(part) and ast.get_docstring(part):
            name = cell.name if cell.is_test else part.name.replace("_", "-")
            yield Test(name, points, hidden, ast.unparse(part), cell.line)


def _plain_part(cell: Cell) -> str:
    """Return a cell's imports, definitions and assignments, as far as they run by themselves."""
    scope: dict[str, object] = {"__name__": "assignment"}
    kept = []
    for part in _parsed(cell.source):
        if isinstance(part, ast.FunctionDef) and is_marked(part):
            continue
        if isinstance(part, (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)) or _is_value(part):
            source = ast.unparse(part)
            try:
                exec(compile(source, "<assignment>", "exec", dont_inherit=True), scope)
            except Exception:  # a module that is missing here, or what a student has changed
                continue
            kept.append(source)
    return "\n".join(kept)


def _is_value(part: ast.stmt) -> bool:
    """Whether this gives a value a name, without a call of a function of the file's own (``varied`` is none)."""
    if not isinstance(part, (ast.Assign, ast.AnnAssign)):
        return False
    calls = [node.func for node in ast.walk(part) if isinstance(node, ast.Call)]
    return not any(isinstance(called, ast.Name) and called.id != "varied" for called in calls)


def _parsed(source: str) -> list[ast.stmt]:
    try:
        return ast.parse(as_python(source)).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
