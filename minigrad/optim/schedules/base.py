"""What all schedules share."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from minigrad.errors import OptimizerError
from minigrad.optim.settings import above_zero, count, from_zero, number, require, whole


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


def floor_of(floor: Any, rate: float) -> float:
    """Return the lowest rate as a float; MG-507 where it is no number from 0 to the rate."""
    return number("floor", floor, f"from 0 to the rate, {rate}", lambda x: 0 <= x <= rate)


def check_decay(schedule: Any, factor: str, steps: str) -> None:
    """Check the rate, the factor and the number of steps of a schedule, and put them as plain numbers."""
    schedule._set(
        rate=from_zero("rate", schedule.rate),
        **{
            factor: above_zero(factor, getattr(schedule, factor)),
            steps: whole(steps, getattr(schedule, steps), 1),
        },
    )


def grown(name: str, rate: float, factor: float, exponent: float, step: int) -> float:
    """Return rate · factor^exponent; MG-507 where a factor above 1 makes it infinite."""
    try:
        grown = float(rate * factor**exponent)
    except OverflowError:
        grown = math.inf
    require(grown < math.inf, name, factor, f"small enough: after {step} steps the rate is infinite")
    return grown


def _keys(state: Mapping[str, Any]) -> str:
    return ", ".join(state) or "no keys"
