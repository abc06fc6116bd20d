"""Learning-rate schedules: functions from the number of steps taken so far to the rate of the next.

An optimizer calls its schedule with 0 before the first update, 1 before the second, and so on: the unit is the
update. A schedule that is meant in epochs goes inside ``PerEpoch``. Settings are checked when a schedule is built, the
step when it is called (MG-507). Schedules compose, and any callable ``step -> rate``
serves as one::

    SGD(model, lr=Warmup(Cosine(0.1, steps=900), steps=100))
    Adam(model, lr=PerEpoch(StepDecay(0.001, size=10), steps_per_epoch=45))
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from minigrad.errors import ConfigError, MinigradError, OptimizerError, warn
from minigrad.optim.settings import above_zero, below_one, count, flag, from_zero, number, require, whole


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
        """Take up what ``state`` returned, all or nothing; OptimizerError MG-506 where it does not fit."""
        if state.keys() != self.state().keys():
            raise OptimizerError(
                "MG-506",
                f"this state does not fit {type(self).__name__}: it has {_keys(state)}, expected "
                f"{_keys(self.state())}. Build the schedule as it was built when the state was saved.",
            )

    def _set(self, **checked: Any) -> None:
        """Put the settings as they were checked, numbers as plain floats and ints, where those given were."""
        for name, value in checked.items():
            object.__setattr__(self, name, value)


@dataclass(frozen=True)
class Constant(Schedule):
    r"""A fixed rate: :math:`\eta_t = \eta`."""

    rate: float

    def __post_init__(self) -> None:
        self._set(rate=from_zero("rate", self.rate))

    def __call__(self, step: int) -> float:
        """Return the rate after ``step`` updates."""
        count(step)
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
        _check_decay(self, "decay_rate", "decay_steps")
        self._set(staircase=flag("staircase", self.staircase))

    def __call__(self, step: int) -> float:
        """Return the rate after ``step`` updates; MG-507 where a decay rate above 1 has made it infinite."""
        step = count(step)
        exponent = step // self.decay_steps if self.staircase else step / self.decay_steps
        return _grown("decay_rate", self.rate, self.decay_rate, exponent, step)


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
        _check_decay(self, "decay_rate", "decay_steps")

    def __call__(self, step: int) -> float:
        """Return the rate after ``step`` updates."""
        exponent = self.decay_steps - count(step)
        try:
            return self.rate * self.decay_rate**exponent
        except OverflowError:
            return math.inf if self.rate else 0.0


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
        _check_decay(self, "gamma", "size")

    def __call__(self, step: int) -> float:
        """Return the rate after ``step`` updates; MG-507 where a gamma above 1 has made it infinite."""
        step = count(step)
        return _grown("gamma", self.rate, self.gamma, step // self.size, step)


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
        self._set(rate=from_zero("rate", self.rate))

    def __call__(self, step: int) -> float:
        """Return the rate of epoch ``step``."""
        rate = self.rate
        for _ in range(0, count(step) + 1, 10):
            rate = rate * 0.1
            if not rate:
                break
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
        self._set(rate=from_zero("rate", self.rate), steps=whole("steps", self.steps, 1))
        self._set(floor=_floor(self.floor, self.rate))

    def __call__(self, step: int) -> float:
        """Return the rate after ``step`` updates."""
        angle = math.pi * min(count(step), self.steps) / self.steps
        return min(self.floor + 0.5 * (self.rate - self.floor) * (1 + math.cos(angle)), self.rate)


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
        self.floor = _floor(self.floor, self.rate)

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


def _floor(floor: Any, rate: float) -> float:
    return number("floor", floor, f"from 0 to the rate, {rate}", lambda x: 0 <= x <= rate)


def _check_decay(schedule: Any, factor: str, steps: str) -> None:
    schedule._set(
        rate=from_zero("rate", schedule.rate),
        **{
            factor: above_zero(factor, getattr(schedule, factor)),
            steps: whole(steps, getattr(schedule, steps), 1),
        },
    )


def _grown(name: str, rate: float, factor: float, exponent: float, step: int) -> float:
    """Return rate · factor^exponent; MG-507 where a factor above 1 makes it infinite."""
    try:
        grown = float(rate * factor**exponent)
    except OverflowError:
        grown = math.inf
    require(grown < math.inf, name, factor, f"small enough: after {step} steps the rate is infinite")
    return grown


def _keys(state: Mapping[str, Any]) -> str:
    return ", ".join(state) or "no keys"
