"""Expressions as a loop for Numba: the text of a Python function over flat arrays, an entry at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from minigrad.symbols.expression import Call
from minigrad.symbols.loops import Body, LoopPrinter
from minigrad.symbols.printing import ATOM, Operator, Text
from minigrad.symbols.python import ADD, Python

IF = 0

HELPERS = frozenset(("exp", "expm1", "log1p", "tanh", "ndtr"))
"""Functions that a loop calls by their bare name, which each dtype gives a function of its own."""


class Numba(LoopPrinter):
    """Arithmetic by operators, so that each result is rounded once; choices by ``if``."""

    operators: Mapping[str, Operator] = Python.operators

    def call(self, tree: Call) -> Text:
        """See ``Printer.call``."""
        first, *others = tree.arguments
        if tree.function == "square":
            return self.square(first, "np.square")
        if tree.function == "reciprocal":
            return f"np.reciprocal({self.inside(first)})", ATOM
        if tree.function == "sign":  # Numba's of -0 is -0, NumPy's is 0
            return f"np.sign({self.inside(first)}) + np.int8(0)", ADD
        if tree.function == "where":
            chosen, other = (self.inside(each, IF + 1) for each in others)
            return f"{chosen} if {self.inside(first, IF + 1)} else {other}", IF
        prefix = "" if tree.function in HELPERS else "np."
        return f"{prefix}{tree.function}({', '.join(map(self.inside, tree.arguments))})", ATOM


class NumPy(LoopPrinter):
    """The same on whole arrays, for NumPy."""

    operators: Mapping[str, Operator] = Python.operators
    call = Python.call  # type: ignore[assignment]


def loop(name: str, body: Body, arrays: Sequence[str], doc: str = "") -> str:
    """Return the text of ``name(*arrays, coefficients)``, which changes arrays in place, entry by entry."""
    printer = Numba(body)
    return "\n".join(
        [
            *_head(name, arrays, doc),
            *_unpacked(body),
            f"    for i in range({arrays[0]}.size):",
            *(f"        {body.entry.format(array)} = {array}[i]" for array in body.loaded),
            *(f"        {local} = {printer.text(node)}" for local, node in body.statements),
            *(f"        {target}[i] = {printer.left(result)}" for target, result in body.stores),
            *([] if body.stores else ["        pass"]),
            "",
        ]
    )


def whole(name: str, body: Body, arrays: Sequence[str], doc: str = "") -> str:
    """Return the text of the same function on whole arrays, for NumPy."""
    printer = NumPy(body)
    targets = ", ".join(f"{target}[...]" for target, _ in body.stores)
    results = ", ".join(printer.left(result) for _, result in body.stores)
    return "\n".join(
        [
            *_head(name, arrays, doc),
            *_unpacked(body),
            *(f"    {local} = {printer.text(node)}" for local, node in body.statements),
            f"    {targets} = {results}" if body.stores else "    pass",
            "",
        ]
    )


def _head(name: str, arrays: Sequence[str], doc: str) -> list[str]:
    return [f"def {name}({', '.join([*arrays, 'coefficients'])}):", *([f'    """{doc}"""'] if doc else [])]


def _unpacked(body: Body) -> list[str]:
    """The lines that give the entries of the vector of coefficients their names."""
    lines, names, values = [], [], []
    for k, (name, _) in enumerate(body.coefficients):
        names.append(name)
        values.append(f"coefficients[{k}]")
        if len(line := f"    {', '.join(names)} = {', '.join(values)}") > 75 or k + 1 == len(
            body.coefficients
        ):
            lines.append(line)
            names, values = [], []
    return lines
