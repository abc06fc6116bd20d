import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from minigrad.errors import ConfigError, LabelError, MinigradError, NonFiniteError, ShapeError
from minigrad.train import metrics

sk = pytest.importorskip("sklearn.metrics")

pytestmark = pytest.mark.filterwarnings("ignore:A single label was found:UserWarning")

AVERAGES = ["macro", "micro", "weighted", None]
SCORES = {
    metrics.precision: sk.precision_score,
    metrics.recall: sk.recall_score,
    metrics.f1: sk.f1_score,
}


@st.composite
def label_pairs(draw):
    """Class count, truth and prediction; ranges are drawn apart so that classes are often missing."""
    size, classes = draw(st.integers(1, 40)), draw(st.integers(1, 8))
    subsets = st.sets(st.integers(0, classes - 1), min_size=1)
    truth, predicted = (
        draw(
            arrays(
                draw(st.sampled_from([np.int64, np.uint8])),
                size,
                elements=st.sampled_from(sorted(draw(subsets))),
            )
        )
        for _ in range(2)
    )
    return classes, truth, predicted


@given(label_pairs(), st.booleans())
def test_confusion_matrix_and_accuracy_equal_scikit_learn(pair, all_classes):
    classes, truth, predicted = pair
    labels = range(classes) if all_classes else None
    ours = metrics.confusion_matrix(truth, predicted, classes if all_classes else None)
    np.testing.assert_array_equal(ours, sk.confusion_matrix(truth, predicted, labels=labels))
    assert metrics.accuracy(truth, predicted) == pytest.approx(sk.accuracy_score(truth, predicted), rel=1e-15)


@pytest.mark.parametrize("average", AVERAGES)
@pytest.mark.parametrize("ours", SCORES, ids=lambda function: function.__name__)
@settings(max_examples=50)
@given(pair=label_pairs(), all_classes=st.booleans())
def test_scores_equal_scikit_learn(ours, average, pair, all_classes):
    classes, truth, predicted = pair
    expected = SCORES[ours](
        truth, predicted, average=average, zero_division=0, labels=range(classes) if all_classes else None
    )
    got = ours(truth, predicted, average, classes if all_classes else None)
    np.testing.assert_allclose(got, expected, rtol=1e-14, atol=0)
    assert isinstance(got, np.ndarray if average is None else float)


@given(st.data(), st.integers(1, 30), st.integers(3, 7))
def test_top_k_equals_scikit_learn_with_ties(data, size, classes):
    truth = data.draw(arrays(np.int64, size, elements=st.integers(0, classes - 1)))
    scores = data.draw(arrays(np.float64, (size, classes), elements=st.sampled_from([0.0, 0.25, 0.5, 1.0])))
    k = data.draw(st.integers(1, classes - 1))
    expected = sk.top_k_accuracy_score(truth, scores, k=k, labels=range(classes))
    assert metrics.top_k_accuracy(truth, scores, k) == pytest.approx(expected, rel=1e-15)


def test_top_k_of_every_class_is_certain():
    assert metrics.top_k_accuracy([0, 1], [[0.9, 0.1], [0.8, 0.2]], k=2) == 1.0
    assert metrics.top_k_accuracy([0, 1], [[0.9, 0.1], [0.8, 0.2]], k=1) == 0.5


def test_three_classes_by_hand():
    """Rows of the confusion matrix: 2 0 1 / 0 1 0 / 1 1 0."""
    truth, predicted = [0, 0, 0, 1, 2, 2], [0, 0, 2, 1, 0, 1]
    np.testing.assert_array_equal(
        metrics.confusion_matrix(truth, predicted), [[2, 0, 1], [0, 1, 0], [1, 1, 0]]
    )
    np.testing.assert_allclose(metrics.precision(truth, predicted, None), [2 / 3, 1 / 2, 0])
    np.testing.assert_allclose(metrics.recall(truth, predicted, None), [2 / 3, 1, 0])
    np.testing.assert_allclose(metrics.f1(truth, predicted, None), [2 / 3, 2 / 3, 0])
    assert metrics.f1(truth, predicted, "macro") == pytest.approx(4 / 9)
    assert metrics.f1(truth, predicted, "micro") == pytest.approx(1 / 2) == metrics.accuracy(truth, predicted)
    assert metrics.f1(truth, predicted, "weighted") == pytest.approx((3 * 2 / 3 + 2 / 3) / 6)


@pytest.mark.parametrize(
    ("truth", "predicted", "error", "says"),
    [
        ([0, 1, 1], [0, 1], ShapeError, r"MG-110 truth \(3,\) and predicted \(2,\) differ"),
        ([], [], LabelError, "MG-402 truth is empty"),
        ([0, 1], [], LabelError, "MG-402 predicted is empty"),
        ([0, 1, 5], [0, 1, 2], LabelError, r"MG-402 truth must be class ids 0\.\.2; found 5 at index 2"),
        (
            [0, 1, 2],
            [0, -1, 2],
            LabelError,
            r"MG-402 predicted must be class ids 0\.\.2; found -1 at index 1",
        ),
        ([[1, 0], [0, 1]], [0, 1], LabelError, r"MG-402 .*\(2, 2\).*truth\.argmax\(1\)"),
        ([[1], [0]], [0, 1], LabelError, r"MG-402 .*\(2, 1\).*truth\.ravel\(\)"),
        ([0, 1], [0.2, 0.7], LabelError, "MG-402 predicted must be integer class ids; got float64"),
    ],
)
@pytest.mark.parametrize(
    "metric", [metrics.confusion_matrix, *SCORES], ids=lambda function: function.__name__
)
def test_wrong_labels_are_explained(metric, truth, predicted, error, says):
    with pytest.raises(error, match=says):
        metric(truth, predicted, classes=3)


def test_negative_labels_are_refused_without_a_class_count():
    with pytest.raises(LabelError, match=r"MG-402 truth must be class ids 0, 1, 2, …; found -2 at index 1"):
        metrics.accuracy([0, -2], [0, 1])


def test_unknown_average_names_the_valid_ones():
    with pytest.raises(
        ConfigError, match=r"MG-802 average='binary' is unknown\. Use 'macro', 'micro', 'weighted' or None"
    ):
        metrics.f1([0, 1], [0, 1], "binary")


@pytest.mark.parametrize(
    ("truth", "scores", "k", "error", "says"),
    [
        ([0, 1], [[0.1, 0.9]], 1, ShapeError, r"MG-110 .*scores \(1, 2\) do not fit truth \(2,\)"),
        ([0, 1], [0.1, 0.9], 1, ShapeError, r"MG-110 .*scores \(2,\)"),
        (
            [0, 2],
            [[0.1, 0.9]] * 2,
            1,
            LabelError,
            r"MG-402 truth must be class ids 0\.\.1; found 2 at index 1",
        ),
        ([0, 1], [[0.1, 0.9]] * 2, 3, ConfigError, "MG-802 k=3 is not possible with 2 classes"),
        ([0, 1], [[0.1, 0.9], [np.nan, 0.0]], 1, NonFiniteError, "MG-403 scores hold NaN, first in row 1"),
        ([], np.zeros((0, 3)), 1, LabelError, "MG-402 truth is empty"),
    ],
)
def test_top_k_explains_wrong_input(truth, scores, k, error, says):
    with pytest.raises(error, match=says) as caught:
        metrics.top_k_accuracy(truth, scores, k)
    assert isinstance(caught.value, MinigradError)
