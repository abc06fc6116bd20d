"""Networks: modules and their parameters, layers, losses, initial weights, weight files."""

from importlib import import_module
from typing import Any

from minigrad import words
from minigrad.nn import init
from minigrad.nn.activations import GELU, LeakyReLU, ReLU, Sigmoid, Softmax, Tanh
from minigrad.nn.dropout import Dropout, seed_dropout
from minigrad.nn.layers import Embedding, Flatten, LayerNorm, Linear, Sequential
from minigrad.nn.losses import (
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    HalfMSELoss,
    L1Loss,
    Loss,
    MSELoss,
    bce_with_logits,
    cross_entropy,
    half_mse,
    mae,
    mse,
)
from minigrad.nn.module import Buffer, Module, Parameter
from minigrad.nn.weights import load_weights, save_weights

__all__ = [
    "GELU",
    "BCEWithLogitsLoss",
    "Buffer",
    "CrossEntropyLoss",
    "Dropout",
    "Embedding",
    "Flatten",
    "HalfMSELoss",
    "L1Loss",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "Loss",
    "MSELoss",
    "Module",
    "Parameter",
    "ReLU",
    "Sequential",
    "Sigmoid",
    "Softmax",
    "Tanh",
    "bce_with_logits",
    "cross_entropy",
    "half_mse",
    "init",
    "load_weights",
    "mae",
    "mse",
    "save_weights",
    "seed_dropout",
]


_LATER = {
    "convolution": ("Conv1d", "Conv2d", "ConvTranspose1d", "ConvTranspose2d"),
    "pooling": (
        *("AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AvgPool1d", "AvgPool2d", "MaxPool1d", "MaxPool2d"),
    ),
}
"""Names of modules that are imported when one of them is first asked for, so that what few use costs no time."""

__all__ += [name for names in _LATER.values() for name in names]


def __getattr__(name: str) -> Any:
    for module, names in _LATER.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise words.no_name(__name__, name, __all__)
