"""What carries a bucket's sum from process to process: messages, or (``shared.py``) memory that all can read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from minigrad.backend import Array

if TYPE_CHECKING:
    from minigrad.parallel.communicator import Communicator, Ticket

LINE = 64
"""Bytes of a cache line; each array begins on one of its own."""


class Carrier(Protocol):
    """Sums a list of arrays over all processes, once a step: fill ``parts``, ``start``, wait, ``take`` each sum."""

    in_background: bool
    """Whether a sum goes on while this process computes, so that it is worth starting early."""

    def parts(self) -> Sequence[Array]:
        """Return the arrays to fill for the next sum; what they hold before is of no meaning."""

    def start(self) -> Ticket:
        """Begin the sum of what the parts hold."""

    def take(self, k: int, out: Array) -> Array:
        """Return the k-th sum when the ticket is done: in ``out``, or in memory that is the caller's from now on."""


class Messages:
    """The arrays lie one after another in one buffer, whose sum is a single ``Communicator.start_sum``."""

    in_background = True

    def __init__(self, communicator: Communicator, examples: Sequence[Array]) -> None:
        self.communicator, self.examples = communicator, examples
        self.places, self.length = places(examples, examples[0].dtype.itemsize)

    def parts(self) -> Sequence[Array]:
        """Return parts of a new buffer: the last one's are gradients now."""
        self.buffer = np.empty_like(self.examples[0], shape=(self.length,))
        self.filled = [
            self.buffer[start : start + example.size].reshape(example.shape)
            for start, example in zip(self.places, self.examples, strict=True)
        ]
        return self.filled

    def start(self) -> Ticket:
        """Begin the buffer's sum. Nobody reads what is in the gaps between arrays."""
        return self.communicator.start_sum(self.buffer)

    def take(self, k: int, out: Array) -> Array:
        """Return the k-th part of the buffer."""
        return self.filled[k]


def places(examples: Sequence[Array], unit: int, after: int = 0) -> tuple[list[int], int]:
    """Return where arrays like these begin when they follow one another, and where the last ends, in ``unit`` bytes."""
    starts, end = [], after
    for example in examples:
        start = end + -end % (LINE // unit)
        end = start + example.size * example.dtype.itemsize // unit
        starts.append(start)
    return starts, end
