"""What the figures say: how many times as fast, how near to the limit, what compiling costs, where minigrad loses."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable
from typing import NamedTuple

from minigrad.bench.grid import TINY_GROUP, row_of
from minigrad.bench.peers import OURS, PEERS
from minigrad.bench.results import Call, Results, RowResult, Timing
from minigrad.bench.rows import OPTIMIZERS, Step

BASE = "torch"
"""The peer that the chart's bars are relative to."""


class Behind(NamedTuple):
    """A row on which a peer is faster than minigrad, which reaches ``speed`` (below 1) of its speed."""

    row: Step
    peer: str
    speed: float


class Sheet(NamedTuple):
    """A table of text; the first column holds names, the others numbers."""

    head: list[str]
    rows: list[list[str]]


def kinds(results: Results) -> list[str]:
    """Return which of minigrad's kinds were measured: eager, compiled, epoch."""
    return [kind for kind, ours in OURS.items() if ours in results["peers"]]


def others(results: Results, kind: str) -> list[str]:
    """Return the peers that minigrad of this kind is compared with."""
    return [name for name in results["peers"] if name in PEERS and kind in PEERS[name].beside]


def speed(result: RowResult, peer: str, ours: str) -> float:
    """Return how many times as fast ``ours`` is on a row: the peer's time over its own; NaN where one is missing."""
    try:
        return result["peers"][peer]["median"] / result["peers"][ours]["median"]
    except KeyError:
        return math.nan


def share(result: RowResult, peer: str) -> float:
    """Return which share of the limit's speed a peer reaches on a row; NaN where it is missing."""
    timing = result["peers"].get(peer)
    return math.nan if timing is None else result["limit"]["median"] / timing["median"]


def verdicts(results: Results, kind: str) -> list[str]:
    """Say how minigrad compares with each peer: geometric mean, worst and best row; groups of rows apart."""
    lines = []
    for peer in others(results, kind):
        parts: list[str] = []
        for group in dict.fromkeys(["", *(_row(row).group for row in results["rows"])]):
            found = _speeds((row for row in results["rows"] if _row(row).group == group), peer, OURS[kind])
            which = f" with {group}" if group else ""
            if found:
                start = f"{statistics.geometric_mean(found):.2f}" + (
                    "" if parts else f" times as fast as {peer}"
                )
                rows = f"{len(found)} row{'s' if len(found) != 1 else ''}{which}"
                spread = f"from {min(found):.2f} to {max(found):.2f}"
                parts.append(f"{start} in the geometric mean of {rows}, {spread}")
        if parts:
            lines.append("; ".join(parts))
    return lines


def behind(results: Results, kind: str) -> list[Behind]:
    """Return every row and peer that minigrad is slower than, the worst first."""
    found = [
        Behind(_row(result), peer, s)
        for result in results["rows"]
        for peer in others(results, kind)
        if (s := speed(result, peer, OURS[kind])) < 1
    ]
    return sorted(found, key=lambda each: each.speed)


def passed(results: Results) -> list[str]:
    """Say where a peer was measured to be faster than the limit, which so is none there."""
    return [
        f"{peer} on {_row(result).name}: {number(timing['median'])} µs, below {number(result['limit']['median'])}"
        for result in results["rows"]
        for peer, timing in result["peers"].items()
        if timing["median"] < result["limit"]["median"]
    ]


def failures(results: Results) -> list[str]:
    """Say which peers failed on which rows, and why."""
    return [
        f"{peer} on {_row(result).name}: {reason}"
        for result in results["rows"]
        for peer, reason in result["failed"].items()
    ]


def times(results: Results) -> Sheet:
    """Return each peer's time of a step in µs, with its quartiles, and the limit."""

    def cell(result: RowResult, peer: str) -> str:
        timing = result["peers"].get(peer)
        return "–" if timing is None else _with_quartiles(timing)

    return _sheet(results, list(results["peers"]), cell, limit=True)


def ratios(results: Results, kind: str) -> Sheet:
    """Return minigrad's time of a step in µs, how many times as fast it is as each peer, and the limit."""
    ours = OURS[kind]

    def cell(result: RowResult, peer: str) -> str:
        if peer == ours:
            timing = result["peers"].get(ours)
            return "–" if timing is None else number(timing["median"])
        return _or_dash(speed(result, peer, ours), factor)

    return _sheet(results, [ours, *others(results, kind)], cell, limit=True)


def by_batch(results: Results, kind: str) -> Sheet:
    """Return, for each batch size and group, the geometric means of the ratios and of the share of the limit."""
    groups: dict[str, list[RowResult]] = {}
    for result in results["rows"]:
        row = _row(result)
        groups.setdefault(row.group or f"batch {row.batch:,}", []).append(result)
    peers, ours = others(results, kind), OURS[kind]
    rows = []
    for name, members in groups.items():
        shares = [s for result in members if not math.isnan(s := share(result, ours))]
        cells = [_or_dash(_mean(_speeds(members, peer, ours)), factor) for peer in peers]
        rows.append([name, str(len(members)), *cells, _or_dash(_mean(shares), percent)])
    return Sheet(["", "rows", *peers, "of the limit"], rows)


def shares(results: Results) -> Sheet:
    """Return the share of the limit's speed that each peer reaches, in percent."""

    def cell(result: RowResult, peer: str) -> str:
        return _or_dash(share(result, peer), percent)

    return _sheet(results, list(results["peers"]), cell, limit=False)


def rates(results: Results) -> Sheet:
    """Return the steps a second of the tiny networks, in each peer."""

    def cell(result: RowResult, peer: str) -> str:
        timing = result["peers"].get(peer)
        return "–" if timing is None else number(1e6 / timing["median"])

    rows = [row for row in results["rows"] if _row(row).group == TINY_GROUP]
    tiny: Results = {**results, "rows": rows}
    return _sheet(tiny, list(results["peers"]), cell, limit=False)


def compiling(results: Results) -> Sheet:
    """Return what compiling costs: from the first call to the end of the second, beyond two steps' own time, cold and
    warm; and after how many steps it has been worth it.

    A line for each row and peer. It has been worth it when all first calls and the steps so far took no longer than so
    many steps of the framework's own eager way, or PyTorch's where it has none.
    """
    rows = []
    for result in results["rows"]:
        for peer, found in result["compiling"].items():
            timing = result["peers"][peer]
            cold, warm = (seconds(_extra(calls[:2], timing)) for calls in (found["cold"], found["warm"]))
            pays = _worth_it(result, peer, _extra(found["warm"], timing))
            rows.append([f"{_name(result)}: {peer}", cold, warm, pays])
    return Sheet(["network · batch · optimizer", "cold", "warm", "pays after"], rows)


def _extra(calls: list[Call], timing: Timing) -> float:
    """The time in s that calls took beyond what their steps take later on."""
    return max(0.0, sum(call["seconds"] - 1e-6 * timing["median"] * call["steps"] for call in calls))


def _worth_it(result: RowResult, peer: str, extra: float) -> str:
    eager = result["peers"].get(PEERS[peer].eager)
    if eager is None:
        return "–"
    gain = 1e-6 * (eager["median"] - result["peers"][peer]["median"])
    return f"{math.ceil(extra / gain):,}" if gain > 0 else "never"


def number(value: float) -> str:
    """Write a time in µs with three figures: 0.0123, 23.4, 187, 23,400."""
    if value < 1:
        return f"{value:.2g}"
    if value < 100:
        return f"{value:.1f}"
    digits = max(0, math.floor(math.log10(value)) - 2)
    return f"{round(value, -digits):,.0f}"


def factor(value: float) -> str:
    """Write how many times as fast: 0.95×, 2.31×, 21.1×."""
    return f"{value:.2f}×" if value < 10 else f"{float(f'{value:.3g}'):,.4g}×"


def percent(share: float) -> str:
    """Write a share: 85 %, and 0.3 % where it is small."""
    return f"{100 * share:.0f} %" if share >= 0.01 else f"{100 * share:.1g} %"


def seconds(value: float) -> str:
    """Write a time in s with two figures or three: 0.4 ms, 31 ms, 8.6 s, 23 s."""
    if value < 1:
        return f"{1e3 * value:.1f} ms" if value < 0.01 else f"{1e3 * value:.0f} ms"
    return f"{value:.1f} s" if value < 10 else f"{value:.0f} s"


def _row(result: RowResult) -> Step:
    return row_of(result["row"])


def _name(result: RowResult) -> str:
    row = _row(result)
    return f"{row.network} · {row.batch} · {OPTIMIZERS[row.optimizer]}"


def _speeds(rows: Iterable[RowResult], peer: str, ours: str) -> list[float]:
    return [s for result in rows if not math.isnan(s := speed(result, peer, ours))]


def _mean(values: list[float]) -> float:
    return statistics.geometric_mean(values) if values else math.nan


def _sheet(results: Results, peers: list[str], cell: Callable[[RowResult, str], str], limit: bool) -> Sheet:
    rows = []
    for result in results["rows"]:
        last = [number(result["limit"]["median"])] if limit else []
        rows.append([_name(result), *(cell(result, peer) for peer in peers), *last])
    return Sheet(["network · batch · optimizer", *peers, *(["limit"] if limit else [])], rows)


def _with_quartiles(timing: Timing) -> str:
    return f"{number(timing['median'])} ({number(timing['low'])}–{number(timing['high'])})"


def _or_dash(value: float, write: Callable[[float], str]) -> str:
    return "–" if math.isnan(value) else write(value)
