"""The training loop: batches in, one update a step, a row of figures an epoch; everything else is a callback."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from minigrad import backend, modes
from minigrad.data import DataLoader, Dataset
from minigrad.debug import debug
from minigrad.errors import MinigradError, NonFiniteError
from minigrad.nn import Module
from minigrad.optim import Optimizer, Schedule, clip_grad_value
from minigrad.optim.settings import above_zero
from minigrad.tensor import Tensor
from minigrad.train.callbacks import Callback, at_least_1
from minigrad.train.divergence import Divergence

Loss = Callable[[Tensor, Any], Tensor]
Penalty = Callable[[], Tensor]
EVALUATION_BATCH = 1024


class Evaluation(NamedTuple):
    """What ``evaluate`` found on a dataset."""

    loss: float
    accuracy: float | None
    outputs: np.ndarray[Any, Any]


def evaluate(model: Module, dataset: Dataset, loss: Loss, device: str = "cpu") -> Evaluation:
    """Run the model over a dataset in eval mode, without recording and without changing anything.

    Returns the mean loss over all samples, the share of samples whose largest output is their class (None for
    a regression), and the outputs, one row per sample.
    """
    training = [(module, module.training) for module in model.modules()]
    model.eval()
    total, outputs = 0.0, []
    with modes.no_grad():
        for x, y in DataLoader(dataset, min(EVALUATION_BATCH, len(dataset))):
            predicted = model(on_device(x, device))
            total += float(loss(predicted, backend.to_device(y, device))) * len(x)
            outputs.append(predicted.numpy())
    for module, mode in training:
        module.training = mode
    stacked = np.concatenate(outputs)
    accuracy = None
    if dataset.is_classification:
        accuracy = float(np.mean(stacked.argmax(axis=1) == dataset.y))
    return Evaluation(total / len(dataset), accuracy, stacked)


def on_device(x: np.ndarray[Any, Any], device: str) -> Tensor:
    """Make a Tensor of a batch, where the model is."""
    return Tensor(x if device == "cpu" else backend.to_device(x, device))


class Trainer:
    """Trains a model: for each epoch, for each batch, forward, backward and one update.

    Parameters
    ----------
    model, loss, optimizer : what is trained, ``loss(outputs, targets) -> Tensor`` of one number, and its updates.
    callbacks : called in the given order at every event; see ``Callback`` for the events.
    penalty : a function without arguments whose Tensor is added to every batch's loss (L1, L2, ElasticNet).
    accumulate : batches per update; their gradients are averaged (``mg.accumulate``).
    clip_value : cut every gradient entry to ±this before the update. (Clipping by norm: the optimizer's
        ``max_norm``.)
    generators : every generator that training draws from, by name, so that a checkpoint can hold their states.
    device : where the batches go; the model has to be there already.

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
    ) -> None:
        self.model, self.loss, self.optimizer = model, loss, optimizer
        self.callbacks = list(callbacks)
        self.penalty, self.accumulate = penalty, at_least_1("accumulate", accumulate, "batch")
        self.clip_value = (
            None if clip_value is None else above_zero("clip_value", clip_value, "above 0, or None")
        )
        self.generators = generators or {}
        self.device = device
        self.epoch = 0
        self.step = 0
        self.epochs = 0
        self.stopping = False
        self.history: dict[str, list[Any]] = {}
        self.last_loss = math.nan
        self.rate = optimizer.rate
        self.divergence = Divergence()
        self.seconds_before = 0.0
        self._began: float | None = None
        self._good_weights: dict[str, np.ndarray[Any, Any]] = {}

    def fit(self, loader: DataLoader, validation: Dataset | None, epochs: int) -> dict[str, list[Any]]:
        """Train until ``epochs`` epochs are done in all, those of a loaded checkpoint included; return ``history``.

        A callback ends training early by setting ``trainer.stopping``.
        """
        self.loader, self.epochs = loader, epochs
        self._began = time.monotonic()
        self._tell("on_train_begin")
        while self.epoch < epochs and not self.stopping:
            self._tell("on_epoch_begin")
            row = {"epoch": self.epoch + 1, "loss": self._train_epoch(loader), **self._validate(validation)}
            row["lr"] = self.rate
            self.epoch += 1
            for callback in self.callbacks:
                callback.on_epoch_figures(self, row)
            for name, value in row.items():
                self.history.setdefault(name, []).append(value)
            self._tell("on_epoch_end")
        self._tell("on_train_end")
        return self.history

    def seconds(self) -> float:
        """How long it has trained, the time before it was resumed included."""
        return self.seconds_before + (0.0 if self._began is None else time.monotonic() - self._began)

    def train_step(self, x: np.ndarray[Any, Any], y: np.ndarray[Any, Any], passes: int = 1) -> Tensor:
        """Run one batch forward and backward; return its loss. ``passes`` batches share the coming update."""
        with debug() if self.step == 0 else nullcontext():
            loss = self._loss_of(x, y)
            with modes.accumulate(passes) if passes > 1 else nullcontext():
                self._backward(loss)
        return loss

    def _loss_of(self, x: np.ndarray[Any, Any], y: np.ndarray[Any, Any]) -> Tensor:
        loss = self.loss(self.model(on_device(x, self.device)), backend.to_device(y, self.device))
        return loss if self.penalty is None else loss + self.penalty()

    def _backward(self, loss: Tensor) -> None:
        loss.backward()

    def _train_epoch(self, loader: DataLoader) -> float:
        self.model.train()
        self._good_weights = self.model.state_dict()
        self.optimizer.zero_grad()
        total, batches = 0.0, 0
        for group in self._groups(self._batches(loader)):
            for value in self._gradients(group):
                total += value
                batches += 1
            self._update()
        return total / batches

    def _batches(self, loader: DataLoader) -> Iterator[Any]:
        return iter(loader)

    def _groups(self, batches: Iterator[Any]) -> Iterator[list[Any]]:
        """Batches in groups of ``accumulate``, each of which makes one update; the last may be smaller."""
        while group := list(islice(batches, self.accumulate)):
            yield group

    def _gradients(self, group: list[Any]) -> list[float]:
        """Add up the gradients of a group of batches; return their losses, all of them finite."""
        return [self._checked_step(x, y, len(group)) for x, y in group]

    def _checked_step(self, x: np.ndarray[Any, Any], y: np.ndarray[Any, Any], passes: int) -> float:
        try:
            value = float(self.train_step(x, y, passes).item())
        except NonFiniteError as error:
            raise self._stop(error, x) from error
        if not math.isfinite(value):
            raise self._stop(self._first_non_finite(x, y), x)
        self.divergence.look(value, self.step, self.rate)
        self.last_loss = value
        return value

    def _update(self) -> None:
        if self.clip_value is not None:
            clip_grad_value(self.model, self.clip_value)
        self.rate = self.optimizer.rate
        self.optimizer.step()
        self.step += 1
        self._tell("on_step_end")
        self.optimizer.zero_grad()

    def _validate(self, validation: Dataset | None) -> dict[str, float | None]:
        if validation is None:
            return {"val_loss": None, "val_accuracy": None}
        loss, accuracy = self._evaluate(validation)
        if isinstance(self.optimizer.lr, Schedule):
            self.optimizer.lr.observe(loss)
        return {"val_loss": loss, "val_accuracy": accuracy}

    def _evaluate(self, validation: Dataset) -> tuple[float, float | None]:
        found = evaluate(self.model, validation, self.loss, self.device)
        return found.loss, found.accuracy

    def _first_non_finite(self, x: np.ndarray[Any, Any], y: np.ndarray[Any, Any]) -> NonFiniteError:
        """Run the batch again under the microscope, to name the operation that failed first."""
        try:
            with debug():
                self._loss_of(x, y)
        except NonFiniteError as error:
            return error
        except MinigradError:
            pass
        return NonFiniteError("MG-403", "the loss is not a finite number.")

    def _stop(self, error: NonFiniteError, x: np.ndarray[Any, Any]) -> NonFiniteError:
        return self._stopped(error.message, bool(np.isfinite(x).all()))

    def _stopped(self, reason: str, batch_is_finite: bool) -> NonFiniteError:
        """Keep the weights where the batch is to blame, else those from before they diverged."""
        kept = "as they were before this step"
        if batch_is_finite:
            self.model.load_state_dict(self._good_weights)
            kept = "as they were when the epoch began"
        return NonFiniteError(
            "MG-403",
            f"training stopped at step {self.step + 1} (epoch {self.epoch + 1}): {reason} "
            f"Last finite loss {self.last_loss:.4g}, lr = {self.optimizer.rate:.4g}. The weights are kept {kept}. "
            "Try a smaller rate, or clip the gradient.",
        )

    def _tell(self, event: str) -> None:
        for callback in self.callbacks:
            getattr(callback, event)(self)
