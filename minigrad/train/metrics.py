r"""How good predicted classes are: accuracy, precision, recall, F1, the confusion matrix, top-k accuracy.

Everything but top-k is read off the confusion matrix $C$, where $C_{ij}$ counts the samples of class $i$ that
were predicted as class $j$. For one class $c$: true positives $TP_c = C_{cc}$; its row sums to its support
$n_c$, the samples that are of the class; its column sums to the samples that were called the class.

A quotient $0/0$ (a class that was never predicted has no precision) counts as 0. The numbers are
scikit-learn's with ``zero_division=0``. (D2 section 2 asks for accuracy, recall and F1.)
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from minigrad import messages
from minigrad.errors import ConfigError, LabelError, NonFiniteError, ShapeError

Average: TypeAlias = Literal["macro", "micro", "weighted"] | None
Score: TypeAlias = float | NDArray[np.float64]

_AVERAGES = ("macro", "micro", "weighted", None)


def accuracy(truth: ArrayLike, predicted: ArrayLike) -> float:
    r"""Return the share of samples whose predicted class is the true one.

    $\text{accuracy} = \frac{1}{n} \sum_i [\hat y_i = y_i] = \frac{\sum_c C_{cc}}{n}$

    Args:
        truth: true class ids, integers of shape (n,).
        predicted: predicted class ids, integers of shape (n,).

    Returns:
        A number from 0 to 1.

    Raises:
        ShapeError: MG-110, the two differ in length.
        LabelError: MG-402, the labels are not class ids, or there are none.
    """
    truth, predicted = _labels(truth, predicted, None)
    return float(np.mean(truth == predicted))


def precision(
    truth: ArrayLike, predicted: ArrayLike, average: Average = "macro", classes: int | None = None
) -> Score:
    r"""Return how many of the samples called a class are of that class.

    $P_c = \frac{TP_c}{\sum_i C_{ic}}$. Averages, arguments and errors are those of :func:`f1`.
    """
    true_positives, called, support = _counts(truth, predicted, average, classes)
    return _average(_divide(true_positives, called), support, average)


def recall(
    truth: ArrayLike, predicted: ArrayLike, average: Average = "macro", classes: int | None = None
) -> Score:
    r"""Return how many of the samples of a class were found.

    $R_c = \frac{TP_c}{n_c}$. Averages, arguments and errors are those of :func:`f1`.
    """
    true_positives, _, support = _counts(truth, predicted, average, classes)
    return _average(_divide(true_positives, support), support, average)


def f1(
    truth: ArrayLike, predicted: ArrayLike, average: Average = "macro", classes: int | None = None
) -> Score:
    r"""Return the harmonic mean of precision and recall.

    $F_c = \frac{2 P_c R_c}{P_c + R_c} = \frac{2\,TP_c}{n_c + \sum_i C_{ic}}$

    Averaged over the $K$ classes: ``"macro"`` is $\frac{1}{K}\sum_c F_c$, every class counting the same;
    ``"weighted"`` is $\frac{1}{n}\sum_c n_c F_c$, every sample counting the same; ``"micro"`` adds up the
    counts of all classes before it divides, and so equals the accuracy; ``None`` gives $F_c$ for each class.

    Args:
        truth: true class ids, integers of shape (n,).
        predicted: predicted class ids, integers of shape (n,).
        average: how the classes are brought to one number.
        classes: K, for ids 0..K-1; None takes the ids that occur in ``truth`` or ``predicted``, in order.

    Returns:
        A number from 0 to 1; for ``average=None`` a float64 array of shape (K,).

    Raises:
        ShapeError: MG-110, the two differ in length.
        LabelError: MG-402, the labels are not class ids 0..K-1, or there are none.
        ConfigError: MG-802, an unknown ``average``.
    """
    true_positives, called, support = _counts(truth, predicted, average, classes)
    return _average(_divide(2 * true_positives, called + support), support, average)


def confusion_matrix(truth: ArrayLike, predicted: ArrayLike, classes: int | None = None) -> NDArray[np.int64]:
    r"""Return the counts $C_{ij} = \sum_s [y_s = i][\hat y_s = j]$: truth in rows, prediction in columns.

    Args:
        truth: true class ids, integers of shape (n,).
        predicted: predicted class ids, integers of shape (n,).
        classes: K, for ids 0..K-1; None takes the ids that occur in ``truth`` or ``predicted``, in order.

    Returns:
        An int64 array of shape (K, K).

    Raises:
        ShapeError: MG-110, the two differ in length.
        LabelError: MG-402, the labels are not class ids 0..K-1, or there are none.
    """
    truth, predicted = _labels(truth, predicted, classes)
    if classes is None:
        ids, positions = np.unique(np.concatenate([truth, predicted]), return_inverse=True)
        truth, predicted = np.split(positions, 2)
        classes = len(ids)
    return np.bincount(truth * classes + predicted, minlength=classes**2).reshape(classes, classes)


def top_k_accuracy(truth: ArrayLike, scores: ArrayLike, k: int = 5) -> float:
    r"""Return the share of samples whose true class is among the k highest scores.

    $\text{top-}k = \frac{1}{n} \sum_i [y_i \in \operatorname{top}_k(s_i)]$; of equal scores, the higher class
    id ranks first.

    Args:
        truth: true class ids, integers of shape (n,), each below c.
        scores: logits or probabilities, shape (n, c).
        k: from 1 to c.

    Returns:
        A number from 0 to 1; for k = 1 the accuracy, for k = c always 1.

    Raises:
        ShapeError: MG-110, the shapes do not fit.
        LabelError: MG-402, the labels are not class ids 0..c-1, or there are none.
        NonFiniteError: MG-403, a NaN score, which has no rank.
        ConfigError: MG-802, k is not from 1 to c.
    """
    table = np.asarray(scores)
    labels = _class_ids("truth", truth)
    if table.ndim != 2 or len(table) != len(labels):
        raise ShapeError(
            "MG-110",
            f"top_k_accuracy: scores {table.shape} do not fit truth {labels.shape}. "
            f"One row of class scores per label is needed: scores of shape ({len(labels)}, classes).",
        )
    classes = table.shape[1]
    _check_range("truth", labels, classes)
    if not 1 <= k <= classes:
        raise ConfigError(
            "MG-802", f"k={k} is not possible with {classes} classes. Use a k from 1 to {classes}."
        )
    if np.isnan(table).any():
        row = int(np.isnan(table).any(axis=1).argmax())
        raise NonFiniteError("MG-403", f"scores hold NaN, first in row {row}; a NaN has no rank.")
    ranked = np.argsort(table, axis=1, kind="stable")[:, ::-1]
    return float(np.mean((ranked[:, :k] == labels[:, None]).any(axis=1)))


def _counts(
    truth: ArrayLike, predicted: ArrayLike, average: Average, classes: int | None
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return true positives, samples called the class, and samples of the class; summed up for micro."""
    if average not in _AVERAGES:
        raise ConfigError(
            "MG-802", f"average={average!r} is unknown. Use 'macro', 'micro', 'weighted' or None."
        )
    matrix = confusion_matrix(truth, predicted, classes)
    counts = matrix.diagonal(), matrix.sum(axis=0), matrix.sum(axis=1)
    if average == "micro":
        true_positives, called, support = (count.sum(keepdims=True) for count in counts)
        return true_positives, called, support
    return counts


def _divide(above: NDArray[np.int64], below: NDArray[np.int64]) -> NDArray[np.float64]:
    """Divide, with 0/0 = 0."""
    return above / np.maximum(below, 1)


def _average(scores: NDArray[np.float64], support: NDArray[np.int64], average: Average) -> Score:
    if average is None:
        return scores
    return float(np.average(scores, weights=support if average == "weighted" else None))


def _labels(
    truth: ArrayLike, predicted: ArrayLike, classes: int | None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    true_ids, predicted_ids = _class_ids("truth", truth), _class_ids("predicted", predicted)
    if len(true_ids) != len(predicted_ids):
        raise ShapeError(
            "MG-110",
            f"truth {true_ids.shape} and predicted {predicted_ids.shape} differ in length: "
            "each sample needs one true and one predicted class.",
        )
    _check_range("truth", true_ids, classes)
    _check_range("predicted", predicted_ids, classes)
    return true_ids, predicted_ids


def _class_ids(name: str, labels: Any) -> NDArray[np.int64]:
    array = np.asarray(labels)
    if array.size == 0:
        raise LabelError("MG-402", f"{name} is empty {array.shape}; a metric needs at least one sample.")
    if array.ndim != 1:
        raise LabelError(
            "MG-402",
            f"{name} must be class ids of shape (n,); got {array.shape}: "
            f"{messages.class_ids(name, array.shape)}.",
        )
    if array.dtype.kind not in "iub":
        raise LabelError(
            "MG-402",
            f"{name} must be integer class ids; got {array.dtype}. Use {name}.astype(int) if they are whole.",
        )
    return array.astype(np.int64)


def _check_range(name: str, labels: NDArray[np.int64], classes: int | None) -> None:
    outside = labels < 0 if classes is None else (labels < 0) | (labels >= classes)
    if outside.any():
        index = int(outside.argmax())
        allowed = "0, 1, 2, …" if classes is None else f"0..{classes - 1}"
        raise LabelError(
            "MG-402", f"{name} must be class ids {allowed}; found {labels[index]} at index {index}."
        )
