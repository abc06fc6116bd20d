"""Rates that fall by a law of their own."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise

from minigrad.errors import ConfigError
from minigrad.optim.schedules.base import Schedule, check_decay, floor_of, grown
from minigrad.optim.settings import above_zero, count, flag, from_zero, require, whole


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
        check_decay(self, "decay_rate", "decay_steps")
        self._set(staircase=flag("staircase", self.staircase))

    def __call__(self, step: int) -> float:
        """Return the rate after ``step`` updates; MG-507 where a decay rate above 1 has made it infinite."""
        step = count(step)
        exponent = step // self.decay_steps if self.staircase else step / self.decay_steps
        return grown("decay_rate", self.rate, self.decay_rate, exponent, step)


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
        check_decay(self, "decay_rate", "decay_steps")

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
        check_decay(self, "gamma", "size")

    def __call__(self, step: int) -> float:
        """Return the rate after ``step`` updates; MG-507 where a gamma above 1 has made it infinite."""
        step = count(step)
        return grown("gamma", self.rate, self.gamma, step // self.size, step)


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
class MultiStep(Schedule):
    r"""Multiply the rate by a factor at given steps.

    .. math:: \eta_t = \eta \, \gamma^{k}, \quad k = |\{m \in M : m \le t\}|

    - rate: η, the rate before the first of them
    - milestones: M, numbers of steps that rise
    - gamma: γ, the factor

    Source: PyTorch, ``MultiStepLR``; He et al. 2016 (ResNet) divide by 10 at 32,000 and 48,000 steps so.
    """

    rate: float
    milestones: tuple[int, ...]
    gamma: float = 0.1

    def __post_init__(self) -> None:
        given, allowed = self.milestones, "a list of whole numbers of steps that rise: (30, 60)"
        require(isinstance(given, list | tuple) and len(given) > 0, "milestones", given, allowed)
        try:
            milestones = tuple(whole("milestones", each, 1) for each in given)
        except ConfigError:
            milestones = ()
        rises = bool(milestones) and all(a < b for a, b in pairwise(milestones))
        require(rises, "milestones", given, allowed)
        self._set(
            rate=from_zero("rate", self.rate), gamma=above_zero("gamma", self.gamma), milestones=milestones
        )

    def __call__(self, step: int) -> float:
        """Return the rate after ``step`` updates; MG-507 where a gamma above 1 has made it infinite."""
        step = count(step)
        return grown("gamma", self.rate, self.gamma, bisect_right(self.milestones, step), step)


@dataclass(frozen=True)
class Linear(Schedule):
    r"""A straight line from one rate to another, and that one from there on.

    .. math:: \eta_t = \eta + (\eta_{end} - \eta) \min(t, T) / T

    - rate: η, the rate at the start
    - steps: T, in the unit of t
    - end: η_end, the rate at the end, lower or higher

    Source: PyTorch, ``LinearLR``, with rates for its factors; down to 0 it is what Devlin et al. 2019 (BERT, A.2)
    let a ``Warmup`` be followed by.
    """

    rate: float
    steps: int
    end: float = 0.0

    def __post_init__(self) -> None:
        self._set(rate=from_zero("rate", self.rate), steps=whole("steps", self.steps, 1))
        self._set(end=from_zero("end", self.end))

    def __call__(self, step: int) -> float:
        """Return the rate after ``step`` updates."""
        share = min(count(step), self.steps) / self.steps
        return (1 - share) * self.rate + share * self.end


@dataclass(frozen=True)
class Polynomial(Schedule):
    r"""A power of the share of the steps that are left.

    .. math:: \eta_t = \eta_{min} + (\eta - \eta_{min}) (1 - \min(t, T) / T)^p

    - rate: η, the rate at the start
    - steps: T, in the unit of t
    - power: p, above 0; 1 is a straight line
    - floor: η_min, the rate at the end

    Source: PyTorch, ``PolynomialLR``, where η_min is 0; as the "poly" policy in Chen et al. 2018 (DeepLab), eq. 3.1.
    """

    rate: float
    steps: int
    power: float = 1.0
    floor: float = 0.0

    def __post_init__(self) -> None:
        self._set(rate=from_zero("rate", self.rate), steps=whole("steps", self.steps, 1))
        self._set(power=above_zero("power", self.power), floor=floor_of(self.floor, self.rate))

    def __call__(self, step: int) -> float:
        """Return the rate after ``step`` updates."""
        left = math.pow(1 - min(count(step), self.steps) / self.steps, self.power)
        return min(self.floor + (self.rate - self.floor) * left, self.rate)


@dataclass(frozen=True)
class InverseSquareRoot(Schedule):
    r"""Grow linearly, then fall with the square root of the steps: the Transformer's schedule.

    .. math:: \eta_t = \eta \min\left( \frac{t + 1}{W}, \sqrt{\frac{W}{t + 1}} \right)

    - rate: η, the highest rate, that of update number W
    - steps: W, of the warm-up

    Source: Vaswani et al. 2017, "Attention is all you need", eq. 3, with η = (d W)^{-1/2}.
    """

    rate: float
    steps: int

    def __post_init__(self) -> None:
        self._set(rate=from_zero("rate", self.rate), steps=whole("steps", self.steps, 1))

    def __call__(self, step: int) -> float:
        """Return the rate after ``step`` updates."""
        t = count(step) + 1
        return self.rate * min(t / self.steps, math.sqrt(self.steps / t))
