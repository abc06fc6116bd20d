"""Mini-batches (D0 section 4, D1 section 3.3): whole batches by array indexing, never sample by sample."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minigrad.data.augment import Transform
from minigrad.data.dataset import Array, Dataset
from minigrad.errors import DataError


class DataLoader:
    """Iterate over a dataset's mini-batches: pairs of arrays x (batch, ...) and y (batch, ...).

    One ``for`` over the loader is an epoch. ``len(loader)`` is the number of batches in an epoch at the
    present batch size.

    Args:
        dataset: where the batches come from.
        batch_size: samples a batch; it may be changed at any time and counts from the next batch on.
        rng: shuffles: each epoch draws one permutation when it starts, and ``transform`` draws from the same
            generator. A generator in the same state repeats the epoch exactly. Without one the batches come
            in the dataset's order and are views of its arrays: do not write into them.
        drop_last: leave out the last batch where it is smaller than the others.
        transform: a function ``(x, rng) -> x`` applied to each batch, such as those of ``augment``.

    Raises:
        DataError: MG-709, the batch size is no whole number above 0, the dataset is smaller than one batch
            with ``drop_last``, or a transform has no generator.
    """

    def __init__(
        self,
        dataset: Dataset,
        batch_size: int,
        rng: np.random.Generator | None = None,
        drop_last: bool = False,
        transform: Transform | None = None,
    ) -> None:
        if transform is not None and rng is None:
            raise DataError(
                "MG-709",
                "DataLoader got a transform and no generator for it to draw from. "
                "Pass rng=np.random.default_rng(seed).",
            )
        self.dataset = dataset
        self.batch_size = batch_size
        self.rng = rng
        self.drop_last = drop_last
        self.transform = transform

    @property
    def batch_size(self) -> int:
        """Samples a batch; settable at any time, also during an epoch (D1 section 4.3)."""
        return self._batch_size

    @batch_size.setter
    def batch_size(self, value: int) -> None:
        self._batch_size = _checked_size(value)

    def __len__(self) -> int:
        full, rest = divmod(len(self.dataset), self._batch_size)
        return full + (rest > 0 and not self.drop_last)

    def __iter__(self) -> Iterator[tuple[Array, Array]]:
        if len(self) == 0:
            raise DataError(
                "MG-709",
                f"an epoch has no batch: {self.dataset.name!r} has {len(self.dataset)} samples, fewer than "
                f"batch_size={self._batch_size}, and drop_last leaves out what is smaller.",
            )
        return self._batches()

    def _batches(self) -> Iterator[tuple[Array, Array]]:
        order = self.order()
        for start, stop in self.bounds():
            yield self.pick(order, start, stop)

    def order(self) -> Array | None:
        """Draw the permutation of the next epoch; None where the dataset's order stays."""
        return None if self.rng is None else self.rng.permutation(len(self.dataset))

    def bounds(self) -> Iterator[tuple[int, int]]:
        """Where each batch of an epoch starts and ends, at the batch size of that moment."""
        start, end = 0, len(self.dataset)
        while start < end:
            stop = start + self._batch_size
            if stop > end and self.drop_last:
                return
            yield start, min(stop, end)
            start = stop

    def pick(
        self, order: Array | None, start: int, stop: int, rows: slice = slice(None)
    ) -> tuple[Array, Array]:
        """Return the batch from ``start`` to ``stop`` of an epoch in this ``order``, or some ``rows`` of it.

        A transform is applied to the whole batch, so that the generator draws the same whatever rows are wanted.
        """
        x, y, transform = self.dataset.x, self.dataset.y, self.transform
        if order is None:
            return x[start:stop][rows], y[start:stop][rows]
        chosen = order[start:stop]
        if transform is None:
            return x.take(chosen[rows], axis=0), y.take(chosen[rows], axis=0)
        assert self.rng is not None
        return transform(x.take(chosen, axis=0), self.rng)[rows], y.take(chosen[rows], axis=0)

    def state(self) -> dict[str, Any]:
        """Return batch size and generator state as plain data for JSON.

        Saved between two epochs and given to ``load_state``, it makes the next epoch the same to the bit.
        """
        return {
            "batch_size": self._batch_size,
            "rng": None if self.rng is None else generator_state(self.rng),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Restore what ``state()`` returned. Raises DataError MG-709 where it does not fit this loader."""
        try:
            batch_size, saved = state["batch_size"], state["rng"]
        except (KeyError, TypeError) as error:
            raise DataError("MG-709", f"not the state of a DataLoader ({error!r}).") from error
        if (saved is None) != (self.rng is None):
            raise DataError("MG-709", "one of the saved loader and this one shuffles and the other does not.")
        batch_size = _checked_size(batch_size)
        if self.rng is not None:
            load_generator_state(self.rng, saved)
        self._batch_size = batch_size


def _checked_size(value: int) -> int:
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < 1:
        raise DataError("MG-709", f"batch_size must be a whole number above 0; got {value!r}.")
    return int(value)


def generator_state(rng: np.random.Generator) -> dict[str, Any]:
    """Return a generator's state as plain data for JSON."""
    state: dict[str, Any] = _plain(rng.bit_generator.state)
    return state


def load_generator_state(rng: np.random.Generator, state: dict[str, Any]) -> None:
    """Put a generator into a saved state. Raises DataError MG-709 where it is of another kind."""
    before = rng.bit_generator.state
    try:
        rng.bit_generator.state = state
    except (KeyError, TypeError, ValueError, OverflowError, IndexError) as error:
        rng.bit_generator.state = before
        kind = type(rng.bit_generator).__name__
        raise DataError("MG-709", f"not the saved state of a {kind} generator ({error}).") from error


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value
