"""The expression of one entry as text: in symbols, ``Σ_k x[1,k] · W[0,k] + b[0]``, and with its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigrad.symbols import Call, Expression
from minigrad.symbols.expression import COMPARISONS, computing
from minigrad.symbols.printing import ATOM, Text
from minigrad.symbols.python import ADD, MULTIPLY
from minigrad.symbols.readable import Readable
from minigrad.symbols.terms import Entry, Over, Places, leaves, worth
from minigrad.viz.numbers import entry, joined, largest, show

Index = tuple[Any, ...]
"""An index of an entry: numbers, and letters on the axes that are summed over."""

LETTERS = "nkijlmpqrstuvwxyzabcdefgh"


@dataclass(frozen=True)
class Pair:
    """The same expression in symbols and in numbers."""

    symbols: str
    numbers: str


def pair(tree: Expression, whole: Mapping[str, Any] | None = None) -> Pair:
    """Return an entry's expression in symbols and in numbers; ``whole`` are arrays of indices by their names."""
    with np.errstate(all="ignore"):
        return Pair(Symbols(whole or {}).text(tree), Numbers().text(tree))


def simple(tree: Expression) -> bool:
    """Tell whether an expression is no more than a product of two entries, so that there is nothing between it and
    its value."""
    if isinstance(tree, Over) or not isinstance(tree, Call):
        return not isinstance(tree, Over)
    if tree.function == "where":
        return simple(_chosen(tree))
    plain = all(
        not isinstance(each, Call)
        or each.function in COMPARISONS
        or (each.function == "where" and simple(each))
        for each in tree.arguments
    )
    return tree.function in ("negative", "multiply") and plain


def _is_known(condition: Expression) -> bool:
    """Tell whether a condition follows from places alone."""
    return not any(leaf.name for leaf in leaves(condition))


def _chosen(tree: Call) -> Expression:
    condition, chosen, other = tree.arguments
    return chosen if worth(condition) else other


def _listed(function: str, texts: Sequence[str], left: int, rest: str = "") -> Text:
    """The terms of a sum, a product or a choice, and behind them what the others come to."""
    if left:
        texts = [*texts, f"({left} others: {rest})" if rest else f"{left} others"]
    if function == "add":
        return joined(texts), ADD
    if function == "multiply":
        return " · ".join(f"({text})" if text.startswith("−") else text for text in texts), MULTIPLY
    return f"{_SIGNS[function]}({', '.join(texts)})", ATOM


_NEEDED = {"add": ADD, "multiply": MULTIPLY, "maximum": 0, "minimum": 0}
"""How tightly a term has to hold together where terms are listed."""

_SIGNS = {"add": "Σ", "multiply": "Π", "maximum": "max", "minimum": "min"}


class _NoLetters(Exception):
    """The places of a sum's terms follow no letters that run along axes."""


class Symbols(Readable):
    """Entries by name and index: ``x[n,labels[n]]``. Where a sum runs over all of an axis, a letter stands for it."""

    def __init__(self, whole: Mapping[str, Any]) -> None:
        super().__init__(say=str, write=show)
        self.whole_numbers = {name: array for name, array in whole.items() if array.ndim == 1}
        self.letters: list[tuple[str, int, Places]] = []  # letter, axis of the places, value in each term
        self.depth = 0  # sums that are around what is printed

    def _unnamed(self, tree: Expression) -> Text:
        if isinstance(tree, Over):
            return self._over(tree)
        if isinstance(tree, Call) and tree.function == "where" and _is_known(tree.arguments[0]):
            return self._unnamed_chosen(tree)
        if not isinstance(tree, Entry):
            return super()._unnamed(tree)
        if not tree.name:
            found = tree.array.reshape(-1)[tree.places]
            if found.size and (found != found.flat[0]).any():
                raise _NoLetters
            return self.number(float(found.flat[0]))
        return entry(tree.name, [self._part(c) for c in _columns(tree)]), ATOM

    def _unnamed_chosen(self, tree: Call) -> Text:
        """What is chosen by a condition that has no name, as a mask of places: the rest would say nothing."""
        condition, chosen, other = tree.arguments
        found = np.asarray(worth(condition))
        if found.size and (found != found.flat[0]).any():
            raise _NoLetters
        return self._unnamed(chosen if found.flat[0] else other)

    def compared(self, tree: Expression) -> str:
        """See ``Readable.compared``; a sum ends before the sign."""
        return self.inside(tree, MULTIPLY if isinstance(tree, Over) else ADD)

    def _part(self, column: Places) -> str:
        """An index along one axis: a number, or a letter."""
        if (column == column.flat[0]).all():
            return str(column.flat[0])
        found = self._running_along(column, self.letters)
        if found is None:
            raise _NoLetters
        return found

    def _running_along(self, column: Places, letters: Sequence[tuple[str, int, Places]]) -> str | None:
        """What an index follows: a letter, ``k``, one at a distance, ``k+1``, or an array's entries, ``labels[n]``."""
        for letter, axis, values in letters:
            further = column - _along(values, axis, column.ndim)
            if (further == further.flat[0]).all():
                return letter + (f"{further.flat[0]:+d}".replace("-", "−") if further.flat[0] else "")
            for name, array in self.whole_numbers.items():
                if values.max() < len(array) and (column == _along(array[values], axis, column.ndim)).all():
                    return f"{name}[{letter}]"
        return None

    def _over(self, tree: Over) -> Text:
        letters, depth = list(self.letters), self.depth
        try:
            if len(tree.arguments) > 1:
                raise _NoLetters
            new = self._running(tree)
            self.letters, self.depth = [*letters, *new], depth + 1
            body = self.inside(tree.arguments[0], MULTIPLY)
            return f"{_SIGNS[tree.function]}_{','.join(letter for letter, *_ in new)} {body}", ADD
        except _NoLetters:
            if depth:
                raise
        finally:
            self.letters, self.depth = letters, depth
        shown = largest(tree.worths())
        return _listed(
            tree.function,
            [self.inside(tree.term(k), _NEEDED[tree.function]) for k in shown],
            tree.count - len(shown),
        )

    def _running(self, tree: Over) -> list[tuple[str, int, Places]]:
        """The letters of a sum: each runs along all of an axis of some array, together through all terms."""
        found: list[tuple[str, int, Places]] = []
        lengths = []
        for leaf in leaves(tree.arguments[0]):
            for axis, column in enumerate(_columns(leaf)):
                values = column[(0,) * self.depth + (slice(None),) + (0,) * (column.ndim - self.depth - 1)]
                length = leaf.array.shape[axis]
                whole = np.array_equal(np.unique(values), np.arange(length)) and length > 1
                if not whole or not leaf.name or self._running_along(column, found) is not None:
                    continue
                if (column != _along(values, self.depth, column.ndim)).any():
                    raise _NoLetters
                taken = {letter for letter, *_ in (*self.letters, *found)}
                letter = next(c for c in (LETTERS[axis], *LETTERS) if c not in taken)
                found.append((letter, self.depth, values))
                lengths.append(length)
        together = np.stack([values for *_, values in found]) if found else np.zeros((0, 1))
        if np.prod(lengths, dtype=int) != tree.count or np.unique(together, axis=1).shape[1] != tree.count:
            raise _NoLetters
        return found


def _columns(leaf: Entry) -> Sequence[Places]:
    return np.unravel_index(leaf.places, leaf.array.shape) if leaf.array.ndim else ()


def _along(values: Places, axis: int, ndim: int) -> Places:
    return values.reshape([-1 if k == axis else 1 for k in range(ndim)])


class Numbers(Readable):
    """Entries by their values, conditions as 1 or 0; of a long sum the largest terms, and what the others come to."""

    def __init__(self) -> None:
        super().__init__(write=show)
        self.depth = 0

    def counted(self, tree: Call) -> Text:
        """See ``Readable.counted``."""
        return self.number(float(worth(tree)))

    def _unnamed(self, tree: Expression) -> Text:
        if isinstance(tree, Entry):
            return self.number(float(worth(tree)))
        if isinstance(tree, Over):
            return self._over(tree)
        if isinstance(tree, Call) and tree.function == "where":
            return self._unnamed(_chosen(tree))
        return super()._unnamed(tree)

    def _over(self, tree: Over) -> Text:
        values = tree.worths()
        if self.depth:  # a sum within each term of a sum is no more than its value
            return self.number(float(worth(tree)))
        shown = largest(values)
        left = np.delete(values, shown)
        self.depth += 1
        texts = [self.inside(tree.term(k), _NEEDED[tree.function]) for k in shown]
        self.depth -= 1
        rest = "" if not left.size else show(computing(tree.function).reduce(left))  # type: ignore[attr-defined]
        return _listed(tree.function, texts, left.size, rest)
