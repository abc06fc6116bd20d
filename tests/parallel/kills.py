"""Kill a random rank at a random moment, resume, and compare with an uninterrupted run.

python -m tests.parallel.kills 20
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import psutil

from minigrad.parallel.launching import launch_environment
from tests.cli.shared import command, environment

SETTINGS = [
    "--batch-size",
    "64",
    "--patience",
    "30",
    "--schedule",
    "plateau",
    "--clip-norm",
    "1",
    "--seed",
    "3",
]
EPOCHS = 40


class Trial(NamedTuple):
    """One kill: whether it came in time, how long the others took to end, how many never did."""

    was_running: bool
    seconds_to_end: float
    survivors: int
    checkpoint: bool


def start(folder: Path, *, epochs: int = EPOCHS, n: int = 2, resume: bool = False) -> subprocess.Popen[bytes]:
    """Start a training on n processes."""
    what = ["--resume", folder] if resume else ["--out", folder, "--epochs", epochs, *SETTINGS]
    return subprocess.Popen(
        command("launch", "-n", n, "--deadline", 30, "train", "--quiet", *what),
        env={**launch_environment(n, threads=1), **environment()},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def trained(folder: Path, *, epochs: int = EPOCHS, n: int = 2, resume: bool = False) -> bytes:
    """Train to the end and return the weights' file."""
    process = start(folder, epochs=epochs, n=n, resume=resume)
    if process.wait(timeout=120):
        raise RuntimeError(f"exit {process.returncode}")
    return (folder / "weights.safetensors").read_bytes()


def children_of(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """The ranks of a launched training, by rank."""
    found = {}
    if process.poll() is not None:
        return []
    for child in psutil.Process(process.pid).children(recursive=True):
        try:
            variables = child.environ()
            if "PMI_RANK" in variables and "mpi4py" in child.cmdline():
                found[int(variables["PMI_RANK"])] = child
        except psutil.Error:
            continue
    return [found[rank] for rank in sorted(found)]


def wait_for_epochs(folder: Path, epochs: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until a checkpoint shows so many epochs."""
    checkpoint = folder / "checkpoint.safetensors"
    while process.poll() is None:
        if checkpoint.exists() and _epoch(checkpoint) >= epochs:
            return
        time.sleep(0.01)


def _epoch(checkpoint: Path) -> int:
    content = checkpoint.read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    return int(json.loads(header["__metadata__"]["state"])["epoch"])


def kill_a_rank(
    folder: Path,
    victim: int,
    *,
    epochs: int = EPOCHS,
    after_epochs: int = 0,
    after_seconds: float = 0.0,
    n: int = 2,
) -> Trial:
    """Start a run, kill one of its processes, and see how the others end."""
    process = start(folder, epochs=epochs, n=n)
    if after_epochs:
        wait_for_epochs(folder, after_epochs, process)
    else:
        while not (folder / "config.json").exists() and process.poll() is None:
            time.sleep(0.005)
        time.sleep(after_seconds)
    ranks = children_of(process)
    was_running = len(ranks) == n and not (folder / "results.json").exists()
    if was_running:
        ranks[victim].send_signal(signal.SIGKILL)
    began = time.monotonic()
    process.wait(timeout=60)
    psutil.wait_procs(ranks, timeout=60 - (time.monotonic() - began))
    seconds = time.monotonic() - began
    survivors = [rank for rank in ranks if rank.is_running() and rank.status() != psutil.STATUS_ZOMBIE]
    was_running = was_running and process.returncode != 0 and not (folder / "results.json").exists()
    return Trial(was_running, seconds, len(survivors), (folder / "checkpoint.safetensors").exists())


def main() -> None:
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    chance, good, done = random.Random(0), 0, 0
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        began = time.monotonic()
        expected = {n: trained(root / f"whole-{n}", n=n) for n in (2, 3)}
        length = (time.monotonic() - began) / 2
        print(f"uninterrupted runs take about {length:.1f} s", flush=True)
        attempt = 0
        while done < trials:
            attempt += 1
            n = chance.choice(list(expected))
            victim, moment = chance.randrange(n), chance.uniform(0, 0.8 * length)
            folder = root / f"killed-{attempt}"
            trial = kill_a_rank(folder, victim, after_seconds=moment, n=n)
            if not trial.was_running:
                continue
            done += 1
            equal = trained(folder, resume=True, n=n) == expected[n]
            clean = trial.survivors == 0 and trial.seconds_to_end < 10
            good += equal and clean
            print(
                f"{done:>3}  rank {victim} of {n} killed after {moment:4.1f} s  all ended {trial.seconds_to_end:.2f} s "
                f"later  checkpoint {trial.checkpoint!s:5}  same weights {equal}",
                flush=True,
            )
    print(f"{done} kills: {good} ended within 10 s and resumed to the same bytes.")
    sys.exit(good != done)


if __name__ == "__main__":
    main()
