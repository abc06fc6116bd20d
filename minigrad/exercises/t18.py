"""Checks of tutorial 18: many processes, one network. None of them needs MPI."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.exercises.checking import NotYet, answer, array, call, judge, number


@answer("18.1", right="each shard's mean counts with its share of the samples.")
def averaged(given: Any) -> str | None:
    """Σ (rows / all rows) · gradient."""
    gradients = [np.array([1.0, 2.0]), np.array([4.0, 8.0]), np.array([2.0, 0.0])]
    rows = [3, 1, 2]
    right = sum(n * g for n, g in zip(rows, gradients, strict=True)) / 6
    got = array(call(given, [g.copy() for g in gradients], list(rows)))
    return judge(
        got,
        right,
        {
            "the plain mean: a sample in a small shard would count more than one in a large shard.": (
                sum(gradients) / 3
            ),
            "divide by the number of all samples: that is still their sum.": 6 * right,
            "the shards are not weighted at all: that is the sum of the gradients.": sum(gradients),
        },
        otherwise="multiply each gradient by its rows, add them up, and divide by all rows.",
    )


@answer("18.2", right="waiting for latency: 20 messages one after the other, whatever their size.")
def all_reduce(given: Any) -> str | None:
    """2 ⌈log2 p⌉ α + 2 (p - 1)/p M β."""

    def time(p: int, size: float, alpha: float, beta: float) -> float:
        return float(2 * np.ceil(np.log2(p)) * alpha + 2 * (p - 1) / p * size * beta)

    cases = [(2, 1e6, 1e-5, 1e-9), (5, 4e5, 2e-5, 8e-9), (1024, 4e5, 5e-5, 8e-9)]
    got = [1e6 * number(call(given, *case)) for case in cases]

    def micro(function: Any) -> list[float]:
        return [1e6 * function(*case) for case in cases]

    return judge(
        got,
        micro(time),
        {
            "half of it: the pieces are summed on the way out, and have to come back too.": micro(
                lambda *case: time(*case) / 2
            ),
            "5 processes need 3 rounds each way: log2 p has to be rounded up.": micro(
                lambda p, size, a, b: 2 * np.log2(p) * a + 2 * (p - 1) / p * size * b
            ),
            "each process sends (p - 1)/p of the array each way, not all of it.": micro(
                lambda p, size, a, b: 2 * np.ceil(np.log2(p)) * a + 2 * size * b
            ),
            "that is the ring, with 2 (p - 1) messages; the formula above has 2 ⌈log2 p⌉.": micro(
                lambda p, size, a, b: 2 * (p - 1) * a + 2 * (p - 1) / p * size * b
            ),
        },
        otherwise="2 · rounds · α + 2 (p - 1)/p · M · β, in seconds, with ⌈log2 p⌉ rounds.",
        rtol=1e-6,
    )


@answer("18.3", right="B's weights were read before all three updates of A.")
def stale(given: Any) -> str | None:
    """The gradients' staleness in a story with two workers."""
    if array(given).size != 4:
        raise NotYet(
            "four numbers are wanted, one for each gradient, in the order in which they are applied."
        )
    return judge(
        given,
        (0, 0, 0, 3),
        {
            "those are the versions that were read; the staleness is how many updates were made since.": (
                0,
                1,
                2,
                0,
            ),
            "a gradient's own update does not count: staleness 0 is a gradient of the present weights.": (
                1,
                1,
                1,
                4,
            ),
            "A reads anew after each of its updates, so its gradients are of the present weights.": (
                0,
                1,
                2,
                3,
            ),
            "B read at the very start, before A's first update.": (0, 0, 0, 0),
        },
        otherwise="count, for each gradient, the updates between the reading of its weights and its own update.",
    )
