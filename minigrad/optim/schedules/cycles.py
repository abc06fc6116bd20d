"""Rates that follow half a cosine, once or again and again, or rise and fall in one cycle."""

from __future__ import annotations

import math
from dataclasses import dataclass

from minigrad.optim.schedules.base import Schedule, floor_of
from minigrad.optim.settings import count, flag, from_zero, number, whole


def half_cosine(start: float, end: float, share: float) -> float:
    """Return what half a cosine from ``start`` to ``end`` has come to after this share of its way."""
    found = end + 0.5 * (start - end) * (1 + math.cos(math.pi * share))
    return min(max(found, min(start, end)), max(start, end))


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
        self._set(floor=floor_of(self.floor, self.rate))

    def __call__(self, step: int) -> float:
        """Return the rate after ``step`` updates."""
        return half_cosine(self.rate, self.floor, min(count(step), self.steps) / self.steps)


@dataclass(frozen=True)
class CosineRestarts(Schedule):
    r"""Half a cosine from ``rate`` down to ``floor`` again and again, each time over more steps.

    .. math:: \eta_t = \eta_{min} + \tfrac12 (\eta - \eta_{min}) (1 + \cos(\pi \, t_{cur} / T_i)),
        \quad T_i = T_0 \, f^i

    - rate: η, the rate at each start
    - steps: T₀, of the first; t_cur counts from the last start
    - factor: f, a whole number from 1, by which each is longer than the one before
    - floor: η_min, which the rate comes near before it starts again

    Source: Loshchilov & Hutter 2017 (SGDR), eq. 5, with restarts; PyTorch, ``CosineAnnealingWarmRestarts``.
    """

    rate: float
    steps: int
    factor: int = 1
    floor: float = 0.0

    def __post_init__(self) -> None:
        self._set(rate=from_zero("rate", self.rate), steps=whole("steps", self.steps, 1))
        self._set(factor=whole("factor", self.factor, 1), floor=floor_of(self.floor, self.rate))

    def __call__(self, step: int) -> float:
        """Return the rate after ``step`` updates."""
        now, length = count(step), self.steps
        if self.factor == 1:
            now %= length
        while now >= length:
            now, length = now - length, length * self.factor
        return half_cosine(self.rate, self.floor, now / length)


@dataclass(frozen=True)
class OneCycle(Schedule):
    r"""One cycle: up to a high rate, down again, and far below where it began.

    .. math:: \tfrac{\eta}{d} \nearrow \eta \text{ until } t = p T - 1,
        \qquad \eta \searrow \tfrac{\eta}{d \, e} \text{ until } t = T - 1

    each on half a cosine, or on a straight line with ``linear``. With ``three_phase`` it first comes down to η/d, as
    long as it rose (until t = 2 p T - 2), and then falls to the end.

    - rate: η, the highest rate
    - steps: T, the updates of the training; from there on the rate stays
    - pct_start: p, the share of them that it rises for
    - div_factor: d, from 1: the first rate is η/d
    - final_div_factor: e, from 1: the last rate is η/(d e)

    The momentum stays, where the paper lets it go the other way.

    Source: Smith & Topin 2019, "Super-convergence", section 3; names and defaults as in PyTorch's ``OneCycleLR``.
    """

    rate: float
    steps: int
    pct_start: float = 0.3
    div_factor: float = 25.0
    final_div_factor: float = 1e4
    linear: bool = False
    three_phase: bool = False

    def __post_init__(self) -> None:
        self._set(rate=from_zero("rate", self.rate), steps=whole("steps", self.steps, 1))
        self._set(
            linear=flag("linear", self.linear),
            three_phase=flag("three_phase", self.three_phase),
            div_factor=number("div_factor", self.div_factor, "1 or more", lambda x: x >= 1),
            final_div_factor=number("final_div_factor", self.final_div_factor, "1 or more", lambda x: x >= 1),
        )
        most = 0.5 if self.three_phase else 1.0
        allowed = f"above 0 and at most {most}"
        self._set(pct_start=number("pct_start", self.pct_start, allowed, lambda x: 0 < x <= most))

    def __call__(self, step: int) -> float:
        """Return the rate after ``step`` updates."""
        now, last = min(count(step), self.steps - 1), self.steps - 1
        first = self.rate / self.div_factor
        final = first / self.final_div_factor
        top = self.pct_start * self.steps - 1
        if now <= top:
            return self._between(first, self.rate, 0.0, top, now)
        if self.three_phase and now <= 2 * top:
            return self._between(self.rate, first, top, 2 * top, now)
        start, begin = (first, 2 * top) if self.three_phase else (self.rate, top)
        return self._between(start, final, begin, last, now)

    def _between(self, start: float, end: float, begin: float, stop: float, now: float) -> float:
        share = (now - begin) / (stop - begin) if stop > begin else 1.0
        return (1 - share) * start + share * end if self.linear else half_cosine(start, end, share)
