"""The shape of ``bench.json``."""

from __future__ import annotations

from typing import Any, TypedDict


class Timing(TypedDict):
    """A peer's steps on a row; times of one step in µs.

    ``median``, ``low`` and ``high`` (the quartiles) are medians over the rounds of each round's own.
    ``first`` is the time in s from the import of the framework to the end of its first call, compilation included.
    """

    median: float
    low: float
    high: float
    first: float
    steps: int
    rounds: list[float]
    variant: str


class Call(TypedDict):
    """One of the first calls: for how many steps, and how long it took."""

    steps: int
    seconds: float


class Compilation(TypedDict):
    """The first calls on a row in a fresh process: with nothing on disk (``cold``), and with all that is kept there."""

    cold: list[Call]
    warm: list[Call]


class Limit(TypedDict):
    """What no step on a row can undercut (``median``): its matrix products, and moving its numbers, both in µs.

    ``bandwidth`` is in GB/s, of the cache that the row's numbers fit in; ``gflops`` is the rate of the products.
    """

    gflops: float
    bandwidth: float
    products: float
    moving: float
    median: float


class RowResult(TypedDict):
    """A row: what it is, its limit, each peer's time, and the peers that failed with the reason.

    ``compiling`` holds the compiled peers' first calls, on the rows on which these are timed.
    """

    row: dict[str, Any]
    limit: Limit
    peers: dict[str, Timing]
    compiling: dict[str, Compilation]
    failed: dict[str, str]
    largest_difference: float


class Results(TypedDict):
    """A whole benchmark. ``machine`` holds facts by name, ``peers`` each peer's version and description."""

    machine: dict[str, str]
    plan: dict[str, Any]
    peers: dict[str, str]
    left_out: dict[str, str]
    rows: list[RowResult]
