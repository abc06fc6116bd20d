"""A trainer among others: each works on its part of every batch, and all make the same update.

n processes that share batches of B samples do what one process does with them, to rounding: the parts' gradients
are weighted by their samples and summed, in one order, so that the same n gives the same bits every time.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from minigrad.data import DataLoader, Dataset
from minigrad.errors import NonFiniteError
from minigrad.parallel import Communicator, GradientAverager, Shard, ShardedGenerator, shard
from minigrad.parallel.communicator import of_all
from minigrad.parallel.manifest import check_same_parameters
from minigrad.tensor import Tensor
from minigrad.train.trainer import Trainer, evaluate

CHECK_EVERY = 100
"""Steps between two comparisons of all processes' parameters."""


class ParallelTrainer(Trainer):
    """Trains as ``Trainer`` does, as one of several processes.

    Parameters as there, and

    communicator : the way to the other processes.
    masks : the generator of the dropout layers; it gives each process the mask of its own samples.
    check_every : steps between two comparisons of the parameters' checksums (ParallelError MG-874).

    Losses and figures are those of the whole batch and the same on every process. A loss that is not finite on one
    of them stops all with the same NonFiniteError MG-403. Whether training ends early, process 0 decides.
    """

    def __init__(
        self,
        *arguments: Any,
        communicator: Communicator,
        masks: ShardedGenerator | None = None,
        check_every: int = CHECK_EVERY,
        **settings: Any,
    ) -> None:
        super().__init__(*arguments, **settings)
        self.communicator, self.masks, self.check_every = communicator, masks, check_every
        self.params = dict(self.model.named_parameters())
        self.averager = GradientAverager(self.params, communicator)
        self._weight = 1.0
        self._last = True

    def _batches(self, loader: DataLoader) -> Iterator[tuple[Any, Any, Shard]]:
        order = loader.order()
        for start, stop in loader.bounds():
            part = shard(self.communicator.rank, self.communicator.size, stop - start)
            yield (*loader.pick(order, start, stop, part.rows), part)

    def _gradients(self, group: list[Any]) -> list[float]:
        losses = np.zeros(len(group))
        failure = None
        for k, (x, y, part) in enumerate(group):
            self._weight, self._last = part.weight, k == len(group) - 1
            try:
                losses[k] = self._weighted_loss(x, y, part, len(group))
            except NonFiniteError as error:
                failure = {"reason": error.message, "finite": bool(np.isfinite(x).all())}
                losses[k:] = math.nan
                break
        place = f"step {self.step + 1}"
        self.averager.start_rest(failed=failure is not None)
        sum_of_losses = self.communicator.start_sum(losses)  # travels while the gradients are waited for
        self.averager.finish(place)
        self.communicator.wait([sum_of_losses], f"the losses at {place}")
        if not np.isfinite(losses).all():
            raise self._stop_all(failure)
        for loss in losses:
            self.divergence.look(float(loss), self.step, self.rate)
        self.last_loss = float(losses[-1])
        return [float(value) for value in losses]

    def _weighted_loss(self, x: Any, y: Any, part: Shard, passes: int) -> float:
        if self.masks is not None:
            self.masks.shard = part
        value = float(self.train_step(x, y, passes).item())
        if not math.isfinite(value):
            raise self._first_non_finite(x, y)
        return part.weight * value

    def _backward(self, loss: Tensor) -> None:
        seed = np.asarray(self._weight, loss.dtype)
        if not self._last:
            return loss.backward(seed)
        with self.averager.listening(loss):
            loss.backward(seed)

    def _stop_all(self, own: dict[str, Any] | None) -> NonFiniteError:
        """Every process raises what the first of them that failed has found."""
        texts = self.communicator.gather(json.dumps(own), "what went wrong")
        found = [(rank, failure) for rank, failure in enumerate(map(json.loads, texts)) if failure]
        if not found:
            return of_all(self._stopped("the sum of all losses is not a finite number.", True))
        rank, failure = found[0]
        return of_all(
            self._stopped(f"on rank {rank}, {failure['reason']}", all(f["finite"] for _, f in found))
        )

    def _evaluate(self, validation: Dataset) -> tuple[float, float | None]:
        part = shard(self.communicator.rank, self.communicator.size, len(validation))
        own = validation.take(np.arange(part.start, part.stop))
        found = evaluate(self.model, own, self.loss, self.device)
        figures = np.array([part.weight * found.loss, part.weight and len(own) * (found.accuracy or 0.0)])
        loss, right = self.communicator.sum(figures, f"the validation of epoch {self.epoch + 1}")
        return float(loss), None if found.accuracy is None else float(round(right) / len(validation))

    def _tell(self, event: str) -> None:
        super()._tell(event)
        if event == "on_step_end" and self.step % self.check_every == 0:
            check_same_parameters(self.communicator, self.params, self.step)
        elif event == "on_epoch_end":
            decided = self.communicator.share(str(int(self.stopping)), f"the end of epoch {self.epoch}")
            self.stopping = decided == "1"
        elif event == "on_train_end":
            check_same_parameters(self.communicator, self.params, self.step)
            self.averager.close()
