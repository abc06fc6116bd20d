"""Kill a command at random moments, resume it, and compare its files with those of an uninterrupted one.

    python -m tests.cli.kill_resume 30          # minigrad train
    python -m tests.cli.kill_resume 30 prune    # minigrad prune
    python -m tests.cli.kill_resume 10 lenet    # minigrad train lenet; likewise resnet, rows-lstm, char-rnn …
    python -m tests.cli.kill_resume 10 glyphs   # minigrad train lenet --data glyphs
    python -m tests.cli.kill_resume 10 new      # each of these one after another: lenet, resnet, glyphs …

A run counts as killed only where SIGKILL came after its folder was begun and before it was finished.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from tests.cli.shared import command, environment

TRAIN = [
    "train",
    "--epochs",
    "40",
    "--batch-size",
    "8",
    "--patience",
    "30",
    "--schedule",
    "plateau",
    "--seed",
    "3",
]
TEXT = "the cat sat on the mat and the dog lay by the log, and the cat saw the dog.\n" * 60
SMALL = {"epochs": 8, "batch-size": 8, "context": 16, "hidden": 16, "layers": 2, "dropout": 0.1, "seed": 3}
SEEN = ["--epochs", "4", "--batch-size", "32", "--augment"]
PRUNE = ["prune", "run", "--sparsity", "0.9", "--epochs", "200"]


class Trial(NamedTuple):
    """One kill: how far into the run it came, whether a checkpoint was there, whether the endings are equal."""

    second: float
    checkpoint: bool
    equal: bool


class Kind(NamedTuple):
    """What is killed: the file that its folder begins with, and those that shall be equal in the end."""

    begun: str
    compared: tuple[str, ...]

    def contents(self, folder: Path) -> list[bytes]:
        return [(folder / name).read_bytes() for name in self.compared]


KINDS = {
    "train": Kind("config.json", ("weights.safetensors", "history.csv")),
    "prune": Kind("begun.json", ("weights.safetensors", "history.csv", "pruning.csv")),
}


def run(cwd: Path, *arguments: object) -> None:
    done = subprocess.run(
        command(*arguments), cwd=cwd, env=environment(), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"exit {done.returncode}: {done.stderr}")


def _wait_for(path: Path, process: subprocess.Popen[bytes]) -> None:
    while not path.exists() and process.poll() is None:
        time.sleep(0.005)


def kill_one(cwd: Path, name: str, second: float, start: list[str]) -> bool:
    """Start a command, kill it so many seconds after it has begun; tell whether it was still running."""
    process = subprocess.Popen(
        command(*start, "--out", name, "--quiet"),
        cwd=cwd,
        env=environment(),
        stdout=subprocess.DEVNULL,
    )
    _wait_for(cwd / name / KINDS[start[0]].begun, process)
    with suppress(subprocess.TimeoutExpired):
        process.wait(second)
    process.send_signal(signal.SIGKILL)
    return process.wait() == -signal.SIGKILL and not (cwd / name / "results.json").exists()


def kill_and_resume(trials: int, cwd: Path, start: list[str], seed: int = 0) -> list[Trial]:
    """Return what came of so many kills at random moments of the command ``start``."""
    kind = KINDS[start[0]]
    began = time.monotonic()
    arguments = command(*start, "--out", "whole", "--quiet")
    whole = subprocess.Popen(arguments, cwd=cwd, env=environment(), stdout=subprocess.DEVNULL)
    _wait_for(cwd / "whole" / kind.begun, whole)
    begun = time.monotonic()
    whole.wait()
    length = time.monotonic() - begun
    expected = kind.contents(cwd / "whole")
    chance, found = random.Random(seed), []
    print(f"an uninterrupted run takes {begun - began:.1f} + {length:.1f} s", flush=True)
    while len(found) < trials:
        name, second = f"killed-{len(found)}", chance.uniform(0, length)
        if not kill_one(cwd, name, second, start):
            subprocess.run(["rm", "-r", str(cwd / name)], check=True)
            continue
        checkpoint = (cwd / name / "checkpoint.safetensors").exists()
        run(cwd, start[0], "--resume", name, "--quiet")
        equal = kind.contents(cwd / name) == expected
        found.append(Trial(second, checkpoint, equal))
        print(
            f"{len(found):>3}  killed at {second:5.2f} s  checkpoint {checkpoint!s:5}  equal {equal}",
            flush=True,
        )
    return found


def writing(recipe: str, cwd: Path, **changes: object) -> list[str]:
    """Return what trains a recipe that writes on a small text, which is put into the folder."""
    (cwd / "cats.txt").write_text(TEXT)
    settings = {"data": "cats.txt", **SMALL, **changes}
    return [
        "train",
        recipe,
        *(word for name, value in settings.items() for word in (f"--{name}", str(value))),
    ]


WRITING = ("char-rnn", "char-lstm", "char-gpt")
STARTS = {
    "": TRAIN,
    "prune": PRUNE,
    "lenet": ["train", "lenet", *SEEN, "--dropout", "0.1"],
    "resnet": ["train", "resnet", *SEEN],
    "glyphs": ["train", "lenet", "--data", "glyphs", *SEEN, "--dropout", "0.1"],
    "rows-lstm": [
        "train",
        "rows-lstm",
        "--epochs",
        "6",
        "--hidden",
        "32",
        "--layers",
        "2",
        "--dropout",
        "0.1",
    ],
}
NEW = (*(name for name in STARTS if name not in ("", "prune")), *WRITING)


def tried(what: str, trials: int) -> bool:
    """Kill one kind of run so many times; tell whether all ended with the same bytes."""
    with tempfile.TemporaryDirectory() as folder:
        start = writing(what, Path(folder)) if what in WRITING else STARTS[what]
        if start is PRUNE:
            run(Path(folder), "train", "--epochs", 5, "--out", "run", "--quiet")
        found = kill_and_resume(trials, Path(folder), start)
    equal, resumed = sum(t.equal for t in found), sum(t.checkpoint for t in found)
    print(
        f"{what or 'train'}: {trials} runs killed, {resumed} of them with a checkpoint; {equal} ended with the same "
        "bytes.",
        flush=True,
    )
    return equal == trials


def main() -> None:
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    what = "".join(sys.argv[2:3])
    right = [tried(each, trials) for each in (NEW if what == "new" else [what])]
    sys.exit(not all(right))


if __name__ == "__main__":
    main()
