"""Networks: modules and their parameters, layers, losses, initial weights, weight files."""

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from minigrad.nn.attention import (
        MultiheadAttention,
        TransformerEncoder,
        TransformerEncoderLayer,
        scaled_dot_product_attention,
    )
    from minigrad.nn.gpt import GPT
    from minigrad.nn.positions import LearnedPositions, RotaryPositions, SinusoidalPositions

_LATER = {
    "attention": (
        "MultiheadAttention",
        "TransformerEncoder",
        "TransformerEncoderLayer",
        "scaled_dot_product_attention",
    ),
    "gpt": ("GPT",),
    "positions": ("LearnedPositions", "RotaryPositions", "SinusoidalPositions"),
}
"""Names of modules that are imported when one of them is first asked for, so that what few use costs no time."""

__all__ = [
    "GELU",
    "GPT",
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
    "LearnedPositions",
    "Linear",
    "Loss",
    "MSELoss",
    "Module",
    "MultiheadAttention",
    "Parameter",
    "ReLU",
    "RotaryPositions",
    "Sequential",
    "Sigmoid",
    "SinusoidalPositions",
    "Softmax",
    "Tanh",
    "TransformerEncoder",
    "TransformerEncoderLayer",
    "bce_with_logits",
    "cross_entropy",
    "half_mse",
    "init",
    "load_weights",
    "mae",
    "mse",
    "save_weights",
    "scaled_dot_product_attention",
    "seed_dropout",
]


def __getattr__(name: str) -> Any:
    for module, names in _LATER.items():
        if name in names:
            found = getattr(import_module(f"minigrad.nn.{module}"), name)
            setattr(sys.modules[__name__], name, found)
            return found
    raise words.no_name(__name__, name, __all__)
