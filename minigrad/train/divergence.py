"""A loss that grows instead of falling: noticed from the numbers that the trainer has anyway."""

from __future__ import annotations

from minigrad.errors import warn

GROWN = 10.0
"""So many times the first loss, a mean of the last few is no bad luck any more."""

_FEW = 3


class Divergence:
    """Watches the losses of one training and warns (MG-405) when they have grown ``GROWN``-fold."""

    def __init__(self) -> None:
        self._first: float | None = None
        self._latest: list[float] = []

    def look(self, loss: float, step: int, rate: float) -> None:
        """Take in the loss of a batch, ``step`` updates having been made, the last of them at ``rate``."""
        if self._first is None:
            self._first = loss
        self._latest = [*self._latest[1 - _FEW :], loss]
        mean = sum(self._latest) / _FEW
        if len(self._latest) < _FEW or not mean > GROWN * self._first > 0:
            return
        warn(
            "MG-405",
            f"the loss grows: {mean:.4g} after {step} updates (mean of {_FEW} batches), {mean / self._first:.3g} times "
            f"the first, {self._first:.4g}. lr = {rate:.4g}: steps that are too long overshoot the minimum, each by "
            f"more than the one before. Try lr={rate / 10:.4g}, or clip the gradient.",
        )
