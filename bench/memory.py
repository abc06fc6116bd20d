"""The memory of a training step at its peak, eager and compiled, beside PyTorch's.

    python -m bench.memory [--widths 784-1024-1024-10] [--batch 1024] [--optimizer adam]

Each in a process of its own, after a few steps. ``arrays`` is what NumPy has for a step at its peak, less what lay
there before: an ordinary step's, and the most of any (a compiled step that is compared with the eager one holds copies;
``verify=False`` never is). PyTorch's and C's memory is not NumPy's. ``process`` is by how much the process's resident
memory grew from before the first step to its peak (Linux): buffers that are kept from step to step are in it.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tracemalloc
from itertools import islice
from pathlib import Path
from typing import Any

import minigrad as mg
from minigrad.bench.data import batches, initial_weights
from minigrad.bench.grid import Row
from minigrad.bench.peers import PEERS as known
from minigrad.bench.peers import Program, Task

STEPS = 6
UNVERIFIED = "verify=False"
PEERS = ("minigrad", "mg.compile", UNVERIFIED, "torch", "c")


def resident(which: str) -> int:
    """VmRSS (now) or VmHWM (the peak) of this process, in bytes; 0 where the system does not say."""
    status = Path("/proc/self/status")
    if not status.exists():
        return 0
    (line,) = (line for line in status.read_text().splitlines() if line.startswith(which))
    return 1024 * int(line.split()[1])


def build(peer: str, row: Row) -> Any:
    """A program that trains this row."""
    if peer == UNVERIFIED:
        from minigrad.bench.peers.minigrad_peer import eager

        place, step = eager(Task(row, initial_weights(row)))
        return Program(place, mg.compile(step, verify=False))
    return known[peer].build(Task(row, initial_weights(row), variant=known[peer].variants[0]))


def measure(peer: str, row: Row) -> dict[str, float]:
    """Bytes: ``usual`` and ``most`` of a step's arrays, and ``process``."""
    small = Row(
        (8, 4, 2), 2, row.optimizer
    )  # what a framework loads at its first step is no memory of a step
    warm = build(peer, small)
    for batch in islice(batches(small), 4):
        run(warm, warm.place(*batch))
    program = build(peer, row)
    placed = program.place(*next(batches(row)))
    before = resident("VmRSS")
    if before:
        Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
    for _ in range(3):
        run(program, placed)
    peaks = []
    tracemalloc.start()  # what lies there already is none of a step's
    for _ in range(STEPS):
        tracemalloc.reset_peak()
        at = tracemalloc.get_traced_memory()[0]
        run(program, placed)
        peaks.append(tracemalloc.get_traced_memory()[1] - at)
    return {"usual": statistics.median(peaks), "most": max(peaks), "process": resident("VmHWM") - before}


def run(program: Any, placed: Any) -> None:
    """One step, to its end."""
    program.step(*placed).item()


def main() -> None:
    parser = argparse.ArgumentParser(description="the memory of a training step at its peak")
    parser.add_argument("--widths", default="784-1024-1024-10")
    parser.add_argument("--batch", type=int, default=1024)
    parser.add_argument("--optimizer", default="adam", choices=("sgd", "adam"))
    parser.add_argument("--run", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    widths = tuple(int(width) for width in arguments.widths.split("-"))
    if arguments.run:
        print(json.dumps(measure(arguments.run, Row(widths, arguments.batch, arguments.optimizer))))
        return
    print(
        f"{arguments.widths}, batch {arguments.batch}, {arguments.optimizer}; MiB beyond what lay there before"
    )
    print(f"{'':<12} {'arrays of a step':>18} {'at most':>10} {'process':>10}")
    for peer in PEERS:
        if peer in known and known[peer].missing:
            print(f"{peer:<12} left out: {known[peer].missing}")
            continue
        command = [sys.executable, "-m", "bench.memory", *sys.argv[1:], "--run", peer]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        found = {name: value / 2**20 for name, value in json.loads(done.stdout.splitlines()[-1]).items()}
        arrays = [found["usual"], found["most"]] if peer not in ("torch", "c") else []
        cells = [f"{each:.1f}" for each in arrays] or ["–", "–"]
        print(f"{peer:<12} {cells[0]:>18} {cells[1]:>10} {found['process']:>10.1f}")


if __name__ == "__main__":
    main()
