"""Asynchronous training: rank 0 holds the weights and applies what the other processes, the workers, bring.

A worker computes the gradient of a whole batch, so that an epoch has the updates of a single process's, and rate and
schedule mean the same. Which gradient comes first is chance: no two runs are alike, and a resumed run goes on with
another chance.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigrad import nn
from minigrad.data import DataLoader
from minigrad.errors import ConfigError, NonFiniteError
from minigrad.parallel.mpi import MpiCommunicator
from minigrad.parallel.staleness import Parcel, StalenessBound
from minigrad.parallel.transport import Work
from minigrad.parallel.waiting import wait_until
from minigrad.train.strategy import Strategy
from minigrad.train.trainer import Trainer
from minigrad.train.training import Training

_WORK, _STOP = 1.0, 0.0


class Asynchronous(Strategy):
    """Rank 0's part: hand out weights and batches, and take the gradients as they come.

    Parameters
    ----------
    communicator : the way to the workers, all other ranks; each of them runs a ``Worker``.
    bound : the most updates between the reading of weights and the use of their gradient.

    The history's ``max_staleness`` is the epoch's largest. Raises ConfigError MG-802 where the bound is too small for
    so many workers, and when training begins MG-803 where batches are accumulated or the device is no CPU.
    """

    uncompiled = "gradients come from other processes"

    def __init__(self, communicator: MpiCommunicator, bound: int) -> None:
        self.communicator = communicator
        self.workers = range(1, communicator.size)
        self.order = StalenessBound(len(self.workers), bound)
        self.under_way: dict[int, Work] = {}
        self.max_staleness = 0

    def on_train_begin(self, trainer: Training) -> None:
        """Make room for what is sent and received."""
        check(trainer)
        self.params = dict(trainer.model.named_parameters())
        self.inbox = {worker: Parcel(self.params) for worker in self.workers}
        self.outbox = {worker: Parcel(self.params) for worker in self.workers}

    def gradients(self, training: Training, loader: DataLoader) -> Iterator[list[float]]:
        """Take one worker's gradient an update, and give it another batch afterwards."""
        self.max_staleness = 0
        batches = _indices(loader)
        for worker in self.workers:
            self._hand_out(training, worker, batches)
        while self.under_way or self.order.arrived:
            worker = self._next(training)
            training.last_loss = self._receive(training, worker)
            self.max_staleness = max(self.max_staleness, self.order.apply(worker))
            yield [training.last_loss]
            self._hand_out(training, worker, batches)

    def _hand_out(self, training: Training, worker: int, batches: Iterator[np.ndarray[Any, Any]]) -> None:
        indices = next(batches, None)
        if indices is None:
            return
        weights = {name: tensor.data for name, tensor in self.params.items()}
        parcel = self.outbox[worker]
        parcel.fill(weights, _WORK, len(indices))
        what = f"rank {worker} to take its work at step {training.step + 1}"
        sent = [self.communicator.send(each, worker) for each in (parcel.bytes, indices)]
        self.communicator.wait(sent, what)
        self.order.hand_out(worker)
        self.under_way[worker] = self.communicator.receive(self.inbox[worker].bytes, worker)

    def _next(self, training: Training) -> int:
        """Wait for a gradient that may be applied."""

        def found() -> bool:
            for worker in [worker for worker, work in self.under_way.items() if work.done()]:
                del self.under_way[worker]
                self.order.arrive(worker)
            return self.order.next() is not None

        late = ", ".join(map(str, self.under_way))
        what = f"the gradient of rank {late} at step {training.step + 1}"
        wait_until(found, self.communicator.deadline, what, self.communicator.name, eager=0.0)
        worker = self.order.next()
        assert worker is not None
        return worker

    def _receive(self, training: Training, worker: int) -> float:
        """Put a worker's gradient into ``.grad``; return its loss."""
        parcel = self.inbox[worker]
        loss = float(parcel.header[0])
        if not math.isfinite(loss):
            raise training.stopped(f"the loss on rank {worker} is not a finite number.", True)
        for name, tensor in self.params.items():
            tensor.grad = parcel.arrays[name].copy()
        return loss

    def on_epoch_figures(self, trainer: Training, row: dict[str, Any]) -> None:
        """Add the epoch's largest staleness."""
        row["max_staleness"] = self.max_staleness

    def on_train_end(self, trainer: Training) -> None:
        """Let the workers go."""
        for worker in self.workers:
            self.outbox[worker].fill(dict.fromkeys(self.params), _STOP)
            sent = self.communicator.send(self.outbox[worker].bytes, worker)
            self.communicator.wait([sent], f"rank {worker} to take its leave")


def _indices(loader: DataLoader) -> Iterator[np.ndarray[Any, Any]]:
    order = loader.order()
    everything = np.arange(len(loader.dataset)) if order is None else order
    for start, stop in loader.bounds():
        yield everything[start:stop].astype(np.int64)


@dataclass(frozen=True)
class Worker:
    """The part of another rank than 0. Dropout masks and augmentation are drawn from generators of its own."""

    communicator: MpiCommunicator
    seed: int

    def run(self, training: Training, loader: DataLoader) -> int:
        """Compute gradients until rank 0 has no more work; return how many."""
        check(training)
        communicator = self.communicator
        masks, loader.rng = (np.random.default_rng([self.seed, communicator.rank, k]) for k in range(2))
        nn.seed_dropout(training.model, masks)
        params = dict(training.model.named_parameters())
        inbox, outbox = Parcel(params), Parcel(params)
        training.model.train()
        while True:
            what = f"work number {training.step + 1}"
            communicator.wait([communicator.receive(inbox.bytes, 0)], what)
            if inbox.header[0] == _STOP:
                return training.step
            indices = np.empty(int(inbox.header[1]), np.int64)
            communicator.wait([communicator.receive(indices, 0)], what)
            for name, tensor in params.items():
                tensor.data[...] = inbox.arrays[name]
            training.optimizer.zero_grad()
            try:
                loss = training.train_step(*loader.pick(indices, 0, len(indices))).item()
            except NonFiniteError:
                loss = math.nan
            gradients = {name: None if t.grad is None else t.grad.data for name, t in params.items()}
            outbox.fill(gradients, loss)
            sent = communicator.send(outbox.bytes, 0)
            communicator.wait([sent], f"rank 0 to take gradient {training.step + 1}")
            training.step += 1


class AsynchronousTrainer(Trainer):
    """Deprecated: ``Trainer(…, strategy=Asynchronous(communicator, bound))``."""

    def __init__(self, *arguments: Any, communicator: MpiCommunicator, bound: int, **settings: Any) -> None:
        warnings.warn(
            "AsynchronousTrainer(…, bound=…) is Trainer(…, strategy=Asynchronous(…)) now",
            DeprecationWarning,
            stacklevel=2,
        )
        super().__init__(*arguments, strategy=Asynchronous(communicator, bound), **settings)
        check(self)


def work(trainer: Training, loader: DataLoader, communicator: MpiCommunicator, seed: int) -> int:
    """Deprecated: ``Worker(communicator, seed).run(trainer, loader)``."""
    warnings.warn("work(…) is Worker(communicator, seed).run(…) now", DeprecationWarning, stacklevel=2)
    return Worker(communicator, seed).run(trainer, loader)


def check(training: Training) -> None:
    """Raise ConfigError MG-803 where a training cannot be asynchronous."""
    if training.accumulate > 1:
        raise ConfigError(
            "MG-803",
            "asynchronous training applies each batch's gradient by itself, so accumulate has to be 1.",
        )
    if training.device != "cpu":
        raise ConfigError("MG-803", f"asynchronous training works on the CPU, not on {training.device}.")
    if hasattr(training.model, "begin"):
        raise ConfigError(
            "MG-803",
            f"{type(training.model).__name__} reads on where the batch before stopped, and in asynchronous training "
            "batches go to whoever is free. Leave --staleness out.",
        )
    if any(getattr(part, "running_mean", None) is not None for part in training.model.modules()):
        raise ConfigError(
            "MG-803",
            "in asynchronous training gradients travel and nothing else, so the running statistics of BatchNorm layers "
            "would stay what they are in the beginning. Leave --staleness out.",
        )
