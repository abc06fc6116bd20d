"""One process of a timed training: D4's network on pictures of 28x28, samples per second.

    mpiexec -n 2 python -m mpi4py -m bench.parallel.speed BATCH [WIDTH [BUCKET_KIB]]

BATCH samples an update, over all processes. Process 0 prints one line of JSON.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from typing import Any

import numpy as np

from minigrad import nn, optim
from minigrad.data import DataLoader, Dataset
from minigrad.parallel import Communicator, ShardedGenerator, join
from minigrad.parallel.averager import BUCKET
from minigrad.train.callbacks import Callback
from minigrad.train.synchronous import Synchronous
from minigrad.train.trainer import Trainer

STEPS, ROUNDS = 40, 8


class Stopwatch(Callback):
    """When each step ended, epoch by epoch."""

    def __init__(self) -> None:
        self.epochs: list[list[float]] = []

    def on_epoch_begin(self, trainer: Trainer) -> None:
        self.epochs.append([])

    def on_step_end(self, trainer: Trainer) -> None:
        self.epochs[-1].append(time.perf_counter())

    def seconds(self, steps: int) -> list[float]:
        """How long so many steps took, over and over, within each epoch but the first."""
        return [b - a for ends in self.epochs[1:] for a, b in zip(ends, ends[steps:], strict=False)]


def network(width: int, masks: np.random.Generator) -> nn.Module:
    rng = np.random.default_rng(0)
    return nn.Sequential(
        nn.Linear(784, width, rng=rng),
        nn.ReLU(),
        nn.Dropout(0.2, rng=masks),
        nn.Linear(width, 10, rng=rng),
    )


def pictures(count: int) -> Dataset:
    """MNIST's shape and share of black pixels; what the pixels are does not matter for the time."""
    rng = np.random.default_rng(1)
    x = rng.random((count, 784), dtype=np.float32) * (rng.random((count, 784), dtype=np.float32) < 0.19)
    return Dataset(x, rng.integers(0, 10, count))


def timed(communicator: Communicator, batch: int, width: int = 128, bucket_kib: int = 0) -> dict[str, Any]:
    masks = ShardedGenerator(np.random.SeedSequence(2))
    model = network(width, masks)
    watch = Stopwatch()
    arguments = (model, nn.CrossEntropyLoss(), optim.Adam(model, lr=0.001, eps=1e-7))
    strategy = None
    if communicator.size > 1:
        strategy = Synchronous(communicator, masks, bucket_bytes=bucket_kib * 1024 or BUCKET)
    trainer = Trainer(*arguments, callbacks=[watch], strategy=strategy)
    trainer.fit(DataLoader(pictures(batch * STEPS), batch, rng=np.random.default_rng(3)), None, ROUNDS + 1)
    seconds, quickest = statistics.median(watch.seconds(STEPS - 1)), min(watch.seconds(5)) / 5
    return {
        "processes": communicator.size,
        "batch": batch,
        "width": width,
        "samples per second": round(batch * (STEPS - 1) / seconds),
        "in the quickest five steps": round(batch / quickest),
        "ms per step": round(1e3 * seconds / (STEPS - 1), 3),
    }


def main() -> None:
    communicator = join()
    found = timed(communicator, *map(int, sys.argv[1:]))
    if communicator.is_root:
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
