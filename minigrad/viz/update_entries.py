"""One entry of an optimizer's update, line by line: the formula in symbols and with numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.symbols import Expression
from minigrad.symbols.formula import SYMBOLS, Unicode
from minigrad.viz.entries import Index, Pair
from minigrad.viz.numbers import entry, show
from minigrad.viz.trace import Row


def lines(rows: Sequence[Row], index: Index, name: str) -> list[Pair]:
    """Return each line of the formula for one entry: ``w[0] ← w[0] − η · g[0]`` and ``= 0.5 − 0.1 · 2 = 0.3``.

    ``name`` is what theta is called. What had a value before gets a new one by ←.
    """
    values: dict[str, Any] = {}
    names: dict[Expression, str] = {row.tree: row.symbol for row in rows if row.tree is not None}

    def labelled(symbol: str) -> str:
        return entry(called(symbol, name), index if np.ndim(values[symbol]) else ())

    def value(symbol: str) -> str:
        return show(_at(values[symbol], index))

    found = []
    for row in rows:
        if not row.given:
            left = entry(called(row.symbol, name), index if row.value.ndim else ())
            sign, result = "←" if row.symbol in values else "=", show(_at(row.value, index))
            symbols = numbers = row.text
            if row.tree is not None:
                symbols, numbers = (Unicode(names, say, show).text(row.tree) for say in (labelled, value))
            given = f"= {result}" if numbers in (result, row.text) else f"= {numbers} = {result}"
            found.append(Pair(f"{left} {sign} {symbols}", given))
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
