"""A training in progress and its events: what strategies and callbacks work with."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad import backend, modes
from minigrad.data import DataLoader, Dataset
from minigrad.debug import debug
from minigrad.errors import ConfigError, MinigradError, NonFiniteError
from minigrad.nn import Module
from minigrad.optim import Optimizer, clip_grad_value
from minigrad.tensor import Tensor
from minigrad.train.compiling import Compiling
from minigrad.train.divergence import Divergence
from minigrad.train.evaluation import Loss

if TYPE_CHECKING:
    from minigrad.train.strategy import Strategy

Arrays = dict[str, np.ndarray[Any, Any]]
Penalty = Callable[[], Tensor]
_PLAIN = nullcontext()


class Callback:
    """The events of a training, in the order in which they come; a subclass takes up those it wants.

    ``on_train_begin``, then for every epoch ``on_epoch_begin``, ``on_step_end`` after each update (the gradients
    are still there), ``on_epoch_figures`` where figures may be added to the epoch's row of the history,
    ``on_epoch_end`` when the row is in the history, and ``on_train_end`` at last. Each event goes to the callbacks in
    their order in the list, and to the strategy after them.
    """

    def on_train_begin(self, trainer: Training) -> None:
        """Before the first epoch, or the first after a checkpoint was loaded."""

    def on_epoch_begin(self, trainer: Training) -> None:
        """Before the epoch's first batch."""

    def on_step_end(self, trainer: Training) -> None:
        """After an update."""

    def needs_gradients(self, trainer: Training) -> bool:
        """Tell whether ``on_step_end`` looks at the gradients of the coming update.

        Who does not say gets them every time, as long as there is an ``on_step_end``; leaving them costs a compiled
        step some of its speed.
        """
        return type(self).on_step_end is not Callback.on_step_end

    def looks_at(self, trainer: Training) -> float:
        """Return the number of the next update whose ``on_step_end`` has to find everything as that update left it.

        That of others may come when a few more updates have been made, which a compiled step makes at a stretch. Who
        does not say has to see each, as long as there is an ``on_step_end``; never is ``math.inf``. Who looks at an
        update's gradients looks at the update before as well.
        """
        return trainer.step + 1 if type(self).on_step_end is not Callback.on_step_end else math.inf

    def on_epoch_figures(self, trainer: Training, row: dict[str, Any]) -> None:
        """After validation: ``row`` may be read and added to."""

    def on_epoch_end(self, trainer: Training) -> None:
        """When the epoch is in the history."""

    def on_train_end(self, trainer: Training) -> None:
        """After the last epoch."""

    def state(self) -> tuple[dict[str, Any], Arrays]:
        """What a resumed run needs: plain data for JSON, and arrays."""
        return {}, {}

    def load_state(self, plain: Mapping[str, Any], arrays: Arrays) -> None:
        """Take up what ``state`` returned."""


def at_least_1(name: str, value: Any, unit: str) -> int:
    """Return a setting of training that is a whole number from 1; ConfigError MG-802 where it is none."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
        raise ConfigError("MG-802", f"{name} must be 1 {unit} or more, a whole number, not {value!r}.")
    return int(value)


class Training:
    """What is trained, by which settings, and how far it has come. ``Trainer`` makes it and runs the loop."""

    model: Module
    loss: Loss
    optimizer: Optimizer
    strategy: Strategy
    loader: DataLoader  # from fit() on
    validation: Dataset | None = None  # from fit() on
    callbacks: list[Callback]
    penalty: Penalty | None
    accumulate: int
    clip_value: float | None
    generators: dict[str, np.random.Generator]
    device: str

    epoch: int
    step: int
    epochs: int
    stopping: bool
    history: dict[str, list[Any]]
    last_loss: float
    rate: float
    divergence: Divergence
    compiling: Compiling
    seconds_before: float
    began: float | None
    good_weights: Arrays

    def seconds(self) -> float:
        """How long it has trained, the time before it was resumed included."""
        return self.seconds_before + (0.0 if self.began is None else time.monotonic() - self.began)

    def train_step(
        self, x: Any, y: Any, passes: int = 1, backward: Callable[[Tensor], object] = Tensor.backward
    ) -> Tensor:
        """Run one batch forward and backward; return its loss. ``passes`` batches share the coming update.

        ``backward`` is what takes the loss's gradient. Before the first update all of it runs in debug mode.
        """
        with _PLAIN if self.step else debug():
            loss = self.loss_of(x, y)
            with _PLAIN if passes == 1 else modes.accumulate(passes):
                backward(loss)
        return loss

    def loss_of(self, x: Any, y: Any) -> Tensor:
        """Run one batch forward and return its loss, the penalty included."""
        if self.device != "cpu":
            x, y = backend.to_device(x, self.device), backend.to_device(y, self.device)
        loss = self.loss(self.model(Tensor(x)), y)
        return loss if self.penalty is None else loss + self.penalty()

    def make_update(self) -> None:
        """Update the parameters from their gradients, which are clipped entry by entry before where that is wanted."""
        if self.clip_value is not None:
            clip_grad_value(self.model, self.clip_value)
        self.optimizer.step()

    @property
    def needs_gradients(self) -> bool:
        """Whether a callback looks at the coming update's gradients."""
        return any(callback.needs_gradients(self) for callback in self.callbacks)

    @property
    def unwatched(self) -> float:
        """How many updates may be made before somebody has to see what the last of them has left."""
        watching = (*self.callbacks, self.strategy)
        return max(1, min(callback.looks_at(self) for callback in watching) - self.step)

    @property
    def leaves_gradients(self) -> bool:
        """Whether all updates have to leave their gradients: a callback looks, or may look, at each of them."""
        if any(
            type(each).on_step_end is not Callback.on_step_end
            and type(each).needs_gradients is Callback.needs_gradients
            for each in self.callbacks
        ):
            return True
        return len(self.loader) <= self.accumulate and self.needs_gradients

    @property
    def ran(self) -> str:
        """How the training's step ran: ``"compiled"``, or ``"eager: …"`` with the reason."""
        return self.compiling.summary

    def first_non_finite(self, x: Any, y: Any) -> NonFiniteError:
        """Run a batch again under the microscope, to name the operation that failed first."""
        try:
            with debug():
                self.loss_of(x, y)
        except NonFiniteError as error:
            return error
        except MinigradError:
            pass
        return NonFiniteError("MG-403", "the loss is not a finite number.")

    def stopped(self, reason: str, batch_is_finite: bool) -> NonFiniteError:
        """Return the error that ends the training.

        The weights stay where the batch is to blame, else the model gets back those from before they diverged.
        """
        kept = "as they were before this step"
        if batch_is_finite:
            self.model.load_state_dict(self.good_weights)
            kept = "as they were when the epoch began"
        return NonFiniteError(
            "MG-403",
            f"training stopped at step {self.step + 1} (epoch {self.epoch + 1}): {reason} "
            f"Last finite loss {self.last_loss:.4g}, lr = {self.optimizer.rate:.4g}. The weights are kept {kept}. "
            "Try a smaller rate, or clip the gradient.",
        )
