"""When each buffer of a program lives, how much is needed at once, and how little one block could be."""

from __future__ import annotations

from dataclasses import dataclass

from minigrad.program.instructions import Listing, Memory

WIDTH = 48


@dataclass(slots=True, frozen=True)
class Life:
    """A buffer: its name, its bytes, the instructions that first make and last use it, its place in one block."""

    name: str
    nbytes: int
    first: int
    last: int
    place: int


class Lives:
    """The lives of the buffers that a program makes; ``print`` shows them as bars over its instructions.

    ``peak`` is the most bytes that are needed at once, ``block`` how many bytes one block has in which buffers whose
    lives do not meet take each other's place, ``total`` how many they are without that.
    """

    def __init__(self, listing: Listing) -> None:
        self.count = len(listing.instructions)
        spans = _spans(listing)
        self.lives: list[Life] = []
        for name, memory, first, last in spans:
            place = self._place(memory.nbytes, first, last)
            self.lives.append(Life(name, memory.nbytes, first, last, place))
        self.total = sum(life.nbytes for life in self.lives)
        self.block = max((life.place + life.nbytes for life in self.lives), default=0)
        needed = [
            sum(each.nbytes for each in self.lives if each.first <= k <= each.last) for k in range(self.count)
        ]
        self.peak = max(needed, default=0)

    def _place(self, nbytes: int, first: int, last: int) -> int:
        """Return the lowest place in the block that is free from one instruction to another."""
        taken = sorted(
            (each.place, each.nbytes) for each in self.lives if each.first <= last and first <= each.last
        )
        place = 0
        for start, length in taken:
            if place + nbytes <= start:
                break
            place = max(place, start + length)
        return place

    def __str__(self) -> str:
        width = max((len(life.name) for life in self.lives), default=0)
        lines = [
            f"{len(self.lives)} buffers, {_bytes(self.total)}; at most {_bytes(self.peak)} at once, "
            f"{_bytes(self.block)} in one block"
        ]
        scale = WIDTH / max(1, self.count)
        for life in self.lives:
            start = int(life.first * scale)
            length = max(1, int((life.last + 1) * scale) - start)
            bar = " " * start + "█" * length
            lines.append(f"  {life.name:{width}} {_bytes(life.nbytes):>9} |{bar:{WIDTH}}|")
        return "\n".join(lines)


def _spans(listing: Listing) -> list[tuple[str, Memory, int, int]]:
    """Return each buffer with the numbers of the instructions that first make and last use it."""
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
    return [(name, memory, first[memory], last[memory]) for memory, name in names.items()]


def _bytes(count: int) -> str:
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024  # type: ignore[assignment]
    return f"{count:.1f} GiB"
