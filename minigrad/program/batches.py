"""Batches one after another, and how much of those to come is known ahead: where their arrays will lie.

A list's batches are there already, and a ``DataLoader``'s follow from the permutation that it has drawn, so that many
rounds can be run on them without asking anybody. What any other iterable gives next may depend on the step before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Any

import numpy as np
from minigrad_kernels import rounds
from minigrad_kernels.driver import address_of

from minigrad.program import arguments

if TYPE_CHECKING:
    from minigrad.data.loader import DataLoader

Args = tuple[Any, ...]
Takes = Callable[[Sequence[Any]], Sequence[Any] | None]


@dataclass(slots=True, frozen=True)
class Ahead:
    """The next ``count`` batches, all for one program: for each array among the arguments, an address for each batch.

    It is that of the array; or, where ``rows`` holds all samples, that of the numbers of those that are chosen.
    """

    count: int
    addresses: Sequence[Any]
    rows: Sequence[Any]


class Batches:
    """Any batches, each a tuple of the step's arguments or the only one. Nothing is known ahead."""

    def __init__(self, batches: Iterable[Any]) -> None:
        self._rest = iter(batches)
        self._next: Args | None = None

    def peek(self) -> Args | None:
        """Return the next batch, as arguments; None where there is none."""
        if self._next is None:
            for batch in self._rest:
                self._next = _as_args(batch)
                break
        return self._next

    def advance(self, count: int) -> None:
        """Go on by so many batches: by one, save what ``ahead`` has told of."""
        self._next = None

    def ahead(self, case: Sequence[Any], takes: Takes, most: int) -> Ahead | None:
        """Return what is known of the next batches that are of this case, ``most`` of them at most.

        ``takes`` is the case's ``arguments.matcher``.
        """
        return None


class Listed(Batches):
    """Batches that lie in a list or a tuple."""

    def __init__(self, batches: Sequence[Any]) -> None:
        self._all, self._at = batches, 0

    def peek(self) -> Args | None:
        """See ``Batches.peek``."""
        return _as_args(self._all[self._at]) if self._at < len(self._all) else None

    def advance(self, count: int) -> None:
        """See ``Batches.advance``."""
        self._at += count

    def ahead(self, case: Sequence[Any], takes: Takes, most: int) -> Ahead | None:
        """See ``Batches.ahead``."""
        found = []
        for batch in self._all[self._at : self._at + most]:
            leaves = takes(args := _as_args(batch))
            if leaves is None:
                other, leaves = arguments.split(args, {})
                if other != case or not all(type(leaf) is np.ndarray for leaf in leaves):
                    break
            found.append([address_of(leaf) for leaf in leaves])
        addresses = list(np.array(found, np.int64).T)
        return Ahead(len(found), addresses, [None] * len(addresses)) if found else None


class OfLoader(Batches):
    """The batches of a ``DataLoader`` that takes them from its arrays as they are.

    With a ``group`` the step's only argument is a tuple of so many, of which the epoch's last may have fewer.
    """

    def __init__(self, loader: DataLoader, group: int | None = None) -> None:
        iter(loader)  # which raises where there is no batch
        self._loader, self._order = loader, loader.order()
        self._bounds = loader.bounds()
        self._known: list[tuple[int, int]] = []
        self._next: Args | None = None
        self._is_grouped, self._size = group is not None, group or 1

    def _know(self, count: int) -> list[tuple[int, int]]:
        while len(self._known) < count and (bounds := next(self._bounds, None)) is not None:
            self._known.append(bounds)
        return self._known[:count]

    def peek(self) -> Args | None:
        """See ``Batches.peek``."""
        if self._next is None and (known := self._know(self._size)):
            found = [self._loader.pick(self._order, *bounds) for bounds in known]
            self._next = (tuple(found),) if self._is_grouped else found[0]
        return self._next

    def advance(self, count: int) -> None:
        """See ``Batches.advance``."""
        del self._known[: count * self._size]
        self._next = None

    def ahead(self, case: Sequence[Any], takes: Takes, most: int) -> Ahead | None:
        """See ``Batches.ahead``."""
        whole = (self._loader.dataset.x, self._loader.dataset.y)
        if not all(type(each) is np.ndarray and each.flags.c_contiguous and each.size for each in whole):
            return None
        known = self._know(most * self._size)
        size = known[0][1] - known[0][0]
        starts = [start for start, _ in takewhile(lambda bounds: bounds[1] - bounds[0] == size, known)]
        count = len(starts) // self._size
        if not count:
            return None
        columns = np.array(starts[: count * self._size], np.int64).reshape(count, self._size).T
        if self._order is None:
            addresses = [
                address_of(each) + at * (each.nbytes // len(each)) for at in columns for each in whole
            ]
            return Ahead(count, addresses, [None] * len(addresses))
        chosen = [address_of(self._order) + at * self._order.itemsize for at in columns for _ in whole]
        return Ahead(count, chosen, [rounds.as_words(each) for each in whole] * self._size)


def of(batches: Iterable[Any]) -> Batches:
    """Return what is known of these batches."""
    if type(batches) in (list, tuple):
        return Listed(batches)  # type: ignore[arg-type]
    return OfLoader(batches) if _is_plain(batches) else Batches(batches)  # type: ignore[arg-type]


def grouped(loader: DataLoader, size: int) -> Batches:
    """Return what is known of a loader's batches, so many at a time: the step's only argument is a tuple of them."""
    if _is_plain(loader):
        return OfLoader(loader, size)
    rest = iter(loader)
    return Batches((group,) for group in iter(lambda: tuple(islice(rest, size)), ()))


def _is_plain(batches: Any) -> bool:
    from minigrad.data.loader import DataLoader

    return type(batches) is DataLoader and batches.transform is None


def _as_args(batch: Any) -> Args:
    return batch if isinstance(batch, tuple) else tuple(batch) if isinstance(batch, list) else (batch,)


class Results(Sequence[Any]):
    """What the step has returned for each batch, in their order; of many rounds it is made when it is asked for."""

    def __init__(self) -> None:
        self._parts: list[Sequence[Any]] = []
        self._ends: list[int] = []

    def add(self, part: Sequence[Any]) -> None:
        """Add what some rounds have returned."""
        if type(part) is list and self._parts and type(self._parts[-1]) is list:
            self._parts[-1] += part
            self._ends[-1] += len(part)
        else:
            self._parts.append(part)
            self._ends.append(len(self) + len(part))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __iter__(self) -> Iterator[Any]:
        return (each for part in self._parts for each in part)

    def __getitem__(self, i: Any) -> Any:
        if isinstance(i, slice):
            return [self[k] for k in range(*i.indices(len(self)))]
        k = range(len(self))[i]
        p = int(np.searchsorted(self._ends, k, side="right"))
        return self._parts[p][k - self._ends[p] + len(self._parts[p])]

    def __repr__(self) -> str:
        return f"<{len(self)} results>" if len(self) > 8 else repr(list(self))
