"""How batches become updates: a strategy works out each update's gradient; the Trainer makes the update.

``SingleProcess`` is here; ``synchronous.py`` and ``asynchronous.py`` hold those for several processes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import islice

import numpy as np

from minigrad.data import DataLoader, Dataset
from minigrad.errors import NonFiniteError
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

    def evaluate(self, training: Training, validation: Dataset) -> tuple[float, float | None]:
        """Return loss and accuracy on the validation data."""
        found = evaluate(training.model, validation, training.loss, training.device)
        return found.loss, found.accuracy


class SingleProcess(Strategy):
    """All batches here, ``training.accumulate`` of them an update (an epoch's last may get fewer)."""

    def gradients(self, training: Training, loader: DataLoader) -> Iterator[list[float]]:
        """Add up the gradients of the batches of each update."""
        batches = iter(loader)
        while group := list(islice(batches, training.accumulate)):
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
            yield losses
