"""Schedules that wrap another: a warm-up before it, or the epoch as its unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from minigrad.optim.schedules.base import Schedule
from minigrad.optim.settings import count, require, whole


@dataclass(frozen=True)
class Warmup(Schedule):
    r"""Grow linearly to where another schedule starts, then follow it from its beginning.

    .. math:: \eta_t = \frac{t + 1}{W} \, f(0) \text{ for } t < W, \qquad f(t - W) \text{ from there on}

    - then: f, the schedule to follow
    - steps: W, in the unit of t; update number W is the first with the full rate

    Source: Goyal et al. 2017, section 2.2 (gradual warm-up).
    """

    then: Schedule
    steps: int

    def __post_init__(self) -> None:
        require(isinstance(self.then, Schedule), "then", self.then, "a schedule, such as Constant(0.1)")
        self._set(steps=whole("steps", self.steps, 1))

    def __call__(self, step: int) -> float:
        """Return the rate after ``step`` updates."""
        step = count(step)
        if step < self.steps:
            return (step + 1) / self.steps * self.then(0)
        return self.then(step - self.steps)

    def observe(self, metric: float) -> None:
        """Pass the metric on."""
        self.then.observe(metric)

    def state(self) -> dict[str, Any]:
        """Return the state of the schedule that is followed."""
        return self.then.state()

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Pass the state on."""
        self.then.load_state(state)


@dataclass(frozen=True)
class PerEpoch(Schedule):
    r"""Call another schedule with the epoch, counted from 0, in place of the step.

    .. math:: \eta_t = f(\lfloor t / n \rfloor)

    - schedule: f, a schedule whose unit is the epoch
    - steps_per_epoch: n, the number of updates in an epoch
    """

    schedule: Schedule
    steps_per_epoch: int

    def __post_init__(self) -> None:
        require(
            isinstance(self.schedule, Schedule),
            "schedule",
            self.schedule,
            "a schedule, such as StepDecay(0.1)",
        )
        self._set(steps_per_epoch=whole("steps_per_epoch", self.steps_per_epoch, 1))

    def __call__(self, step: int) -> float:
        """Return the rate after ``step`` updates."""
        return self.schedule(count(step) // self.steps_per_epoch)

    def observe(self, metric: float) -> None:
        """Pass the metric on."""
        self.schedule.observe(metric)

    def state(self) -> dict[str, Any]:
        """Return the state of the schedule inside."""
        return self.schedule.state()

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Pass the state on."""
        self.schedule.load_state(state)
