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
from typing import TypeGuard

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
    placed = _placed(cells)
    homes = _homes(placed)
    of_heading = {heading: set[str]() for heading in homes.values()}  # what a heading is about
    for function, heading in homes.items():
        of_heading[heading].add(function)
    questions: dict[str, Question] = {}
    name_of_file = named(path.stem)
    title, last = name_of_file, ""
    seen: set[str] = set()
    for cell, heading in placed:
        if cell.kind == "markdown" and not cell.is_text:
            title = (re.findall(r"^# (.*)$", cell.source, re.MULTILINE) or [title])[-1]
        for test in _tests(cell) if cell.kind == "code" else ():
            functions = _asked_for(test.source)
            homes_of_it = [homes[function] for function in functions if function in homes]
            if not functions:
                name = last or heading
            elif homes_of_it:
                name = heading if heading in homes_of_it else homes_of_it[0]
            else:  # what it tests was deleted; the heading above it may be the question's before
                of_it = {*functions, re.split("[-_]", test.name)[0]}  # a question's tests begin with one word
                name = heading if of_heading.setdefault(heading, of_it) & of_it else functions[0]
            last = name = name or title
            if test.name not in seen:
                questions.setdefault(name, Question(name, name)).tests.append(test)
            seen.add(test.name)
    shared = [Cell("code", _plain_part(cell), cell.nbgrader) for cell in cells if _is_shared(cell)]
    return Assignment(name_of_file, title, shared, list(questions.values()))


def _placed(cells: Sequence[Cell]) -> list[tuple[Cell, str]]:
    """Give every cell with the heading above it."""
    placed, heading = [], ""
    for cell in cells:
        if cell.kind == "markdown" and not cell.is_text:
            heading = (re.findall(r"^##+ (.*)$", cell.source, re.MULTILINE) or [heading])[-1]
        placed.append((cell, heading))
    return placed


def _homes(placed: Sequence[tuple[Cell, str]]) -> dict[str, str]:
    """Return, by the function that some test asks for, the heading of the question that it is the answer to.

    That is the heading above the cell that defines it; where another one stands there already, for the heading of
    its own was deleted, the cell's name.
    """
    asked = {
        function
        for cell, _ in placed
        if cell.kind == "code"
        for test in _tests(cell)
        for function in _asked_for(test.source)
    }
    cell_of: dict[str, int] = {}
    for number, (cell, _) in enumerate(placed):
        for part in _parsed(cell.source) if cell.kind == "code" and not cell.is_test else ():
            if isinstance(part, ast.FunctionDef) and part.name in asked and not is_marked(part):
                before = cell_of.get(part.name)
                if before is None or cell.is_solution or not placed[before][0].is_solution:
                    cell_of[part.name] = number
    names: dict[int, str] = {}
    for number in sorted(set(cell_of.values())):
        cell, heading = placed[number]
        first = next(function for function, its in cell_of.items() if its == number)
        names[number] = heading if heading not in names.values() else cell.name or first
    return {function: names[number] for function, number in cell_of.items()}


def _asked_for(source: str) -> list[str]:
    """Return the student's functions that a test asks for, in its order, without those of other questions."""
    nodes = [node for part in _parsed(source) for node in ast.walk(part)]
    found = [node for node in nodes if isinstance(node, ast.expr) and _is_students(node)]
    of_others = {
        each
        for node in nodes
        if isinstance(node, ast.Call) and _is_students(node.func) and node.func.attr == "perhaps"
        for each in ast.walk(node)
    }
    own = [node for node in found if node not in of_others and node.attr != "run"]
    own.sort(key=lambda node: (node.lineno, node.col_offset))
    return list(dict.fromkeys(node.attr for node in own))


def _is_students(node: ast.expr) -> TypeGuard[ast.Attribute]:
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "student"


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
