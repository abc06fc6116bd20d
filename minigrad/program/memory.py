"""When each buffer of a program lives, how much is needed at once, and the one block in which all find place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from minigrad_kernels.driver import address_of

from minigrad.program.instructions import Listing, Memory
from minigrad.program.steps import Step, root_of

WIDTH = 48
ALIGNED = 64
"""Bytes to whose multiples a buffer is set: a line of the cache."""


@dataclass(slots=True, frozen=True)
class Life:
    """A buffer: its name, its bytes, the instructions that first make and last use it, its place in one block."""

    name: str
    nbytes: int
    first: int
    last: int
    place: int = -1


class Lives:
    """The lives of the buffers that a program makes; ``print`` shows them as bars over its instructions.

    ``peak`` is the most bytes that are needed at once, ``block`` how many bytes one block has in which buffers whose
    lives do not meet take each other's place, ``total`` how many they are without that. ``before`` are the lives as
    they were before the passes.
    """

    def __init__(self, lives: Sequence[Life], count: int, before: Lives | None = None) -> None:
        self.count, self.before = count, before
        placed: list[Life] = []
        for each in sorted(lives, key=lambda life: -life.nbytes):  # the largest have the choice
            place = _free(placed, each)
            placed.append(Life(each.name, each.nbytes, each.first, each.last, place))
        self.lives = sorted(placed, key=lambda life: (life.first, life.last))
        self.total = sum(life.nbytes for life in self.lives)
        self.block = max((life.place + life.nbytes for life in self.lives), default=0)
        needed = [
            sum(each.nbytes for each in self.lives if each.first <= k <= each.last) for k in range(self.count)
        ]
        self.peak = max(needed, default=0)

    @property
    def summary(self) -> str:
        """One line: how many buffers there are, how much at once, and how large the block."""
        return (
            f"{len(self.lives)} buffers, {_bytes(self.total)}; at most {_bytes(self.peak)} at once, "
            f"{_bytes(self.block)} in one block"
        )

    def __str__(self) -> str:
        width = max((len(life.name) for life in self.lives), default=0)
        lines = [
            self.summary,
            *([] if self.before is None else [f"before the passes: {self.before.summary}"]),
        ]
        scale = WIDTH / max(1, self.count)
        for life in self.lives:
            start = int(life.first * scale)
            length = max(1, int((life.last + 1) * scale) - start)
            bar = " " * start + "█" * length
            lines.append(f"  {life.name:{width}} {_bytes(life.nbytes):>9} |{bar:{WIDTH}}|")
        return "\n".join(lines)


def _free(placed: Sequence[Life], new: Life) -> int:
    """Return the lowest place in the block that is free as long as a buffer lives."""
    taken = sorted(
        (each.place, each.nbytes) for each in placed if each.first <= new.last and new.first <= each.last
    )
    place = 0
    for start, length in taken:
        if place + new.nbytes <= start:
            break
        place = max(place, -(-(start + length) // ALIGNED) * ALIGNED)
    return place


def of_listing(listing: Listing) -> Lives:
    """Return the lives of the buffers that a listing's instructions make."""
    names: dict[Memory, str] = {}
    first: dict[Memory, int] = {}
    last: dict[Memory, int] = {}
    for k, each in enumerate(listing.instructions):
        for value in each.makes:
            if value.memory.made and value.memory.nbytes:
                names.setdefault(value.memory, value.name)
                first.setdefault(value.memory, k)
        for value in (*each.reads, *each.makes):
            last[value.memory] = k
    for value in listing.kept:
        last[value.memory] = len(listing.instructions) - 1
    lives = [Life(name, memory.nbytes, first[memory], last[memory]) for memory, name in names.items()]
    return Lives(lives, len(listing.instructions))


class Block:
    """One piece of memory for all arrays that a replay's steps write, each as long as it lives.

    ``arrays`` are those that the steps write anew in each replay before they read them, by names; others stay where
    they are. ``kept`` are asked for when the last step is done.
    """

    def __init__(self, steps: Sequence[Step], arrays: Mapping[str, Any], kept: Sequence[Any]) -> None:
        self._roots = {id(root): (name, root) for name, root in arrays.items()}
        first: dict[int, int] = {}
        last: dict[int, int] = {}
        for k, step in enumerate(steps):
            for each in step.arguments:
                if isinstance(each, np.ndarray) and (root := id(root_of(each))) in self._roots:
                    first.setdefault(root, k)
                    last[root] = k
        for each in kept:
            if id(root_of(each)) in first:
                last[id(root_of(each))] = len(steps) - 1
        found = {
            self._roots[root][0]: Life(
                self._roots[root][0], self._roots[root][1].nbytes, first[root], last[root]
            )
            for root in first
        }
        self.lives = Lives(list(found.values()), len(steps))
        whole = np.empty(self.lives.block + ALIGNED, np.uint8)
        start = -address_of(whole) % ALIGNED
        self.memory = whole[start : start + self.lives.block]
        places = {life.name: life.place for life in self.lives.lives}
        self._places = {root: places[self._roots[root][0]] for root in first}

    def moved(self, x: Any) -> Any:
        """Return an array as it lies in the block, where it does."""
        if not isinstance(x, np.ndarray) or id(root := root_of(x)) not in self._places:
            return x
        offset = self._places[id(root)] + address_of(x) - address_of(root)
        return np.ndarray(x.shape, x.dtype, self.memory, offset, x.strides)


def _bytes(count: int) -> str:
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024  # type: ignore[assignment]
    return f"{count:.1f} GiB"
