"""Losses with weights, smoothed and ignored labels; distances and angles; by hand, and where they are refused."""

from __future__ import annotations

import math

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.errors import ConfigError, DataError, LabelError, ShapeError

LOGITS = np.log(np.array([[0.5, 0.25, 0.25], [0.1, 0.1, 0.8], [0.2, 0.6, 0.2]]))


def logits():
    return mg.Tensor(LOGITS, requires_grad=True)


def names(loss):
    return [record.operation.name for record in mg.tape(loss)]


def test_ignored_labels_count_for_nothing():
    z = logits()
    loss = nn.cross_entropy(z, np.array([0, -100, 1]))
    np.testing.assert_allclose(loss.item(), -(math.log(0.5) + math.log(0.6)) / 2)
    loss.backward()
    np.testing.assert_array_equal(z.grad.numpy()[1], 0)
    same = nn.CrossEntropyLoss(ignore_index=2)(logits(), np.array([0, 2, 1]))
    np.testing.assert_allclose(same.item(), loss.item())
    assert nn.cross_entropy(logits(), np.array([0, -100, 1]), "sum").item() == pytest.approx(2 * loss.item())


def test_weights_of_classes_weigh_the_mean_too():
    weight = np.array([2.0, 1.0, 0.5])
    wanted = -(2 * math.log(0.5) + 0.5 * math.log(0.8)) / 2.5
    for given in (weight, weight.tolist(), mg.Tensor(weight)):
        loss = nn.CrossEntropyLoss(weight=given)(mg.Tensor(LOGITS[:2]), np.array([0, 2]))
        np.testing.assert_allclose(loss.numpy(), wanted, rtol=1e-6)


def test_smoothing_shares_a_label_out():
    loss = nn.cross_entropy(logits(), np.array([0, 2, 1]), "none", label_smoothing=0.3)
    p = np.exp(LOGITS)
    wanted = [
        -(0.7 * math.log(row[k]) + 0.1 * np.log(row).sum()) for row, k in zip(p, [0, 2, 1], strict=True)
    ]
    np.testing.assert_allclose(loss.numpy(), wanted)


def test_probabilities_as_targets():
    target = np.array([[0.5, 0.5, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])
    loss = nn.cross_entropy(logits(), target, "none")
    wanted = [-(math.log(0.5) + math.log(0.25)) / 2, -math.log(0.8), -math.log(0.2)]
    np.testing.assert_allclose(loss.numpy(), wanted)


def test_the_plain_case_is_one_kernel_still():
    labels = np.array([0, 2, 1])
    assert names(nn.cross_entropy(logits(), labels)) == ["mean_cross_entropy"]
    assert names(nn.CrossEntropyLoss()(logits(), labels)) == ["mean_cross_entropy"]


@pytest.mark.parametrize(
    ("call", "kind", "match"),
    [
        (lambda: nn.cross_entropy(logits(), [0, 3, 1]), LabelError, "MG-402 .*found 3 at index 1"),
        (lambda: nn.cross_entropy(logits(), [0, -1, -100]), LabelError, "MG-402 .*ignore_index=-100; found -1 at"),
        (lambda: nn.cross_entropy(logits(), [0, 5, 1], ignore_index=1), LabelError, "MG-402 .*found 5"),
        (lambda: nn.cross_entropy(logits(), [[0], [1], [1]], weight=[1, 1, 1]), LabelError, r"MG-402 .*\(3,\) is"),
        (lambda: nn.cross_entropy(logits(), [0, 1, 1], weight=[1, 2]), ConfigError, r"MG-522 .*3 classes"),
        (lambda: nn.cross_entropy(logits(), [0, 1, 1], label_smoothing=2), ConfigError, "MG-522 .*0 to 1"),
        (lambda: nn.NLLLoss()(logits(), [0, 1, 9]), LabelError, "MG-402 .*found 9 at index 2"),
        (lambda: nn.BCELoss()(logits(), LOGITS), DataError, r"MG-523 .*found -0\.69.* at index \(0, 0\)"),
        (lambda: nn.KLDivLoss()(logits(), LOGITS[:2]), ShapeError, "MG-110 kl_div"),
        (lambda: nn.KLDivLoss("batch"), ConfigError, "MG-802"),
        (lambda: nn.HuberLoss(delta=0)(logits(), LOGITS), ConfigError, "MG-802 delta is 0"),
        (lambda: nn.SmoothL1Loss(beta=-1)(logits(), LOGITS), ConfigError, "MG-802 beta is -1"),
        (lambda: nn.CosineEmbeddingLoss()(logits(), LOGITS, [1.0, -1.0]), ShapeError, "MG-110 cosine_embedding"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(call, kind, match):
    with pytest.raises(kind, match=match):
        call()


def test_a_certain_mistake_is_a_finite_loss_with_a_finite_gradient():
    p = mg.Tensor(np.array([0.0, 1.0, 1.0]), requires_grad=True)
    loss = nn.BCELoss(reduction="none")(p, np.array([1.0, 0.0, 1.0]))
    np.testing.assert_array_equal(loss.numpy(), [100, 100, 0])
    loss.sum().backward()
    np.testing.assert_allclose(p.grad.numpy(), [-1e12, 1e12, 0])


def test_the_divergence_of_a_distribution_from_itself_is_0():
    p = np.array([[0.5, 0.5, 0.0], [0.2, 0.3, 0.5]])
    with np.errstate(divide="ignore"):
        q = np.where(p > 0, np.log(p), -5.0)
    assert nn.kl_div(mg.Tensor(q), p, "batchmean").item() == pytest.approx(0)
    other = nn.kl_div(mg.Tensor(np.log([[0.25, 0.75]])), np.array([[0.5, 0.5]]), "batchmean").item()
    assert other == pytest.approx(0.5 * math.log(2) + 0.5 * math.log(0.5 / 0.75))


def test_hubers_loss_and_its_kin_by_hand():
    d = mg.Tensor(np.array([0.5, -3.0, 0.0]))
    np.testing.assert_allclose(nn.huber(d, np.zeros(3), "none", delta=2.0).numpy(), [0.125, 4.0, 0])
    np.testing.assert_allclose(nn.smooth_l1(d, np.zeros(3), "none", beta=2.0).numpy(), [0.0625, 2.0, 0])
    mg.gradcheck(lambda d: nn.huber(d, np.zeros(3)), [np.array([0.5, -3.0, 0.1])], order=2)


@pytest.mark.parametrize(
    "loss",
    [
        lambda z: nn.cross_entropy(z, np.array([0, -100, 1]), weight=[1.0, 2.0, 3.0], label_smoothing=0.2),
        lambda z: nn.cross_entropy(z, np.full((3, 3), 1 / 3)),
        lambda z: nn.cosine_similarity(z, np.ones((3, 3))).sum(),
        lambda z: nn.BCELoss()(mg.ops.sigmoid(z), np.full((3, 3), 0.3)),
        lambda z: nn.kl_div(z, np.full((3, 3), 0.3), log_target=True),
    ],
)
def test_differentiable_twice(loss):
    mg.gradcheck(loss, [LOGITS + np.linspace(0, 0.3, 9).reshape(3, 3)], order=2)


@pytest.mark.parametrize("kind", [nn.CrossEntropyLoss, nn.NLLLoss, nn.BCELoss, nn.BCEWithLogitsLoss])
def test_a_loss_s_weights_move_with_it_and_are_not_trained(kind):
    loss = kind(weight=np.ones(3, "float32"))
    assert loss.parameters() == []
    assert list(loss.state_dict()) == ["weight"]
    assert loss.to("float64").weight.dtype == np.float64
