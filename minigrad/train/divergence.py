"""A loss that grows instead of falling: noticed from the numbers that the trainer has anyway."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minigrad.errors import warn

GROWN = 10.0
"""So many times the first loss, a mean of the last few is no bad luck any more."""

_FEW = 3


class Divergence:
    """Watches the losses of one training and warns once (MG-405) when they have grown ``GROWN``-fold."""

    def __init__(self) -> None:
        self._first: float | None = None
        self._latest: list[float] = []
        self._warned = False

    def look(self, loss: float, step: int, rate: float) -> None:
        """Take in the loss of a batch, ``step`` updates having been made, the last of them at ``rate``."""
        if self._first is None:
            self._first = loss
        self._latest = [*self._latest[1 - _FEW :], loss]
        mean = sum(self._latest) / _FEW
        if self._warned or len(self._latest) < _FEW or not mean > GROWN * self._first > 0:
            return
        self._warned = True
        warn(
            "MG-405",
            f"the loss grows: {mean:.4g} after {step} updates (mean of {_FEW} batches), {mean / self._first:.3g} times "
            f"the first, {self._first:.4g}. lr = {rate:.4g}: steps that are too long overshoot the minimum, each by "
            f"more than the one before. Try lr={rate / 10:.4g}, or clip the gradient.",
        )

    def state(self) -> dict[str, Any]:
        """What a resumed training has to know: the first loss is that of the whole training."""
        return {"first": self._first, "latest": self._latest, "told": self._warned}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take up what ``state`` returned."""
        first = state["first"]
        self._first = None if first is None else float(first)
        self._latest = [float(loss) for loss in state["latest"]]
        self._warned = bool(state["told"])
