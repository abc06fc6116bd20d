"""Optimizers over plain formulas, learning-rate schedules, averages of weights, penalties and gradient clipping."""

from typing import Any

from minigrad import words
from minigrad.optim import formulas, penalties, schedules
from minigrad.optim.average import EMA
from minigrad.optim.clip import clip_grad_norm, clip_grad_value
from minigrad.optim.optimizer import Optimizer
from minigrad.optim.optimizers import (
    GD,
    SGD,
    AdaGrad,
    Adam,
    AdamAsPrinted,
    AdamW,
    AMSGrad,
    Lion,
    Muon,
    NAdam,
    RMSprop,
)
from minigrad.optim.penalties import elastic_net, l1, l2, l2_as_coded
from minigrad.optim.schedules import (
    Constant,
    Cosine,
    CosineRestarts,
    Exponential,
    ExponentialAsPrinted,
    InverseSquareRoot,
    Linear,
    MultiStep,
    OneCycle,
    PerEpoch,
    Polynomial,
    ReduceLROnPlateau,
    Schedule,
    StepAsPrinted,
    StepDecay,
    Warmup,
)
from minigrad.optim.share import Update

__all__ = [
    "EMA",
    "GD",
    "SGD",
    "AMSGrad",
    "AdaGrad",
    "Adam",
    "AdamAsPrinted",
    "AdamW",
    "Constant",
    "Cosine",
    "CosineRestarts",
    "Exponential",
    "ExponentialAsPrinted",
    "InverseSquareRoot",
    "Linear",
    "Lion",
    "MultiStep",
    "Muon",
    "NAdam",
    "OneCycle",
    "Optimizer",
    "PerEpoch",
    "Polynomial",
    "RMSprop",
    "ReduceLROnPlateau",
    "Schedule",
    "StepAsPrinted",
    "StepDecay",
    "Update",
    "Warmup",
    "clip_grad_norm",
    "clip_grad_value",
    "elastic_net",
    "formulas",
    "l1",
    "l2",
    "l2_as_coded",
    "penalties",
    "schedules",
]


def __getattr__(name: str) -> Any:
    raise words.no_name(__name__, name, __all__)
