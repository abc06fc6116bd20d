"""Which solutions are alike: for the instructor to look at, and proof of nothing.

A solution cell is parsed, and names of variables, docstrings and comments are dropped. What is left, read as a
sequence of tokens, is cut into pieces of eight. A piece that many students share says nothing (there are not many ways
to write tanh's gradient); one that only two share says a lot, by how rare it is: log(students / students who have it).
"""

from __future__ import annotations

import ast
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

from minigrad.course.cells import Cell
from minigrad.course.interactive import as_python

PIECE = 8  # tokens
_COMMON = 0.2  # a piece that more of the class have is everybody's


class Pair(NamedTuple):
    """Two students: what part of the rarer pieces of one the other has too, how much that weighs, and where."""

    one: str
    other: str
    share: float
    weight: float
    questions: list[str]


def similar(
    solutions: Mapping[str, Sequence[Cell]], starter: Sequence[Cell], most: int = 20, least: float = 0.5
) -> list[Pair]:
    """Return the pairs that share the most, heaviest first; pieces of the starter code do not count."""
    known = {piece for cell in starter for piece in pieces(cell)}
    found = {
        student: {piece: cell.name for cell in cells if cell.is_solution for piece in pieces(cell)}
        for student, cells in solutions.items()
    }
    counts = Counter(piece for mine in found.values() for piece in mine if piece not in known)
    largest = max(2.0, _COMMON * len(found))
    weights = {piece: math.log(len(found) / n) + 1e-9 for piece, n in counts.items() if n <= largest}
    totals = {student: sum(weights.get(piece, 0.0) for piece in mine) for student, mine in found.items()}
    owners: dict[str, list[str]] = {}
    for student, mine in found.items():
        for piece in mine:
            if piece in weights:
                owners.setdefault(piece, []).append(student)
    shared: dict[tuple[str, str], list[str]] = {}
    for piece, students in owners.items():
        for pair in combinations(sorted(students), 2):
            shared.setdefault(pair, []).append(piece)
    pairs = []
    for (one, other), common in shared.items():
        weight = sum(weights[piece] for piece in common)
        share = weight / min(totals[one], totals[other])
        if share >= least:
            pairs.append(Pair(one, other, share, weight, sorted({found[one][piece] for piece in common})))
    pairs.sort(key=lambda pair: (-pair.weight * pair.share, pair.one, pair.other))
    return pairs[:most]


def pieces(cell: Cell) -> set[str]:
    """Return the pieces of a cell; none where it is no Python."""
    try:
        tokens = list(_tokens(ast.parse(as_python(cell.source))))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    return {" ".join(tokens[k : k + PIECE]) for k in range(max(1, len(tokens) - PIECE + 1))}


def _tokens(tree: ast.AST) -> Iterator[str]:
    """Give a tree's nodes in the order of the text; a name that the code itself binds is only "name"."""
    bound = {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    bound |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    pending: list[ast.AST] = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue  # a docstring
        if isinstance(node, ast.Name):
            yield "name" if node.id in bound else node.id
        elif isinstance(node, ast.Attribute):
            yield f".{node.attr}"
        elif isinstance(node, ast.Constant):
            yield repr(node.value).replace(" ", "_")[:40]
        elif not isinstance(node, (ast.expr_context, ast.arg, ast.arguments, ast.Module)):
            yield type(node).__name__
        pending += reversed(list(ast.iter_child_nodes(node)))
