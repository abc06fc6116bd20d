"""How batches become updates: a strategy works out each update's gradient, and makes it.

``SingleProcess`` is here; ``synchronous.py`` and ``asynchronous.py`` hold those for several processes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np
from minigrad_kernels import driver
from minigrad_kernels.loops import called_by

from minigrad.data import DataLoader, Dataset
from minigrad.errors import NonFiniteError
from minigrad.program.batches import Batches, grouped
from minigrad.train.compiling import NotFinite
from minigrad.train.evaluation import evaluate
from minigrad.train.training import Callback, Training


class Strategy(Callback):
    """What a ``Trainer`` asks for its gradients. It gets every event too, after the callbacks."""

    def gradients(self, training: Training, loader: DataLoader) -> Iterator[list[float]]:
        """For each update of an epoch, put its gradient into ``.grad`` and yield the losses of its batches.

        The update is made before the next is asked for. Raises NonFiniteError MG-403 where a loss is not finite;
        ``training.last_loss`` is the last one that was.
        """
        raise NotImplementedError

    uncompiled = "the strategy works out each update's gradient by itself"
    """Why its updates are no compiled steps."""

    def updates(self, training: Training, loader: DataLoader) -> Iterator[list[float]]:
        """Make each update of an epoch and yield the losses of its batches."""
        training.compiling.refuse(self.uncompiled)
        for losses in self.gradients(training, loader):
            training.make_update()
            yield losses

    def evaluate(self, training: Training, validation: Dataset) -> tuple[float, float | None]:
        """Return loss and accuracy on the validation data."""
        found = evaluate(training.model, validation, training.loss, training.device)
        return found.loss, found.accuracy


class SingleProcess(Strategy):
    """All batches here, ``training.accumulate`` of them an update (an epoch's last may get fewer)."""

    def updates(self, training: Training, loader: DataLoader) -> Iterator[list[float]]:
        """Make each update, as a compiled step where that can be, and at a stretch those at which nobody looks."""
        batches = grouped(loader, training.accumulate)
        while (arguments := batches.peek()) is not None:
            made = _compiled(training, batches, *arguments)
            if made is None:
                # the exception, for which a process that finds the loops' entries compiled does without Numba
                with nullcontext() if training.compiling.reason else called_by(driver.call):
                    made = [_eager(training, *arguments)]
                batches.advance(1)
            for losses in made:
                training.last_loss = losses[-1]
                yield losses


def _eager(training: Training, group: Sequence[tuple[Any, Any]]) -> list[float]:
    losses = []
    for x, y in group:
        try:
            loss = training.train_step(x, y, len(group)).item()
            if not math.isfinite(loss):
                raise training.first_non_finite(x, y)
        except NonFiniteError as error:
            raise training.stopped(error.message, bool(np.isfinite(x).all())) from error
        training.last_loss = loss
        losses.append(loss)
    training.make_update()
    if training.compiling.failed is not None:
        training.compiling.give_up()
    return losses


def _compiled(
    training: Training, batches: Batches, group: Sequence[tuple[Any, Any]]
) -> Sequence[list[float]] | None:
    """Make some updates, of which ``group`` is the first one's; None where that has to be eager."""
    try:
        return training.compiling.updates(training, batches)
    except NotFinite as error:
        training.last_loss = [training.last_loss, *error.before][-1]
        x, y = group[len(error.before)]
        found = training.first_non_finite(x, y)
        raise training.stopped(found.message, bool(np.isfinite(x).all())) from None
