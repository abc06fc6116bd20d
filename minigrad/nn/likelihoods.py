"""Losses of probabilities beside the plain cross-entropy: with weights, smoothed or ignored labels, of given
probabilities, negative log-likelihoods, and divergences; imported when one is asked for.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad import backend, ops
from minigrad.backend import Array
from minigrad.errors import ConfigError, DataError, LabelError, ShapeError
from minigrad.nn.reductions import IGNORED, Loss, as_buffer, matching, reduced
from minigrad.ops import nonlinear
from minigrad.ops.half import wide
from minigrad.tensor import Tensor, unwrap


def cross_entropy_of(
    logits: Any, target: Any, reduction: str, weight: Any, ignore_index: int, label_smoothing: float
) -> Any:
    """Return the cross-entropy of labels or probabilities; see ``cross_entropy``, whose settings these are."""
    if not 0 <= label_smoothing <= 1:
        raise ConfigError(
            "MG-522",
            f"label_smoothing is {label_smoothing!r}; it is the part of a label that is shared out, 0 to 1.",
        )
    logarithms = ops.log_softmax(logits, axis=_axis(logits))
    if target.dtype.kind == "f":
        target = matching("cross_entropy", logits, target)
        return _of_probabilities(logarithms, target, reduction, weight, label_smoothing)
    return _of_labels(logarithms, target, reduction, weight, ignore_index, label_smoothing)


def nll_loss(
    log_probabilities: Any,
    labels: Any,
    reduction: str = "mean",
    *,
    weight: Any = None,
    ignore_index: int = IGNORED,
) -> Any:
    """-w_label · log_probabilities[label] of each sample; its mean is Σ w L / Σ w.

    log_probabilities (n, classes, …), such as ``log_softmax`` makes, labels (n, …) of integer class ids; ``weight`` and
    ``ignore_index`` as in ``cross_entropy``, which takes logits and is the better choice. Raises LabelError MG-402
    where labels are no class ids, ConfigError MG-522 where there is not a weight a class.
    """
    if not isinstance(labels, Tensor):
        labels = backend.as_array(labels)
    return _of_labels(log_probabilities, labels, reduction, weight, ignore_index, 0.0)


def _axis(logits: Any) -> int:
    if not logits.shape:
        raise ShapeError(
            "MG-105", "cross-entropy needs logits of shape (samples, classes, …), not one number."
        )
    return 1 if len(logits.shape) > 1 else 0


def _factors(weight: Any, like: Any) -> Array | None:
    """Return the classes' weights as a bare array in the dtype and on the device of the logits."""
    if weight is None:
        return None
    array, classes = unwrap(weight), like.shape[_axis(like)]
    if not hasattr(array, "dtype"):
        array = np.asarray(array)
    if array.shape != (classes,):
        raise ConfigError(
            "MG-522",
            f"weight has shape {array.shape}; there are {classes} classes, each of which needs one: ({classes},).",
        )
    return backend.to_device(array, backend.device_of(unwrap(like))).astype(like.dtype)


def _of_labels(
    logarithms: Any, labels: Any, reduction: str, weight: Any, ignore_index: int, smoothing: float
) -> Any:
    axis = _axis(logarithms)
    shape, ids = logarithms.shape, unwrap(labels)
    counted = _counted(shape, ids, ignore_index, axis)
    safe = ids * counted  # class 0 in the place of what is ignored, and then times 0
    factors = _factors(weight, logarithms)
    parts = counted.astype(logarithms.dtype) if factors is None else factors[safe] * counted
    chosen = np.squeeze(np.take_along_axis(logarithms, np.expand_dims(safe, axis), axis=axis), axis)
    losses = -chosen * parts
    if smoothing:
        shape_of_factors = (-1, *(1,) * (len(shape) - axis - 1))
        of_all = logarithms if factors is None else logarithms * factors.reshape(shape_of_factors)
        spread = np.sum(of_all, axis=axis) * counted.astype(logarithms.dtype)
        losses = (1 - smoothing) * losses - (smoothing / shape[axis]) * spread
    if reduction == "mean":
        return np.sum(losses) / np.sum(wide(parts)).astype(logarithms.dtype)
    return reduced(reduction)(losses)


def _counted(shape: tuple[int, ...], ids: Array, ignore_index: int, axis: int) -> Array:
    """Return which labels count; LabelError MG-402 where one is no class."""
    wanted, classes = (*shape[:axis], *shape[axis + 1 :]), shape[axis]
    if ids.shape != wanted:
        raise LabelError("MG-402", f"labels have shape {ids.shape} for logits {shape}: {wanted} is needed.")
    if ids.dtype.kind not in "iu":
        raise LabelError(
            "MG-402", f"labels must be integer class ids; got {ids.dtype}: write y.astype('int64')."
        )
    counted = ids != ignore_index
    wrong = counted & ((ids < 0) | (ids >= classes))
    if backend.found(wrong, f"a label is outside 0 ... {classes - 1}"):
        index = tuple(int(i) for i in np.argwhere(wrong)[0])
        place = index[0] if len(index) == 1 else index
        raise LabelError(
            "MG-402",
            f"labels must be class ids 0..{classes - 1} or ignore_index={ignore_index}; found {ids[index]} at "
            f"index {place}.",
        )
    return counted


def _of_probabilities(logarithms: Any, target: Any, reduction: str, weight: Any, smoothing: float) -> Any:
    axis = _axis(logarithms)
    classes, factors = logarithms.shape[axis], _factors(weight, logarithms)
    if smoothing:
        target = (1 - smoothing) * target + smoothing / classes
    if factors is not None:
        target = target * factors.reshape((-1, *(1,) * (len(logarithms.shape) - axis - 1)))
    return reduced(reduction)(-np.sum(target * logarithms, axis=axis))


def kl_div(log_probabilities: Any, target: Any, reduction: str = "mean", *, log_target: bool = False) -> Any:
    """t · (ln t - q) of each entry, for the logarithms q of the predicted probabilities and targets t, of one shape.

    0 where t is 0. With ``log_target`` the targets are logarithms too. Their sum over the classes is the
    Kullback-Leibler divergence of the targets from the predictions, and ``reduction="batchmean"``, the sum over the
    number of samples, is its mean; ``"mean"`` is that of the entries. Kullback & Leibler 1951, eq. 2.4. Raises
    ShapeError MG-110 where the shapes differ.
    """
    target = matching("kl_div", log_probabilities, target)
    if log_target:
        losses = np.exp(target) * (target - log_probabilities)
    else:
        there = target > 0
        losses = target * (np.log(np.where(there, target, 1)) - log_probabilities)
    if reduction == "batchmean":
        return np.sum(losses) / max(1, losses.shape[0] if losses.shape else 1)
    return reduced(reduction)(losses)


def binary_cross_entropy(
    probabilities: Any, target: Any, reduction: str = "mean", *, weight: Any = None
) -> Any:
    """-t · ln p - (1 - t) · ln(1 - p) of each entry: probabilities p and targets t, both in 0 … 1, of one shape.

    A logarithm below -100 counts as -100. ``weight`` stretches to the shape. Where p comes out of a sigmoid,
    ``bce_with_logits`` is more exact. Raises ShapeError MG-110 where the shapes differ and DataError MG-523 where p is
    outside 0 … 1 (on a GPU, where looking would stall it, p is not looked at).
    """
    target = matching("binary_cross_entropy", probabilities, target)
    array = unwrap(probabilities)
    wrong = ~((array >= 0) & (array <= 1))
    if backend.found(wrong, "a probability is outside 0 ... 1"):
        index = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise DataError(
            "MG-523",
            f"binary_cross_entropy takes probabilities, 0 to 1; found {array[index]:.6g} at index {index}. Logits go "
            "into nn.bce_with_logits(logits, target), which applies the sigmoid itself.",
        )
    losses = nonlinear.binary_cross_entropy(probabilities, target)
    return reduced(reduction)(losses if weight is None else losses * weight)


class NLLLoss(Loss):
    """-Σ w L / Σ w of the logarithms of probabilities; the settings are those of ``nll_loss``."""

    function = staticmethod(nll_loss)

    def __init__(self, weight: Any = None, ignore_index: int = IGNORED, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.weight, self.ignore_index = as_buffer(weight), ignore_index

    def forward(self, prediction: Any, target: Any) -> Any:
        """Return the reduced loss."""
        return nll_loss(
            prediction, target, self.reduction, weight=self.weight, ignore_index=self.ignore_index
        )


class KLDivLoss(Loss):
    """The Kullback-Leibler divergence, by entries; ``reduction="batchmean"`` is the divergence; see ``kl_div``."""

    function = staticmethod(kl_div)

    def __init__(self, reduction: str = "mean", log_target: bool = False) -> None:
        super().__init__("mean" if reduction == "batchmean" else reduction)
        self.reduction, self.log_target = reduction, log_target

    def forward(self, prediction: Any, target: Any) -> Any:
        """Return the reduced loss."""
        return kl_div(prediction, target, self.reduction, log_target=self.log_target)


class BCELoss(Loss):
    """-(1/n) Σ (t · ln p + (1 - t) · ln(1 - p)), of probabilities; see ``binary_cross_entropy``."""

    function = staticmethod(binary_cross_entropy)

    def __init__(self, weight: Any = None, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.weight = as_buffer(weight)

    def forward(self, prediction: Any, target: Any) -> Any:
        """Return the reduced loss."""
        return binary_cross_entropy(prediction, target, self.reduction, weight=self.weight)
