"""The tensors of one recorded operation, to be written into formulas entry by entry, as symbols or as numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigrad import table
from minigrad.viz.numbers import entry, fill, joined, picked, show
from minigrad.viz.trace import Backward, Host, Node, Trace

Index = tuple[Any, ...]
"""An index of an entry: numbers, and letters on the axes that are summed over."""

LETTERS = "nkijlmpq"


@dataclass(frozen=True)
class Pair:
    """The same expression in symbols and in numbers."""

    symbols: str
    numbers: str

    def enclosed(self) -> Pair:
        """Return both in parentheses."""
        return Pair(f"({self.symbols})", f"({self.numbers})")


@dataclass(frozen=True)
class Operand:
    """Something that has an entry for each index of the result, perhaps by broadcasting."""

    symbol: Callable[[Index], str]
    value: Callable[[Index], Any]


def tensor(name: str, array: Host) -> Operand:
    """Return the operand of a named array; one without a name, of a single number, is written as that number."""

    def at(index: Index) -> Index:
        own = index[len(index) - array.ndim :]
        return tuple(0 if n == 1 else i for i, n in zip(own, array.shape, strict=True))

    if not name and array.size == 1:
        return Operand(lambda index: show(array.item()), lambda index: array.item())
    return Operand(lambda index: entry(name, at(index)), lambda index: array[at(index)])


class Case:
    """One operation of a trace, with its inputs ``a``, ``b`` … under their places, and perhaps its gradient."""

    def __init__(self, trace: Trace, node: Node, event: Backward | None = None) -> None:
        self.node, self.event = node, event
        self.operation = table.operations.get(node.operation or "")
        self.names: list[str] = []
        self.arrays: list[Any] = []
        given = list(self.operation.inputs) if self.operation is not None else []
        for place, (source, constant) in enumerate(zip(node.inputs, node.constants, strict=True)):
            if source is not None:
                self.names.append(trace.nodes[source].name)
                self.arrays.append(trace.nodes[source].value)
            else:
                known = node.constant_names[place] if place < len(node.constant_names) else None
                called = known or (given[place] if place < len(given) else f"input{place}")
                alone = constant is not None and constant.size == 1
                self.names.append("" if alone else called)
                self.arrays.append(constant)
        self.operands = {
            letter: tensor(name, array)
            for letter, name, array in zip("abc", self.names, self.arrays, strict=False)
            if array is not None
        }
        self.operands["y"] = tensor(node.name, node.value)
        if event is not None:
            self.operands["g"] = tensor(f"dL/d{node.name}", event.incoming)

    def pair(self, template: str, index: Index, at: Index | None = None) -> Pair:
        """Fill a template with symbols at ``index`` and with numbers at ``at`` (default: the same)."""
        place = index if at is None else at
        return Pair(
            fill(template, lambda name: self.operands[name].symbol(index)),
            fill(template, lambda name: show(self.operands[name].value(place))),
        )

    def total(self, template: str, index: Index, sizes: dict[str, int]) -> Pair:
        """Fill a template that is summed over the letters in ``index``, which run to their ``sizes``."""
        index = tuple(0 if sizes.get(i) == 1 else i for i in index)
        letters = [i for i in index if i in sizes]
        if not letters:
            return self.pair(template, index)
        ranges = [range(sizes[letter]) for letter in letters]
        if any(len(r) == 0 for r in ranges):
            return Pair(f"Σ_{','.join(letters)} {self.pair_symbols(template, index)}", "0")
        places = [dict(zip(letters, values, strict=True)) for values in _ends(ranges)]
        terms = [self.pair(template, index, tuple(p.get(i, i) for i in index)).numbers for p in places]
        return Pair(f"Σ_{','.join(letters)} {self.pair_symbols(template, index)}", joined(terms))

    def pair_symbols(self, template: str, index: Index) -> str:
        """Fill a template with symbols alone."""
        return fill(template, lambda name: self.operands[name].symbol(index))


def _ends(ranges: Sequence[range]) -> Sequence[tuple[int, ...]]:
    """The first few and the last of all combinations: what ``joined`` needs."""
    count = int(np.prod([len(r) for r in ranges]))
    shape = tuple(len(r) for r in ranges)
    return [tuple(int(k) for k in np.unravel_index(flat, shape)) for flat in picked(range(count))]


def written(names: Iterable[tuple[str, Index, Any]]) -> Pair:
    """Return a sum of single entries, each a name, an index and a value."""
    listed = list(names)
    symbols = joined([entry(name, index) for name, index, _ in picked(listed)])
    return Pair(symbols, joined([show(value) for _, _, value in picked(listed)]))


def letters(count: int) -> Sequence[str]:
    """Return a letter for each of so many axes."""
    return [LETTERS[k % len(LETTERS)] * (1 + k // len(LETTERS)) for k in range(count)]
