"""The tensors of one recorded operation, to be written into formulas entry by entry, as symbols or as numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigrad import registry
from minigrad.viz.numbers import entry, fill, joined, largest, others, show
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
        self.operation = registry.operations.get(node.operation or "")
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

    def total(
        self, template: str, index: Index, sizes: dict[str, int], worth: Callable[[Index], Any]
    ) -> Pair:
        """Fill a template that is summed over the letters in ``index``, which run to their ``sizes``.

        ``worth`` gives the terms' values for an index whose letters are arrays of places.
        """
        index = tuple(0 if sizes.get(i) == 1 else i for i in index)
        letters = [i for i in index if i in sizes]
        if not letters:
            return self.pair(template, index)
        shape = tuple(sizes[letter] for letter in letters)
        grid = dict(zip(letters, np.ix_(*map(range, shape)), strict=True))
        with np.errstate(all="ignore"):
            terms = np.broadcast_to(worth(tuple(grid.get(i, i) for i in index)), shape)
        shown = largest(terms)
        texts = []
        for flat in shown:
            at = dict(zip(letters, map(int, np.unravel_index(flat, shape)), strict=True))
            texts.append(self.pair(template, index, tuple(at.get(i, i) for i in index)).numbers)
        symbols = fill(template, lambda name: self.operands[name].symbol(index))
        return Pair(f"Σ_{','.join(letters)} {symbols}", joined(texts, *others(terms, shown)))


def written(names: Iterable[tuple[str, Index, Any]]) -> Pair:
    """Return a sum of single entries, each a name, an index and a value."""
    listed = list(names)
    values = np.array([value for _, _, value in listed], np.float64)
    shown = largest(values)
    left, rest = others(values, shown)
    symbols = joined([entry(*listed[k][:2]) for k in shown]) + (f" + {left} others" if left else "")
    return Pair(symbols, joined([show(listed[k][2]) for k in shown], left, rest))


def letters(count: int) -> Sequence[str]:
    """Return a letter for each of so many axes."""
    return [LETTERS[k % len(LETTERS)] * (1 + k // len(LETTERS)) for k in range(count)]
