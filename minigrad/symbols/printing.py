"""What all printers share: precedence, so that no parenthesis is missing and none is needless."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from minigrad.symbols.expression import Call, Expression, Number, Symbol

ATOM = 9
"""How tightly a name, a number or a call holds together."""

Text = tuple[str, int]
"""A printed expression, and how tightly its loosest part holds together."""


class Operator(NamedTuple):
    """How an operator is written, how tightly it holds, and from where on its two sides need parentheses."""

    sign: str
    strength: int
    left: int
    right: int


def infix(sign: str, strength: int, *, right: int | None = None) -> Operator:
    """An operator that is worked out from the left: on its right, what is as loose as itself needs parentheses."""
    return Operator(sign, strength, strength, strength + 1 if right is None else right)


class Printer:
    """Prints expressions in one language; a subclass says how names, numbers and calls are written.

    ``named`` gives the expressions that go by a name, because the formula has one for them.
    """

    minus = ""
    """A sign that does not stand behind another one without a parenthesis between them."""
    operators: Mapping[str, Operator] = {}
    functions: Mapping[str, Callable[..., str]] = {}

    def __init__(self, named: Mapping[Expression, str] | None = None) -> None:
        self.named: dict[Expression, str] = dict(named or {})

    def text(self, tree: Expression) -> str:
        """Return the expression's text; the root is written out even where it has a name."""
        return self._unnamed(tree)[0]

    def inside(self, tree: Expression, needed: int = 0) -> str:
        """Return a part's text, in parentheses where it holds together less tightly than is needed."""
        text, strength = (self.name(self.named[tree]), ATOM) if tree in self.named else self._unnamed(tree)
        return text if strength >= needed else self.enclosed(text)

    def enclosed(self, text: str) -> str:
        """Return the text in parentheses."""
        return f"({text})"

    def name(self, name: str) -> str:
        """Return how a name is written."""
        return name

    def number(self, value: float) -> Text:
        """Return how a number is written."""
        return repr(value), ATOM if value >= 0 else 0

    def call(self, tree: Call) -> Text:
        """Return how a function is written that is neither an operator nor in ``functions``."""
        arguments = ", ".join(map(self.inside, tree.arguments))
        return f"{tree.function}({arguments})", ATOM

    def _unnamed(self, tree: Expression) -> Text:
        if isinstance(tree, Symbol):
            return self.name(tree.name), ATOM
        if isinstance(tree, Number):
            return self.number(tree.value)
        assert isinstance(tree, Call)
        operator = self.operators.get(tree.function)
        if operator is not None:
            return self.operation(operator, tree)
        if tree.function in self.functions:
            return self.functions[tree.function](*map(self.inside, tree.arguments)), ATOM
        return self.call(tree)

    def operation(self, operator: Operator, tree: Call) -> Text:
        """Return how an operator is written between, or before, its arguments."""
        if len(tree.arguments) == 1:
            return operator.sign + self.inside(tree.arguments[0], operator.right), operator.strength
        left = self.inside(tree.arguments[0], operator.left)
        right = self.inside(tree.arguments[1], operator.right)
        if self.minus and right.startswith(self.minus):
            right = self.enclosed(right)
        return left + operator.sign + right, operator.strength
