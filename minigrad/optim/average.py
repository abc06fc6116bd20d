"""The average of the weights that a training goes through, which often generalises better than the last of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from minigrad import backend
from minigrad.backend import Array
from minigrad.errors import OptimizerError
from minigrad.ops.half import wide
from minigrad.optim.binding import state_dtype
from minigrad.optim.parameters import Parameters, named
from minigrad.optim.saved import differences
from minigrad.optim.settings import below_one


class EMA:
    r"""An exponential moving average of weights, or their plain mean.

    .. math:: \bar\theta_n = \bar\theta_{n-1} + w_n (\theta_n - \bar\theta_{n-1}),
        \quad w_n = 1 - d, \text{ or } \tfrac{1}{n + 1} \text{ for the mean}, \quad \bar\theta_0 = \theta_0

    - params: a Module, a dict from name to Tensor, or a list of Tensors
    - decay: d, in [0, 1): about 1 / (1 - d) updates are averaged over; None for the mean of all updates

    ``update`` after each step of the optimizer takes the present weights in; the first takes them as they are. Inside
    ``with ema.swapped():`` the model has the averages in the place of its weights, and gets these back at the end;
    ``copy_to_model`` gives it the averages for good. Running statistics and other buffers are the model's own. The
    averages of float16 are of float32.

    Source: Polyak & Juditsky 1992 (the mean); Tarvainen & Valpola 2017, "Mean teachers", eq. 2 (the moving one);
    PyTorch, ``swa_utils.AveragedModel``. Raises MG-507 where ``decay`` is out of its range, MG-519 where the averages
    are not there yet, or are in the model.
    """

    def __init__(self, params: Parameters, decay: float | None = 0.999) -> None:
        self.decay = None if decay is None else below_one("decay", decay, "in [0, 1), or None for the mean")
        self._tensors = named(params)
        self.updates = 0
        self.averages: dict[str, Array] = {
            name: np.zeros_like(tensor.data, dtype=state_dtype(tensor.data))
            for name, tensor in self._tensors.items()
        }
        self._weights: dict[str, Array] | None = None  # the model's own, while it has the averages

    def update(self) -> None:
        """Take the model's present weights into the averages."""
        if self._weights is not None:
            raise OptimizerError(
                "MG-519",
                "update() inside `with ema.swapped():` would average the averages, which the model has there in the "
                "place of its weights. Train outside of the block.",
            )
        first = self.updates == 0
        share = 1 / (self.updates + 1) if first or self.decay is None else 1 - self.decay
        for name, tensor in self._tensors.items():
            average = self.averages[name]
            average += share * (wide(tensor.data) - average)
        self.updates += 1

    @contextmanager
    def swapped(self) -> Iterator[None]:
        """Inside the block the model has the averages in the place of its weights."""
        if self._weights is not None:
            raise OptimizerError("MG-519", "the model has the averages already. Leave the outer block first.")
        kept = {name: tensor.data.copy() for name, tensor in self._tensors.items()}
        self.copy_to_model()
        self._weights = kept
        try:
            yield
        finally:
            self._weights = None
            self._write(kept)

    def copy_to_model(self) -> None:
        """Give the model the averages for its weights; MG-519 before the first update."""
        if self.updates == 0:
            raise OptimizerError(
                "MG-519",
                "there is no average yet: update() takes the weights in, after each step of the optimizer. "
                "opt.step(); ema.update()",
            )
        self._write(self.averages)

    def _write(self, arrays: Mapping[str, Array]) -> None:
        for name, tensor in self._tensors.items():
            tensor.data[...] = arrays[name]
            tensor.bump_version()

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed run needs: ``"updates"``, and the averages by the names of their parameters."""
        arrays = {name: np.array(backend.to_numpy(average)) for name, average in self.averages.items()}
        return {"updates": self.updates, **arrays}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up what ``state_dict`` returned, all or nothing; OptimizerError MG-506 where it does not fit."""
        wrong = differences(self.state_dict(), state)
        if wrong:
            raise OptimizerError(
                "MG-506",
                f"this state does not fit the averages of weights: {'; '.join(wrong)}. Build them for the same model.",
            )
        for name, average in self.averages.items():
            average[...] = backend.to_device(state[name], backend.device_of(average))
        self.updates = int(state["updates"])
