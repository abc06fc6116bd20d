"""Functions of single entries, one after another: a block of entries goes through all of them before the next one.

What only the chain itself asks for then needs no more memory than a block, which stays in the first cache. The
functions are NumPy's own loops (``ufuncs``), called by their addresses, and so are the bits. Nothing is compiled for a
chain: it is a table of addresses and steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from minigrad_kernels.driver import address_of
from minigrad_kernels.launch import Host, Loop, workers_for
from minigrad_kernels.teams import Team
from minigrad_kernels.ufuncs import Inner, call_inner
from minigrad_kernels.work_queue import PADDING, next_task, share_out

BLOCK = 2048
"""Entries that go through the chain together."""

PARALLEL_FROM = 1 << 20
"""Entries, times the functions that each goes through, from which waking the other threads pays."""

OPERANDS = 4
"""Operands of a function, its result included, at most."""

# A row of the table: the loop's address and its data; the operands' steps from entry to entry; and for each operand
# where it begins, and how far it goes on with each row, with each entry that a block begins further on, and worker.
STEPS, FIRST, WIDTH = 2, 2 + OPERANDS, 2 + 5 * OPERANDS

call: Any = None  # where the loop is compiled


def chain_loop(worker: int, queue: Any, table: Any, room: Any, columns: int, block: int) -> None:
    """Let blocks of entries go through all rows of the table, as many as this worker comes by.

    ``room``, a row for each worker, is where the loops find their operands' addresses, and the count of entries.
    """
    blocks = (columns + block - 1) // block
    mine = room[worker]
    address = mine.ctypes.data
    task = next_task(queue, worker)
    while task >= 0:
        row, piece = divmod(task, blocks)
        start = piece * block
        mine[OPERANDS] = min(block, columns - start)
        for k in range(table.shape[0]):
            for i in range(OPERANDS):
                at = FIRST + 4 * i
                further = row * table[k, at + 1] + start * table[k, at + 2] + worker * table[k, at + 3]
                mine[i] = table[k, at] + further
            steps = table.ctypes.data + 8 * (k * WIDTH + STEPS)
            call(table[k, 0], address, address + 8 * OPERANDS, steps, table[k, 1])
        task = next_task(queue, worker)


@cache
def _team() -> Team:
    return Team(Loop(chain_loop, call=call_inner))


class Link(NamedTuple):
    """A function of a chain, and its operands: places among the chain's arrays, or below 0 among its own buffers."""

    inner: Inner
    operands: tuple[int, ...]
    result: int


class Chain(Host):
    """A chain as a function of arrays, those that it writes among them, which all lie in one piece.

    They are of one ``shape``; what is only read may also be a number (no axes), a row (the last axis) or a column.
    """

    def __init__(self, name: str, links: Sequence[Link], shape: tuple[int, ...]) -> None:
        super().__init__(name, self._run)
        self.links, self.shape = list(links), shape
        self.size = int(np.prod(shape))
        _team()  # here, so that ``noted`` knows it

    def _run(self, *arrays: Any) -> None:
        for what, arguments in self.calls(arrays)[0]:
            what(*arguments)

    def calls(
        self, arrays: Sequence[Any]
    ) -> tuple[list[tuple[Any, tuple[Any, ...]]], Any, list[tuple[int, int]]]:
        """Return the loops to call, with their arguments; the table; and which array each address in it is."""
        alike = all(each.shape in (self.shape, ()) for each in arrays)
        rows, columns = (1, self.size) if alike else (self.size // self.shape[-1], self.shape[-1])
        block = min(BLOCK, columns)
        quiet = all(each.inner.may_use_threads for each in self.links)
        workers = workers_for(self.size * len(self.links), PARALLEL_FROM) if quiet else 1
        buffers = -min(0, *(min(each.result, *each.operands) for each in self.links))
        own = np.empty((workers, buffers, 8 * block), np.uint8)
        table = np.zeros((len(self.links), WIDTH), np.int64)
        places = []
        for k, link in enumerate(self.links):
            table[k, :2] = link.inner.address, link.inner.data
            for i, (place, dtype) in enumerate(
                zip((*link.operands, link.result), link.inner.dtypes, strict=True)
            ):
                at = FIRST + 4 * i
                if place < 0:
                    first = address_of(own) + (-place - 1) * own.strides[1]
                    table[k, at : at + 4] = first, 0, 0, own.strides[0]
                    table[k, STEPS + i] = dtype.itemsize
                    continue
                array = arrays[place]
                along, down = self._steps(array, rows)
                table[k, at : at + 4] = address_of(array), down, along, 0
                table[k, STEPS + i] = along
                places.append((place, k * WIDTH + at))
        queue = np.empty((workers, PADDING), np.int64)
        room = np.empty((workers, OPERANDS + PADDING), np.int64)
        team: tuple[Any, ...] = (workers, queue, table, room, columns, block)
        calls = [(share_out, (queue, rows * -(-columns // block))), (_team(), team)]
        self._kept = own
        return calls, table, places

    def _steps(self, array: Any, rows: int) -> tuple[int, int]:
        """Return the bytes from an entry of an array to the next one, and from a row to the next one."""
        if not array.ndim:
            return 0, 0
        if array.shape == self.shape:
            return array.itemsize, array.nbytes // rows
        return (array.itemsize, 0) if array.shape[-1] == self.shape[-1] else (0, array.itemsize)
