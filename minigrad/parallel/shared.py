"""Sums through memory that all processes of one machine can read: no messages, each process adds for itself.

Every process writes to a piece of the memory and reads those of the others. For each bucket the piece has two slots
for the arrays, used in turn, and the number of sums that the process has begun. It is written after the arrays: who
reads the number finds them complete. When all numbers have come as far as one's own, one adds the slots in the order
of the ranks, so that everybody gets the same bits.

Nobody has to say that a slot was read. A process fills it again for the sum after the next, once the next is taken;
for that, all others had begun the next; and nobody begins a sum before having taken the last, which was in this slot.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice
from typing import Any

import numpy as np

from minigrad.backend import Array
from minigrad.parallel.communicator import Communicator
from minigrad.parallel.transport import LINE, Work, offsets

MOST = 8
"""Processes, at most: each reads what all have written; among many, an all-reduce has less to read."""
_PAGE = 4096
_FOLDER = "/dev/shm"  # where Linux keeps shared memory; in a container it may be small


class SharedMemory:
    """A piece of memory for each process, which all of them can read: an MPI window (MPI 4.1, section 12.2.3)."""

    def __init__(self, mpi: Any, world: Any, size: int) -> None:
        size += -size % _PAGE
        self.window = mpi.Win.Allocate_shared(size, 1, comm=world)
        # locks nothing; a window can only be synchronised between this and its end
        self.window.Lock_all(mpi.MODE_NOCHECK)
        self.pieces = [
            np.frombuffer(self.window.Shared_query(rank)[0], np.uint8, size)
            for rank in range(world.Get_size())
        ]

    def fence(self) -> None:
        """Keep what this process did with the memory before apart from what it does after, in everybody's eyes."""
        self.window.Sync()

    def counts(self, number: int) -> list[memoryview]:
        """Return the ``number``-th cache line of each piece as one integer; reading it is reading memory."""
        return [piece.data[LINE * number : LINE * number + 8].cast("q") for piece in self.pieces]

    def close(self) -> None:
        """Give the memory back, which all processes do. Nobody looks at it any more."""
        self.pieces = []
        self.window.Unlock_all()
        self.window.Free()


class Slots:
    """One bucket: who has begun how many sums (``counts``, one by rank), and both slots of each rank.

    ``slots[turn][k]`` are the k-th arrays of all ranks.
    """

    in_background = False

    def __init__(
        self,
        rank: int,
        counts: Sequence[memoryview],
        slots: Sequence[Sequence[Sequence[Array]]],
        fence: Callable[[], object],
        elsewhere: Callable[[], object],
    ) -> None:
        self.own, self.others = counts[rank], [count for r, count in enumerate(counts) if r != rank]
        self.slots, self.fence, self.elsewhere = slots, fence, elsewhere
        self.to_fill = [[arrays[rank] for arrays in slot] for slot in slots]
        self.begun = 0

    def buffers(self) -> Sequence[Array]:
        """Return this process's arrays in the slot whose turn it is."""
        return self.to_fill[self.begun % 2]

    def start(self) -> Work:
        """Tell the others that the slot is full."""
        self.full = self.slots[self.begun % 2]
        self.begun += 1
        self.fence()
        self.own[0] = self.begun
        return self

    def done(self) -> bool:
        """Tell whether all slots are full; if not, see to messages: another process may wait for one to get here."""
        for count in self.others:
            if count[0] < self.begun:
                self.elsewhere()
                return False
        self.fence()
        return True

    def result(self, k: int, out: Array) -> Array:
        """Add up the k-th arrays into ``out``."""
        first, second, *others = self.full[k]
        np.add(first, second, out=out)
        for each in others:
            np.add(out, each, out=out)
        return out


def share_slots(
    communicator: Communicator, mpi: Any, world: Any, groups: Sequence[Sequence[Array]], what: str
) -> tuple[SharedMemory, list[Slots]] | None:
    """Return memory with slots for each group of arrays like these; None, on all processes, where one of them cannot.

    ``what`` names the wait for the others.
    """

    def agreed(own: str) -> bool:
        texts = communicator.gather(own, what)
        return "no" not in texts and len(set(texts)) == 1

    examples = [example for _ in range(2) for group in groups for example in group]
    starts, size = offsets(examples, 1, after=LINE * len(groups))
    if not agreed(str(size) if _has_room(communicator.size * size) else "no"):
        return None
    try:
        memory = SharedMemory(mpi, world, size)
    except mpi.Exception:
        memory = None
    if memory is not None:
        memory.pieces[communicator.rank][: LINE * len(groups)] = 0
        memory.fence()
    if not agreed("no" if memory is None else "yes") or memory is None:
        return None
    memory.fence()
    arrays = zip(*(_arrays(piece, starts, examples) for piece in memory.pieces), strict=True)
    slots = [[list(islice(arrays, len(group))) for group in groups] for _ in range(2)]
    progress = partial(world.Iprobe, mpi.ANY_SOURCE, mpi.ANY_TAG)
    return memory, [
        Slots(communicator.rank, memory.counts(g), [slot[g] for slot in slots], memory.fence, progress)
        for g in range(len(groups))
    ]


def _arrays(piece: Array, starts: Sequence[int], examples: Sequence[Array]) -> list[Array]:
    return [
        piece[start : start + example.size * example.dtype.itemsize]
        .view(example.dtype)
        .reshape(example.shape)
        for start, example in zip(starts, examples, strict=True)
    ]


def _has_room(size: int) -> bool:
    """Tell whether there is so much shared memory: more of it is granted, and kills whoever writes to it."""
    try:
        found = os.statvfs(_FOLDER)
    except (OSError, AttributeError):
        return True
    return found.f_bavail * found.f_frsize > 2 * size
