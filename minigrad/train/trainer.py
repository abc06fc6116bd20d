"""The training loop: updates by the strategy, a row of figures an epoch; all else is a callback."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.data import DataLoader, Dataset
from minigrad.nn import Module
from minigrad.optim import Optimizer
from minigrad.optim.settings import above_zero
from minigrad.train.compiling import Compiling
from minigrad.train.divergence import Divergence
from minigrad.train.evaluation import Evaluation, Loss, evaluate, on_device
from minigrad.train.strategy import SingleProcess, Strategy
from minigrad.train.training import Callback, Penalty, Training, at_least_1

__all__ = ["Evaluation", "Loss", "Penalty", "Trainer", "evaluate", "on_device"]


class Trainer(Training):
    """Trains a model: for each epoch, for each batch, forward, backward and one update.

    Parameters
    ----------
    model, loss, optimizer : what is trained, ``loss(outputs, targets) -> Tensor`` of one number, and its updates.
    callbacks : called in the given order at every event; see ``Callback`` for the events.
    penalty : a function without arguments whose Tensor is added to every batch's loss (L1, L2, ElasticNet).
    accumulate : batches per update; their gradients are averaged (``mg.accumulate``).
    clip_value : cut every gradient entry to ±this before the update. (Clipping by norm: the optimizer's
        ``max_norm``.)
    generators : those that training draws from, by name, for checkpoints; the model's, the loader's and the callbacks'
        own are found without.
    device : where the batches go; the model has to be there already.
    strategy : how batches become updates: ``SingleProcess()``, ``Synchronous(…)`` or ``Asynchronous(…)``.
    compile : whether the updates run as a compiled step (``mg.compile``), with the eager step's bits. By default they
        do where they can, and where not MG-649 says why; with True that is ProgramError, with False all is eager.
        ``ran`` says afterwards which it was.

    ``history`` maps each figure's name to its list, one entry per epoch: ``epoch`` (counted from 1), ``loss`` (mean
    over the epoch's batches, penalty included), ``val_loss`` and ``val_accuracy`` (None without validation), ``lr``
    (of the epoch's last update). A loss that is no finite number stops training with NonFiniteError MG-403, and the
    model gets back the last weights that were good. Losses that grow to ten times the first are warned of (MG-405), and
    the first step runs in debug mode.
    """

    def __init__(
        self,
        model: Module,
        loss: Loss,
        optimizer: Optimizer,
        *,
        callbacks: Sequence[Callback] = (),
        penalty: Penalty | None = None,
        accumulate: int = 1,
        clip_value: float | None = None,
        generators: dict[str, np.random.Generator] | None = None,
        device: str = "cpu",
        strategy: Strategy | None = None,
        compile: bool | None = None,
    ) -> None:
        self.model, self.loss, self.optimizer = model, loss, optimizer
        self.callbacks = list(callbacks)
        self.penalty, self.accumulate = penalty, at_least_1("accumulate", accumulate, "batch")
        self.clip_value = (
            None if clip_value is None else above_zero("clip_value", clip_value, "above 0, or None")
        )
        self.generators = generators or {}
        self.device = device
        self.strategy = strategy or SingleProcess()
        self.epoch = self.step = self.epochs = 0
        self.stopping = False
        self.history = {}
        self.last_loss, self.rate, self.divergence = math.nan, optimizer.rate, Divergence()
        self.seconds_before, self.began = 0.0, None
        self.good_weights = {}
        self.compiling = Compiling(compile)

    def fit(self, loader: DataLoader, validation: Dataset | None, epochs: int) -> dict[str, list[Any]]:
        """Train until ``epochs`` epochs are done in all, those of a loaded checkpoint included; return ``history``.

        A callback ends training early by setting ``trainer.stopping``.
        """
        self.loader, self.validation, self.epochs = loader, validation, epochs
        self.began = time.monotonic()
        for callback in (*self.callbacks, self.strategy):
            callback.on_train_begin(self)
        while self.epoch < epochs and not self.stopping:
            for callback in (*self.callbacks, self.strategy):
                callback.on_epoch_begin(self)
            row = {"epoch": self.epoch + 1, "loss": self._train_epoch(), **self._validate(validation)}
            row["lr"] = self.rate
            self.epoch += 1
            for callback in (*self.callbacks, self.strategy):
                callback.on_epoch_figures(self, row)
            for name, value in row.items():
                self.history.setdefault(name, []).append(value)
            for callback in (*self.callbacks, self.strategy):
                callback.on_epoch_end(self)
        for callback in (*self.callbacks, self.strategy):
            callback.on_train_end(self)
        return self.history

    def _train_epoch(self) -> float:
        """Make an epoch's updates; return the mean loss of its batches."""
        self.model.train()
        self.good_weights = self.model.state_dict()
        self.optimizer.zero_grad()
        total, batches, before = 0.0, 0, self.optimizer.t - self.step
        try:
            for losses in self.strategy.updates(self, self.loader):
                for loss in losses:
                    self.divergence.look(loss, self.step, self.rate)
                    total += loss
                batches += len(losses)
                self.rate = self.optimizer.last_rate
                self.step += 1
                for callback in (*self.callbacks, self.strategy):
                    callback.on_step_end(self)
                self.optimizer.zero_grad()
        except KeyboardInterrupt:
            self.step = self.optimizer.t - before  # some of a stretch's updates may have been made
            raise
        return total / batches

    def _validate(self, validation: Dataset | None) -> dict[str, float | None]:
        if validation is None:
            return {"val_loss": None, "val_accuracy": None}
        loss, accuracy = self.strategy.evaluate(self, validation)
        for schedule in self.optimizer.schedules:
            schedule.observe(loss)
        return {"val_loss": loss, "val_accuracy": accuracy}
