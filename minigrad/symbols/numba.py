"""Expressions as a loop for Numba: the text of a Python function over flat arrays, an entry at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from minigrad.symbols.expression import Call, Expression, Symbol
from minigrad.symbols.loops import Body, LoopPrinter
from minigrad.symbols.printing import ATOM, Operator, Text
from minigrad.symbols.python import MULTIPLY, Python

IF = 0


class Numba(LoopPrinter):
    """Arithmetic by operators, so that each result is rounded once; choices by ``if``."""

    operators: Mapping[str, Operator] = Python.operators

    def call(self, tree: Call) -> Text:
        """See ``Printer.call``."""
        first, *others = tree.arguments
        if tree.function == "square":
            factor = self.inside(first, ATOM)
            if factor.isidentifier():
                return f"{factor} * {factor}", MULTIPLY
            return f"np.square({self.inside(first)})", ATOM
        if tree.function == "reciprocal":
            return f"np.reciprocal({self.inside(first)})", ATOM
        if tree.function == "where":
            chosen, other = (self.inside(each, IF + 1) for each in others)
            return f"{chosen} if {self.inside(first, IF + 1)} else {other}", IF
        return f"np.{tree.function}({', '.join(map(self.inside, tree.arguments))})", ATOM


def loop(name: str, body: Body, arrays: Sequence[str], vector: str = "coefficients", doc: str = "") -> str:
    """Return the text of ``name(*arrays, coefficients)``, which changes arrays in place, entry by entry."""
    printer = Numba(body)
    lines = [f"def {name}({', '.join([*arrays, vector])}):"]
    if doc:
        lines.append(f'    """{doc}"""')
    lines += unpacked(body, vector)
    lines.append(f"    for i in range({arrays[0]}.size):")
    lines += [f"        {array}_i = {array}[i]" for array in body.loaded]
    lines += [f"        {local} = {printer.text(node)}" for local, node in body.statements]
    lines += [f"        {target}[i] = {left(printer, node)}" for target, node in body.stores]
    return "\n".join(lines) + "\n"


def unpacked(body: Body, vector: str, width: int = 100) -> list[str]:
    """Return the lines that give the entries of the vector of coefficients their names."""
    names = [name for name, _ in body.coefficients]
    lines: list[str] = []
    for start in range(0, len(names), 5):
        some = names[start : start + 5]
        values = ", ".join(f"{vector}[{k}]" for k in range(start, start + len(some)))
        lines.append(f"    {', '.join(some)} = {values}")
    return lines


def left(printer: LoopPrinter, node: Expression) -> str:
    """Return what a result goes by once all statements have run."""
    return f"{node.name}_i" if isinstance(node, Symbol) and not node.scalar else printer.inside(node)
