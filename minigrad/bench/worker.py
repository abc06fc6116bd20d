"""A process that does one job after another: each comes in as a line of JSON, and is answered by one.

    python -m minigrad.bench.worker

``{"kind": "start", …}`` builds a peer's programs for a row. Before anything is timed, the losses of its first steps
are compared with the reference, which is the job ``{"kind": "reference", …}``. ``{"kind": "turn", …}`` times what was
built.
"""

from __future__ import annotations

import gc
import json
import math
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, NamedTuple

from minigrad_kernels.launch import reference_only

from minigrad import backend
from minigrad.bench import limits, machine
from minigrad.bench.data import Batch, batches, block_size, initial_weights
from minigrad.bench.further import Further
from minigrad.bench.grid import row_of
from minigrad.bench.peers import PEERS, Program, Task
from minigrad.bench.results import Call
from minigrad.bench.rows import Step

ANSWER = "answer: "
"""What the answer's line begins with: frameworks print as well."""

VERIFIED_STEPS = 20
TOLERANCE = 5e-3
"""Largest difference of a loss from its reference, relative to the reference where that is above 1.

Nearly all are a millionth off. But Adam's first steps go by the signs of the gradients, however small, so that on large
networks one rounding the other way becomes a thousandth after twenty of them, with every framework now and then.
"""

_WARM_UP = 0.2  # of the time that is measured
_FEWEST, _MOST = 5, 5000
_GPU_GROUP = 20  # steps between two waits for a GPU
_EPOCH = 200  # steps in one call, where many are


class _Built(NamedTuple):
    program: Program
    fresh: Iterator[Batch]
    group: int  # steps that are timed together


_built: dict[str, _Built] = {}
"""What the last ``start`` built, by the variant's name."""


def reference(row: Step) -> list[float]:
    """Return the losses of the first steps in float64: as the hand-written program finds them, and those of networks
    beyond dense ones as minigrad does with its kernels' NumPy references alone.
    """
    first = islice(batches(row), VERIFIED_STEPS)
    if isinstance(row, Further):
        doubled = {name: array.astype("float64") for name, array in initial_weights(row).items()}
        before = backend.default_dtype()
        backend.set_default_dtype("float64")
        try:
            with reference_only():
                program = PEERS["minigrad"].build(Task(row, doubled))
                return [program.step(*program.place(_double(x), y)).item() for x, y in first]
        finally:
            backend.set_default_dtype(before)
    weights: Any = [(w.astype("float64"), b.astype("float64")) for w, b in initial_weights(row)]
    program = PEERS["numpy"].build(Task(row, weights))
    return [program.step(_double(x), y).item() for x, y in first]


def _double(x: Any) -> Any:
    return x.astype("float64") if x.dtype.kind == "f" else x


def largest_difference(losses: list[float], expected: list[float]) -> float:
    """Return the largest |loss - expected| / max(1, |expected|); infinite where a loss is not finite."""
    differences = [abs(a - b) / max(1.0, abs(b)) for a, b in zip(losses, expected, strict=True)]
    return max(d if math.isfinite(d) else math.inf for d in differences)


def start(job: dict[str, Any]) -> dict[str, Any]:
    """Build every variant of a peer for a row, and forget what was built before.

    job : ``peer``, ``row``, ``device``, ``threads``, and ``reference``, the first losses.
    Returns ``first``, the time in s from the framework's import to the end of the first call, ``calls``, the first ones
    with their times, and ``difference``; or ``failed`` with a reason where the losses are other ones.
    """
    _built.clear()
    gc.collect()
    row, peer = row_of(job["row"]), PEERS[job["peer"]]
    found: list[dict[str, Any]] = []
    for variant in peer.variants:
        began = time.perf_counter()
        program = peer.build(Task(row, initial_weights(row), job["device"], job["threads"], variant))
        building = time.perf_counter() - began
        group = 1 if job["device"] == "cpu" else _GPU_GROUP
        if program.over is not None:
            group = min(_EPOCH, block_size(row))
        _built[variant] = _Built(program, fresh := batches(row), group)
        losses, calls = _first_calls(program, fresh, group if program.over else 1)
        difference = largest_difference(losses, job["reference"])
        if difference > TOLERANCE:
            which = f"first {VERIFIED_STEPS} losses differ from the reference by up to {difference:.2g}"
            return {"failed": f"its {which}"}
        found.append({"first": building + calls[0]["seconds"], "calls": calls, "difference": difference})
    return found[0] | {"difference": max(each["difference"] for each in found)}  # the first imports


def _first_calls(program: Program, fresh: Iterator[Batch], group: int) -> tuple[list[float], list[Call]]:
    """Run the steps that are verified; return their losses, and how long each call took for how many steps."""
    losses: list[float] = []
    calls: list[Call] = []
    while len(losses) < VERIFIED_STEPS:
        placed = [program.place(*batch) for batch in islice(fresh, group)]
        run = _prepared(program, placed)
        began = time.perf_counter()
        found = run()
        calls.append({"steps": group, "seconds": time.perf_counter() - began})
        losses += [loss.item() for loss in found]
    return losses[:VERIFIED_STEPS], calls


def turn(job: dict[str, Any]) -> list[dict[str, Any]]:
    """Time what ``start`` built, each variant for ``seconds``; return each one's figures.

    ``median``, ``low`` and ``high`` are in µs, ``steps`` says how many were timed.
    """
    row = row_of(job["row"])
    found = []
    for variant, built in _built.items():
        _times(built, block_size(row), _WARM_UP * job["seconds"])
        times = _times(built, block_size(row), job["seconds"])
        low, median, high = (1e6 * t for t in statistics.quantiles(times, n=4))
        steps = built.group * len(times)
        found.append({"median": median, "low": low, "high": high, "steps": steps, "variant": variant})
    return found


def _times(built: _Built, block: int, seconds: float) -> list[float]:
    """Time steps in groups, until they took ``seconds`` in all; return the time of a step of each group, in s."""
    program, fresh, group = built
    times: list[float] = []
    while True:
        placed = [program.place(*batch) for batch in islice(fresh, max(block, group))]
        while len(placed) >= group:
            run, placed = _prepared(program, placed[:group]), placed[group:]
            began = time.perf_counter()
            run()
            times.append((time.perf_counter() - began) / group)
            enough = group * sum(times) >= seconds or group * len(times) >= _MOST
            if len(times) >= _FEWEST and enough:
                return times


def _prepared(program: Program, placed: list[tuple[Any, Any]]) -> Callable[[], Any]:
    """Return the function that trains on these batches until all is done, and returns the losses."""
    if program.over is not None:
        return program.over(placed)
    step = program.step
    if len(placed) == 1:
        ((x, y),) = placed

        def once() -> Any:
            loss = step(x, y)
            loss.item()
            return (loss,)

        return once

    def one_by_one() -> Any:
        losses = [step(x, y) for x, y in placed]
        losses[-1].item()
        return losses

    return one_by_one


JOBS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "machine": lambda job: machine.stamp(job["device"], job["threads"]),
    "reference": lambda job: reference(row_of(job["row"])),
    "limit": lambda job: limits.measure(row_of(job["row"]), job["device"], job["threads"]),
    "start": start,
    "turn": turn,
}

if __name__ == "__main__":
    for line in sys.stdin:
        job = json.loads(line)
        print(f"\n{ANSWER}{json.dumps(JOBS[job['kind']](job))}", flush=True)
