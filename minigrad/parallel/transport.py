"""What takes a bucket's sum from process to process: messages, or (``shared.py``) memory that all can read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from minigrad.backend import Array

LINE = 64
"""Bytes of a cache line; each array begins on one of its own."""


class Work(Protocol):
    """Something that goes on by itself: a sum, a message."""

    def done(self) -> bool:
        """Tell whether it is done; asking also moves it on."""


class Transport(Protocol):
    """Sums a list of arrays over all processes, once a step: fill ``buffers``, ``start``, wait, get each ``result``."""

    in_background: bool
    """Whether a sum goes on while this process computes, so that it is worth starting early."""

    def buffers(self) -> Sequence[Array]:
        """Return the arrays to fill for the next sum; what they hold before is of no meaning."""

    def start(self) -> Work:
        """Begin the sum of what the buffers hold."""

    def result(self, k: int, out: Array) -> Array:
        """Return the k-th sum when the work is done: in ``out``, or in memory that is the caller's from now on."""


class MessageTransport:
    """The arrays lie one after another in one buffer, which ``start_sum`` sums in one go."""

    in_background = True

    def __init__(self, start_sum: Callable[[Array], Work], examples: Sequence[Array]) -> None:
        self.start_sum, self.examples = start_sum, examples
        self.starts, self.length = offsets(examples, examples[0].dtype.itemsize)

    def buffers(self) -> Sequence[Array]:
        """Return parts of a new buffer: the last one's are gradients now."""
        self.buffer = np.empty_like(self.examples[0], shape=(self.length,))
        self.filled = [
            self.buffer[start : start + example.size].reshape(example.shape)
            for start, example in zip(self.starts, self.examples, strict=True)
        ]
        return self.filled

    def start(self) -> Work:
        """Begin the buffer's sum. Nobody reads what is in the gaps between arrays."""
        return self.start_sum(self.buffer)

    def result(self, k: int, out: Array) -> Array:
        """Return the k-th part of the buffer."""
        return self.filled[k]


def offsets(examples: Sequence[Array], unit: int, after: int = 0) -> tuple[list[int], int]:
    """Return where arrays like these begin when they follow one another, and where the last ends, in ``unit`` bytes."""
    starts, end = [], after
    for example in examples:
        start = end + -end % (LINE // unit)
        end = start + example.size * example.dtype.itemsize // unit
        starts.append(start)
    return starts, end
