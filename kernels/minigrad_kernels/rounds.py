"""Many rounds along one table of the driver's, each on arrays of its own, without coming back to Python in between.

What another round works on lies elsewhere: before each, a few of the words that the table's loops read are set anew,
from columns of addresses. The other loops here are what such rounds need beside a program's own.
"""

from __future__ import annotations

import ctypes
from functools import cache
from math import isfinite
from typing import Any

import numpy as np

from minigrad_kernels.driver import address_of, address_of_text
from minigrad_kernels.loops import Loop

_DRIVE = """(table, calls, own, places, moves, columns, rounds, done):
    for k in range(rounds):
        for p in range(moves):
            column = word(places, 3 * p + 1)
            put(word(places, 3 * p), 0, word(columns, column * rounds + k) + word(places, 3 * p + 2))
        for i in range(calls):
            if i == own:
                put(done, 0, k + 1)
            words = word(table, 2 * i + 1)
            call_at(word(table, 2 * i), words)
            if word(words, 0) != 0:
                put(words, 0, 0)
                return i
        put(done, 0, k + 1)
    return -1
"""


def run_rounds(table: Any, own: int, places: Any, columns: Any, done: Any) -> int:
    """Walk along the table once for each of so many columns; other threads may run Python meanwhile.

    Before walk k the word at the address places[p, 0] becomes columns[places[p, 1], k] + places[p, 2], for all p.
    ``done[0]`` counts the walks whose first ``own`` calls are done. What returns is -1, or the number of the call that
    raised, which is the last one.
    """
    calls, moves, rounds = (
        (address_of(table), len(table)),
        (address_of(places), len(places)),
        columns.shape[1],
    )
    raised: int = _driver_of_rounds()(*calls, own, *moves, address_of(columns), rounds, address_of(done))
    return raised


@cache
def _driver_of_rounds() -> Any:
    numbers = ", ".join(["int64"] * 8)
    address = address_of_text("drive_rounds", _DRIVE, f"int64({numbers})")
    return ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * 8)(address)


def gather_loop(rows: Any, chosen: Any, batch: Any) -> None:
    """batch_i = rows[chosen_i]: the samples of a batch."""
    for i in range(chosen.size):
        row, into = rows[chosen[i]], batch[i]
        for j in range(into.size):
            into[j] = row[j]


def keep_loop(a: Any, kept: Any) -> None:
    """kept = a: a round's result, before the next one writes into it."""
    for i in range(a.size):
        kept[i] = a[i]


def watch_loop(loss: Any) -> None:
    """Raise where a loss is NaN or infinite, which ends the rounds."""
    if not isfinite(loss[0]):
        raise ValueError


gather, keep, watch = Loop(gather_loop), Loop(keep_loop), Loop(watch_loop, raises=True)


def as_words(array: Any, dtype: Any = None) -> Any:
    """Return an array's rows as whole numbers, of this dtype, or the widest that they and their address allow."""
    rows = array.reshape(len(array), -1).view(np.int8)
    if dtype is None:
        ends = rows.shape[1] | address_of(rows)
        dtype = next(each for each in (np.int64, np.int32, np.int8) if ends % np.dtype(each).itemsize == 0)
    return rows.view(dtype)
