"""Asynchronous training: rank 0 holds the weights and applies what the other processes, the workers, bring.

A worker computes the gradient of a whole batch, so that an epoch has the updates of a single process's, and rate and
schedule mean the same. Which gradient comes first is chance: no two runs are alike, and a resumed run goes on with
another chance.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from minigrad import nn
from minigrad.data import DataLoader, Dataset
from minigrad.errors import ConfigError, NonFiniteError
from minigrad.parallel.communicator import Ticket
from minigrad.parallel.mpi import MpiCommunicator
from minigrad.parallel.staleness import Parcel, StalenessBound
from minigrad.parallel.waiting import wait_until
from minigrad.train.trainer import Trainer

_WORK, _STOP = 1.0, 0.0


class AsynchronousTrainer(Trainer):
    """Rank 0's trainer. Parameters as ``Trainer``, and

    communicator : the way to the workers, all other ranks.
    bound : the most updates between the reading of weights and the use of their gradient.

    The history's ``max_staleness`` is the epoch's largest. Raises ConfigError MG-803 where batches are accumulated or
    the device is no CPU, and MG-802 where the bound is too small for so many workers.
    """

    def __init__(self, *arguments: Any, communicator: MpiCommunicator, bound: int, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        _check(self)
        self.communicator = communicator
        self.params = dict(self.model.named_parameters())
        self.workers = range(1, communicator.size)
        self.order = StalenessBound(len(self.workers), bound)
        self.inbox = {worker: Parcel(self.params) for worker in self.workers}
        self.outbox = {worker: Parcel(self.params) for worker in self.workers}
        self.coming: dict[int, Ticket] = {}
        self.max_staleness = 0

    def _train_epoch(self, loader: DataLoader) -> float:
        self.model.train()
        self._good_weights = self.model.state_dict()
        self.max_staleness = 0
        batches = self._indices(loader)
        total, count = 0.0, 0
        for worker in self.workers:
            self._hand_out(worker, batches)
        while self.coming or self.order.arrived:
            worker = self._next()
            self.last_loss = self._taken(worker)
            self.divergence.look(self.last_loss, self.step, self.rate)
            total += self.last_loss
            count += 1
            self.max_staleness = max(self.max_staleness, self.order.apply(worker))
            self._update()
            self._hand_out(worker, batches)
        return total / count

    @staticmethod
    def _indices(loader: DataLoader) -> Iterator[np.ndarray[Any, Any]]:
        order = loader.order()
        everything = np.arange(len(loader.dataset)) if order is None else order
        for start, stop in loader.bounds():
            yield everything[start:stop].astype(np.int64)

    def _hand_out(self, worker: int, batches: Iterator[np.ndarray[Any, Any]]) -> None:
        indices = next(batches, None)
        if indices is None:
            return
        weights = {name: tensor.data for name, tensor in self.params.items()}
        parcel = self.outbox[worker]
        parcel.fill(weights, _WORK, len(indices))
        what = f"rank {worker} to take its work at step {self.step + 1}"
        sent = [self.communicator.send(each, worker) for each in (parcel.bytes, indices)]
        self.communicator.wait(sent, what)
        self.order.hand_out(worker)
        self.coming[worker] = self.communicator.receive(self.inbox[worker].bytes, worker)

    def _next(self) -> int:
        """Wait for a gradient that may be applied."""

        def found() -> bool:
            for worker in [w for w, ticket in self.coming.items() if ticket.done()]:
                del self.coming[worker]
                self.order.arrive(worker)
            return self.order.next() is not None

        late = ", ".join(map(str, self.coming))
        what = f"the gradient of rank {late} at step {self.step + 1}"
        wait_until(found, self.communicator.deadline, what, self.communicator.name, eager=0.0)
        worker = self.order.next()
        assert worker is not None
        return worker

    def _taken(self, worker: int) -> float:
        """Put a worker's gradient into ``.grad``; return its loss."""
        parcel = self.inbox[worker]
        loss = float(parcel.header[0])
        if not math.isfinite(loss):
            raise self._stopped(f"the loss on rank {worker} is not a finite number.", True)
        for name, tensor in self.params.items():
            tensor.grad = parcel.arrays[name].copy()
        return loss

    def _validate(self, validation: Dataset | None) -> dict[str, Any]:
        return {**super()._validate(validation), "max_staleness": self.max_staleness}

    def _tell(self, event: str) -> None:
        super()._tell(event)
        if event == "on_train_end":
            for worker in self.workers:
                self.outbox[worker].fill(dict.fromkeys(self.params), _STOP)
                sent = self.communicator.send(self.outbox[worker].bytes, worker)
                self.communicator.wait([sent], f"rank {worker} to take its leave")


def work(trainer: Trainer, loader: DataLoader, communicator: MpiCommunicator, seed: int) -> int:
    """Be a worker until rank 0 has no more work; return how many gradients were computed.

    Dropout masks and augmentation are drawn from generators of this rank's own.
    """
    _check(trainer)
    masks, loader.rng = (np.random.default_rng([seed, communicator.rank, k]) for k in range(2))
    nn.seed_dropout(trainer.model, masks)
    params = dict(trainer.model.named_parameters())
    inbox, outbox = Parcel(params), Parcel(params)
    trainer.model.train()
    while True:
        what = f"work number {trainer.step + 1}"
        communicator.wait([communicator.receive(inbox.bytes, 0)], what)
        if inbox.header[0] == _STOP:
            return trainer.step
        indices = np.empty(int(inbox.header[1]), np.int64)
        communicator.wait([communicator.receive(indices, 0)], what)
        for name, tensor in params.items():
            tensor.data[...] = inbox.arrays[name]
        trainer.optimizer.zero_grad()
        try:
            loss = trainer.train_step(*loader.pick(indices, 0, len(indices))).item()
        except NonFiniteError:
            loss = math.nan
        gradients = {name: None if t.grad is None else t.grad.data for name, t in params.items()}
        outbox.fill(gradients, loss)
        communicator.wait([communicator.send(outbox.bytes, 0)], f"rank 0 to take gradient {trainer.step + 1}")
        trainer.step += 1


def _check(trainer: Trainer) -> None:
    if trainer.accumulate > 1:
        raise ConfigError(
            "MG-803",
            "asynchronous training applies each batch's gradient by itself, so accumulate has to be 1.",
        )
    if trainer.device != "cpu":
        raise ConfigError("MG-803", f"asynchronous training works on the CPU, not on {trainer.device}.")
