"""Learning-rate schedules: functions from the number of steps taken so far to the rate of the next.

An optimizer calls its schedule with 0 before the first update, 1 before the second, and so on: the unit is the
update. A schedule that is meant in epochs goes inside ``PerEpoch``. Settings are checked when a schedule is built, the
step when it is called (MG-507). Schedules compose, and any callable ``step -> rate``
serves as one::

    SGD(model, lr=Warmup(Cosine(0.1, steps=900), steps=100))
    Adam(model, lr=PerEpoch(StepDecay(0.001, size=10), steps_per_epoch=45))
"""

from __future__ import annotations

from minigrad.optim.schedules.base import Constant, Schedule
from minigrad.optim.schedules.cycles import Cosine, CosineRestarts, OneCycle
from minigrad.optim.schedules.decays import (
    Exponential,
    ExponentialAsPrinted,
    InverseSquareRoot,
    Linear,
    MultiStep,
    Polynomial,
    StepAsPrinted,
    StepDecay,
)
from minigrad.optim.schedules.plateau import ReduceLROnPlateau
from minigrad.optim.schedules.wrappers import PerEpoch, Warmup

__all__ = [
    "Constant",
    "Cosine",
    "CosineRestarts",
    "Exponential",
    "ExponentialAsPrinted",
    "InverseSquareRoot",
    "Linear",
    "MultiStep",
    "OneCycle",
    "PerEpoch",
    "Polynomial",
    "ReduceLROnPlateau",
    "Schedule",
    "StepAsPrinted",
    "StepDecay",
    "Warmup",
]
