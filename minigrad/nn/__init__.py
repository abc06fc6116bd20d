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


_LATER = {"RNN": "recurrent", "GRU": "recurrent", "LSTM": "recurrent"}
_LATER |= {"RNNCell": "recurrent", "GRUCell": "recurrent", "LSTMCell": "recurrent"}
"""Layers whose module is imported when they are first asked for."""


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
    raise words.no_name(__name__, name, __all__)
