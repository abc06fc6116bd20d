"""Losses, as functions and as modules: how far predictions are from their targets, in one number to minimise.

``reduction`` says what becomes of the single losses: their ``"mean"`` (the default), their ``"sum"``, or ``"none"``.
Targets may be Tensors, arrays or lists; integers are converted to the predictions' dtype, float dtypes must agree
(MG-211).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from minigrad import backend, ops
from minigrad.errors import ConfigError, DtypeError, ShapeError, warn
from minigrad.failures import with_origin
from minigrad.modes import may_fuse
from minigrad.nn.module import Module
from minigrad.tensor import Tensor

_REDUCTIONS: dict[str, Callable[[Any], Any]] = {
    "mean": ops.mean,
    "sum": ops.sum,
    "none": lambda losses: losses,
}


def _reduction(name: str) -> Callable[[Any], Any]:
    if name not in _REDUCTIONS:
        raise ConfigError("MG-802", f"reduction is {name!r}; it can be {', '.join(_REDUCTIONS)}.")
    return _REDUCTIONS[name]


def mse(prediction: Any, target: Any, reduction: str = "mean") -> Any:
    """(y - f)² of each entry; its mean is the mean squared error (1/n) Σ (y - f)².

    Both have one shape, any at all. Raises ShapeError MG-110 where they differ, even if they would broadcast.
    """
    return _reduction(reduction)(np.square(prediction - _matching("mse", prediction, target)))


def half_mse(prediction: Any, target: Any, reduction: str = "mean") -> Any:
    """½ (y - f)² of each entry; its mean is the documents' loss (1/2n) Σ (y - f)² (D4 section 3).

    The ½ makes the gradient (f - y) / n. n counts the entries: the samples where each has one number to predict.
    """
    return _reduction(reduction)(0.5 * np.square(prediction - _matching("half_mse", prediction, target)))


def mae(prediction: Any, target: Any, reduction: str = "mean") -> Any:
    """|y - f| of each entry; its mean is the mean absolute error (1/n) Σ |y - f|. The gradient at 0 is 0."""
    return _reduction(reduction)(np.absolute(prediction - _matching("mae", prediction, target)))


def cross_entropy(logits: Any, labels: Any, reduction: str = "mean") -> Any:
    """-ln softmax(logits)[label] of each sample: logits (n, classes), labels (n,) of integer class ids.

    Raises LabelError MG-402 where labels are no class ids. Warns (MG-401) where ``logits`` come out of softmax.
    """
    if not isinstance(labels, Tensor):
        labels = backend.as_array(labels)
    _warn_of_softmax(logits)
    if reduction == "mean" and may_fuse():
        return ops.mean_cross_entropy(logits, labels)
    return _reduction(reduction)(ops.softmax_cross_entropy(logits, labels))


def bce_with_logits(logits: Any, target: Any, reduction: str = "mean") -> Any:
    """-t · ln σ(z) - (1 - t) · ln(1 - σ(z)) of each entry: logits z and targets t in 0 … 1, of one shape.

    Computed as t · softplus(-z) + (1 - t) · softplus(z), which neither overflows nor loses a small loss beside a
    large number. Raises ShapeError MG-110 where the shapes differ.
    """
    target = _matching("bce_with_logits", logits, target)
    return _reduction(reduction)(target * ops.softplus(-logits) + (1 - target) * ops.softplus(logits))


class Loss(Module):
    """A loss as a module, ``loss = MSELoss(); loss(prediction, target)``; ``reduction`` as in the function."""

    function: ClassVar[Callable[[Any, Any, str], Any]]

    def __init__(self, reduction: str = "mean") -> None:
        _reduction(reduction)
        self.reduction = reduction

    def forward(self, prediction: Any, target: Any) -> Any:
        """Return the reduced loss."""
        return type(self).function(prediction, target, self.reduction)


class MSELoss(Loss):
    """(1/n) Σ (y - f)²; see ``mse``."""

    function = staticmethod(mse)


class HalfMSELoss(Loss):
    """(1/2n) Σ (y - f)², the documents' loss (D4 section 3); see ``half_mse``."""

    function = staticmethod(half_mse)


class L1Loss(Loss):
    """(1/n) Σ |y - f|; see ``mae``."""

    function = staticmethod(mae)


class CrossEntropyLoss(Loss):
    """-(1/n) Σ ln softmax(z)[label], of logits and integer labels; see ``cross_entropy``."""

    function = staticmethod(cross_entropy)


class BCEWithLogitsLoss(Loss):
    """-(1/n) Σ (t · ln σ(z) + (1 - t) · ln(1 - σ(z))), of logits; see ``bce_with_logits``."""

    function = staticmethod(bce_with_logits)


def _matching(name: str, prediction: Any, target: Any) -> Any:
    """Return the target in the prediction's dtype, once it is known to have its shape."""
    if not isinstance(target, Tensor):
        target = backend.as_array(target, None if hasattr(target, "dtype") else prediction.dtype)
    if target.shape != prediction.shape:
        raise ShapeError("MG-110", _mismatch(name, prediction.shape, target.shape))
    if target.dtype == prediction.dtype:
        return target
    if target.dtype.kind == "f":
        error = DtypeError(
            "MG-211",
            f"{name}: target is {target.dtype} (float64 is NumPy's default), prediction {prediction.dtype}. "
            f"Cast the data once: target.astype('{prediction.dtype}').",
        )
        raise with_origin(error, (prediction, target))
    return target.astype(prediction.dtype)


def _mismatch(name: str, prediction: tuple[int, ...], target: tuple[int, ...]) -> str:
    size = math.prod(prediction)
    try:
        stretched = np.broadcast_shapes(prediction, target)
    except ValueError:
        stretched = prediction
    message = f"{name}: prediction {prediction} and target {target} "
    if stretched == prediction:
        message += "differ in shape: each prediction needs its own target."
    else:
        message += f"would broadcast to {stretched}: {math.prod(stretched)} differences instead of {size}."
    if math.prod(target) == size:
        message += f" Use target.reshape{prediction}."
    return message


def _warn_of_softmax(logits: Any) -> None:
    record = getattr(logits, "record", None)
    if record is not None and record.operation is ops.softmax:
        classes = logits.shape[-1]
        warn(
            "MG-401",
            f"cross_entropy got probabilities (made by softmax, {record.location}). It applies softmax itself; with "
            f"{classes} classes the loss could never go below {math.log(1 + (classes - 1) / math.e):.3f}. "
            "Pass logits: leave the softmax out.",
        )
