"""What the tiles of a convolution have in common: weights laid side by side, tasks for threads, parts added up."""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from minigrad_kernels.driver import address_of
from minigrad_kernels.launch import Loop, workers_for
from minigrad_kernels.loops import scratch
from minigrad_kernels.teams import Team

PACKED_TOGETHER = 1 << 15
"""Weights from which waking the other threads pays for laying them side by side."""

PARTS = 8
"""Tasks from which a product has enough for its threads; the gradient of few weights is added up in so many parts."""


def pack_loop(worker: int, workers: int, w: Any, where: Any, inner: Any, outer: int, panels: Any) -> None:
    """panels[group, block, (outer, inner), k] = w[where], for the k-th output of a block; 0 where there is none.

    ``where`` has the first weight's place in w, how far groups, outputs and steps of ``outer`` are apart, and how many
    outputs a group has; ``inner`` how far from the first each tap is.
    """
    start, of_group, of_output, of_outer, outputs = where[0], where[1], where[2], where[3], where[4]
    groups, blocks, width = panels.shape[0], panels.shape[1], panels.shape[3]
    tasks = groups * blocks * outer
    for task in range(tasks * worker // workers, tasks * (worker + 1) // workers):
        rest, step = divmod(task, outer)
        group, block = divmod(rest, blocks)
        few = min(width, outputs - block * width)
        place = start + group * of_group + block * width * of_output + step * of_outer
        for tap in range(len(inner)):
            row = panels[group, block, step * len(inner) + tap]
            for k in range(few):
                row[k] = w[place + k * of_output + inner[tap]]
            row[few:] = 0


def add_loop(worker: int, workers: int, parts: Any, total: Any) -> None:
    """total = the parts' sum, as far as it is this worker's share."""
    for o in range(len(total) * worker // workers, len(total) * (worker + 1) // workers):
        for k in range(total.shape[1]):
            total[o, k] = parts[0, o, k]
        for part in range(1, len(parts)):
            for k in range(total.shape[1]):
                total[o, k] += parts[part, o, k]


_pack, _add = Team(Loop(pack_loop)), Team(Loop(add_loop))


@lru_cache(maxsize=1024)
def numbers(*values: int) -> Any:
    """Return whole numbers as an array."""
    return np.array(values, np.int64)


@lru_cache(maxsize=1024)
def _places(lengths: tuple[int, int], steps: tuple[int, int]) -> Any:
    i, j = (np.arange(count) * step for count, step in zip(lengths, steps, strict=True))
    return np.add.outer(i, j).ravel()


def packed(taken: Any, w: Any, outer: int, inner: tuple[int, int], width: int) -> Any:
    """Return the weights ``taken``, a view of w, as tiles read them: (groups, blocks, taps, width).

    A block is so many outputs side by side. Axis ``outer`` of ``taken``, which is one of channels, rows and columns,
    comes first among the taps, then the axes ``inner``.
    """
    groups, outputs, *each = taken.shape
    steps = [stride // w.itemsize for stride in taken.strides]
    start = (address_of(taken) - address_of(w)) // w.itemsize if taken.size else 0
    panels = scratch((groups, -(-outputs // width), prod(each), width), w.dtype)
    first, second = inner
    places = _places((taken.shape[first], taken.shape[second]), (steps[first], steps[second]))
    where = numbers(start, *steps[:2], steps[outer], outputs)
    workers = workers_for(taken.size, PACKED_TOGETHER)
    _pack(workers, workers, w.reshape(-1), where, places, taken.shape[outer], panels)
    return panels


def added_up(parts: Any, total: Any) -> None:
    """total = Σ parts."""
    workers = workers_for(parts.size, PACKED_TOGETHER)
    _add(workers, workers, parts, total)
