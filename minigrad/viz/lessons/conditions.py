"""The language in which a lesson says when a challenge is solved: expressions over the numbers of a live page.

    all(hidden[:, 1] == 0) and norm(grad(W1)) < start(norm(grad(W1))) / 10

An expression is read by Python's grammar, checked part by part, and becomes a tree of lists. The page and ``worth``
work trees out; neither runs a text.

- numbers; names of tensors (``W1``, ``fc1.weight``, or ``value("0.weight")`` for one that is no name of Python's)
- ``grad(W1)``: dL/dW1; ``new(W1)``: what the update makes of it; ``start(…)``: the same with the recorded numbers
- ``loss``; ``loss_after``: with the updated parameters; ``rate``: the learning rate; ``step``: how many steps were
  taken
- ``+ - * / **``, ``< <= > >= == !=`` (in chains too), ``and``, ``or``, ``not``, ``a[0, 1:]``
- of entries ``abs sqrt exp log sign isfinite``; of arrays ``sum mean max min any all count norm argmax``
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeAlias

import numpy as np

Tree: TypeAlias = Any
"""A number, or a list of what to do and with what: ``["less", ["value", "loss"], 0.01]``."""

SLACK = 1e-3
"""How much of its size a number may be beside the page's: products are added up in another order there."""

_BINARY = {ast.Add: "add", ast.Sub: "subtract", ast.Mult: "multiply", ast.Div: "divide", ast.Pow: "power"}
_COMPARED = {
    ast.Lt: "less", ast.LtE: "less_equal", ast.Gt: "greater", ast.GtE: "greater_equal", ast.Eq: "equal",
    ast.NotEq: "not_equal",
}  # fmt: skip
_OF_ENTRIES = {
    "abs": "absolute", "sqrt": "sqrt", "exp": "exp", "log": "log", "sign": "sign", "isfinite": "isfinite",
}  # fmt: skip
_OF_ARRAYS = {
    name: name if name != "count" else "sum"
    for name in ("sum", "mean", "max", "min", "any", "all", "count", "argmax")
}
FUNCTIONS = (*_OF_ENTRIES, *_OF_ARRAYS, "norm", "grad", "new", "start", "value")
OWN_NAMES = ("loss", "loss_after", "rate", "step")


class Unfit(Exception):
    """What is wrong with an expression, in a sentence."""


class Names(Protocol):
    """What the names of an expression stand for; each returns a value's name on the page, or raises ``Unfit``."""

    def value(self, name: str) -> str:
        """Return what a tensor is called."""
        ...

    def gradient(self, name: str) -> str:
        """Return what dL/d(tensor) is called."""
        ...

    def updated(self, name: str) -> str:
        """Return what a parameter that the step updates is called."""
        ...

    def loss(self, *, after: bool) -> str:
        """Return what the loss is called, or the loss with the updated parameters."""
        ...


def parse(text: str, names: Names) -> Tree:
    """Return the tree of an expression; ``Unfit`` where it is none of this language."""
    try:
        tree = ast.parse(text.strip().replace("\n", " "), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise Unfit(f"it cannot be read: {getattr(error, 'msg', None) or error}") from error
    return _Reader(names).read(tree)


class _Reader:
    def __init__(self, names: Names) -> None:
        self.names = names

    def read(self, node: ast.expr) -> Tree:
        if isinstance(node, ast.Constant) and type(node.value) in (int, float):
            return node.value
        if isinstance(node, (ast.Name, ast.Attribute)):
            return self._name(_dotted(node))
        if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
            return [_BINARY[type(node.op)], self.read(node.left), self.read(node.right)]
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            inside = self.read(node.operand)
            return -inside if isinstance(inside, (int, float)) else ["negative", inside]
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return ["logical_not", self.read(node.operand)]
        if isinstance(node, ast.BoolOp):
            how = "logical_or" if isinstance(node.op, ast.Or) else "logical_and"
            return _joined(how, map(self.read, node.values))
        if isinstance(node, ast.Compare):
            return self._compared(node)
        if isinstance(node, ast.Subscript):
            parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
            return ["item", self.read(node.value), [_place(part) for part in parts]]
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
            return self._call(node.func.id, node.args)
        raise Unfit(f"{_shown(node)} is not in the language of conditions")

    def _name(self, name: str) -> Tree:
        if name in ("loss", "loss_after"):
            return ["value", self.names.loss(after=name == "loss_after")]
        if name in ("rate", "step"):
            return [name]
        if name in FUNCTIONS:
            raise Unfit(f"{name} is a function: {name}(…)")
        return ["value", self.names.value(name)]

    def _compared(self, node: ast.Compare) -> Tree:
        sides = [self.read(each) for each in (node.left, *node.comparators)]
        unknown = next((op for op in node.ops if type(op) not in _COMPARED), None)
        if unknown is not None:
            raise Unfit(f"{_shown(node)} compares by what is not one of < <= > >= == !=")
        pairs = zip(node.ops, sides, sides[1:], strict=False)
        return _joined("logical_and", ([_COMPARED[type(op)], a, b] for op, a, b in pairs))

    def _call(self, function: str, arguments: list[ast.expr]) -> Tree:
        if function not in FUNCTIONS:
            raise Unfit(f"there is no function {function}; there are {', '.join(FUNCTIONS)}")
        if len(arguments) != 1:
            raise Unfit(f"{function} takes one argument, and {len(arguments)} are given")
        (argument,) = arguments
        if function == "new":
            return ["new", self.names.updated(_dotted(argument))]
        if function in ("value", "grad"):
            named = self.names.value if function == "value" else self.names.gradient
            return ["value", named(_dotted(argument))]
        inside = self.read(argument)
        if function == "norm":
            return ["sqrt", ["sum", ["square", inside]]]
        return [{**_OF_ENTRIES, **_OF_ARRAYS}.get(function, function), inside]


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    if isinstance(node, ast.Name):
        return node.id
    raise Unfit(f"{_shown(node)} is no name of a tensor")


def _place(part: ast.expr) -> Any:
    """An index: a whole number, or ``[from, to, step]``."""
    if isinstance(part, ast.Slice):
        return [None if each is None else _whole(each) for each in (part.lower, part.upper, part.step)]
    return _whole(part)


def _whole(node: ast.expr) -> int:
    try:
        found = ast.literal_eval(node)
    except ValueError:
        found = None
    if type(found) is not int:
        raise Unfit(f"{_shown(node)} is no index; those are whole numbers and a:b")
    return found


def _joined(how: str, parts: Iterable[Tree]) -> Tree:
    first, *others = parts
    for each in others:
        first = [how, first, each]
    return first


def _shown(node: ast.AST) -> str:
    return f"{ast.unparse(node):.60}"


def worth(tree: Tree, look: Callable[..., Any], start: Callable[..., Any], slack: float = 0.0) -> Any:
    """Return what an expression is worth: an array or a number, a truth where it compares.

    - look, start: give what is now, and what was recorded: ``("value", name)``, ``("new", name)``, ``("rate",)``
      and ``("step",)``
    - slack: the share of its size by which a number may miss what it is compared with
    """
    if not isinstance(tree, list):
        return tree
    head, *rest = tree
    if head in ("value", "new", "rate", "step"):
        return look(*tree)
    if head == "start":
        return worth(rest[0], start, start, slack)
    if head == "logical_not":  # what must not be is then harder to be
        return np.logical_not(worth(rest[0], look, start, -slack))
    if head == "item":
        places = tuple(slice(*each) if isinstance(each, list) else each for each in rest[1])
        return np.asarray(worth(rest[0], look, start, slack))[places]
    values = [worth(each, look, start, slack) for each in rest]
    if head in ("less", "less_equal", "greater", "greater_equal") and slack:
        a, b = values
        margin = slack * np.maximum(np.abs(a), np.abs(b))
        margin = np.where(np.isfinite(margin), margin, 0)
        values = [a, b + margin] if head.startswith("less") else [a + margin, b]
    if head == "equal" and slack > 0:
        a, b = values
        return np.isclose(a, b, rtol=slack, atol=0)
    return getattr(np, head)(*values)
