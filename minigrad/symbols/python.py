"""Expressions as the text of a program for NumPy: what one would type, and what computes the same bits."""

from __future__ import annotations

from collections.abc import Mapping

from minigrad.symbols.expression import Call, Expression
from minigrad.symbols.printing import ATOM, Operator, Printer, Text, infix

COMPARE, ADD, MULTIPLY, UNARY, POWER = range(1, 6)


class Python(Printer):
    """Operators as Python has them, functions by ``np.``, and by ``math.`` where only numbers go in."""

    operators: Mapping[str, Operator] = {
        "add": infix(" + ", ADD),
        "subtract": infix(" - ", ADD),
        "multiply": infix(" * ", MULTIPLY),
        "divide": infix(" / ", MULTIPLY),
        "remainder": infix(" % ", MULTIPLY),
        "negative": Operator("-", UNARY, 0, UNARY),
        "power": Operator("**", POWER, POWER + 1, UNARY),
        "less": infix(" < ", COMPARE, right=ADD),
        "less_equal": infix(" <= ", COMPARE, right=ADD),
        "greater": infix(" > ", COMPARE, right=ADD),
        "greater_equal": infix(" >= ", COMPARE, right=ADD),
        "equal": infix(" == ", COMPARE, right=ADD),
        "not_equal": infix(" != ", COMPARE, right=ADD),
    }

    def call(self, tree: Call) -> Text:
        """See ``Printer.call``."""
        if tree.function == "square":
            return f"{self.inside(tree.arguments[0], ATOM)}**2", POWER
        arguments = ", ".join(map(self.inside, tree.arguments))
        return f"{'math' if tree.scalar else 'np'}.{tree.function}({arguments})", ATOM


def text(tree: Expression, named: Mapping[Expression, str] | None = None) -> str:
    """Return an expression as Python: ``theta - eta * m / (np.sqrt(v) + eps)``."""
    return Python(named).text(tree)
