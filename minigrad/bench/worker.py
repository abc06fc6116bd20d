"""One job in a process of its own: the job comes in as JSON on stdin, its result is the last line of stdout.

    python -m minigrad.bench.worker

``{"kind": "step", …}`` measures a peer on a row. Before anything is timed, the losses of its first steps are compared
with the reference, which is the job ``{"kind": "reference", …}``.
"""

from __future__ import annotations

import json
import math
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from minigrad.bench import limits, machine
from minigrad.bench.data import Batch, batches, block_size, initial_weights
from minigrad.bench.grid import Row
from minigrad.bench.peers import PEERS, Program, Task

VERIFIED_STEPS = 20
TOLERANCE = 5e-3
"""Largest difference of a loss from its reference, relative to the reference where that is above 1.

Nearly all are a millionth off. But Adam's first steps go by the signs of the gradients, however small, so that on large
networks one rounding the other way becomes a thousandth after twenty of them, with every framework now and then.
"""

_WARM_UP = 0.2  # of the time that is measured
_FEWEST, _MOST = 5, 5000
_GPU_GROUP = 20  # steps between two waits for a GPU


def reference(row: Row) -> list[float]:
    """Return the losses of the first steps as the hand-written program finds them in float64."""
    weights: Any = [(w.astype("float64"), b.astype("float64")) for w, b in initial_weights(row)]
    program = PEERS["numpy"].build(Task(row, weights))
    return [program.step(x.astype("float64"), y).item() for x, y in islice(batches(row), VERIFIED_STEPS)]


def largest_difference(losses: list[float], expected: list[float]) -> float:
    """Return the largest |loss - expected| / max(1, |expected|); infinite where a loss is not finite."""
    differences = [abs(a - b) / max(1.0, abs(b)) for a, b in zip(losses, expected, strict=True)]
    return max(d if math.isfinite(d) else math.inf for d in differences)


def measure(job: dict[str, Any]) -> dict[str, Any]:
    """Measure every variant of a peer on a row; return the figures of the fastest.

    job : ``peer``, ``row``, ``device``, ``threads``, ``seconds`` to measure, and ``reference``, the first losses.
    Returns ``median``, ``low`` and ``high`` in µs, ``steps``, ``first`` in s, ``variant``, ``difference``; or
    ``failed`` with a reason, untimed, where the losses are other ones.
    """
    found = [_measure_variant(job, variant) for variant in PEERS[job["peer"]].variants]
    wrong = [each for each in found if "failed" in each]
    if wrong:
        return wrong[0]
    fastest = min(found, key=lambda each: float(each["median"]))
    return fastest | {"first": found[0]["first"]}  # the first one's holds the framework's import


def _measure_variant(job: dict[str, Any], variant: str) -> dict[str, Any]:
    row = Row.from_dict(job["row"])
    fresh, first, losses = batches(row), 0.0, []
    began = time.perf_counter()
    task = Task(row, initial_weights(row), job["device"], job["threads"], variant)
    program = PEERS[job["peer"]].build(task)
    for batch in islice(fresh, VERIFIED_STEPS):
        losses.append(program.step(*program.place(*batch)).item())
        first = first or time.perf_counter() - began
    difference = largest_difference(losses, job["reference"])
    if difference > TOLERANCE:
        return {
            "failed": f"its first {VERIFIED_STEPS} losses differ from the reference by up to {difference:.2g}"
        }
    group = 1 if job["device"] == "cpu" else _GPU_GROUP
    _times(program, fresh, block_size(row), _WARM_UP * job["seconds"], group)
    times = _times(program, fresh, block_size(row), job["seconds"], group)
    low, median, high = (1e6 * t for t in statistics.quantiles(times, n=4))
    return {
        "median": median,
        "low": low,
        "high": high,
        "steps": group * len(times),
        "first": first,
        "variant": variant,
        "difference": difference,
    }


def _times(program: Program, fresh: Iterator[Batch], block: int, seconds: float, group: int) -> list[float]:
    """Time steps in groups, until they took ``seconds`` in all; return the time of a step of each group, in s."""
    times: list[float] = []
    while True:
        placed = [program.place(*batch) for batch in islice(fresh, max(block, group))]
        while len(placed) >= group:
            now, placed = placed[:group], placed[group:]
            began = time.perf_counter()
            for x, y in now:
                loss = program.step(x, y)
            loss.item()
            times.append((time.perf_counter() - began) / group)
            if len(times) >= _MOST or (len(times) >= _FEWEST and group * sum(times) >= seconds):
                return times


JOBS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "machine": lambda job: machine.stamp(job["device"], job["threads"]),
    "reference": lambda job: reference(Row.from_dict(job["row"])),
    "limit": lambda job: limits.measure(Row.from_dict(job["row"]), job["device"], job["threads"]),
    "step": measure,
}

if __name__ == "__main__":
    job = json.load(sys.stdin)
    print("\n" + json.dumps(JOBS[job["kind"]](job)))
