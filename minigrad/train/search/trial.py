"""One trial: a config is trained and judged by its validation data; its test data are not looked at."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from minigrad.errors import MinigradWarning, NonFiniteError
from minigrad.train.build import build
from minigrad.train.callbacks import Callback
from minigrad.train.config import Config
from minigrad.train.prepare import Prepared
from minigrad.train.run import take_weights
from minigrad.train.training import Training

Report = Callable[[int, float], bool]
"""Called with an epoch and its validation loss; returns whether the trial is hopeless and ends here."""
REPORTS = 20
"""At most about so many epochs are reported."""


class Outcome(NamedTuple):
    """How a trial ended.

    ``loss`` and ``accuracy`` are those of the weights that the run would end with on the validation data: the last
    epoch's, or with ``patience`` the best one's. None where it diverged; of a pruned trial, those when it was.
    """

    state: Literal["complete", "pruned", "diverged"]
    loss: float | None
    accuracy: float | None
    epochs: int
    seconds: float


class _Watch(Callback):
    def __init__(self, report: Report) -> None:
        self.report, self.hopeless = report, False

    def on_epoch_end(self, trainer: Training) -> None:
        loss = trainer.history["val_loss"][-1]
        if not math.isfinite(loss):
            raise NonFiniteError("MG-403", "the validation loss is not a finite number.")
        every = -(-trainer.epochs // REPORTS)
        if trainer.epoch % every == 0 and trainer.epoch < trainer.epochs and not trainer.stopping:
            self.hopeless = self.report(trainer.epoch, loss)
            trainer.stopping = self.hopeless


def train(config: Config, data: Prepared, report: Report) -> Outcome:
    """Train ``config`` on ``data``, which has a validation part. A training that blows up is an outcome, no error."""
    began = time.monotonic()
    watch = _Watch(report)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MinigradWarning)
        warnings.simplefilter("ignore", RuntimeWarning)  # NumPy's, of what ends as "diverged"
        session = build(config, data)
        if config.start_from:
            take_weights(config, session.model)
        trainer = session.trainer
        trainer.callbacks.append(watch)
        try:
            trainer.fit(session.loader, data.validation, config.epochs)
        except NonFiniteError:
            return Outcome("diverged", None, None, trainer.epoch, time.monotonic() - began)
    loss, accuracy = reached(config, trainer.history)
    state: Any = "pruned" if watch.hopeless else "complete"
    return Outcome(state, loss, accuracy, trainer.epoch, time.monotonic() - began)


def reached(config: Config, history: dict[str, list[Any]]) -> tuple[float, float | None]:
    """Return the validation loss and accuracy of the weights that a training with this history ends with."""
    losses = history["val_loss"]
    epoch = losses.index(min(losses)) if config.patience else len(losses) - 1
    return losses[epoch], history["val_accuracy"][epoch]
