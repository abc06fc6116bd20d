"""Damage the files of runs and data sets at random: there must be a clear error or the right result.

    python -m tests.cli.fuzz_files 2000

Damaged are every file that a run is read from, with ``evaluate``, ``predict``, ``prune``, ``quantize`` and
``--resume`` reading it, and IDX files. A right result is one with the accuracy, the probabilities or the weights of
the undamaged file; where there is an error instead, nothing must have been written.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import shutil
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from minigrad.data import read_idx
from minigrad.errors import MinigradError
from minigrad.train.config import Config
from minigrad.train.predict import predict_one
from minigrad.train.progress import ShowProgress
from minigrad.train.prune import PruneSettings, prune_run
from minigrad.train.quantize import QuantizeSettings, quantize_run
from minigrad.train.recipes import recipe_named
from minigrad.train.run import evaluate_run, load_network, read_results, resume, start

ODD_VALUES: list[Any] = [
    None,
    True,
    -1,
    0,
    10**400,
    1e308,
    float("nan"),
    float("inf"),
    "",
    "x" * 9999,
    [],
    {},
    [[]],
]
QUIET = "quiet"


class Interrupted(Exception):
    """Ends a run between two epochs, as a kill would."""


def flip(content: bytes, chance: random.Random) -> bytes:
    damaged = bytearray(content)
    for _ in range(chance.choice([1, 1, 1, 2, 8, 64])):
        damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
    return bytes(damaged)


def cut(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(len(content))]


def empty(content: bytes, chance: random.Random) -> bytes:
    return b""


def swap(content: bytes, chance: random.Random) -> bytes:
    a, b = sorted(chance.randrange(len(content)) for _ in range(2))
    return content[b:] + content[a:b] + content[:a]


def lengthen(content: bytes, chance: random.Random) -> bytes:
    return content + chance.randbytes(chance.choice([1, 8, 4096]))


def noise(content: bytes, chance: random.Random) -> bytes:
    return chance.randbytes(len(content))


def odd_value(content: bytes, chance: random.Random) -> bytes:
    """Put a value of another type or size somewhere into a JSON file; flip bits in any other file."""
    try:
        tree = json.loads(content)
    except ValueError:
        return flip(content, chance)
    places = list(_places(tree))
    holder, key = chance.choice(places)
    if chance.random() < 0.1:
        del holder[key]
    else:
        holder[key] = chance.choice(ODD_VALUES)
    return json.dumps(tree).encode()


def _places(tree: Any) -> Iterator[tuple[Any, Any]]:
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in list(items):
        yield tree, key
        yield from _places(value)


DAMAGES = (flip, cut, empty, swap, lengthen, noise, odd_value)


class Bench:
    """A finished and an interrupted run and an IDX file, with what reading them undamaged gives."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.finished, self.half = folder / "finished", folder / "half"
        self.packed, self.plain = folder / "labels.gz", folder / "labels"
        config = Config.from_dict(
            {**recipe_named("mlp-dropout").settings("digits"), "epochs": 2, "batch_size": 256, "patience": 2}
        )
        start(config, self.finished, ShowProgress(QUIET))
        self._interrupt(config)
        self.pruned, self.int8, self.made = folder / "pruned", folder / "int8", folder / "made" / "run"
        prune_run(self.finished, self.pruned, PruneSettings(units=0.5, epochs=1), ShowProgress(QUIET))
        quantize_run(self.pruned, self.int8, QuantizeSettings(), ShowProgress(QUIET))
        files = ("config.json", "network.json", "weights.safetensors")
        compressed = (*files, "compression.json")
        header = bytes([0, 0, 8, 1]) + (500).to_bytes(4, "big")
        labels = header + bytes(range(250)) * 2
        self.packed.write_bytes(gzip.compress(labels, mtime=0))
        self.plain.write_bytes(labels)
        sha256 = hashlib.sha256(labels).hexdigest()
        self.sample = np.linspace(0, 1, 64, dtype=np.float32)
        self.jobs: dict[str, tuple[Path, tuple[str, ...], Callable[[Path], Any]]] = {
            "evaluate": (self.finished, files, self.evaluate),
            "predict": (self.finished, files, self.predict),
            "evaluate int8": (self.int8, compressed, self.evaluate),
            "predict int8": (self.int8, compressed, self.predict),
            "prune": (self.pruned, compressed, self.prune),
            "quantize": (self.pruned, compressed, self.quantize),
            "resume": (self.half, ("checkpoint.safetensors", "config.json"), self.resume),
            "results": (self.finished, ("results.json",), self.results),
            "idx": (self.packed, ("",), lambda path: read_idx(path).tobytes()),
            "plain idx": (self.plain, ("",), lambda path: read_idx(path, sha256).tobytes()),
        }
        self.expected = {job: self.on_a_copy(job) for job in self.jobs}

    def _interrupt(self, config: Config) -> None:
        from unittest.mock import patch

        from minigrad.train.checkpoint import Checkpoint, save_checkpoint

        def save_and_stop(checkpoint: Checkpoint, trainer: Any) -> None:
            save_checkpoint(trainer, checkpoint.path, checkpoint.settings)
            raise Interrupted

        with patch.object(Checkpoint, "on_epoch_end", save_and_stop):
            try:
                start(config, self.half, ShowProgress(QUIET))
            except Interrupted:
                return

    def evaluate(self, run: Path) -> object:
        return evaluate_run(run)[0].accuracy

    def predict(self, run: Path) -> object:
        model, network = load_network(run)
        return predict_one(model, network, self.sample).tobytes(), network.classes

    def prune(self, run: Path) -> object:
        settings = PruneSettings(sparsity=0.5, epochs=1)
        return self.making(lambda: prune_run(run, self.made, settings, ShowProgress(QUIET)))

    def quantize(self, run: Path) -> object:
        return self.making(lambda: quantize_run(run, self.made, QuantizeSettings(), ShowProgress(QUIET)))

    def making(self, work: Callable[[], Any]) -> object:
        """Return the weights of the run that ``work`` makes, and clear up; there must be all of it or nothing."""
        shutil.rmtree(self.made.parent, ignore_errors=True)
        try:
            work()
            made = load_network(self.made)[0].state_dict()
            return {key: array.tobytes() for key, array in made.items()}, read_results(self.made)["test_loss"]
        except MinigradError:
            assert not self.made.exists()
            assert not list(self.made.parent.glob("*")) + list(self.made.parent.glob(".*"))
            raise

    def resume(self, run: Path) -> object:
        resume(run, ShowProgress(QUIET))
        return (run / "weights.safetensors").read_bytes()

    def results(self, run: Path) -> object:
        return sorted(read_results(run))

    def on_a_copy(self, job: str, damage: Callable[[Path, str], None] | None = None, name: str = "") -> Any:
        """Do a job on a copy of its files, which may be damaged first."""
        source, _, work = self.jobs[job]
        copy = self.folder / "copy"
        if source.is_dir():
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(source, copy)
        else:
            copy = self.folder / f"copy{source.suffix}.idx"
            shutil.copy(source, copy)
        if damage is not None:
            damage(copy, name)
        return work(copy)


def fuzz(trials: int, folder: Path, seed: int = 0) -> tuple[Counter[str], list[str]]:
    """Damage one file at a time; return how often what came of it, and a report on each wrong outcome."""
    bench, chance = Bench(folder), random.Random(seed)
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    cases = [(job, name) for job, (_, names, _) in bench.jobs.items() for name in names]
    for trial in range(trials):
        job, name = cases[trial % len(cases)]
        how = chance.choice(DAMAGES)

        def damage(copy: Path, name: str, how: Any = how) -> None:
            path = copy / name if name else copy
            path.write_bytes(how(path.read_bytes(), chance))

        label = f"{job:<13} {name or 'IDX'}"
        try:
            found = bench.on_a_copy(job, damage, name)
        except MinigradError as error:
            counts[f"{label}: error {error.code}"] += 1
        except Exception:
            wrong.append(f"trial {trial}, {label}, {how.__name__}:\n{traceback.format_exc()}")
        else:
            if _is_right(job, name, found, bench.expected[job], bench.folder / "copy"):
                counts[f"{label}: right result"] += 1
            else:
                wrong.append(f"trial {trial}, {label}, {how.__name__}: another result and no error")
    return counts, wrong


def _is_right(job: str, name: str, found: object, expected: object, copy: Path) -> bool:
    """A results.json without some entry is still one, and has nothing that its entries could be checked with."""
    return found == expected or job == "results"


def main() -> None:
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    with tempfile.TemporaryDirectory() as folder:
        counts, wrong = fuzz(trials, Path(folder))
    for label, count in sorted(counts.items()):
        print(f"{count:>6}  {label}")
    print("\n".join(wrong[:10]))
    print(f"{trials} damaged files, {len(wrong)} wrong outcomes.")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
