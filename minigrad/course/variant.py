"""An assignment's numbers: those of its text and its tests that can be others for another class.

A cell of shared code says which there are, ``variant = varied(beta=[0.9, 0.8, 0.95], rows=range(2, 6))``. Code reads
``variant.beta``, text ``{{beta}}``. The first of each is the assignment's own; a variant's are drawn from the others.
"""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from minigrad.course.cells import Cell
from minigrad.errors import ConfigError, DataError

_USED = re.compile(r"\bvariant\.(\w+)")
_IN_TEXT = re.compile(r"\{\{(\w+)\}\}")


def varied(**numbers: Any) -> SimpleNamespace:
    """Give each name its number: the first of a list or range, and anything else as it is."""
    return SimpleNamespace(**{name: _choices(choices)[0] for name, choices in numbers.items()})


def drawn(name: str, cells: Sequence[Cell], seed: str) -> list[Cell]:
    """Return an assignment's cells with its numbers in them: the assignment's own, or where there is a seed, others.

    Each number depends on the seed, the assignment and its name alone, so that a number more leaves the others.

    Raises DataError MG-952 where the statement of numbers or a ``{{name}}`` in the text cannot be read, ConfigError
    MG-952 where there is a seed and nothing to draw.
    """
    found = _statement(name, cells)
    if found is None:
        if seed:
            raise ConfigError("MG-952", f"{name} has no numbers that vary, so there are no variants of it.")
        return list(cells)
    numbers = {
        key: _one_of(choices, f"{seed}\0{name}\0{key}") if seed else choices[0]
        for key, choices in found.items()
    }
    return [_filled(name, cell, numbers) for cell in _with(cells, numbers)]


def numbers_in(cells: Sequence[Cell], name: str = "") -> dict[str, Any]:
    """Return the numbers that cells have been given; nothing where they have none."""
    return {key: choices[0] for key, choices in (_statement(name, cells) or {}).items()}


def differ(mine: Sequence[Cell], theirs: Sequence[Cell]) -> bool:
    """Tell whether a student's file was handed out with other numbers than these."""
    try:
        numbers, given = numbers_in(mine), numbers_in(theirs)
    except DataError:  # a student may have written anything there
        return False
    return any(given[name] != numbers[name] for name in given.keys() & numbers)


def needed(cells: Sequence[Cell], others: Sequence[Cell] = ()) -> list[Cell]:
    """Return cells that are handed out, with those numbers alone that they use, or others that students may write."""
    used = {name for cell in (*cells, *others) for name in _USED.findall(cell.source)}
    numbers = {name: number for name, number in numbers_in(cells).items() if name in used}
    return _with(cells, numbers)


def _with(cells: Sequence[Cell], numbers: Mapping[str, Any]) -> list[Cell]:
    """Return the cells with these numbers in the place of those that they say to choose from."""
    stated = ", ".join(f"{name}={number!r}" for name, number in numbers.items())
    made = []
    for cell in cells:
        for node in _assigned(cell):
            lines = cell.source.split("\n")
            lines[node.lineno - 1 : node.end_lineno] = [f"variant = varied({stated})"]
            cell = replace(cell, source="\n".join(lines))
        made.append(cell)
    return made


def _statement(name: str, cells: Sequence[Cell]) -> dict[str, list[Any]] | None:
    """Return what the one statement of numbers says; None where there is none."""
    statements = [(cell, node) for cell in cells for node in _assigned(cell)]
    if not statements:
        return None
    cell, node = statements[0]
    where = f"{name} line {cell.line + node.lineno - 1}"
    if len(statements) > 1:
        raise DataError(
            "MG-952", f"{where}: a second variant = varied(…) follows; there is one in an assignment."
        )
    assert isinstance(node.value, ast.Call)
    try:
        found = {str(word.arg): _literal(word.value) for word in node.value.keywords if word.arg}
        if node.value.args or len(found) < len(node.value.keywords) or not all(found.values()):
            raise ValueError("each number has a name, and at least one value")
    except (ValueError, TypeError) as error:
        raise DataError(
            "MG-952",
            f"{where}: variant = varied(…) cannot be read ({error}). "
            "Write numbers, tuples, lists of them or a range: varied(beta=[0.9, 0.8], rows=range(2, 6)).",
        ) from error
    return found


def _assigned(cell: Cell) -> list[ast.Assign]:
    """Return the statements ``variant = varied(…)`` of a cell of shared code, those behind others first."""
    if cell.kind != "code" or cell.is_solution or cell.is_test or "varied" not in cell.source:
        return []
    try:
        body = ast.parse(cell.source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    return [node for node in reversed(body) if isinstance(node, ast.Assign) and _is_ours(node)]


def _is_ours(node: ast.Assign) -> bool:
    call, (target, *others) = node.value, node.targets
    named = isinstance(target, ast.Name) and target.id == "variant" and not others
    return (
        named and isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "varied"
    )


def _literal(node: ast.expr) -> list[Any]:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range":
        return list(range(*map(ast.literal_eval, node.args)))
    return _choices(ast.literal_eval(node))


def _choices(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, range)) else [value]


def _one_of(choices: Sequence[Any], text: str) -> Any:
    """Choose one that is not the first, which everybody knows, by a hash of the text; the first where it is alone."""
    others = choices[1:] or choices
    return others[int.from_bytes(hashlib.sha256(text.encode()).digest(), "big") % len(others)]


def _filled(name: str, cell: Cell, numbers: Mapping[str, Any]) -> Cell:
    """Put numbers where the text says ``{{name}}``; in code such braces may be Python's own."""
    unknown = (
        [] if cell.kind == "code" else [key for key in _IN_TEXT.findall(cell.source) if key not in numbers]
    )
    if unknown:
        raise DataError(
            "MG-952",
            f"{name} line {cell.line}: the text says {{{{{unknown[0]}}}}}, and there is no such number; "
            f"there are {', '.join(numbers)}. (Braces of LaTeX: put a space between them.)",
        )
    filled = _IN_TEXT.sub(lambda found: str(numbers.get(found[1], found[0])), cell.source)
    return replace(cell, source=filled)
