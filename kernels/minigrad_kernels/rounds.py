"""Many rounds along one table of the driver's, each on arrays of its own, without coming back to Python in between.

What another round works on lies elsewhere: before each, a few of the words that the table's loops read are set anew,
from columns of addresses. The other loops here are what such rounds need beside a program's own.
"""

from __future__ import annotations

from functools import cache
from math import isfinite
from typing import Any

import numpy as np

from minigrad_kernels.driver import _tools, address_of
from minigrad_kernels.loops import Loop, numba

_DRIVE = """def drive_rounds(table, own, places, columns, done):
    for k in range(columns.shape[1]):
        for p in range(places.shape[0]):
            put(places[p, 0], 0, columns[places[p, 1], k] + places[p, 2])
        for i in range(table.shape[0]):
            if i == own:
                done[0] = k + 1
            call_at(table[i, 0], table[i, 1])
            if word(table[i, 1], 0) != 0:
                put(table[i, 1], 0, 0)
                return i
        done[0] = k + 1
    return -1
"""


@cache
def driver_of_rounds() -> Any:
    """Return ``drive_rounds(table, own, places, columns, done)``: a walk along the table for each of so many columns.

    Before walk k the word at the address places[p, 0] becomes columns[places[p, 1], k] + places[p, 2], for all p.
    ``done[0]`` counts the walks whose first ``own`` calls are done. What returns is -1, or the number of the call that
    raised, which is the last one.
    """
    module = numba()
    assert module is not None
    scope = dict(_tools())
    exec(compile(_DRIVE, __file__, "exec"), scope)
    scope["drive_rounds"].__module__ = __name__
    signature = "int64(int64[:, ::1], int64, int64[:, ::1], int64[:, ::1], int64[::1])"
    return module.njit(signature, cache=True, nogil=True)(scope["drive_rounds"])


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
