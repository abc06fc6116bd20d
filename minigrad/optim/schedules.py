"""Learning-rate schedules: functions from the number of steps taken so far to the rate of the next.

An optimizer calls its schedule with 0 before the first update, 1 before the second, and so on: the unit is the
update. A schedule that is meant in epochs goes inside ``PerEpoch``. Schedules compose, and any callable
``step -> rate`` serves as one::

    SGD(model, lr=Warmup(Cosine(0.1, steps=900), steps=100))
    Adam(model, lr=PerEpoch(StepDecay(0.001, size=10), steps_per_epoch=45))
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from minigrad.errors import OptimizerError
from minigrad.optim.settings import require


class Schedule:
    """Base of the schedules here; most remember nothing, and for them all but the call does nothing."""

    def __call__(self, step: int) -> float:
        """Return the rate after ``step`` updates."""
        raise NotImplementedError

    def observe(self, metric: float) -> None:
        """Take note of a validation metric, once an epoch."""

    def state(self) -> dict[str, Any]:
        """Return what a resumed run needs, as JSON-able scalars."""
        return {}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take up what ``state`` returned; OptimizerError MG-506 where the keys differ."""
        if state.keys() != self.state().keys():
            raise OptimizerError(
                "MG-506",
                f"this state does not fit {type(self).__name__}: it has {_keys(state)}, expected "
                f"{_keys(self.state())}. Build the schedule as it was built when the state was saved.",
            )


@dataclass(frozen=True)
class Constant(Schedule):
    r"""A fixed rate: :math:`\eta_t = \eta`."""

    rate: float

    def __post_init__(self) -> None:
        _require_rate(self.rate)

    def __call__(self, step: int) -> float:
        """Return the rate after ``step`` updates."""
        return self.rate


@dataclass(frozen=True)
class Exponential(Schedule):
    r"""Exponential decay, the usual form.

    .. math:: \eta_t = \eta \, r^{t / T}, \quad \text{or } \eta \, r^{\lfloor t / T \rfloor}
        \text{ with staircase}

    - rate: η, the rate at the start
    - decay_rate: r, the factor over each ``decay_steps``
    - decay_steps: T, in the unit of t

    Source: Keras, ``ExponentialDecay``. ``ExponentialAsPrinted`` is D1's form.
    """

    rate: float
    decay_rate: float
    decay_steps: int
    staircase: bool = False

    def __post_init__(self) -> None:
        _require_decay(self.rate, self.decay_rate, self.decay_steps)

    def __call__(self, step: int) -> float:
        """Return the rate after ``step`` updates."""
        exponent = step // self.decay_steps if self.staircase else step / self.decay_steps
        return self.rate * self.decay_rate**exponent


@dataclass(frozen=True)
class ExponentialAsPrinted(Schedule):
    r"""Exponential decay as D1 prints it, which grows.

    .. math:: \eta_t = \eta \, r^{T - t}

    - rate: η, reached at step T
    - decay_rate: r
    - decay_steps: T, in the unit of t

    For r < 1 it departs from what its name says: it starts at η r^T, grows by 1/r with every step, reaches η
    at t = T and goes on beyond it without bound (to infinity, as a float, in the end).

    Source: D1 4.2 as printed. ``Exponential`` is the usual form.
    """

    rate: float
    decay_rate: float
    decay_steps: int

    def __post_init__(self) -> None:
        _require_decay(self.rate, self.decay_rate, self.decay_steps)

    def __call__(self, step: int) -> float:
        """Return the rate after ``step`` updates."""
        try:
            return self.rate * self.decay_rate ** (self.decay_steps - step)
        except OverflowError:
            return math.inf


@dataclass(frozen=True)
class StepDecay(Schedule):
    r"""Multiply the rate by a factor every ``size`` steps.

    .. math:: \eta_t = \eta \, \gamma^{\lfloor t / s \rfloor}

    - rate: η, the rate of the first ``size`` steps
    - size: s, in the unit of t, which is most often the epoch: ``PerEpoch(StepDecay(…), …)``
    - gamma: γ, the factor

    Source: PyTorch, ``StepLR``. ``StepAsPrinted`` is D0's form.
    """

    rate: float
    size: int = 10
    gamma: float = 0.1

    def __post_init__(self) -> None:
        _require_decay(self.rate, self.gamma, self.size)

    def __call__(self, step: int) -> float:
        """Return the rate after ``step`` updates."""
        return self.rate * self.gamma ** (step // self.size)


@dataclass(frozen=True)
class StepAsPrinted(Schedule):
    r"""The step schedule as D0 prints it: it fires at epoch 0 too.

    .. math:: \eta_e = 0.1 \, \eta_{e-1} \text{ if } e \bmod 10 = 0 \text{ else } \eta_{e-1},
        \qquad \eta_{-1} = \eta

    - rate: η, the configured rate, with which no epoch is ever trained: epoch 0 already has a tenth of it

    t is the epoch: ``PerEpoch(StepAsPrinted(0.001), …)``. Since the print multiplies the running rate, so does
    this, once for each multiple of 10 up to the epoch.

    Source: D0 4 as printed. ``StepDecay`` is the usual form.
    """

    rate: float

    def __post_init__(self) -> None:
        _require_rate(self.rate)

    def __call__(self, step: int) -> float:
        """Return the rate of epoch ``step``."""
        rate = self.rate
        for _ in range(0, step + 1, 10):
            rate = rate * 0.1
        return rate


@dataclass(frozen=True)
class Cosine(Schedule):
    r"""Half a cosine from ``rate`` down to ``floor``, and ``floor`` from there on.

    .. math:: \eta_t = \eta_{min} + \tfrac12 (\eta - \eta_{min}) (1 + \cos(\pi \min(t, T) / T))

    - rate: η, the rate at the start
    - steps: T, in the unit of t
    - floor: η_min, the rate at the end

    Source: Loshchilov & Hutter 2017 (SGDR), eq. 5, without restarts.
    """

    rate: float
    steps: int
    floor: float = 0.0

    def __post_init__(self) -> None:
        _require_rate(self.rate)
        require(self.steps >= 1, "steps", self.steps, "1 or more")
        require(0 <= self.floor <= self.rate, "floor", self.floor, f"from 0 to the rate, {self.rate}")

    def __call__(self, step: int) -> float:
        """Return the rate after ``step`` updates."""
        angle = math.pi * min(step, self.steps) / self.steps
        return self.floor + 0.5 * (self.rate - self.floor) * (1 + math.cos(angle))


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
        require(self.steps >= 1, "steps", self.steps, "1 or more")

    def __call__(self, step: int) -> float:
        """Return the rate after ``step`` updates."""
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
        require(self.steps_per_epoch >= 1, "steps_per_epoch", self.steps_per_epoch, "1 or more")

    def __call__(self, step: int) -> float:
        """Return the rate after ``step`` updates."""
        return self.schedule(step // self.steps_per_epoch)

    def observe(self, metric: float) -> None:
        """Pass the metric on."""
        self.schedule.observe(metric)

    def state(self) -> dict[str, Any]:
        """Return the state of the schedule inside."""
        return self.schedule.state()

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Pass the state on."""
        self.schedule.load_state(state)


@dataclass
class ReduceLROnPlateau(Schedule):
    r"""Reduce the rate when a metric has stopped falling.

    .. math:: \eta \leftarrow \max(\gamma \eta, \eta_{min})
        \text{ once more than } p \text{ observations in a row did not improve}

    - rate: η, the rate at the start and, from then on, the present one
    - factor: γ, in (0, 1)
    - patience: p, in observations, one an epoch as a rule
    - threshold: an observation improves where it is below best · (1 - threshold)
    - floor: η_min

    The metric is a loss, where less is better (hand in 1 - accuracy for accuracy); NaN never improves. The step
    plays no part in it: the rate changes in ``observe`` alone.

    Source: PyTorch, ``ReduceLROnPlateau`` (mode min, relative threshold, no cooldown); named in D0 3.4.
    """

    rate: float
    factor: float = 0.1
    patience: int = 10
    threshold: float = 1e-4
    floor: float = 0.0
    best: float | None = field(default=None, init=False)
    waited: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        _require_rate(self.rate)
        require(0 < self.factor < 1, "factor", self.factor, "above 0 and below 1")
        require(self.patience >= 0, "patience", self.patience, "0 or more")
        require(0 <= self.threshold < 1, "threshold", self.threshold, "in [0, 1)")
        require(self.floor >= 0, "floor", self.floor, "0 or more")

    def __call__(self, step: int) -> float:
        """Return the present rate."""
        return self.rate

    def observe(self, metric: float) -> None:
        """Take note of the metric, and reduce the rate where it has not improved for too long."""
        if metric < (math.inf if self.best is None else self.best * (1 - self.threshold)):
            self.best, self.waited = float(metric), 0
            return
        self.waited += 1
        if self.waited > self.patience:
            self.rate, self.waited = max(self.factor * self.rate, self.floor), 0

    def state(self) -> dict[str, Any]:
        """Return the rate, the best metric (None before the first) and the observations waited."""
        return {"rate": self.rate, "best": self.best, "waited": self.waited}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take up what ``state`` returned; OptimizerError MG-506 where the keys differ."""
        super().load_state(state)
        self.rate, self.best, self.waited = state["rate"], state["best"], state["waited"]


def _require_rate(rate: float) -> None:
    require(rate >= 0, "rate", rate, "0 or more")


def _require_decay(rate: float, factor: float, steps: int) -> None:
    _require_rate(rate)
    require(factor > 0, "the decay's factor", factor, "above 0")
    require(steps >= 1, "the decay's number of steps", steps, "1 or more")


def _keys(state: Mapping[str, Any]) -> str:
    return ", ".join(state) or "no keys"
