"""minigrad and PyTorch on parts of a training step, and on D4's whole program on MNIST.

    python -m bench.compare [part …] [--rounds N]

Without a part: all but ``mnist``, which needs the data set and minutes. Each program runs in a process of its own and
the programs take turns; a figure is the median over the rounds of each process's median.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from functools import partial

from bench.parts import PARTS, THREADS, WHOLE, Run
from minigrad.bench.machine import clean_environment, on_processors
from minigrad.bench.summary import number

SECONDS, FEWEST = 1.5, 10


def median_time(run: Run) -> float:
    """The median time of a call, in s, over a second or two after a warm-up."""
    for seconds in (0.3, SECONDS):
        times: list[float] = []
        while len(times) < FEWEST or sum(times) < seconds:
            began = time.perf_counter()
            run()
            times.append(time.perf_counter() - began)
    return statistics.median(times)


def work(part: str, program: str) -> None:
    """Print a program's median time, or for a whole program its result."""
    run = PARTS[part][program]()
    print(run() if part in WHOLE else median_time(run))


def in_its_process(part: str, program: str, environment: dict[str, str]) -> float:
    """The time that a program takes, in s."""
    command = [sys.executable, "-m", "bench.compare", "--worker", part, program]
    began = time.perf_counter()
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    seconds = time.perf_counter() - began
    if part in WHOLE:
        print(f"  {program:<12} {seconds:.1f} s, result {done.stdout.strip()}", flush=True)
        return seconds
    return float(done.stdout)


def take_turns(
    programs: Iterable[str], rounds: int, seconds: Callable[[str], float]
) -> dict[str, list[float]]:
    """Each program's times in µs, one for each round."""
    found: dict[str, list[float]] = {program: [] for program in programs}
    with on_processors(THREADS):
        for _ in range(rounds):
            for program, times in found.items():
                times.append(1e6 * seconds(program))
    return found


def show(found: dict[str, list[float]]) -> None:
    """Print each program's median and spread, beside minigrad's."""
    ours = statistics.median(found["minigrad"])
    for program, times in found.items():
        middle = statistics.median(times)
        spread = f"{number(min(times))} to {number(max(times))}"
        print(
            f"  {program:<12} {number(middle):>9} µs  ({spread})  {middle / ours:.2f} x minigrad's",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description="minigrad and PyTorch on parts of a training step")
    parser.add_argument("parts", nargs="*", metavar="part", help=", ".join(PARTS))
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    if unknown := [part for part in arguments.parts if part not in PARTS]:
        parser.error(f"there is no part {unknown[0]!r}; there are: {', '.join(PARTS)}")
    environment, taken_out = clean_environment(os.environ, THREADS)
    print(f"{THREADS} threads each; {', '.join(taken_out) or 'nothing'} taken out of the environment")
    for part in arguments.parts or [name for name in PARTS if name not in WHOLE]:
        found = take_turns(
            PARTS[part], arguments.rounds, partial(in_its_process, part, environment=environment)
        )
        print(part)
        show(found)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        work(*sys.argv[2:])
    else:
        main()
