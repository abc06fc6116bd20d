"""Networks: modules and their parameters, layers, losses, initial weights, weight files."""

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from minigrad import words
from minigrad.nn import init
from minigrad.nn.activations import GELU, LeakyReLU, ReLU, Sigmoid, Softmax, Tanh
from minigrad.nn.dropout import Dropout, seed_dropout
from minigrad.nn.layers import Embedding, Flatten, Linear, Sequential
from minigrad.nn.losses import (
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    HalfMSELoss,
    L1Loss,
    MSELoss,
    bce_with_logits,
    cross_entropy,
    half_mse,
    mae,
    mse,
)
from minigrad.nn.module import Buffer, Module, Parameter
from minigrad.nn.reductions import Loss
from minigrad.nn.weights import load_weights, save_weights

if TYPE_CHECKING:
    from minigrad.nn import functional
    from minigrad.nn.attention import (
        MultiheadAttention,
        TransformerEncoder,
        TransformerEncoderLayer,
        scaled_dot_product_attention,
    )
    from minigrad.nn.containers import (
        Identity,
        ModuleDict,
        ModuleList,
        ParameterDict,
        ParameterList,
        Unflatten,
    )
    from minigrad.nn.convolution import Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d
    from minigrad.nn.distances import (
        CosineEmbeddingLoss,
        CosineSimilarity,
        HuberLoss,
        SmoothL1Loss,
        cosine_embedding,
        cosine_similarity,
        huber,
        smooth_l1,
    )
    from minigrad.nn.further_activations import (
        CELU,
        ELU,
        GLU,
        SELU,
        Hardsigmoid,
        Hardswish,
        Hardtanh,
        LogSigmoid,
        LogSoftmax,
        Mish,
        PReLU,
        ReLU6,
        SiLU,
        Softmin,
        Softplus,
        Softsign,
        Tanhshrink,
    )
    from minigrad.nn.gpt import GPT
    from minigrad.nn.likelihoods import BCELoss, KLDivLoss, NLLLoss, binary_cross_entropy, kl_div, nll_loss
    from minigrad.nn.normalization import BatchNorm1d, BatchNorm2d, GroupNorm, LayerNorm, RMSNorm
    from minigrad.nn.pooling import (
        AdaptiveAvgPool1d,
        AdaptiveAvgPool2d,
        AvgPool1d,
        AvgPool2d,
        MaxPool1d,
        MaxPool2d,
    )
    from minigrad.nn.positions import LearnedPositions, RotaryPositions, SinusoidalPositions
    from minigrad.nn.recurrent import GRU, LSTM, RNN, GRUCell, LSTMCell, RNNCell

_LATER = {
    "convolution": ("Conv1d", "Conv2d", "ConvTranspose1d", "ConvTranspose2d"),
    "pooling": (
        "AdaptiveAvgPool1d",
        "AdaptiveAvgPool2d",
        "AvgPool1d",
        "AvgPool2d",
        "MaxPool1d",
        "MaxPool2d",
    ),
    "recurrent": ("GRU", "GRUCell", "LSTM", "LSTMCell", "RNN", "RNNCell"),
    "normalization": (
        "BatchNorm1d",
        "BatchNorm2d",
        "GroupNorm",
        "LayerNorm",
        "RMSNorm",
    ),
    "further_activations": (
        "CELU",
        "ELU",
        "GLU",
        "Hardsigmoid",
        "Hardswish",
        "Hardtanh",
        "LogSigmoid",
        "LogSoftmax",
        "Mish",
        "PReLU",
        "ReLU6",
        "SELU",
        "SiLU",
        "Softmin",
        "Softplus",
        "Softsign",
        "Tanhshrink",
    ),
    "containers": (
        "Identity",
        "ModuleDict",
        "ModuleList",
        "ParameterDict",
        "ParameterList",
        "Unflatten",
    ),
    "likelihoods": (
        "BCELoss",
        "KLDivLoss",
        "NLLLoss",
        "binary_cross_entropy",
        "kl_div",
        "nll_loss",
    ),
    "distances": (
        "CosineEmbeddingLoss",
        "CosineSimilarity",
        "HuberLoss",
        "SmoothL1Loss",
        "cosine_embedding",
        "cosine_similarity",
        "huber",
        "smooth_l1",
    ),
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
    "CELU",
    "ELU",
    "GELU",
    "GLU",
    "GPT",
    "GRU",
    "LSTM",
    "RNN",
    "SELU",
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AvgPool1d",
    "AvgPool2d",
    "BCELoss",
    "BCEWithLogitsLoss",
    "BatchNorm1d",
    "BatchNorm2d",
    "Buffer",
    "Conv1d",
    "Conv2d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "CosineEmbeddingLoss",
    "CosineSimilarity",
    "CrossEntropyLoss",
    "Dropout",
    "Embedding",
    "Flatten",
    "GRUCell",
    "GroupNorm",
    "HalfMSELoss",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "HuberLoss",
    "Identity",
    "KLDivLoss",
    "L1Loss",
    "LSTMCell",
    "LayerNorm",
    "LeakyReLU",
    "LearnedPositions",
    "Linear",
    "LogSigmoid",
    "LogSoftmax",
    "Loss",
    "MSELoss",
    "MaxPool1d",
    "MaxPool2d",
    "Mish",
    "Module",
    "ModuleDict",
    "ModuleList",
    "MultiheadAttention",
    "NLLLoss",
    "PReLU",
    "Parameter",
    "ParameterDict",
    "ParameterList",
    "RMSNorm",
    "RNNCell",
    "ReLU",
    "ReLU6",
    "RotaryPositions",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "SinusoidalPositions",
    "SmoothL1Loss",
    "Softmax",
    "Softmin",
    "Softplus",
    "Softsign",
    "Tanh",
    "Tanhshrink",
    "TransformerEncoder",
    "TransformerEncoderLayer",
    "Unflatten",
    "bce_with_logits",
    "binary_cross_entropy",
    "cosine_embedding",
    "cosine_similarity",
    "cross_entropy",
    "functional",
    "half_mse",
    "huber",
    "init",
    "kl_div",
    "load_weights",
    "mae",
    "mse",
    "nll_loss",
    "save_weights",
    "scaled_dot_product_attention",
    "seed_dropout",
    "smooth_l1",
]


"""Layers whose module is imported when they are first asked for."""


def __getattr__(name: str) -> Any:
    if name == "functional":
        return import_module("minigrad.nn.functional")
    for module, names in _LATER.items():
        if name in names:
            found = getattr(import_module(f"minigrad.nn.{module}"), name)
            setattr(sys.modules[__name__], name, found)
            return found
    raise words.no_name(__name__, name, __all__)
