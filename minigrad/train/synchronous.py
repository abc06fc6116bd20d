"""Synchronous training on several processes: each works on its part of every batch, and all make the same update.

n processes that share batches of B samples do what one process does with them, to rounding: the parts' gradients
are weighted by their samples and summed, in one order, so that the same n gives the same bits every time.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import nullcontext
from itertools import islice
from typing import Any

import numpy as np

from minigrad import nn
from minigrad.data import DataLoader, Dataset
from minigrad.errors import ConfigError, NonFiniteError, warn
from minigrad.parallel import Communicator, GradientAverager, Shard, ShardedGenerator, shard
from minigrad.parallel.averager import BUCKET
from minigrad.parallel.communicator import of_all
from minigrad.parallel.manifest import check_same_parameters
from minigrad.tensor import Tensor
from minigrad.train.evaluation import evaluate
from minigrad.train.strategy import Strategy
from minigrad.train.training import Training

CHECK_EVERY = 100
"""Steps between two comparisons of all processes' parameters."""


STATISTICS = ("running_mean", "running_var")


class Synchronous(Strategy):
    """Every process computes its part of each batch's gradient, and the parts are summed.

    Parameters
    ----------
    communicator : the way to the other processes.
    masks : the generator of the dropout layers, a ``ShardedGenerator``, which gives each process its samples' mask.
    check_every : steps between two comparisons of the parameters' checksums (ParallelError MG-874).
    bucket_bytes : gradients that are summed together, in bytes.

    Losses and figures are those of the whole batch and the same on every process. A loss that is not finite on one
    of them stops all with the same NonFiniteError MG-403. Whether training ends early, process 0 decides.
    """

    uncompiled = "the processes' gradients are summed between backward and update"

    def __init__(
        self,
        communicator: Communicator,
        masks: np.random.Generator | None = None,
        check_every: int = CHECK_EVERY,
        bucket_bytes: int = BUCKET,
    ) -> None:
        self.communicator, self.masks = communicator, masks
        self.check_every, self.bucket_bytes = check_every, bucket_bytes

    def on_train_begin(self, trainer: Training) -> None:
        """Divide the parameters among the sums; see that the network can be trained in parts."""
        _check(trainer.model)
        self.params = dict(trainer.model.named_parameters())
        self.averager = GradientAverager(self.params, self.communicator, self.bucket_bytes)

    def gradients(self, training: Training, loader: DataLoader) -> Iterator[list[float]]:
        """Sum the gradients of all processes' parts of the batches of each update."""
        batches = self._parts(loader)
        while group := list(islice(batches, training.accumulate)):
            yield self._summed(training, group)

    def _parts(self, loader: DataLoader) -> Iterator[tuple[Any, Any, Shard]]:
        order = loader.order()
        for start, stop in loader.bounds():
            part = shard(self.communicator.rank, self.communicator.size, stop - start)
            yield (*loader.pick(order, start, stop, part.rows), part)

    def _summed(self, training: Training, group: list[tuple[Any, Any, Shard]]) -> list[float]:
        losses = np.zeros(len(group))
        failure = None
        for k, (x, y, part) in enumerate(group):
            try:
                losses[k] = self._weighted_loss(training, x, y, part, len(group), k == len(group) - 1)
            except NonFiniteError as error:
                failure = {"reason": error.message, "finite": bool(np.isfinite(x).all())}
                losses[k:] = math.nan
                break
        when = f"step {training.step + 1}"
        self.averager.start_rest(failed=failure is not None)
        sum_of_losses = self.communicator.start_sum(losses)  # travels while the gradients are waited for
        self.averager.finish(when)
        self.communicator.wait([sum_of_losses], f"the losses at {when}")
        if not np.isfinite(losses).all():
            raise self._stop_all(training, failure)
        training.last_loss = float(losses[-1])
        return [float(value) for value in losses]

    def _weighted_loss(
        self, training: Training, x: Any, y: Any, part: Shard, passes: int, is_last: bool
    ) -> float:
        if isinstance(self.masks, ShardedGenerator):
            self.masks.shard = part

        def backward(loss: Tensor) -> None:
            with self.averager.listening(loss) if is_last else nullcontext():
                loss.backward(np.asarray(part.weight, loss.dtype))

        loss = float(training.train_step(x, y, passes, backward).item())
        if not math.isfinite(loss):
            raise training.first_non_finite(x, y)
        return part.weight * loss

    def _stop_all(self, training: Training, own: dict[str, Any] | None) -> NonFiniteError:
        """Every process raises what the first of them that failed has found."""
        texts = self.communicator.gather(json.dumps(own), "what went wrong")
        found = [(rank, failure) for rank, failure in enumerate(map(json.loads, texts)) if failure]
        if not found:
            return of_all(training.stopped("the sum of all losses is not a finite number.", True))
        rank, failure = found[0]
        finite = all(each["finite"] for _, each in found)
        return of_all(training.stopped(f"on rank {rank}, {failure['reason']}", finite))

    def evaluate(self, training: Training, validation: Dataset) -> tuple[float, float | None]:
        """Evaluate a part of the data here, and sum the parts' figures."""
        when = f"the validation of epoch {training.epoch + 1}"
        self._share_statistics(training, when)
        part = shard(self.communicator.rank, self.communicator.size, len(validation))
        own = validation.take(np.arange(part.start, part.stop))
        found = evaluate(training.model, own, training.loss, training.device)
        figures = np.array([part.weight * found.loss, part.weight and own.y.size * (found.accuracy or 0.0)])
        loss, right = self.communicator.sum(figures, when)
        return float(loss), None if found.accuracy is None else float(round(right) / validation.y.size)

    def _share_statistics(self, training: Training, when: str) -> None:
        """Let every process have the mean of all processes' running statistics."""
        for part in training.model.modules():
            for buffer in (getattr(part, name, None) for name in STATISTICS):
                if buffer is not None:
                    mean = self.communicator.sum(buffer.data / self.communicator.size, when)
                    buffer.data[...] = mean

    def on_step_end(self, trainer: Training) -> None:
        """Compare the processes' parameters now and then."""
        if trainer.step % self.check_every == 0:
            check_same_parameters(self.communicator, self.params, trainer.step)

    def on_epoch_end(self, trainer: Training) -> None:
        """Stop where process 0 does; have the same running statistics everywhere."""
        self._share_statistics(trainer, f"the end of epoch {trainer.epoch}")
        decided = self.communicator.share(str(int(trainer.stopping)), f"the end of epoch {trainer.epoch}")
        trainer.stopping = decided == "1"

    def on_train_end(self, trainer: Training) -> None:
        """Compare the parameters a last time, and give back the memory that sums travel through."""
        check_same_parameters(self.communicator, self.params, trainer.step)
        self.averager.close()


def _check(model: nn.Module) -> None:
    """Say where several processes cannot do what one does, or do something else than it."""
    names = model.named_modules()
    for name, part in names.items():
        if isinstance(part, (nn.RNN, nn.GRU, nn.LSTM)) and part.num_layers > 1 and part.dropout:
            raise ConfigError(
                "MG-674",
                f"layer '{name}' ({part.describe()}) drops {part.dropout:g} of what goes from layer to layer, and each "
                "process would draw another mask than one process does. Train it on one process, or with dropout 0.",
            )
    normalising = [name for name, part in names.items() if getattr(part, STATISTICS[0], None) is not None]
    if normalising:
        warn(
            "MG-675",
            f"{len(normalising)} layers ({normalising[0]!r} first) normalise over the batch, and each process sees its "
            "part of it: the run ends elsewhere than on one process. Their running statistics are averaged after each "
            "epoch. nn.GroupNorm does not depend on the batch.",
        )
