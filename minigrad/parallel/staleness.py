"""Asynchronous training with bounded staleness: a server applies each gradient as it comes, if none gets too old.

A worker reads the weights at some version and brings back a gradient; by then others' gradients may have been applied.
The gradient's staleness is the number of updates between. Without a bound, a slow worker's gradient belongs to weights
long gone; here a fast worker's gradient is held back where it would make another's too stale (in the spirit of Ho et
al. 2013, "More effective distributed ML via a stale synchronous parallel parameter server", which bounds the workers'
clocks).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from minigrad import backend
from minigrad.errors import ConfigError
from minigrad.tensor import Tensor

_HEADER, _LINE = 64, 64  # bytes


class StalenessBound:
    """Who may be applied when: no gradient is ever applied more than ``bound`` updates after its weights were read.

    Gradients under way are kept in the order in which their weights were handed out. The i-th of them (i = 0, 1, …) has
    i older ones that go first, so it is in time as long as version + i - (its version) ≤ bound. That holds for a new
    one where bound ≥ workers - 1. Applying one before its turn makes the older ones staler by one: it is
    allowed where it holds for all of them afterwards. The oldest may always go, so that nobody waits for ever.

    Raises ConfigError MG-802 where the bound is smaller than workers - 1.
    """

    def __init__(self, workers: int, bound: int) -> None:
        if workers < 1 or bound < workers - 1:
            raise ConfigError(
                "MG-802",
                f"staleness is {bound}; with {workers} workers whose gradients are applied one after another it cannot "
                f"be less than {workers - 1}. Take {workers - 1} or more, or train synchronously.",
            )
        self.bound = bound
        self.version = 0
        self.under_way: list[tuple[int, int]] = []
        self.arrived: set[int] = set()

    def hand_out(self, worker: int) -> None:
        """Note that ``worker`` got the present weights."""
        self.under_way.append((worker, self.version))

    def arrive(self, worker: int) -> None:
        """Note that the gradient of ``worker`` is here."""
        self.arrived.add(worker)

    def next(self) -> int | None:
        """Return a worker whose gradient is here and may be applied now, oldest first; None where all have to wait."""
        for ahead, (worker, version) in enumerate(self.under_way):
            if worker in self.arrived:
                return worker
            if self.version + 1 + ahead - version > self.bound:
                return None
        return None

    def apply(self, worker: int) -> int:
        """Note that the gradient of ``worker`` was applied; return its staleness."""
        entry = next(each for each in self.under_way if each[0] == worker)
        self.under_way.remove(entry)
        self.arrived.remove(worker)
        staleness = self.version - entry[1]
        self.version += 1
        return staleness


class Parcel:
    """An array for each parameter, weights or gradients, and eight numbers before them, in one piece of memory."""

    def __init__(self, params: Mapping[str, Tensor]) -> None:
        starts: dict[str, int] = {}
        end = _HEADER
        for name, tensor in params.items():
            starts[name] = end
            end += -(-tensor.size * tensor.dtype.itemsize // _LINE) * _LINE
        self.bytes = np.zeros(end, np.uint8)
        self.header = self.bytes[:_HEADER].view(np.float64)
        self.arrays = {
            name: self.bytes[start : start + params[name].size * params[name].dtype.itemsize]
            .view(params[name].dtype)
            .reshape(params[name].shape)
            for name, start in starts.items()
        }

    def fill(self, arrays: Mapping[str, Any], *header: float) -> None:
        """Copy the arrays in (zeros for one that is None), and the header's first numbers."""
        self.header[: len(header)] = header
        for name, into in self.arrays.items():
            array = arrays[name]
            into[...] = 0 if array is None else backend.to_numpy(array)


def staleness() -> int | None:
    """Return the bound that ``MINIGRAD_STALENESS`` asks for, or None for synchronous training.

    Raises ConfigError MG-802 where it is no whole number of 0 or more.
    """
    text = os.environ.get("MINIGRAD_STALENESS", "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise ConfigError(
            "MG-802", f"MINIGRAD_STALENESS is {text!r}; it takes a number of updates, such as 4."
        )
    return int(text)
