"""One entry of an optimizer's update, line by line: the formula's source in symbols and with numbers."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.viz.entries import Index, Pair
from minigrad.viz.numbers import entry, show
from minigrad.viz.trace import Row

SYMBOLS = {
    "theta": "θ",
    "eta": "η",
    "eta_t": "η_t",
    "alpha": "α",
    "alpha_t": "α_t",
    "beta1": "β₁",
    "beta2": "β₂",
    "eps": "ε",
    "eps_hat": "ε̂",
    "mu": "μ",
    "m_hat": "m̂",
    "v_hat": "v̂",
    "decay": "λ",
    "l2": "λ",
    "clip": "c",
}
"""How the names in the formulas are written; others stay as they are."""

_OPERATORS: dict[type[ast.operator], tuple[str, int]] = {
    ast.Add: (" + ", 1),
    ast.Sub: (" − ", 1),
    ast.Mult: (" · ", 2),
    ast.Div: (" / ", 2),
    ast.Pow: ("^", 4),
}
_UNARY, _ATOM = 3, 9


def lines(rows: Sequence[Row], index: Index, name: str) -> list[Pair]:
    """Return each line of the formula for one entry: ``w[0] ← w[0] − η · g[0]`` and ``= 0.5 − 0.1 · 2 = 0.3``.

    ``name`` is what theta is called. What had a value before gets a new one by ←.
    """
    values: dict[str, Any] = {}
    found = []
    for row in rows:
        if not row.given:
            left = entry(called(row.symbol, name), index if row.value.ndim else ())
            symbols = expression(
                row.text, lambda symbol: entry(called(symbol, name), index if np.ndim(values[symbol]) else ())
            )
            numbers = expression(row.text, lambda symbol: show(_at(values[symbol], index)))
            value, sign = show(_at(row.value, index)), "←" if row.symbol in values else "="
            same = numbers == value
            found.append(Pair(f"{left} {sign} {symbols}", f"= {value}" if same else f"= {numbers} = {value}"))
        values[row.symbol] = row.value
    return found


def called(symbol: str, parameter: str) -> str:
    """Return a formula's name as it is printed in papers, m̂ for m_hat; theta goes by the parameter's name."""
    return parameter if symbol == "theta" else SYMBOLS.get(symbol, symbol)


def name_in(rows: Sequence[Row], parameter: str) -> str:
    """Return what theta is called: as the parameter, or θ where the formula calls something else so."""
    return "θ" if parameter in {called(row.symbol, "θ") for row in rows} else parameter


def _at(value: Any, index: Index) -> Any:
    return value[index] if np.ndim(value) else value


def expression(text: str, say: Callable[[str], str]) -> str:
    """Write a line of Python with −, ·, ^ and √, each name as ``say`` has it; what is no formula stays as it is."""
    try:
        return _Printer(say).text(ast.parse(text, mode="eval").body)[0]
    except (SyntaxError, KeyError):
        return text


class _Printer:
    def __init__(self, say: Callable[[str], str]) -> None:
        self.say = say

    def text(self, node: ast.expr) -> tuple[str, int]:
        """Return the text and how tightly it holds together; KeyError for what is no arithmetic."""
        if isinstance(node, ast.BinOp):
            sign, strength = _OPERATORS[type(node.op)]
            left = self.inside(node.left, strength + (strength == 4))
            right = self.inside(node.right, strength + (strength < 4))
            if right.startswith("−"):
                right = f"({right})"
            if strength == 4 and left.startswith("−"):
                left = f"({left})"
            return f"{left}{sign}{right}", strength
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            inner = self.inside(node.operand, _UNARY)
            return f"−({inner})" if inner.startswith("−") else f"−{inner}", _UNARY
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
            arguments = ", ".join(self.text(argument)[0] for argument in node.args)
            return f"{'√' if called == 'sqrt' else called}({arguments})", _ATOM
        if isinstance(node, ast.Name):
            return self.say(node.id), _ATOM
        if isinstance(node, ast.Constant):
            return show(node.value), _ATOM
        if isinstance(node, ast.Attribute):
            return self.say(node.attr), _ATOM
        raise KeyError(type(node).__name__)

    def inside(self, node: ast.expr, needed: int) -> str:
        text, strength = self.text(node)
        return text if strength >= needed else f"({text})"
