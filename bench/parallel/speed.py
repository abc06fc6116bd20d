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
from minigrad.parallel import Communicator, GradientAverager, ShardedGenerator, join
from minigrad.train.callbacks import Callback
from minigrad.train.parallel import ParallelTrainer
from minigrad.train.trainer import Trainer

STEPS, ROUNDS = 40, 15


class Stopwatch(Callback):
    """Seconds of each epoch's training, validation and reports left out."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def on_epoch_begin(self, trainer: Trainer) -> None:
        self.began = time.perf_counter()

    def on_step_end(self, trainer: Trainer) -> None:
        self.ended = time.perf_counter()

    def on_epoch_end(self, trainer: Trainer) -> None:
        self.seconds.append(self.ended - self.began)


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
    trainer: Trainer
    if communicator.size == 1:
        trainer = Trainer(*arguments, callbacks=[watch])
    else:
        trainer = ParallelTrainer(*arguments, communicator=communicator, masks=masks, callbacks=[watch])
        if bucket_kib:
            trainer.averager = GradientAverager(trainer.params, communicator, bucket_kib * 1024)
    trainer.fit(DataLoader(pictures(batch * STEPS), batch, rng=np.random.default_rng(3)), None, ROUNDS + 1)
    seconds = statistics.median(watch.seconds[1:])
    return {
        "processes": communicator.size,
        "batch": batch,
        "width": width,
        "samples per second": round(batch * STEPS / seconds),
        "fastest": round(batch * STEPS / min(watch.seconds[1:])),
        "ms per step": round(1e3 * seconds / STEPS, 3),
    }


def main() -> None:
    communicator = join()
    found = timed(communicator, *map(int, sys.argv[1:]))
    if communicator.is_root:
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
