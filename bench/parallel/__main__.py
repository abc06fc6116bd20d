"""Measure training on two processes, each of one thread.

    python -m bench.parallel speed|costs|overlap|asynchronous [--rounds N]

speed         samples per second of D4's network: one process, two that share its batch, two with a batch each
costs         all-reduces of many sizes, the α–β model fitted to them, and its predictions for 8 to 1,024 processes
overlap       a step over a link of 1 Gbit/s between two network namespaces, with and without overlap (needs root)
asynchronous  synchronous and asynchronous training with one worker four times as slow (needs MNIST: MINIGRAD_DATA)
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from typing import Any

from bench.parallel import link
from minigrad.parallel.costs import all_reduce_seconds, fit, network, predict
from minigrad.parallel.launching import find_mpiexec, launch_environment

NETWORKS = {"1 Gbit/s": network(1, 50), "10 Gbit/s": network(10, 20), "100 Gbit/s": network(100, 2)}
"""By rated speed; the microseconds of a smallest message are assumed: TCP, a good TCP, InfiniBand."""
NODES = [8, 16, 64, 256, 1024]


def on(
    n: int, module: str, *arguments: object, start: list[str] | None = None, **variables: str
) -> dict[str, Any]:
    """Run a program of this package on n processes of one thread; return what it prints as JSON."""
    start = start or [find_mpiexec(), "-bind-to", "core", "-n", str(n), sys.executable, "-m", "mpi4py"]
    command = [*start, "-m", f"bench.parallel.{module}", *map(str, arguments)]
    environment = {**launch_environment(n, threads=1), **variables}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def speed(rounds: int) -> None:
    kinds = {
        "one process, batch 256": (1, 256),
        "two, sharing a batch of 256": (2, 256),
        "two, 256 each": (2, 512),
    }
    runs: dict[str, list[dict[str, Any]]] = {kind: [] for kind in kinds}
    for _ in range(rounds):
        for kind, (n, batch) in kinds.items():
            runs[kind].append(on(n, "speed", batch))
    for figure, best in (("samples per second", statistics.median), ("in the quickest five steps", max)):
        print(f"\n| | {figure} | each run | times one process |\n|---|---|---|---|")
        one = best(run[figure] for run in runs["one process, batch 256"])
        for kind, each in runs.items():
            rates = [run[figure] for run in each]
            shown = ", ".join(f"{rate:,}" for rate in rates)
            print(f"| {kind} | {best(rates):,.0f} | {shown} | {best(rates) / one:.2f} |")


def costs(rounds: int) -> None:
    runs = [on(2, "allreduce") for _ in range(rounds)]
    sizes = runs[0]["sizes"]
    seconds = [statistics.median(run["seconds"][k] for run in runs) for k in range(len(sizes))]
    found = fit(sizes, seconds, 2)
    print(
        f"Two processes of this machine: α = {1e6 * found.alpha:.1f} µs, 1/β = {1e-9 / found.beta:.2f} GB/s.\n"
    )
    print("| bytes | measured, µs | model, µs |\n|---|---|---|")
    for size, each in sorted(zip(sizes, seconds, strict=True)):
        print(f"| {size:,} | {1e6 * each:,.1f} | {1e6 * all_reduce_seconds(found, 2, size):,.1f} |")
    for width, batch in ((128, 256), (1024, 256)):
        compute = 1e-3 * on(1, "speed", batch, width)["ms per step"]
        size = 4 * (784 * width + width + 10 * width + 10)
        print(
            f"\n784-{width}-10, {batch} samples a process: {1e3 * compute:.1f} ms measured, {size / 1e6:.1f} MB\n"
        )
        print_predictions(size, compute)


def print_predictions(size: float, compute: float) -> None:
    print("PREDICTED, not measured: share of the time that computes, and what the rest waits for\n")
    print("| processes |", " | ".join(NETWORKS), "|\n|---|" + "---|" * len(NETWORKS))
    for nodes in NODES:
        cells = []
        for each in NETWORKS.values():
            scaling = predict(each, nodes, size, compute)
            cells.append(f"{scaling.efficiency:.0%} ({scaling.bottleneck})")
        print(f"| {nodes:,} | {' | '.join(cells)} |")


def overlap(rounds: int) -> None:
    if reason := link.why_not():
        print(f"skipped: {reason}")
        return
    kinds = ("without sums", "one after the other", "overlapped")
    with link.link() as start:
        if reason := link.why_mpi_does_not_start(start):
            print(f"skipped: {reason}")
            return
        print("| samples a process | MB |", " | ".join(kinds), "| hidden |\n|---|---|---|---|---|---|")
        for batch in (128, 512):
            runs = [on(2, "overlap", batch, start=start, **link.environment()) for _ in range(rounds)]
            times = [1e3 * statistics.median(run[kind] for run in runs) for kind in kinds]
            share = (times[1] - times[2]) / (times[1] - times[0])
            print(
                f"| {batch} | {runs[0]['MB']:.1f} |",
                " | ".join(f"{t:.0f} ms" for t in times),
                f"| {share:.0%} |",
            )


def asynchronous(rounds: int) -> None:
    for slowness in (4, 1):
        for n, bound in ((2, None), (3, 1), (3, 4), (3, 16)):
            variables = {} if bound is None else {"MINIGRAD_STALENESS": str(bound)}
            for _ in range(rounds):
                print(
                    json.dumps({"slowness": slowness, **on(n, "asynchronous", slowness, **variables)}),
                    flush=True,
                )


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure training on two processes")
    parts = {part.__name__: part for part in (speed, costs, overlap, asynchronous)}
    parser.add_argument("part", choices=parts)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    parts[arguments.part](arguments.rounds)


if __name__ == "__main__":
    main()
