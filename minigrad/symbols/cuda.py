"""Expressions as CUDA C: the body of a function on one entry, with ``real`` for float or double."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from minigrad.symbols.expression import Call
from minigrad.symbols.loops import Body, LoopPrinter
from minigrad.symbols.printing import ATOM, Operator, Text, infix
from minigrad.symbols.python import ADD, COMPARE, MULTIPLY, UNARY

_CHOICE, _OR, _AND = -3, -2, -1

FUNCTIONS = {"absolute": "fabs", "sign": "sign_of", "maximum": "larger", "minimum": "smaller"}
"""What CUDA, or cuda/updates.cu, calls a function of NumPy's."""


class Cuda(LoopPrinter):
    """Arithmetic by operators; compiled without fused multiply-add, so that each result is rounded once."""

    operators: Mapping[str, Operator] = {
        "add": infix(" + ", ADD),
        "subtract": infix(" - ", ADD),
        "multiply": infix(" * ", MULTIPLY),
        "divide": infix(" / ", MULTIPLY),
        "negative": Operator("-", UNARY, 0, UNARY),
        "less": infix(" < ", COMPARE, right=ADD),
        "less_equal": infix(" <= ", COMPARE, right=ADD),
        "greater": infix(" > ", COMPARE, right=ADD),
        "greater_equal": infix(" >= ", COMPARE, right=ADD),
        "equal": infix(" == ", COMPARE, right=ADD),
        "not_equal": infix(" != ", COMPARE, right=ADD),
        "logical_and": infix(" && ", _AND),
        "logical_or": infix(" || ", _OR),
        "logical_not": Operator("!", UNARY, 0, UNARY),
    }

    def call(self, tree: Call) -> Text:
        """See ``Printer.call``."""
        first, *others = tree.arguments
        if tree.function == "square":
            return self.square(first, "squared")
        if tree.function == "reciprocal":
            return f"(real)1 / {self.inside(first, MULTIPLY + 1)}", MULTIPLY
        if tree.function == "where":
            chosen, other = (self.inside(each, _CHOICE + 1) for each in others)
            return f"{self.inside(first, _CHOICE + 1)} ? {chosen} : {other}", _CHOICE
        return (
            f"{FUNCTIONS.get(tree.function, tree.function)}({', '.join(map(self.inside, tree.arguments))})",
            ATOM,
        )


def statements(body: Body, arrays: Sequence[str]) -> list[str]:
    """Return the statements that compute, from the entries ``m_i`` of the arrays, the new ones, in place."""
    printer = Cuda(body)
    known = {body.entry.format(name) for name in arrays}
    lines = []
    for local, node in body.statements:
        lines.append(f"{'' if local in known else 'real '}{local} = {printer.text(node)};")
        known.add(local)
    for target, result in body.stores:
        if (value := printer.left(result)) != body.entry.format(target):
            lines.append(f"{body.entry.format(target)} = {value};")
    return lines
