"""Losses, as functions and as modules: how far predictions are from their targets, in one number to minimise.

``reduction`` says what becomes of the single losses: their ``"mean"`` (the default), their ``"sum"``, or ``"none"``.
Targets may be Tensors, arrays or lists; integers are converted to the predictions' dtype, float dtypes must agree
(MG-211).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad import backend, ops
from minigrad.errors import LabelError, warn
from minigrad.modes import may_fuse
from minigrad.nn.reductions import IGNORED, Loss, as_buffer, matching, reduced
from minigrad.tensor import Tensor, unwrap


def mse(prediction: Any, target: Any, reduction: str = "mean") -> Any:
    """(y - f)² of each entry; its mean is the mean squared error (1/n) Σ (y - f)².

    Both have one shape, any at all. Raises ShapeError MG-110 where they differ, even if they would broadcast.
    """
    return reduced(reduction)(np.square(prediction - matching("mse", prediction, target)))


def half_mse(prediction: Any, target: Any, reduction: str = "mean") -> Any:
    """½ (y - f)² of each entry; its mean is the documents' loss (1/2n) Σ (y - f)² (D4 section 3).

    The ½ makes the gradient (f - y) / n. n counts the entries: the samples where each has one number to predict.
    """
    return reduced(reduction)(0.5 * np.square(prediction - matching("half_mse", prediction, target)))


def mae(prediction: Any, target: Any, reduction: str = "mean") -> Any:
    """|y - f| of each entry; its mean is the mean absolute error (1/n) Σ |y - f|. The gradient at 0 is 0."""
    return reduced(reduction)(np.absolute(prediction - matching("mae", prediction, target)))


def cross_entropy(
    logits: Any,
    labels: Any,
    reduction: str = "mean",
    *,
    weight: Any = None,
    ignore_index: int = IGNORED,
    label_smoothing: float = 0.0,
) -> Any:
    """-ln softmax(logits)[label] of each sample: logits (n, classes), labels (n,) of integer class ids.

    Logits may have further axes behind the classes, (n, classes, …), labels then too, (n, …). Floats of the logits'
    shape are probabilities p of the classes instead of labels: -Σ p · ln softmax(logits).

    Parameters
    ----------
    weight : (classes,), a factor for each class; the mean is then over the labels' weights, Σ w L / Σ w.
    ignore_index : labels that count for nothing, of which there need be no class. On a GPU, where looking at labels
        would stall it, give another number than -100, and they are looked for.
    label_smoothing : the part ε of a label that is shared out among all classes: 1 - ε + ε / classes remains on the
        label's. Szegedy et al. 2016, "Rethinking the Inception architecture", section 7.

    Raises LabelError MG-402 where labels are no class ids, ConfigError MG-522 where there is not a weight a class or ε
    is outside 0 … 1. Warns (MG-401) where ``logits`` come out of softmax.
    """
    if not isinstance(labels, Tensor):
        labels = backend.as_array(labels)
    _warn_of_softmax(logits)
    if weight is None and label_smoothing == 0 and ignore_index == IGNORED and len(logits.shape) == 2:
        try:
            if reduction == "mean" and may_fuse():
                return ops.mean_cross_entropy(logits, labels)
            return reduced(reduction)(ops.softmax_cross_entropy(logits, labels))
        except LabelError:
            if not general_labels(labels, logits.shape):
                raise
    from minigrad.nn.likelihoods import cross_entropy_of

    return cross_entropy_of(logits, labels, reduction, weight, ignore_index, label_smoothing)


def general_labels(labels: Any, shape: tuple[int, ...]) -> bool:
    """Tell whether what the plain cross-entropy refused are probabilities, or ids with some to ignore among them."""
    if labels.dtype.kind == "f":
        return bool(labels.shape == shape)
    return bool(labels.dtype.kind == "i" and labels.shape == shape[:1] and (unwrap(labels) == IGNORED).any())


def bce_with_logits(
    logits: Any, target: Any, reduction: str = "mean", *, weight: Any = None, pos_weight: Any = None
) -> Any:
    """-t · ln σ(z) - (1 - t) · ln(1 - σ(z)) of each entry: logits z and targets t in 0 … 1, of one shape.

    Computed as t · softplus(-z) + (1 - t) · softplus(z), which neither overflows nor loses a small loss beside a
    large number. ``pos_weight`` is a factor of the first term, ``weight`` of both; they stretch to the logits' shape.
    Raises ShapeError MG-110 where the shapes differ.
    """
    target = matching("bce_with_logits", logits, target)
    yes = target * ops.softplus(-logits)
    losses = (yes if pos_weight is None else yes * pos_weight) + (1 - target) * ops.softplus(logits)
    return reduced(reduction)(losses if weight is None else losses * weight)


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
    """-(1/n) Σ ln softmax(z)[label], of logits and integer labels; the settings are those of ``cross_entropy``."""

    function = staticmethod(cross_entropy)

    def __init__(
        self,
        weight: Any = None,
        ignore_index: int = IGNORED,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        if isinstance(weight, str):  # CrossEntropyLoss("sum")
            weight, reduction = None, weight
        super().__init__(reduction)
        self.weight = as_buffer(weight)
        self.ignore_index, self.label_smoothing = ignore_index, label_smoothing

    def forward(self, prediction: Any, target: Any) -> Any:
        """Return the reduced loss."""
        return cross_entropy(
            prediction,
            target,
            self.reduction,
            weight=self.weight,
            ignore_index=self.ignore_index,
            label_smoothing=self.label_smoothing,
        )


class BCEWithLogitsLoss(Loss):
    """-(1/n) Σ (t · ln σ(z) + (1 - t) · ln(1 - σ(z))), of logits; see ``bce_with_logits``."""

    function = staticmethod(bce_with_logits)

    def __init__(self, weight: Any = None, reduction: str = "mean", pos_weight: Any = None) -> None:
        if isinstance(weight, str):  # BCEWithLogitsLoss("sum")
            weight, reduction = None, weight
        super().__init__(reduction)
        self.weight, self.pos_weight = as_buffer(weight), as_buffer(pos_weight)

    def forward(self, prediction: Any, target: Any) -> Any:
        """Return the reduced loss."""
        return bce_with_logits(
            prediction, target, self.reduction, weight=self.weight, pos_weight=self.pos_weight
        )


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
