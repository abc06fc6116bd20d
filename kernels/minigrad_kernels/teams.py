"""Loops that several workers run at once, in Python and as lines of the driver's table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

from minigrad_kernels.driver import address_of, entry, kind_of, tool, words_of
from minigrad_kernels.loops import Host, Loop

FIRST = 8  # calls of which each way gets half, before the faster one is taken
TRIED = 16, 128
"""Times as long as the other way takes, calls are made one after another, or at once, before that is tried again."""

prange = range  # Numba's, where a loop is compiled in parallel
call_at: Any = None
now: Any = None


def at_once_loop(table: Any, seen: Any) -> None:
    """Call table[i, 0] with table[i, 1], as ``drive`` does: one after another, or all at once where that is faster.

    It is not where other programs keep the processors busy: then a thread that has got none lets the others wait. Both
    ways do the same to the bit. ``seen`` holds how long the one takes, and the other, for how long the slower one has
    not been tried, in cycles, and how many calls there were; 0 at first. The first calls take turns, and the least
    counts; later on a time that is far out moves what is known by little.
    """
    is_new = seen[3] < FIRST
    way = int(seen[1] <= seen[0])
    again = seen[2] > TRIED[way] * seen[1 - way]
    if is_new:
        way, seen[3] = int(seen[3] % 2 == 0), seen[3] + 1
    elif again:
        way, seen[2] = 1 - way, 0
    begin = now()
    if way == 1:
        for i in prange(len(table)):
            call_at(table[i, 0], table[i, 1])
    else:
        for i in range(len(table)):
            call_at(table[i, 0], table[i, 1])
    took = now() - begin
    known = seen[way]
    if is_new:
        seen[way] = min(took, known) if known > 0 else took
    else:
        took = min(took, 2 * known + 1)
        seen[way] = took if again else (7 * known + took) // 8
        seen[2] += took


@cache
def at_once() -> Loop:
    """Return ``at_once_loop``. It alone is compiled for several threads, whatever they do."""
    return Loop(at_once_loop, parallel=True, call_at=tool("call_at"), now=tool("now"))


def row_of(calls: Any) -> tuple[Any, Any]:
    """Return what ``at_once`` takes for a table of calls, at first."""
    return calls, np.zeros(4, np.int64)


class Team(Host):
    """A loop that several workers run at once: ``team(workers, *arguments)``; each gets its number and the arguments.

    What one worker writes no other may touch. For a single worker no thread is woken.
    """

    def __init__(self, loop: Loop) -> None:
        super().__init__(loop.function.__name__, self._run)
        self.loop = loop

    def _run(self, workers: int, *arguments: Any) -> None:
        if workers == 1:
            self.loop.unnoted(0, *arguments)
            return
        table, kept = self.table(workers, *arguments)
        at_once().unnoted(*row_of(table))
        del kept

    def table(self, workers: int, *arguments: Any) -> tuple[Any, list[Any]]:
        """Return the table of the workers' calls, and their words, which have to stay."""
        kinds = tuple(kind for each in (0, *arguments) if (kind := kind_of(each)) is not None)
        address = entry(self.loop, kinds).address
        head = [word for each in arguments for word in words_of(each)]
        kept = [np.array([0, worker, *head], np.int64) for worker in range(workers)]
        return np.array([(address, address_of(each)) for each in kept], np.int64), kept


class Shared(Loop):
    """A loop ``(queue, *arguments)`` that only calls ``share``, which all other work is in, for each of the workers."""

    def __init__(self, function: Callable[..., None], share: Loop, parallel: bool) -> None:
        super().__init__(function, parallel=parallel, share=share)
        self.share = share


def shares(what: Any, arguments: Sequence[Any]) -> list[tuple[Loop, tuple[Any, ...]]] | None:
    """Return the calls of the workers of a Team or a Shared; None for anything else."""
    if isinstance(what, Team):
        workers, *shared = arguments
        return [(what.loop, (worker, *shared)) for worker in range(workers)]
    if isinstance(what, Shared):
        return [(what.share, (worker, *arguments)) for worker in range(len(arguments[0]))]
    return None
