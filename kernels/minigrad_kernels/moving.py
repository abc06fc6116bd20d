"""What is done between kernels' loops: entries copied, set to one number, added up.

Called from Python, NumPy does it. In the driver's table there are the loops of this file, which take arrays of any
layout and give the same bits.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad_kernels.launch import Host, Loop

AXES = 4
"""Axes up to which arrays of any layout have loops."""

Call = tuple[Loop, tuple[Any, ...]]


def copy_loop(a: Any, out: Any) -> None:
    """out = a, both in one piece."""
    for i in range(out.size):
        out[i] = a[i]


def copy_rows_loop(a: Any, out: Any, lengths: Any, a_steps: Any, out_steps: Any, width: int) -> None:
    """out = a, row by row of ``width`` neighbours; the rows begin so many entries apart along three axes."""
    for i in range(lengths[0]):
        for j in range(lengths[1]):
            for k in range(lengths[2]):
                start = i * a_steps[0] + j * a_steps[1] + k * a_steps[2]
                into = i * out_steps[0] + j * out_steps[1] + k * out_steps[2]
                row, other = a[start : start + width], out[into : into + width]
                for n in range(width):
                    other[n] = row[n]


def copy_entries_loop(a: Any, out: Any) -> None:
    """out = a, entry by entry along four axes."""
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            for k in range(out.shape[2]):
                for n in range(out.shape[3]):
                    out[i, j, k, n] = a[i, j, k, n]


def fill_loop(number: Any, out: Any) -> None:
    """out = number, which is an array of one entry."""
    for i in range(out.size):
        out[i] = number[0]


def add_loop(a: Any, total: Any) -> None:
    """total <- total + a."""
    for i in range(total.size):
        total[i] = total[i] + a[i]


def sum_rows_loop(a: Any, total: Any) -> None:
    """total = Σ_i a_i, row after row."""
    for j in range(total.size):
        total[j] = a[0, j]
    for i in range(1, a.shape[0]):
        for j in range(total.size):
            total[j] = total[j] + a[i, j]


sum_rows = Loop(sum_rows_loop)
copy, copy_rows, copy_entries = Loop(copy_loop), Loop(copy_rows_loop), Loop(copy_entries_loop)
fill, add_up = Loop(fill_loop), Loop(add_loop)


def copying(out: Any, a: Any) -> Call | None:
    """Return the loop that copies ``a``, stretched to the shape of ``out``, with its arguments, or None."""
    if not isinstance(a, np.ndarray) or a.dtype != out.dtype or not out.size:
        return None
    if a.size == 1 and out.flags.c_contiguous:
        return fill, (a.reshape(1), out.reshape(-1))
    a = np.broadcast_to(a, out.shape)
    if a.flags.c_contiguous and out.flags.c_contiguous:
        return copy, (a.reshape(-1), out.reshape(-1))
    if out.ndim > AXES:
        return None
    ones = (None,) * (AXES - out.ndim)
    a, out = a[ones], out[ones]
    entry = out.itemsize
    if not a.strides[-1] == out.strides[-1] == entry or any(
        s % entry or s < 0 for s in (*a.strides, *out.strides)
    ):
        return copy_entries, (a, out)
    steps = [tuple(s // entry for s in each.strides[:-1]) for each in (a, out)]
    return copy_rows, (_span(a), _span(out), out.shape[:-1], *steps, out.shape[-1])


def _span(a: Any) -> Any:
    """Return all entries between an array's first and its last one, as they lie in memory."""
    last = sum((n - 1) * step for n, step in zip(a.shape, a.strides, strict=True)) // a.itemsize
    return np.lib.stride_tricks.as_strided(a, (last + 1,), (a.itemsize,))


def _clearing(out: Any) -> Call | None:
    return copying(out, np.zeros(1, out.dtype))


def _adding(total: Any, a: Any) -> Call | None:
    whole = total.flags.c_contiguous and a.flags.c_contiguous and a.shape == total.shape
    return (add_up, (a.reshape(-1), total.reshape(-1))) if whole and total.size else None


assign = Host("np.copyto", np.copyto, copying)
clear = Host("clear", lambda out: out.fill(0), _clearing)
add = Host("add_into", lambda total, a: np.add(total, a, out=total), _adding)
