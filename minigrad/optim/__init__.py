"""Optimizers over plain formulas, learning-rate schedules, penalties and gradient clipping."""

from typing import Any

from minigrad import words
from minigrad.optim import formulas, penalties, schedules
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
    Exponential,
    ExponentialAsPrinted,
    PerEpoch,
    ReduceLROnPlateau,
    Schedule,
    StepAsPrinted,
    StepDecay,
    Warmup,
)
from minigrad.optim.share import Update

__all__ = [
    "GD",
    "SGD",
    "AMSGrad",
    "AdaGrad",
    "Adam",
    "AdamAsPrinted",
    "AdamW",
    "Constant",
    "Cosine",
    "Exponential",
    "ExponentialAsPrinted",
    "Lion",
    "Muon",
    "NAdam",
    "Optimizer",
    "PerEpoch",
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
