"""The tables that the driver walks along: a program's loops by their addresses, and the words that they work on.

Each call finds other arrays among what it is given. They say where they lie by a number each; the first row of the
first table looks there and sets all words that depend on it, so that Python has next to nothing to do.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from minigrad_kernels import blas, driver, teams
from minigrad_kernels.chains import Chain
from minigrad_kernels.placing import place
from numpy.lib.array_utils import byte_bounds

from minigrad.program.steps import Step, root_of

Place = tuple[Any, int, int]
"""An array of words, a position in it, and a number of bytes."""


class Tables:
    """The tables of a program that is given these arrays at first; ``rows`` are those of all, one after another."""

    def __init__(self, given: Sequence[Any]) -> None:
        self.rows: list[tuple[int, int]] = []
        self._by_name: dict[str, list[tuple[int, int]]] = {}
        self._bounds = [byte_bounds(each) if isinstance(each, np.ndarray) else None for each in given]
        self._bases = [driver.address_of(each) if isinstance(each, np.ndarray) else 0 for each in given]
        self._words: dict[int, list[Place]] = defaultdict(list)
        self._own: dict[int, list[Place]] = defaultdict(list)
        self._kept: list[Any] = []  # what has to stay, since addresses of it are known
        self._addresses = np.zeros(len(given), np.int64)
        self._array: Any = np.zeros(len(given), np.int64)
        # which is written to in half the time
        self._holders = memoryview(self._array)  # type: ignore[arg-type]
        for k, each in enumerate(given):
            self.hold(k, each)

    def add(self, name: str, steps: Sequence[Step]) -> int:
        """Add a table for some steps; return how many rows it has."""
        rows = [row for step in steps for row in self._rows(step.what, step.arguments)]
        self.rows += rows
        self._by_name[name] = rows
        return len(rows) + (len(self._by_name) == 1)

    def finish(self) -> dict[str, int]:
        """Return where each table lies, when all are there."""
        words = [
            (driver.address_of(each) + 8 * position, k, offset)
            for k, places in self._words.items()
            for each, position, offset in places
        ]
        first = self._row(place(), (self._array, np.array(words, np.int64).reshape(-1, 3)))
        self._first = np.array([first], np.int64)
        found = {}
        for k, (name, rows) in enumerate(self._by_name.items()):
            table = np.array(rows if k else [first, *rows], np.int64)
            self._kept.append(table)
            found[name] = driver.address_of(table)
        return found

    def hold(self, k: int, each: Any) -> None:
        """Let another array be the k-th that is given, as soon as the first row is run."""
        if each.__class__ is np.ndarray and driver.IS_THERE:
            self._holders[k] = id(each) + driver.HEAD
        elif isinstance(each, np.ndarray):
            self._addresses[k] = driver.address_of(each)
            self._holders[k] = driver.address_of(self._addresses[k:])

    def place(self) -> None:
        """Run the first row by itself."""
        driver.run(self._first)

    def of_given(self, array: Any) -> tuple[int, int] | None:
        """Return on which array that is given this one lies, and how far from its beginning."""
        if not array.size:
            return None
        low, high = byte_bounds(array)
        for k, bounds in enumerate(self._bounds):
            if bounds is not None and bounds[0] <= low and high <= bounds[1] and bounds[0] < bounds[1]:
                return k, driver.address_of(array) - self._bases[k]
        return None

    def places_of_given(self, k: int) -> list[Place]:
        """Return the words that say where the k-th array that is given lies, or so many bytes behind."""
        return self._words[k]

    def places_of(self, array: Any) -> list[Place]:
        """Return the words that say where an array of the program's own lies, or so many bytes behind."""
        begin = driver.address_of(array)
        return [(words, k, address - begin) for words, k, address in self._own[id(root_of(array))]]

    def _rows(self, what: Any, arguments: Sequence[Any]) -> list[tuple[int, int]]:
        """Return the rows of the table for a step."""
        if not isinstance(what, Chain):
            return [self._row(what, arguments)]
        calls, table, places = what.calls(arguments)
        for k, position in places:
            self._note(table.reshape(-1), position, arguments[k])
        self._kept.append((what, arguments))
        return [self._row(*call) for call in calls]

    def _row(self, what: Any, arguments: Sequence[Any]) -> tuple[int, int]:
        """Return a call's address and that of its words."""
        if (shares := teams.shares(what, arguments)) is not None:
            calls = [self._row(*share) for share in shares]
            return calls[0] if len(calls) == 1 else self._row(teams.at_once(), teams.row_of(np.array(calls)))
        if isinstance(what, blas.Product):
            words, at = what.words(*arguments), [4, 5, 6]
            address = what.address
        else:
            words, at = [0], []
            for argument in arguments:
                at.append(len(words))
                words += driver.words_of(argument)
            kinds = tuple(kind for each in arguments if (kind := driver.kind_of(each)) is not None)
            address = driver.entry(what, kinds).address
        kept = np.array(words, np.int64)
        for position, argument in zip(at, arguments, strict=True):
            if isinstance(argument, np.ndarray):
                self._note(kept, position, argument)
        self._kept.append((kept, what, arguments))
        return address, driver.address_of(kept)

    def _note(self, words: Any, position: int, array: Any) -> None:
        """Remember a word that says where an array lies."""
        if found := self.of_given(array):
            self._words[found[0]].append((words, position, found[1]))
        else:
            self._own[id(root_of(array))].append((words, position, driver.address_of(array)))
