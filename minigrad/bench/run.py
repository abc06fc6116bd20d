"""The benchmark itself: for every row the frameworks take turns, each in a process of its own, over several rounds."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from minigrad.bench.grid import FEW, GRID, Row
from minigrad.bench.machine import clean_environment, load, on_processors, package_version
from minigrad.bench.peers import Peer
from minigrad.bench.results import Limit, Results, RowResult, Timing
from minigrad.errors import DeviceError

_PATIENCE = 900  # seconds for one process
_PACKAGES = {"minigrad": "minigrad-engine"}


@dataclass(frozen=True)
class Plan:
    """What is measured how long: each peer is timed ``rounds`` times on each row, for ``seconds`` each time."""

    rows: tuple[Row, ...]
    rounds: int
    seconds: float
    device: str = "cpu"
    threads: int = 2


QUICK = Plan(FEW, rounds=2, seconds=0.5)
FULL = Plan(GRID, rounds=3, seconds=0.5)


class WorkerFailed(Exception):
    """A worker ended without a result; the text says why."""


def run(
    plan: Plan, peers: Sequence[Peer], left_out: dict[str, str], tell: Callable[[str], None]
) -> Iterator[Results]:
    """Measure row after row; yield the results so far after each.

    ``tell`` is told what is measured now. A peer that fails on a row, or finds other losses than the reference, is
    not timed there, and ``failed`` says why. Raises DeviceError MG-302 where the device cannot be measured.
    """
    environment, taken_out = clean_environment(os.environ, plan.threads)
    before = load()
    shared = {"device": plan.device, "threads": plan.threads}
    with on_processors(plan.threads):
        try:
            facts = {**ask({"kind": "machine", **shared}, environment), "load": before}
        except WorkerFailed as error:
            raise DeviceError("MG-302", f"device {plan.device!r} cannot be measured: {error}.") from error
        facts["environment"] = ", ".join(["unset: " + name for name in taken_out]) or "nothing tuned by hand"
        results: Results = {
            "machine": facts,
            "plan": {**asdict(plan), "rows": len(plan.rows)},
            "peers": {peer.name: f"{_version(peer)}, {peer.says}" for peer in peers},
            "left_out": left_out,
            "rows": [],
        }
        for number, row in enumerate(plan.rows, start=1):
            where = f"row {number} of {len(plan.rows)}: {row.name}"
            job = {"row": row.to_dict(), "seconds": plan.seconds, **shared}
            results["rows"].append(
                _row(job, plan.rounds, peers, environment, lambda what, where=where: tell(f"{where}: {what}"))  # type: ignore[misc]
            )
            yield results


def _version(peer: Peer) -> str:
    return package_version(_PACKAGES.get(peer.package, peer.package))


def _row(
    job: dict[str, Any],
    rounds: int,
    peers: Sequence[Peer],
    environment: dict[str, str],
    tell: Callable[[str], None],
) -> RowResult:
    tell("reference losses")
    job = job | {"reference": ask({**job, "kind": "reference"}, environment)}
    limits: list[Limit] = []
    found: dict[str, list[dict[str, Any]]] = {peer.name: [] for peer in peers}
    failed: dict[str, str] = {}
    for turn in range(rounds):
        tell(f"the machine's limit, round {turn + 1} of {rounds}")
        limits.append(ask({**job, "kind": "limit"}, environment))
        for name in _in_turn([peer.name for peer in peers], turn):
            if name in failed:
                continue
            tell(f"{name}, round {turn + 1} of {rounds}")
            try:
                figures = ask({**job, "kind": "step", "peer": name}, environment)
            except WorkerFailed as error:
                figures = {"failed": str(error)}
            if "failed" in figures:
                failed[name] = figures["failed"]
            found[name].append(figures)
    timed = {name: each for name, each in found.items() if name not in failed}
    return {
        "row": job["row"],
        "limit": min(limits, key=lambda limit: limit["median"]),
        "peers": {name: combine(each) for name, each in timed.items()},
        "failed": failed,
        "largest_difference": max((f["difference"] for each in timed.values() for f in each), default=0.0),
    }


def _in_turn(names: list[str], turn: int) -> list[str]:
    """The names, beginning with another one at every turn."""
    start = turn % len(names)
    return names[start:] + names[:start]


def combine(rounds: list[dict[str, Any]]) -> Timing:
    """Join a peer's figures of all rounds: the medians of its medians and of its quartiles."""
    middle = {key: statistics.median(figures[key] for figures in rounds) for key in ("median", "low", "high")}
    return {
        "median": middle["median"],
        "low": middle["low"],
        "high": middle["high"],
        "first": statistics.median(figures["first"] for figures in rounds),
        "steps": sum(figures["steps"] for figures in rounds),
        "rounds": [figures["median"] for figures in rounds],
        "variant": statistics.mode(figures["variant"] for figures in rounds),
    }


def ask(job: dict[str, Any], environment: dict[str, str]) -> Any:
    """Run a job in a process of its own and return its result; WorkerFailed, with the reason, where there is none."""
    command = [sys.executable, "-m", "minigrad.bench.worker"]
    try:
        done = subprocess.run(
            command, input=json.dumps(job), env=environment, capture_output=True, text=True, timeout=_PATIENCE
        )
    except subprocess.TimeoutExpired as error:
        raise WorkerFailed(f"no result within {_PATIENCE} s") from error
    if done.returncode:
        complaints = done.stderr.strip().splitlines() or [f"it ended with code {done.returncode}"]
        raise WorkerFailed(complaints[-1].strip())
    return json.loads(done.stdout.strip().splitlines()[-1])
