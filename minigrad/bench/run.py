"""The benchmark itself: on every row the frameworks take turns, each in a process of its own, over several rounds."""

from __future__ import annotations

import os
import statistics
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from minigrad.bench.grid import ALL, COMPILED, FEW, USUAL
from minigrad.bench.machine import clean_environment, load, on_processors, package_version
from minigrad.bench.peers import Peer
from minigrad.bench.process import Worker, WorkerFailed, ask
from minigrad.bench.results import Compilation, Limit, Results, RowResult, Timing
from minigrad.bench.rows import Step
from minigrad.errors import DeviceError

_PACKAGES = {"minigrad": "minigrad-engine"}
_CACHES = {
    "NUMBA_CACHE_DIR": "numba",
    "TORCHINDUCTOR_CACHE_DIR": "inductor",
    "TRITON_CACHE_DIR": "triton",
    "XDG_CACHE_HOME": "others",
}
"""Variables that say where a framework keeps what it compiled, and a folder's name for each."""


@dataclass(frozen=True)
class Plan:
    """What is measured how long: each peer is timed ``rounds`` times on each row, for ``seconds`` each time.

    On the rows in ``compiling`` the compiled peers' first calls are timed as well.
    """

    rows: tuple[Step, ...]
    rounds: int
    seconds: float
    device: str = "cpu"
    threads: int = 2
    compiling: tuple[Step, ...] = ()


QUICK = Plan(FEW, rounds=2, seconds=0.3, compiling=(USUAL,))
FULL = Plan(ALL, rounds=3, seconds=0.2, compiling=COMPILED)


class _Workers:
    """A process for each name, started when it is first asked, and anew after it failed."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self._running: dict[str, Worker] = {}

    def ask(self, name: str, job: Mapping[str, Any]) -> Any:
        """Have a job done by the process of this name; WorkerFailed where it has no result."""
        worker = self._running.get(name)
        if worker is None:
            worker = self._running[name] = Worker(self.environment)
        try:
            return worker.ask(job)
        except WorkerFailed:
            self._running.pop(name).close()
            raise

    def __enter__(self) -> _Workers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._running.values():
            worker.close()


def run(
    plan: Plan, peers: Sequence[Peer], left_out: dict[str, str], report: Callable[[str], None]
) -> Iterator[Results]:
    """Measure row after row; yield the results so far after each.

    ``report`` is called with what is measured now. A peer that fails on a row, or finds other losses than the
    reference, is not timed there, and ``failed`` says why. Raises DeviceError MG-302 where the device cannot be
    measured.
    """
    environment, taken_out = clean_environment(os.environ, plan.threads)
    before = load()
    shared = {"device": plan.device, "threads": plan.threads, "seconds": plan.seconds}
    with on_processors(plan.threads), _Workers(environment) as workers:
        try:
            facts = {**workers.ask("", {"kind": "machine", **shared}), "load": before}
        except WorkerFailed as error:
            raise DeviceError("MG-302", f"device {plan.device!r} cannot be measured: {error}.") from error
        facts["environment"] = ", ".join(["unset: " + name for name in taken_out]) or "nothing tuned by hand"
        results: Results = {
            "machine": facts,
            "plan": {**asdict(plan), "rows": len(plan.rows), "compiling": len(plan.compiling)},
            "peers": {peer.name: f"{_version(peer)}, {peer.about}" for peer in peers},
            "left_out": left_out,
            "rows": [],
        }
        for number, row in enumerate(plan.rows, start=1):
            where = f"row {number} of {len(plan.rows)}: {row.name}"
            job = {"row": row.to_dict(), **shared}

            def progress(what: str, where: str = where) -> None:
                report(f"{where}: {what}")

            progress("reference losses")
            job["reference"] = workers.ask("", {**job, "kind": "reference"})
            taking = [peer for peer in peers if peer.takes(row)]
            found = _row(job, plan.rounds, taking, workers, progress)
            if row in plan.compiling:
                found["compiling"] = _compiling(job, taking, found["failed"], environment, progress)
            results["rows"].append(found)
            yield results


def _version(peer: Peer) -> str:
    return package_version(_PACKAGES.get(peer.package, peer.package))


def _row(
    job: dict[str, Any],
    rounds: int,
    peers: Sequence[Peer],
    workers: _Workers,
    progress: Callable[[str], None],
) -> RowResult:
    started: dict[str, dict[str, Any]] = {}
    turns: dict[str, list[list[dict[str, Any]]]] = {}
    failed: dict[str, str] = {}

    def ask_peer(name: str, kind: str) -> Any:
        try:
            found = workers.ask(name, {**job, "kind": kind, "peer": name})
        except WorkerFailed as error:
            found = {"failed": str(error)}
        if isinstance(found, dict) and "failed" in found:
            failed[name] = found["failed"]
        return found

    for peer in peers:
        progress(f"{peer.name} begins")
        started[peer.name], turns[peer.name] = ask_peer(peer.name, "start"), []
    limits: list[Limit] = []
    for turn in range(rounds):
        progress(f"the machine's limit, round {turn + 1} of {rounds}")
        limits.append(workers.ask("", {**job, "kind": "limit"}))
        for name in _in_turn([peer.name for peer in peers], turn):
            if name not in failed:
                progress(f"{name}, round {turn + 1} of {rounds}")
                turns[name].append(ask_peer(name, "turn"))
    timed = [peer.name for peer in peers if peer.name not in failed]
    return {
        "row": job["row"],
        "limit": min(limits, key=lambda limit: limit["median"]),
        "peers": {name: combine(turns[name], started[name]["first"]) for name in timed},
        "compiling": {},
        "failed": failed,
        "largest_difference": max((started[name]["difference"] for name in timed), default=0.0),
    }


def _in_turn(names: list[str], turn: int) -> list[str]:
    """The names, beginning with another one at every turn."""
    start = turn % len(names)
    return names[start:] + names[:start]


def combine(turns: list[list[dict[str, Any]]], first: float) -> Timing:
    """Join a peer's figures of all rounds: of its fastest variant, the medians of its medians and of its quartiles."""

    def middle(figures: Sequence[Mapping[str, Any]], key: str) -> float:
        return float(statistics.median(each[key] for each in figures))

    best = min(zip(*turns, strict=True), key=lambda figures: middle(figures, "median"))
    return {
        "median": middle(best, "median"),
        "low": middle(best, "low"),
        "high": middle(best, "high"),
        "first": first,
        "steps": sum(figures["steps"] for figures in best),
        "rounds": [figures["median"] for figures in best],
        "variant": best[0]["variant"],
    }


def _compiling(
    job: Mapping[str, Any],
    peers: Sequence[Peer],
    failed: dict[str, str],
    environment: Mapping[str, str],
    progress: Callable[[str], None],
) -> dict[str, Compilation]:
    """Time each compiled peer's first calls in a fresh process, without and with what it keeps on disk."""
    found: dict[str, Compilation] = {}
    for peer in peers:
        if peer.kind == "eager" or peer.name in failed:
            continue
        with tempfile.TemporaryDirectory() as folder:
            caches = {name: str(Path(folder, own)) for name, own in _CACHES.items()}
            calls = []
            for state in ("cold", "warm") if peer.keeps else ("cold",):
                progress(f"{peer.name} compiles, {state}")
                try:
                    started = ask({**job, "kind": "start", "peer": peer.name}, {**environment, **caches})
                except WorkerFailed as error:
                    failed[f"{peer.name}, compiling {state}"] = str(error)
                    break
                calls.append(started["calls"])
        if calls:
            found[peer.name] = {"cold": calls[0], "warm": calls[-1]}
    return found
