"""One process of the comparison of synchronous and asynchronous training when one worker is slow.

    MINIGRAD_STALENESS=8 mpiexec -n 3 python -m mpi4py -m bench.parallel.asynchronous SLOWNESS

Without MINIGRAD_STALENESS all processes work, synchronously; with it, rank 0 serves. The last rank is made SLOWNESS
times as slow: after each batch it sleeps. D4's network on 12,000 of MNIST's pictures, batch 128, ten epochs.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import numpy as np

from bench.parallel.speed import network
from minigrad import nn, optim
from minigrad.data import DataLoader, load_mnist
from minigrad.parallel import ShardedGenerator, join
from minigrad.parallel.mpi import MpiCommunicator
from minigrad.parallel.staleness import staleness
from minigrad.tensor import Tensor
from minigrad.train.asynchronous import Asynchronous, Worker
from minigrad.train.callbacks import Callback
from minigrad.train.strategy import Strategy
from minigrad.train.synchronous import Synchronous
from minigrad.train.trainer import Trainer

EPOCHS, BATCH = 10, 128


class Log(Callback):
    def __init__(self) -> None:
        self.began = time.perf_counter()
        self.seconds: list[float] = []

    def on_epoch_end(self, trainer: Trainer) -> None:
        self.seconds.append(round(time.perf_counter() - self.began, 3))


def slowed(times: float) -> None:
    """Let every step of this process take so many times as long."""
    quick = Trainer.train_step

    def slow(self: Trainer, *batch: Any, **more: Any) -> Tensor:
        began = time.perf_counter()
        loss = quick(self, *batch, **more)
        if self.step:  # the first one also loads the kernels
            time.sleep((times - 1) * (time.perf_counter() - began))
        return loss

    Trainer.train_step = slow  # type: ignore[method-assign]


def main() -> None:
    communicator = join()
    assert isinstance(communicator, MpiCommunicator)
    if communicator.rank == communicator.size - 1:
        slowed(float(sys.argv[1]))
    masks = ShardedGenerator(np.random.SeedSequence(2))
    model = network(128, masks)
    pictures = load_mnist(train=True)
    loader = DataLoader(pictures.take(np.arange(12_000)), BATCH, rng=np.random.default_rng(3))
    held_out = pictures.take(np.arange(12_000, 14_000))
    bound, log = staleness(), Log()
    arguments = (model, nn.CrossEntropyLoss(), optim.Adam(model, lr=0.001, eps=1e-7))
    communicator.barrier("everybody to have the pictures")
    strategy: Strategy
    if bound is None:
        strategy = Synchronous(communicator, masks)
    elif communicator.is_root:
        strategy = Asynchronous(communicator, bound)
    else:
        Worker(communicator, 0).run(Trainer(*arguments), loader)
        return
    trainer = Trainer(*arguments, callbacks=[log], strategy=strategy)
    log.began = time.perf_counter()
    history = trainer.fit(loader, held_out, EPOCHS)
    if communicator.is_root:
        later = EPOCHS - 1  # the first one also loads the kernels
        found = {
            "staleness": bound,
            "updates per second": round(later * trainer.step / EPOCHS / (log.seconds[-1] - log.seconds[0])),
            "seconds": log.seconds,
            "val_loss": [round(value, 4) for value in history["val_loss"]],
            "max_staleness": max(history.get("max_staleness", [0])),
        }
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
