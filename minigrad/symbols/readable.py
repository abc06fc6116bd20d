"""Formulas of operations for people: as short as one writes them, where the order of rounding does not matter."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from minigrad.symbols.expression import COMPARISONS, Call, Expression, Number, Symbol, same
from minigrad.symbols.formula import Unicode
from minigrad.symbols.printing import ATOM, Operator, Text, infix
from minigrad.symbols.python import ADD, COMPARE, MULTIPLY, POWER, UNARY

OR, AND = -2, -1

_BASES = {"exp": "e", "exp2": "2"}

_CONSTANTS = {
    math.log(2): "ln 2",
    math.log(10): "ln 10",
    math.pi: "π",
    math.pi / 2: "π / 2",
    math.pi / 180: "π / 180",
    180 / math.pi: "180 / π",
    math.sqrt(2 * math.pi): "√(2π)",
    2 / math.sqrt(math.pi): "2 / √π",
    math.sqrt(math.pi) / 2: "√π / 2",
    math.sqrt(2 / math.pi): "√(2 / π)",
    1 / math.sqrt(2): "1 / √2",
}
"""Numbers that one writes otherwise than by their digits."""


class Readable(Unicode):
    """``a · b · c`` for a · (b · c), ``x²`` for x · x, ``[a > 0]`` for what is 1 where it holds and 0 where not."""

    operators: Mapping[str, Operator] = {
        **Unicode.operators,
        "multiply": infix(" · ", MULTIPLY, right=MULTIPLY),
        "logical_and": infix(" and ", AND),
        "logical_or": infix(" or ", OR),
        "logical_not": Operator("not ", COMPARE, 0, COMPARE),
    }
    functions: Mapping[str, Callable[..., str]] = {
        **{
            name: write
            for name, write in Unicode.functions.items()
            if name not in ("expm1", "log1p", "where")
        },
        "ndtr": "Φ({})".format,
        "normal_pdf": "φ({})".format,
        "logaddexp": "ln(e^({}) + e^({}))".format,
        "logaddexp2": "log2(2^({}) + 2^({}))".format,
        "exp2": "2^({})".format,
        "fabs": "|{}|".format,
    }

    whole: Expression | None = None

    def text(self, tree: Expression) -> str:
        """See ``Printer.text``."""
        self.whole = tree  # a product that is all of the formula has its two factors: x · x
        return super().text(tree)

    def number(self, value: float) -> Text:
        """See ``Printer.number``."""
        known = _CONSTANTS.get(value)
        if known is None:
            return super().number(value)
        return known, MULTIPLY if " / " in known and not known.startswith("√") else UNARY

    def condition(self, tree: Expression) -> str:
        """Return what has to hold, without brackets."""
        compared = isinstance(tree, Call) and tree.function in COMPARISONS
        return super()._unnamed(tree)[0] if compared else self.inside(tree)

    def _unnamed(self, tree: Expression) -> Text:
        if isinstance(tree, Call) and tree.function in COMPARISONS:
            return self.counted(tree)
        return super()._unnamed(tree)

    def counted(self, tree: Call) -> Text:
        """Return how a condition is written that counts as 1 or 0."""
        return f"[{self.condition(tree)}]", ATOM

    def compared(self, tree: Expression) -> str:
        """Return one side of a comparison."""
        return self.inside(tree, ADD)

    def operation(self, operator: Operator, tree: Call) -> Text:
        """See ``Printer.operation``."""
        if operator.strength == COMPARE and len(tree.arguments) == 2:
            return operator.sign.join(map(self.compared, tree.arguments)), COMPARE
        if tree.function.startswith("logical_"):
            parts = [
                f"({text})" if isinstance(each, Call) and each.function.startswith("logical_") else text
                for each in tree.arguments
                for text in [self.condition(each)]
            ]
            joined = operator.sign.join(parts) if len(parts) > 1 else operator.sign + parts[0]
            return joined, operator.strength
        if tree.function == "multiply":
            left, right = tree.arguments
            if tree is not self.whole and same(left, right) and not isinstance(left, Number):
                return f"{self.inside(left, POWER + 1)}²", POWER
            if isinstance(right, Call) and right.function == "divide":
                over, below = right.arguments
                if isinstance(over, Number) and over.value == 1:
                    return self.operation(self.operators["divide"], Call("divide", (left, below)))
        return super().operation(operator, tree)

    def call(self, tree: Call) -> Text:
        """See ``Printer.call``."""
        first = tree.arguments[0]
        if tree.function == "expm1":
            return f"e^({self.inside(first)}) − 1", ADD
        if tree.function == "log1p":
            inner = self.inside(first, ADD)
            return f"ln(1 + {f'({inner})' if inner.startswith('−') else inner})", ATOM
        if tree.function == "where":
            return f"[{self.choice(tree)}]", ATOM
        return super().call(tree)

    def choice(self, tree: Call) -> str:
        """Return which of two it is, by a condition."""
        condition, chosen, other = tree.arguments
        return f"{self.inside(chosen)} where {self.condition(condition)}, else {self.inside(other)}"


class Table(Readable):
    """A formula as it stands in the table of operations: ``g · cos a``, with the hyphen as the minus sign."""

    def text(self, tree: Expression) -> str:
        """See ``Printer.text``."""
        found = super().text(tree)
        if isinstance(tree, Call) and tree.function == "where":
            found = found.removeprefix("[").removesuffix("]")
        return found.replace("−", "-")

    def _unnamed(self, tree: Expression) -> Text:
        if isinstance(tree, Call) and tree.function in _BASES and _signed(tree.arguments[0]):
            return f"{_BASES[tree.function]}^{self.inside(tree.arguments[0])}", UNARY
        if isinstance(tree, Call) and len(tree.arguments) == 1 and isinstance(tree.arguments[0], Symbol):
            name = self.inside(tree.arguments[0])
            if tree.function == "sqrt":
                return f"√{name}", UNARY
            if tree.function not in self.operators and tree.function not in (
                "absolute", "fabs", "square", "reciprocal", "ndtr", "normal_pdf", "log1p", "expm1",
            ):  # fmt: skip
                return f"{'ln' if tree.function == 'log' else tree.function} {name}", UNARY
        return super()._unnamed(tree)

    def call(self, tree: Call) -> Text:
        """See ``Printer.call``."""
        if tree.function == "expm1" and isinstance(tree.arguments[0], Symbol):
            return f"e^{self.inside(tree.arguments[0])} − 1", ADD
        return super().call(tree)


def _signed(tree: Expression) -> bool:
    """Tell whether an expression is a name, perhaps with a minus sign before it."""
    if isinstance(tree, Call) and tree.function == "negative":
        return isinstance(tree.arguments[0], Symbol)
    return isinstance(tree, Symbol)
