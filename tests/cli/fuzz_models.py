"""Damage or mix up what ``search``, ``export`` and ``train --from`` are given: a clear error or the right result.

    python -m tests.cli.fuzz_models 200

So many trials for each of the three. Files are damaged as in ``fuzz_files``, or taken from a run that they do not
belong to; options are misspelt, swapped and cut. An error is clear where it has a code (or is the command line's own
about its usage); nothing may be half-written then: no new folder, no file, no temporary file. A right result is the
bytes that the undamaged input leads to; or, for a file without a checksum such as PyTorch's, the weights in it.
"""

from __future__ import annotations

import csv
import random
import shutil
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from safetensors.numpy import load as load_safetensors
from safetensors.numpy import save as save_safetensors
from typer.testing import CliRunner

from minigrad.cli import app
from minigrad.errors import MinigradError
from minigrad.export.run import export
from minigrad.files import load_arrays
from minigrad.train import run as runs
from minigrad.train.checkpoint import Checkpoint
from minigrad.train.config import Config
from minigrad.train.progress import ShowProgress
from minigrad.train.search import run as searches
from minigrad.train.search.plan import Plan
from minigrad.train.search.progress import SearchProgress
from tests.cli.fuzz_files import DAMAGES

QUIET = "quiet"
TINY = {"recipe": "mlp-sgd", "hidden": 4, "epochs": 2, "batch_size": 512, "optimizer": "sgd", "lr": 0.1}
OTHER = {"recipe": "deep-adam", "hidden": 4, "epochs": 1, "batch_size": 512}
Damage = Callable[[bytes, random.Random], bytes]


class Interrupted(Exception):
    """Ends a run or a search as a kill would."""


class Interrupting(SearchProgress):
    """Ends a search after its second trial."""

    def ended(self, trial: Any) -> None:
        if trial.number == 1:
            raise Interrupted


@contextmanager
def no_pictures() -> Iterator[None]:
    nothing: Any = lambda *_, **__: None  # noqa: E731
    with (
        patch.multiple("minigrad.viz.plots", curves=nothing, confusion=nothing, mistakes=nothing),
        patch.multiple("minigrad.viz.search", history=nothing, importance=nothing, slices=nothing),
    ):
        yield


class Bench:
    """Finished and interrupted runs and searches, and what comes of them undamaged."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.work = folder, folder / "work"
        self.base, self.other = folder / "base", folder / "other"
        runs.start(Config(**TINY), self.base, ShowProgress(QUIET))
        runs.start(Config(**OTHER), self.other, ShowProgress(QUIET))
        self.pytorch = folder / "pytorch.safetensors"
        self.pytorch.write_bytes(save_safetensors(load_arrays(self.base / "weights.safetensors")[0]))
        self.half, self.half_search = folder / "half", folder / "half-search"
        self.plan = Plan(Config(**TINY).to_dict(), ["lr=1e-3:1:log", "hidden=2,4"], "bayes", 4)
        with patch.object(Checkpoint, "on_epoch_end", side_effect=Interrupted):
            self._interrupted(lambda: runs.start(self.begun(self.base), self.half, ShowProgress(QUIET)))
        self._interrupted(lambda: searches.start(self.plan, self.half_search, Interrupting(QUIET)))
        jobs: dict[str, tuple[Callable[[Path], Any], Path]] = {
            "export": (self.export, self.base),
            "from": (self.train_from, self.base),
            "resume": (self.resume, self.half),
            "search": (self.resume_search, self.half_search),
        }
        self.expected = {}
        for name, (job, source) in jobs.items():
            self.fresh_work()
            self.expected[name] = job(source)

    def _interrupted(self, job: Callable[[], object]) -> None:
        try:
            job()
        except Interrupted:
            return
        raise AssertionError("it was not interrupted")

    def begun(self, source: Path, **changes: Any) -> Config:
        return Config(**{**TINY, "start_from": str(source), "freeze": "1.*", **changes})

    def fresh_work(self) -> None:
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir()

    # -- what is done, each with what can be compared -------------------------------------------------------

    def export(self, run: Path) -> bytes:
        export(run, self.work / "model.onnx")
        return (self.work / "model.onnx").read_bytes()

    def train_from(self, source: Path) -> dict[str, bytes]:
        runs.start(self.begun(source), self.work / "run", ShowProgress(QUIET))
        arrays = load_arrays(self.work / "run/weights.safetensors")[0]
        return {name: array.tobytes() for name, array in arrays.items()}

    def resume(self, run: Path) -> bytes:
        shutil.copytree(run, self.work / "run")
        runs.resume(self.work / "run", ShowProgress(QUIET))
        return (self.work / "run/weights.safetensors").read_bytes()

    def resume_search(self, search: Path) -> list[list[str]]:
        shutil.copytree(search, self.work / "search")
        searches.resume(self.work / "search", SearchProgress(QUIET))
        with open(self.work / "search/trials.csv", newline="") as file:
            return [row[:-1] for row in csv.reader(file)]

    def first_weights(self, file: Path) -> dict[str, np.ndarray]:
        runs.start(self.begun(file, epochs=1), self.work / "run", ShowProgress(QUIET))
        return load_arrays(self.work / "run/first-weights.safetensors")[0]

    # -- trials: each damages something and returns what came of it -----------------------------------------

    def damaged(self, source: Path, name: str, chance: random.Random) -> Path:
        """A copy with one file damaged, or taken from a run that it does not belong to."""
        copy = self.folder / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(source, copy)
        if chance.random() < 0.1 and (self.other / name).exists():
            shutil.copy(self.other / name, copy / name)
        else:
            content = (copy / name).read_bytes()
            (copy / name).write_bytes(chance.choice(DAMAGES)(content, chance))
        return copy

    def trial_export(self, chance: random.Random) -> bool:
        if chance.random() < 0.2:
            return self.command(
                chance, ["export", str(self.base), "work/model.onnx"], self.work / "model.onnx"
            )
        name = chance.choice(["config.json", "network.json", "weights.safetensors"])
        return self.export(self.damaged(self.base, name, chance)) == self.expected["export"]

    def trial_train(self, chance: random.Random) -> bool:
        kind = chance.choice(["run", "file", "resume", "options"])
        if kind == "run":
            name = chance.choice(["config.json", "network.json", "weights.safetensors"])
            return self.train_from(self.damaged(self.base, name, chance)) == self.expected["from"]
        if kind == "resume":
            name = chance.choice(["config.json", "first-weights.safetensors"])
            return self.resume(self.damaged(self.half, name, chance)) == self.expected["resume"]
        if kind == "file":
            content = chance.choice(DAMAGES)(self.pytorch.read_bytes(), chance)
            (self.folder / "damaged.safetensors").write_bytes(content)
            found = self.first_weights(self.folder / "damaged.safetensors")
            held = load_safetensors(content)
            return all(np.array_equal(found[name], held[name].astype(np.float32)) for name in found)
        arguments = ["train", "mlp-sgd", "--hidden", "4", "--epochs", "1", "--batch-size", "512", "--quiet"]
        arguments += ["--from", str(self.base), "--freeze", "1.*", "--out", "work/run"]
        return self.command(chance, arguments, self.work / "run")

    def trial_search(self, chance: random.Random) -> bool:
        if chance.random() < 0.5:
            name = chance.choice(["search.json", "journal.jsonl"])
            return self.resume_search(self.damaged(self.half_search, name, chance)) == self.expected["search"]
        arguments = [
            "search",
            "mlp-sgd",
            "--space",
            "lr=1e-3:1:log",
            "--space",
            "hidden=2,4",
            "--trials",
            "2",
        ]
        arguments += [
            "--sampler",
            "random",
            "--set",
            "batch_size=512",
            "--epochs",
            "1",
            "--out",
            "work/search",
            "-q",
        ]
        return self.command(chance, arguments, self.work / "search")

    def command(self, chance: random.Random, arguments: list[str], target: Path) -> bool:
        """Run a command with one argument spoilt; an error of its usage is raised like one with a code."""
        spoilt = spoil(arguments, chance)
        result = CliRunner().invoke(app, spoilt)
        if not isinstance(result.exception, SystemExit | None):
            raise AssertionError(f"{spoilt}") from result.exception
        if result.exit_code == 0:
            return target.exists() or not set(arguments) <= set(spoilt)
        said = result.output
        code = next((word for word in said.split() if word.startswith("MG-")), None)
        if code is None and result.exit_code == 2 and "Error" in said:
            code = "usage"
        if code is None:
            raise AssertionError(f"{spoilt}: exit {result.exit_code}: {said}")
        raise MinigradError(code, said)


def spoil(arguments: list[str], chance: random.Random) -> list[str]:
    """Misspell, cut, swap, drop or double one argument behind the command's name."""
    spoilt = list(arguments)
    k = chance.randrange(1, len(spoilt))
    word = spoilt[k]
    place = chance.randrange(len(word))
    how = chance.randrange(6)
    if how == 0:
        spoilt[k] = word[:place] + chance.choice("=:,.x01*-[ é") + word[place + 1 :]
    elif how == 1:
        spoilt[k] = word[:place]
    elif how == 2:
        spoilt[k] = word[:place] + word[place + 1 :]
    elif how == 3:
        other = chance.randrange(1, len(spoilt))
        spoilt[k], spoilt[other] = spoilt[other], word
    elif how == 4:
        del spoilt[k]
    else:
        spoilt.insert(k, word)
    return spoilt


def fuzz(trials: int, folder: Path, seed: int = 0) -> tuple[Counter[str], list[str]]:
    """Run so many trials of each command; return how often what came of it, and a report on each wrong outcome."""
    import os

    counts: Counter[str] = Counter()
    wrong: list[str] = []
    before = Path.cwd()
    os.chdir(folder)
    try:
        with no_pictures():
            bench, chance = Bench(folder), random.Random(seed)
            jobs = {"export": bench.trial_export, "train": bench.trial_train, "search": bench.trial_search}
            for trial in range(trials):
                for name, job in jobs.items():
                    bench.fresh_work()
                    try:
                        right = job(chance)
                    except MinigradError as error:
                        counts[f"{name:<6}: error {error.code}"] += 1
                        left = half_written(bench.work)
                        if left:
                            wrong.append(f"trial {trial}, {name}: {error.code} left {left}")
                    except Exception:
                        wrong.append(f"trial {trial}, {name}:\n{traceback.format_exc()}")
                    else:
                        counts[f"{name:<6}: right result"] += 1
                        if not right:
                            wrong.append(f"trial {trial}, {name}: another result and no error")
    finally:
        os.chdir(before)
    return counts, wrong


def half_written(work: Path) -> list[str]:
    """What an error left behind: anything but a run or a search that was there before and can still be resumed."""
    left = [path.name for path in work.rglob(".*")]
    for path in work.iterdir():
        resumed = path.is_dir() and (
            (path / "first-weights.safetensors").exists() or (path / "journal.jsonl").exists()
        )
        if not resumed or (path / "results.json").exists():
            left.append(path.name)
    return left


def main() -> None:
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with tempfile.TemporaryDirectory() as folder:
        counts, wrong = fuzz(trials, Path(folder).resolve())
    for label, count in sorted(counts.items()):
        print(f"{count:>6}  {label}")
    print("\n".join(wrong[:10]))
    print(f"{3 * trials} damaged or mixed-up inputs, {len(wrong)} wrong outcomes.")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
