"""What the figures say: how many times as fast, how near to the machine's limit, and where minigrad loses."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable
from typing import NamedTuple

from minigrad.bench.grid import OPTIMIZERS, Row
from minigrad.bench.peers import OURS
from minigrad.bench.results import Results, RowResult, Timing

BASE = "torch"
"""The peer that the chart's bars are relative to."""


class Behind(NamedTuple):
    """A row on which a peer is faster than minigrad, which reaches ``speed`` (below 1) of its speed."""

    row: Row
    peer: str
    speed: float


class Sheet(NamedTuple):
    """A table of text; the first column holds names, the others numbers."""

    head: list[str]
    rows: list[list[str]]


def speed(result: RowResult, peer: str, ours: str = OURS) -> float:
    """Return how many times as fast ``ours`` is on a row: the peer's time over its own; NaN where one is missing."""
    try:
        return result["peers"][peer]["median"] / result["peers"][ours]["median"]
    except KeyError:
        return math.nan


def share(result: RowResult, peer: str) -> float:
    """Return which share of the machine's limit a peer reaches on a row; NaN where it is missing."""
    timing = result["peers"].get(peer)
    return math.nan if timing is None else result["limit"]["median"] / timing["median"]


def speeds(results: Results, peer: str) -> list[float]:
    """Return minigrad's speed against a peer on all rows that both were timed on."""
    return [s for result in results["rows"] if not math.isnan(s := speed(result, peer))]


def others(results: Results) -> list[str]:
    """Return the peers other than minigrad."""
    return [name for name in results["peers"] if name != OURS]


def verdicts(results: Results) -> list[str]:
    """Say, for each peer, how minigrad compares over all rows: the geometric mean, the worst and the best row."""
    said = []
    for peer in others(results):
        found = speeds(results, peer)
        if found:
            mean = statistics.geometric_mean(found)
            said.append(
                f"{mean:.2f} times as fast as {peer} in the geometric mean of {len(found)} "
                f"row{'s' if len(found) != 1 else ''}, from {min(found):.2f} to {max(found):.2f}"
            )
    return said


def behind(results: Results) -> list[Behind]:
    """Return every row and peer that minigrad is slower than, the worst first."""
    found = [
        Behind(Row.from_dict(result["row"]), peer, s)
        for result in results["rows"]
        for peer in others(results)
        if (s := speed(result, peer)) < 1
    ]
    return sorted(found, key=lambda each: each.speed)


def failures(results: Results) -> list[str]:
    """Say which peers failed on which rows, and why."""
    return [
        f"{peer} on {Row.from_dict(result['row']).name}: {reason}"
        for result in results["rows"]
        for peer, reason in result["failed"].items()
    ]


def times(results: Results) -> Sheet:
    """Return each peer's time of a step in µs, with its quartiles, and the machine's limit."""

    def cell(result: RowResult, peer: str) -> str:
        timing = result["peers"].get(peer)
        return "–" if timing is None else _with_quartiles(timing)

    return _sheet(results, list(results["peers"]), cell, limit=True)


def ratios(results: Results) -> Sheet:
    """Return minigrad's time of a step in µs, how many times as fast it is as each peer, and the machine's limit."""

    def cell(result: RowResult, peer: str) -> str:
        if peer == OURS:
            timing = result["peers"].get(OURS)
            return "–" if timing is None else number(timing["median"])
        return _or_dash(speed(result, peer), factor)

    return _sheet(results, list(results["peers"]), cell, limit=True)


def shares(results: Results) -> Sheet:
    """Return the share of the machine's limit that each peer reaches, in percent."""

    def cell(result: RowResult, peer: str) -> str:
        return _or_dash(share(result, peer), lambda part: f"{100 * part:.0f} %")

    return _sheet(results, list(results["peers"]), cell, limit=False)


def number(value: float) -> str:
    """Write a time in µs with three figures: 23.4, 187, 23,400."""
    if value < 100:
        return f"{value:.1f}"
    digits = max(0, math.floor(math.log10(value)) - 2)
    return f"{round(value, -digits):,.0f}"


def factor(value: float) -> str:
    """Write how many times as fast: 0.95×, 2.31×, 21.1×."""
    return f"{value:.2f}×" if value < 10 else f"{value:.3g}×"


def _sheet(results: Results, peers: list[str], cell: Callable[[RowResult, str], str], limit: bool) -> Sheet:
    rows = []
    for result in results["rows"]:
        row = Row.from_dict(result["row"])
        last = [number(result["limit"]["median"])] if limit else []
        name = f"{row.network} · {row.batch} · {OPTIMIZERS[row.optimizer]}"
        rows.append([name, *(cell(result, peer) for peer in peers), *last])
    return Sheet(["network · batch · optimizer", *peers, *(["limit"] if limit else [])], rows)


def _with_quartiles(timing: Timing) -> str:
    return f"{number(timing['median'])} ({number(timing['low'])}–{number(timing['high'])})"


def _or_dash(value: float, write: Callable[[float], str]) -> str:
    return "–" if math.isnan(value) else write(value)
