"""PyTorch's ``torch.nn.functional``: layers and losses as functions, ``import minigrad.nn.functional as F``.

Each is a layer or a loss of ``minigrad.nn`` that is made and run at once, so that its settings have the same names; or
the operation, where there is one. What a layer would hold, weights and running statistics, is given.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad import backend, nn, ops
from minigrad.nn.convolution import Lengths
from minigrad.nn.distances import cosine_similarity
from minigrad.nn.further_activations import prelu
from minigrad.nn.layers import rows_of
from minigrad.nn.normalization import in_evaluation, in_training
from minigrad.ops import normalization
from minigrad.tensor import Tensor, unwrap

__all__ = [
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "avg_pool1d", "avg_pool2d", "batch_norm", "binary_cross_entropy",
    "binary_cross_entropy_with_logits", "celu", "conv1d", "conv2d", "conv_transpose1d", "conv_transpose2d",
    "cosine_embedding_loss", "cosine_similarity", "cross_entropy", "dropout", "elu", "embedding", "flatten", "gelu",
    "glu", "group_norm", "hardsigmoid", "hardswish", "hardtanh", "huber_loss", "kl_div", "l1_loss", "layer_norm",
    "leaky_relu", "linear", "log_softmax", "logsigmoid", "max_pool1d", "max_pool2d", "mish", "mse_loss", "nll_loss",
    "normalize", "one_hot", "prelu", "relu", "relu6", "rms_norm", "selu", "sigmoid", "silu", "smooth_l1_loss",
    "softmax", "softmin", "softplus", "softsign", "tanh", "tanhshrink",
]  # fmt: skip

relu, sigmoid, tanh, linear = ops.relu, ops.sigmoid, ops.tanh, ops.linear


def _of(layer: type[nn.Module], inputs: int = 1) -> Callable[..., Any]:
    """Return the function of a layer's inputs and settings that makes the layer and runs it."""

    def run(*given: Any, **settings: Any) -> Any:
        return layer(*given[inputs:], **settings)(*given[:inputs])

    run.__doc__ = f"See ``nn.{layer.__name__}``; its settings come behind what it computes with."
    return run


celu, elu, gelu, glu = _of(nn.CELU), _of(nn.ELU), _of(nn.GELU), _of(nn.GLU)
hardsigmoid, hardswish, hardtanh = _of(nn.Hardsigmoid), _of(nn.Hardswish), _of(nn.Hardtanh)
leaky_relu, logsigmoid, mish, relu6 = _of(nn.LeakyReLU), _of(nn.LogSigmoid), _of(nn.Mish), _of(nn.ReLU6)
selu, silu, softplus, softsign = _of(nn.SELU), _of(nn.SiLU), _of(nn.Softplus), _of(nn.Softsign)
softmax, log_softmax, softmin = _of(nn.Softmax), _of(nn.LogSoftmax), _of(nn.Softmin)
tanhshrink, flatten = _of(nn.Tanhshrink), _of(nn.Flatten)
binary_cross_entropy = _of(nn.BCELoss, 2)
binary_cross_entropy_with_logits = _of(nn.BCEWithLogitsLoss, 2)
cross_entropy, nll_loss, kl_div = _of(nn.CrossEntropyLoss, 2), _of(nn.NLLLoss, 2), _of(nn.KLDivLoss, 2)
mse_loss, l1_loss = _of(nn.MSELoss, 2), _of(nn.L1Loss, 2)
huber_loss, smooth_l1_loss = _of(nn.HuberLoss, 2), _of(nn.SmoothL1Loss, 2)
cosine_embedding_loss = _of(nn.CosineEmbeddingLoss, 3)


def _convolution(layer: Any) -> Callable[..., Any]:
    def run(
        x: Any,
        weight: Any,
        bias: Any = None,
        stride: Lengths = 1,
        padding: Lengths | str = 0,
        dilation: Lengths = 1,
        groups: int = 1,
    ) -> Any:
        settings = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
        return layer.applied(x, weight, bias, settings)

    run.__doc__ = f"See ``nn.{layer.__name__}``; weight is (out, in / groups, kernel …), bias (out,) or None."
    return run


def _transposed(layer: Any) -> Callable[..., Any]:
    def run(
        x: Any,
        weight: Any,
        bias: Any = None,
        stride: Lengths = 1,
        padding: Lengths = 0,
        output_padding: Lengths = 0,
        groups: int = 1,
        dilation: Lengths = 1,
    ) -> Any:
        settings = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
        return layer.applied(x, weight, bias, settings, output_padding)

    run.__doc__ = f"See ``nn.{layer.__name__}``; weight is (in, out / groups, kernel …), bias (out,) or None."
    return run


def _largest(layer: Any) -> Callable[..., Any]:
    def run(
        x: Any,
        kernel_size: Lengths,
        stride: Lengths | None = None,
        padding: Lengths = 0,
        dilation: Lengths = 1,
        ceil_mode: bool = False,
        return_indices: bool = False,
    ) -> Any:
        return layer(kernel_size, stride, padding, dilation, return_indices, ceil_mode)(x)

    run.__doc__ = (
        f"See ``nn.{layer.__name__}``, whose last two settings come in another order, as in PyTorch."
    )
    return run


conv1d, conv2d = _convolution(nn.Conv1d), _convolution(nn.Conv2d)
conv_transpose1d, conv_transpose2d = _transposed(nn.ConvTranspose1d), _transposed(nn.ConvTranspose2d)
max_pool1d, max_pool2d = _largest(nn.MaxPool1d), _largest(nn.MaxPool2d)
avg_pool1d, avg_pool2d = _of(nn.AvgPool1d), _of(nn.AvgPool2d)
adaptive_avg_pool1d, adaptive_avg_pool2d = _of(nn.AdaptiveAvgPool1d), _of(nn.AdaptiveAvgPool2d)


def layer_norm(x: Any, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """See ``nn.LayerNorm``."""
    return normalization.layer_norm(x, weight, bias, axes=len(tuple(normalized_shape)), eps=eps)


def rms_norm(x: Any, normalized_shape: Any, weight: Any = None, eps: float | None = None) -> Any:
    """See ``nn.RMSNorm``."""
    eps = float(np.finfo(x.dtype).eps) if eps is None else eps
    return normalization.rms_norm(x, weight, axes=len(tuple(normalized_shape)), eps=eps)


def group_norm(x: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """See ``nn.GroupNorm``."""
    return normalization.group_norm(x, weight, bias, groups=num_groups, eps=eps)


def batch_norm(
    x: Any,
    running_mean: Any,
    running_var: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """See ``nn.BatchNorm1d``; the running statistics, unless None, are Tensors, which training moves."""
    if training:
        return in_training(x, running_mean, running_var, weight, bias, lambda: momentum, eps)
    return in_evaluation(x, running_mean, running_var, weight, bias, eps)


def dropout(x: Any, p: float = 0.5, training: bool = True, *, rng: np.random.Generator | None = None) -> Any:
    """See ``nn.Dropout``; training needs a generator, ``rng``."""
    return nn.Dropout(p, rng).train(training)(x)


def embedding(ids: Any, weight: Any) -> Any:
    """Return the rows of ``weight`` (count, width) with these ids; see ``nn.Embedding``."""
    return rows_of(weight, ids)


def one_hot(labels: Any, num_classes: int) -> Any:
    """Return whole numbers (…, num_classes): 1 at the label's place, else 0."""
    ids = backend.as_array(unwrap(labels))
    classes = np.cumsum(np.ones_like(ids, shape=(num_classes,))) - 1  # where the labels live
    return Tensor((np.expand_dims(ids, -1) == classes).astype("int64"))


def normalize(x: Any, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Any:
    """Return x / max(‖x‖, ε) with the p-norm along ``dim``."""
    length = np.linalg.norm(x, ord=p, axis=dim, keepdims=True)
    return x / np.maximum(length, eps)
