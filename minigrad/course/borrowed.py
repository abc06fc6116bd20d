"""What a solution takes from the engine where it was to be written: calls that the reference does without."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from minigrad.course.assignment import Assignment
from minigrad.course.cells import Cell

_OURS = ("minigrad", "minigrad_kernels")


class Use(NamedTuple):
    """One place: whose, in which question (or which other cell), what of the engine, and the line."""

    student: str
    question: str
    what: str
    line: str


def borrowed(assignment: Assignment, solutions: Mapping[str, Sequence[Cell]]) -> list[Use]:
    """Return what each student's cells use of the engine and no cell of the assignment does.

    It is found by the text: a name bound to the package or imported from it, an attribute of such a name, and the
    package's name in a string, as ``importlib`` takes it.
    """
    own = [cell for cell in assignment.cells if cell.kind == "code"]
    bound = _bound(assignment.shared)
    known = {what for what, _ in _uses(own, _bound(own))}
    found = []
    for student, cells in solutions.items():
        names = bound | _bound(cells)
        for number, cell in enumerate(cells):
            place = cell.name or f"cell {number + 1}"
            lines = cell.source.split("\n")
            for what, line in _uses([cell], names):
                if what not in known:
                    found.append(Use(student, place, what, lines[line - 1].strip()[:100]))
    return list(dict.fromkeys(found))


def _bound(cells: Sequence[Cell]) -> dict[str, str]:
    """Names that stand for a part of the package, and for which."""
    names = {"minigrad": "minigrad", "mg": "minigrad"}
    for tree in _trees(cells):
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    if _is_ours(alias.name):
                        whole = alias.name if alias.asname else alias.name.partition(".")[0]
                        names[alias.asname or whole] = whole
            elif isinstance(node, ast.ImportFrom) and _is_ours(node.module or ""):
                for alias in node.names:
                    names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return names


def _uses(cells: Sequence[Cell], names: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    for tree in _trees(cells):
        inner = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and _is_ours(node.module or ""):
                for alias in node.names:
                    yield f"{node.module}.{alias.name}", node.lineno
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and _is_ours(node.value):
                yield node.value, node.lineno
            elif isinstance(node, (ast.Attribute, ast.Name)) and id(node) not in inner:
                path = _path(node, names)
                if path is not None and path not in _OURS:
                    yield path, node.lineno


def _path(node: ast.expr, names: Mapping[str, str]) -> str | None:
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute):
        before = _path(node.value, names)
        return None if before is None else f"{before}.{node.attr}"
    return None


def _trees(cells: Sequence[Cell]) -> Iterator[ast.AST]:
    for cell in cells:
        try:
            yield ast.parse(cell.source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue


def _is_ours(name: str) -> bool:
    return name.partition(".")[0] in _OURS and " " not in name
