"""The shape of ``bench.json``."""

from __future__ import annotations

from typing import Any, TypedDict


class Timing(TypedDict):
    """A peer's steps on a row; times of one step in µs.

    ``median``, ``low`` and ``high`` (the quartiles) are medians over the rounds of each process's own.
    ``first`` is the time in s from the import of the framework to the end of its first step, compilation included.
    """

    median: float
    low: float
    high: float
    first: float
    steps: int
    rounds: list[float]
    variant: str


class Limit(TypedDict):
    """What the machine could do on a row: its matrix products (Gflop/s), its memory (GB/s), and the step (µs)."""

    gflops: float
    bandwidth: float
    median: float


class RowResult(TypedDict):
    """A row: what it is, the machine's limit, each peer's time, and the peers that failed with the reason."""

    row: dict[str, Any]
    limit: Limit
    peers: dict[str, Timing]
    failed: dict[str, str]
    largest_difference: float


class Results(TypedDict):
    """A whole benchmark. ``machine`` holds facts by name, ``peers`` each peer's version and description."""

    machine: dict[str, str]
    plan: dict[str, Any]
    peers: dict[str, str]
    left_out: dict[str, str]
    rows: list[RowResult]
