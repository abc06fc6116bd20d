"""Which numbers flow into each dense layer: the ranges that activations are quantised for."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad import modes
from minigrad.compress.surgery import exchanged, linears
from minigrad.errors import ConfigError
from minigrad.nn import Linear, Module
from minigrad.tensor import Tensor, unwrap

METHODS = ("minmax", "percentile")
BATCH = 256

Ranges = dict[str, tuple[float, float]]
"""The lowest and the highest input of each dense layer, by its name."""


class _Watched(Module):
    """A dense layer that keeps copies of its inputs."""

    def __init__(self, layer: Linear) -> None:
        self.layer = layer
        self.seen: list[np.ndarray[Any, Any]] = []

    def forward(self, x: Any) -> Any:
        self.seen.append(np.array(unwrap(x)))
        return self.layer(x)


def input_ranges(model: Module, samples: Any, method: str = "minmax", percentile: float = 99.9) -> Ranges:
    """Run ``samples`` (n, …) through the model, in eval mode, and return the range of each dense layer's input.

    ``minmax`` takes the smallest and the largest number that was seen, so that nothing is cut off. ``percentile``
    leaves out the (100 - percentile) % of the numbers that are farthest from the middle, half of them at each end:
    they are clipped, and all the others get finer steps. Some hundred samples of the training data are enough; all
    that they give in each layer are kept in memory meanwhile.

    Raises ConfigError MG-802 for another method, a percentile outside (50, 100], or no samples.
    """
    if method not in METHODS:
        raise ConfigError("MG-802", f"the calibration is {method!r}; it can be {' or '.join(METHODS)}.")
    if not 50 < percentile <= 100:
        raise ConfigError("MG-802", f"the percentile is {percentile}; it must be above 50 and at most 100.")
    if len(samples) == 0:
        raise ConfigError("MG-802", "there are no samples to calibrate with. Give some of the training data.")
    linears(model)
    watched: dict[str, _Watched] = {}

    def watch(name: str, part: Module) -> Module | None:
        if not isinstance(part, Linear):
            return None
        watched[name] = _Watched(part)
        return watched[name]

    copy = exchanged(model, watch).eval()
    with modes.no_grad():
        for start in range(0, len(samples), BATCH):
            copy(Tensor(samples[start : start + BATCH]))
    return {name: _range(each.seen, method, percentile) for name, each in watched.items()}


def _range(seen: list[np.ndarray[Any, Any]], method: str, percentile: float) -> tuple[float, float]:
    if method == "minmax":
        return float(min(x.min() for x in seen)), float(max(x.max() for x in seen))
    numbers = np.concatenate([x.ravel() for x in seen])
    low, high = np.percentile(numbers, [(100 - percentile) / 2, (100 + percentile) / 2])
    return float(low), float(high)
