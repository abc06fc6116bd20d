"""What may happen beside training: stopping early, saving, counting, growing batches. One class each."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from minigrad.errors import ConfigError, warn
from minigrad.optim import EMA
from minigrad.train.training import Arrays, Callback, Training, at_least_1

__all__ = [
    "AverageWeights",
    "Callback",
    "EarlyStopping",
    "GradientStatistics",
    "GrowBatch",
    "SuspiciousStart",
]


class EarlyStopping(Callback):
    """End training when the validation loss has not improved for ``patience`` epochs (D2 section 2, D0).

    A loss of any sign may improve; one that is NaN or infinite never does. Raises MG-802 where patience is no whole
    number from 1.

    The model always ends with the weights of its best epoch, whether training was ended early or not.
    """

    def __init__(self, patience: int) -> None:
        self.patience = at_least_1("patience", patience, "epoch")
        self.best = math.inf
        self.best_epoch = 0
        self.weights: Arrays = {}

    def on_epoch_end(self, trainer: Training) -> None:
        """Compare with the best epoch so far."""
        loss = trainer.history["val_loss"][-1]
        if loss is None:
            raise ConfigError(
                "MG-803", "early stopping needs validation data: give validation a share above 0."
            )
        if math.isfinite(loss) and loss < self.best:
            self.best, self.best_epoch = loss, trainer.epoch
            self.weights = trainer.model.state_dict()
        elif trainer.epoch - self.best_epoch >= self.patience:
            trainer.stopping = True

    def on_train_end(self, trainer: Training) -> None:
        """Put the best weights back."""
        if self.weights:
            trainer.model.load_state_dict(self.weights)

    def state(self) -> tuple[dict[str, Any], Arrays]:
        """The best epoch and its weights."""
        return {"best": self.best, "best_epoch": self.best_epoch}, self.weights

    def load_state(self, plain: Mapping[str, Any], arrays: Arrays) -> None:
        """Take up the best epoch and its weights."""
        self.best, self.best_epoch, self.weights = (
            float(plain["best"]),
            int(plain["best_epoch"]),
            dict(arrays),
        )


class AverageWeights(Callback):
    """Average the weights over the updates (``optim.EMA``), and give the model the averages at the end of training.

    With validation data, ``average_val_loss`` and ``average_val_accuracy`` in the history are those of the averages;
    ``val_loss``, by which other callbacks decide, stays that of the weights that are trained.
    """

    def __init__(self, decay: float | None = 0.999) -> None:
        self.decay = decay
        self.ema: EMA | None = None
        self._loaded: tuple[Mapping[str, Any], Arrays] | None = None

    def on_train_begin(self, trainer: Training) -> None:
        """Begin with the model's weights, or where the checkpoint left off."""
        if self.ema is None:
            self.ema = EMA(trainer.model, self.decay)
        if self._loaded is not None:
            plain, arrays = self._loaded
            self.ema.load_state_dict({**plain, **arrays})
            self._loaded = None

    def on_step_end(self, trainer: Training) -> None:
        """Take the new weights in."""
        assert self.ema is not None
        self.ema.update()

    def needs_gradients(self, trainer: Training) -> bool:
        """Never."""
        return False

    def on_epoch_figures(self, trainer: Training, row: dict[str, Any]) -> None:
        """Evaluate the averages as well."""
        loss, accuracy = None, None
        if trainer.validation is not None and self.ema is not None:
            with self.ema.swapped():
                loss, accuracy = trainer.strategy.evaluate(trainer, trainer.validation)
        row["average_val_loss"], row["average_val_accuracy"] = loss, accuracy

    def on_train_end(self, trainer: Training) -> None:
        """Give the model the averages."""
        if self.ema is not None and self.ema.updates:
            self.ema.copy_to_model()

    def state(self) -> tuple[dict[str, Any], Arrays]:
        """The averages, and of how many updates they are."""
        if self.ema is None:
            return {}, {}
        arrays = self.ema.state_dict()
        return {"updates": arrays.pop("updates")}, arrays

    def load_state(self, plain: Mapping[str, Any], arrays: Arrays) -> None:
        """Take up the averages, as soon as training begins."""
        self._loaded = (dict(plain), dict(arrays)) if plain else None


class GrowBatch(Callback):
    """Double the batch size every ``every`` epochs, up to ``limit`` (D1 section 3.3: batch size adjustment)."""

    def __init__(self, every: int, limit: int) -> None:
        self.every, self.limit = at_least_1("every", every, "epoch"), at_least_1("limit", limit, "sample")

    def on_epoch_end(self, trainer: Training) -> None:
        """Double it when its time has come."""
        if trainer.epoch % self.every == 0:
            trainer.loader.batch_size = min(2 * trainer.loader.batch_size, self.limit)


class GradientStatistics(Callback):
    """Add the size of the epoch's last gradient to the history, and of its update.

    ``grad_norm`` is the 2-norm over all parameters; ``update_ratio`` is the 2-norm of the last update divided by that
    of the parameters, about 1e-3 in a training that goes well.
    """

    last = 0
    """The number of the epoch's last update."""

    def on_epoch_begin(self, trainer: Training) -> None:
        """Count the epoch's updates anew."""
        batches = -(-len(trainer.loader) // trainer.accumulate)
        self.last = trainer.step + batches
        self.before: list[Any] = []
        self.figures: dict[str, float | None] = {"grad_norm": None, "update_ratio": None}
        self._remember(trainer)

    def on_step_end(self, trainer: Training) -> None:
        """Measure the last update against the weights remembered before it."""
        if trainer.step < self.last - 1:
            return
        if trainer.step == self.last:
            params = trainer.model.parameters()
            weights = [p.numpy() for p in params]
            updates = [w - b for w, b in zip(weights, self.before, strict=True)]
            grads = [p.grad.numpy() for p in params if p.grad is not None]
            self.figures = {
                "grad_norm": _norm(grads),
                "update_ratio": _norm(updates) / (_norm(weights) or 1.0),
            }
        else:
            self._remember(trainer)

    def needs_gradients(self, trainer: Training) -> bool:
        """Those of the epoch's last update."""
        return trainer.step == self.last - 1

    def looks_at(self, trainer: Training) -> float:
        """The epoch's last update, and the one before."""
        return max(trainer.step + 1, self.last - 1)

    def _remember(self, trainer: Training) -> None:
        if trainer.step == self.last - 1:
            self.before = [p.numpy().copy() for p in trainer.model.parameters()]

    def on_epoch_figures(self, trainer: Training, row: dict[str, Any]) -> None:
        """Add the two figures."""
        row.update(self.figures)


def _norm(arrays: list[Any]) -> float:
    return math.sqrt(sum(float(np.vdot(a, a)) for a in arrays))


class SuspiciousStart(Callback):
    """Warn (MG-404) where the first loss is far from ln(classes), that of a net which has learnt nothing."""

    def __init__(self, classes: int) -> None:
        self.expected = math.log(classes)

    def on_step_end(self, trainer: Training) -> None:
        """Look at the first loss only."""
        if trainer.step == 1 and trainer.last_loss > 3 * self.expected:
            warn(
                "MG-404",
                f"first loss {trainer.last_loss:.3g}; an untrained {round(math.exp(self.expected))}-class net starts "
                f"near ln {round(math.exp(self.expected))} = {self.expected:.3f}. "
                "Check the input scale (0..255?) and the initial weights.",
            )

    def needs_gradients(self, trainer: Training) -> bool:
        """Never."""
        return False

    def looks_at(self, trainer: Training) -> float:
        """Never: the loss is handed on."""
        return math.inf
