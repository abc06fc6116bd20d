"""A rate that is reduced when a metric has stopped falling."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from minigrad.errors import ConfigError, MinigradError, OptimizerError, warn
from minigrad.optim.schedules.base import Schedule, floor_of
from minigrad.optim.settings import below_one, count, from_zero, number, whole


@dataclass
class ReduceLROnPlateau(Schedule):
    r"""Reduce the rate when a metric has stopped falling.

    .. math:: \eta \leftarrow \max(\gamma \eta, \eta_{min})
        \text{ once more than } p \text{ observations in a row did not improve}

    - rate: η, the rate at the start and, from then on, the present one
    - factor: γ, in (0, 1)
    - patience: p, in observations, one an epoch as a rule
    - threshold: an observation improves where it is below best - threshold · \|best\|
    - floor: η_min, from 0 to η

    The metric is a loss, of either sign, where less is better (hand in 1 - accuracy for accuracy). NaN and infinity
    never improve, and are warned of (MG-409). The step plays no part in it: the rate changes in ``observe`` alone, and
    never grows.

    Source: PyTorch, ``ReduceLROnPlateau`` (mode min, relative threshold, no cooldown), whose best · (1 - threshold)
    is the same for a positive metric; of a negative one it would take a worsening for an improvement. Named in D0 3.4.
    """

    rate: float
    factor: float = 0.1
    patience: int = 10
    threshold: float = 1e-4
    floor: float = 0.0
    best: float | None = field(default=None, init=False)
    waited: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.rate = from_zero("rate", self.rate)
        self.factor = number("factor", self.factor, "above 0 and below 1", lambda x: 0 < x < 1)
        self.patience = whole("patience", self.patience, 0)
        self.threshold = below_one("threshold", self.threshold)
        self.floor = floor_of(self.floor, self.rate)

    def __call__(self, step: int) -> float:
        """Return the present rate."""
        count(step)
        return self.rate

    def observe(self, metric: float) -> None:
        """Take note of the metric, and reduce the rate where it has not improved for too long.

        Raises MG-507 where the metric is no number.
        """
        value = _metric(metric)
        if not math.isfinite(value):
            warn(
                "MG-409",
                f"ReduceLROnPlateau was given {value} as the metric, which counts as no improvement on "
                f"{'any number' if self.best is None else f'{self.best:.6g}'}. The rate is {self.rate:.4g} and would "
                "go on shrinking. Look for the first NaN with 'with mg.debug():'.",
            )
        elif self.best is None or value < self.best - self.threshold * abs(self.best):
            self.best, self.waited = value, 0
            return
        self.waited += 1
        if self.waited > self.patience:
            self.rate, self.waited = min(self.rate, max(self.factor * self.rate, self.floor)), 0

    def state(self) -> dict[str, Any]:
        """Return the rate, the best metric (None before the first) and the observations waited."""
        return {"rate": self.rate, "best": self.best, "waited": self.waited}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take up what ``state`` returned, all or nothing; OptimizerError MG-506 where it does not fit."""
        super().load_state(state)
        try:
            rate = from_zero("rate", state["rate"])
            best = None if state["best"] is None else number("best", state["best"], "any", lambda x: True)
            waited = whole("waited", state["waited"], 0)
        except ConfigError as error:
            raise OptimizerError(
                "MG-506", f"this state does not fit {type(self).__name__}: {error.message}"
            ) from error
        self.rate, self.best, self.waited = rate, best, waited


def _metric(metric: Any) -> float:
    try:
        if isinstance(metric, str | bytes | bool):
            raise TypeError
        return float(metric)
    except OverflowError:
        return math.inf
    except (TypeError, ValueError, MinigradError) as error:
        raise ConfigError(
            "MG-507", f"metric is {metric!r}; it must be a number, such as loss.item()."
        ) from error
