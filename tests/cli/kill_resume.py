"""Kill a training at random moments, resume it, and compare its weights with those of an uninterrupted one.

    python -m tests.cli.kill_resume 30

A run counts as killed only where SIGKILL came after its folder was begun and before it was finished.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from tests.cli.shared import command, environment

SETTINGS = ["--epochs", "40", "--batch-size", "8", "--patience", "30", "--schedule", "plateau", "--seed", "3"]


class Trial(NamedTuple):
    """One kill: how far into the run it came, whether a checkpoint was there, whether the endings are equal."""

    second: float
    checkpoint: bool
    equal: bool


def _run(cwd: Path, *arguments: object) -> None:
    done = subprocess.run(
        command("train", *arguments), cwd=cwd, env=environment(), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"exit {done.returncode}: {done.stderr}")


def _wait_for(path: Path, process: subprocess.Popen[bytes]) -> None:
    while not path.exists() and process.poll() is None:
        time.sleep(0.005)


def kill_one(cwd: Path, name: str, second: float, settings: list[str]) -> bool:
    """Start a run, kill it so many seconds after it was begun; tell whether it was still running."""
    process = subprocess.Popen(
        command("train", *settings, "--out", name, "--quiet"),
        cwd=cwd,
        env=environment(),
        stdout=subprocess.DEVNULL,
    )
    _wait_for(cwd / name / "config.json", process)
    time.sleep(second)
    process.send_signal(signal.SIGKILL)
    return process.wait() == -signal.SIGKILL and not (cwd / name / "results.json").exists()


def kill_and_resume(trials: int, cwd: Path, settings: list[str], seed: int = 0) -> list[Trial]:
    """Return what came of so many kills at random moments."""
    began = time.monotonic()
    arguments = command("train", *settings, "--out", "whole", "--quiet")
    whole = subprocess.Popen(arguments, cwd=cwd, env=environment(), stdout=subprocess.DEVNULL)
    _wait_for(cwd / "whole" / "config.json", whole)
    begun = time.monotonic()
    whole.wait()
    length = time.monotonic() - begun
    expected = (cwd / "whole" / "weights.safetensors").read_bytes()
    chance, found = random.Random(seed), []
    print(f"an uninterrupted run takes {begun - began:.1f} + {length:.1f} s", flush=True)
    while len(found) < trials:
        name, second = f"killed-{len(found)}", chance.uniform(0, length)
        if not kill_one(cwd, name, second, settings):
            subprocess.run(["rm", "-r", str(cwd / name)], check=True)
            continue
        checkpoint = (cwd / name / "checkpoint.safetensors").exists()
        _run(cwd, "--resume", name, "--quiet")
        equal = (cwd / name / "weights.safetensors").read_bytes() == expected
        found.append(Trial(second, checkpoint, equal))
        print(
            f"{len(found):>3}  killed at {second:5.2f} s  checkpoint {checkpoint!s:5}  equal {equal}",
            flush=True,
        )
    return found


def main() -> None:
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    with tempfile.TemporaryDirectory() as folder:
        found = kill_and_resume(trials, Path(folder), SETTINGS)
    equal, resumed = sum(t.equal for t in found), sum(t.checkpoint for t in found)
    print(f"{trials} runs killed, {resumed} of them with a checkpoint; {equal} ended with the same bytes.")
    sys.exit(equal != trials)


if __name__ == "__main__":
    main()
