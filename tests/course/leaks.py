"""What of a solution can be read off a release: its pieces, in whatever words, in the public tests and their hints.

Expressions are compared in a form in which names do not count, factors and terms have no order, a difference is a sum,
a quotient a product, and a square is a product. What a hint says in symbols (``1 - y²``) is read as an expression too.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from minigrad.course.assignment import Assignment, released

LEAST = 5  # nodes of an expression without which it says nothing: 1 - y * y has five
_MODULES = {"np", "mg", "math", "nn", "optim"}
_SYMBOLS = str.maketrans(
    {"·": "*", "²": "**2", "ᵀ": ".T", "√": " np.sqrt ", "ᵗ": "**t", "₁": "1", "₂": "2", "̂": "", "−": "-"}
)
_TOKEN = re.compile(r"[^\W\d][\w.]*|\d+(?:\.\d+)?|\*\*|[-+*/@()\[\],<>]|\S")
_WORD = re.compile(r"[\w]")
_LONGEST = 24  # tokens of a hint that are read as one expression


def leaks(assignment: Assignment, public: list[str]) -> set[str]:
    """Pieces of the solutions in these sources of public tests that are not in what students are given anyway."""
    solutions = [ast.parse(cell.source) for cell in assignment.cells if cell.is_solution]
    secret = {piece(node): ast.unparse(node) for tree in solutions for node in expressions(tree)}
    exact = {piece(node, names=True): ast.unparse(node) for tree in solutions for node in results(tree)}
    given = [
        ast.parse(cell.source) for cell in released(assignment) if cell.kind == "code" and not cell.is_test
    ]
    given += [
        formula for cell in assignment.cells if cell.kind == "markdown" for formula in formulas(cell.source)
    ]
    known = {piece(node) for tree in given for node in expressions(tree)}
    found = set()
    for source in public:
        tree = ast.parse(source)
        texts = [
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        ]
        for each in [tree, *(said for text in texts for said in formulas(text))]:
            found |= {
                secret[p] for node in expressions(each) if (p := piece(node)) in secret and p not in known
            }
            everything = (node for node in ast.walk(each) if isinstance(node, ast.expr))
            found |= {exact[p] for node in everything if (p := piece(node, names=True)) in exact}
    return found


def expressions(tree: ast.AST) -> Iterator[ast.expr]:
    """Expressions that are large enough to say something."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.expr)
            and not isinstance(node, (ast.Constant, ast.JoinedStr))
            and size(node) >= LEAST
        ):
            yield node


def results(tree: ast.AST) -> Iterator[ast.expr]:
    """What functions return, if it is worked out there: these are compared name by name, however small they are."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Return) and isinstance(node.value, (ast.BinOp, ast.Call)):
            yield node.value


def size(node: ast.AST) -> int:
    return sum(isinstance(each, ast.expr) for each in ast.walk(node))


def piece(node: Any, names: bool = False) -> Any:
    """The form in which expressions are compared."""
    match node:
        case ast.Name():
            return node.id if names or node.id in _MODULES else "_"
        case ast.Constant():
            return repr(float(node.value)) if type(node.value) in (int, float) else repr(node.value)
        case ast.BinOp(op=ast.Add() | ast.Sub()):
            return ("sum", *sorted(map(str, _terms(node, names))))
        case ast.BinOp(op=ast.Mult() | ast.Div()) | ast.BinOp(op=ast.Pow(), right=ast.Constant(value=2)):
            return ("product", *sorted(map(str, _factors(node, names))))
        case ast.Call(func=ast.Attribute(attr="square"), args=[x]):
            return ("product", *sorted(map(str, 2 * _factors(x, names))))
        case ast.AST():
            return (type(node).__name__, *(piece(v, names) for k, v in ast.iter_fields(node) if k != "ctx"))
        case list():
            return tuple(piece(each, names) for each in node)
    return repr(node)


def _terms(node: ast.expr, names: bool, sign: str = "+") -> list[Any]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub)):
        other = sign if isinstance(node.op, ast.Add) else "-+"[sign == "-"]
        return [*_terms(node.left, names, sign), *_terms(node.right, names, other)]
    return [(sign, piece(node, names))]


def _factors(node: ast.expr, names: bool, up: bool = True) -> list[Any]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mult, ast.Div)):
        return [
            *_factors(node.left, names, up),
            *_factors(node.right, names, up == isinstance(node.op, ast.Mult)),
        ]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow) and piece(node.right) == "2.0":
        return 2 * _factors(node.left, names, up)
    return [(up, piece(node, names))]


def formulas(text: str) -> Iterator[ast.expr]:
    """What can be read as an expression in a text; the symbols of mathematics count."""
    tokens = _TOKEN.findall(text.translate(_SYMBOLS))
    for start in range(len(tokens)):
        for end in range(start + 1, min(len(tokens), start + _LONGEST) + 1):
            words = tokens[start:end]
            if len(words) > 1 and _WORD.match(words[-1]) and _WORD.match(words[-2]):
                break  # prose: no expression has two words without something between them
            if len(words) > 2:
                with suppress(SyntaxError):
                    yield ast.parse(" ".join(words), mode="eval").body
