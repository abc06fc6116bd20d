import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad import nn
from minigrad.errors import ConfigError, DtypeError, LabelError, MinigradWarning, ShapeError
from tests.nn.parity import close, numeric_gradient, tensor

FEW = settings(max_examples=25, deadline=None)
SEED = st.integers(0, 2**32 - 1)
SHAPE = st.lists(st.integers(1, 5), min_size=1, max_size=3).map(tuple)
REDUCTION = st.sampled_from(["mean", "sum", "none"])
ELEMENTWISE = {
    "MSELoss": nn.MSELoss,
    "HalfMSELoss": nn.HalfMSELoss,
    "L1Loss": nn.L1Loss,
    "BCEWithLogitsLoss": nn.BCEWithLogitsLoss,
}


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch", reason="PyTorch is not installed")


def compare(torch, ours, theirs, z, target, g):
    """Equal losses and equal gradients with respect to the predictions."""
    mine, other = tensor(z), torch.tensor(z, requires_grad=True)
    loss, reference = ours(mine, target), theirs(other, torch.tensor(target))
    close(loss.numpy(), reference.detach().numpy(), "loss")
    g = np.resize(g, loss.shape)
    loss.backward(g)
    reference.backward(torch.tensor(g))
    close(mine.grad.numpy(), other.grad.numpy(), "gradient")


@pytest.mark.parametrize("name", ELEMENTWISE)
@FEW
@given(shape=SHAPE, reduction=REDUCTION, scale=st.sampled_from([1.0, 40.0]), seed=SEED)
def test_elementwise_losses_equal_pytorch(torch, name, shape, reduction, scale, seed):
    rng = np.random.default_rng(seed)
    z, target = scale * rng.normal(size=shape), rng.random(shape)
    if name == "HalfMSELoss":
        mse = torch.nn.MSELoss(reduction=reduction)
        compare(
            torch, nn.HalfMSELoss(reduction), lambda z, t: mse(z, t) / 2, z, target, rng.normal(size=shape)
        )
    else:
        theirs = getattr(torch.nn, name)(reduction=reduction)
        compare(torch, ELEMENTWISE[name](reduction), theirs, z, target, rng.normal(size=shape))


@FEW
@given(n=st.integers(1, 6), classes=st.integers(1, 6), reduction=REDUCTION, seed=SEED)
def test_cross_entropy_equals_pytorch(torch, n, classes, reduction, seed):
    rng = np.random.default_rng(seed)
    logits, labels = 5 * rng.normal(size=(n, classes)), rng.integers(0, classes, n)
    theirs = torch.nn.CrossEntropyLoss(reduction=reduction)
    compare(torch, nn.CrossEntropyLoss(reduction), theirs, logits, labels, rng.normal(size=n))


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_gradients_equal_differences_of_the_loss(name):
    rng = np.random.default_rng(3)
    z, target = rng.normal(size=(4, 3)), rng.random((4, 3))
    prediction = tensor(z)
    ELEMENTWISE[name]()(prediction, target).backward()
    expected = numeric_gradient(lambda z: ELEMENTWISE[name]()(mg.Tensor(z), target).item(), z)
    np.testing.assert_allclose(prediction.grad.numpy(), expected, rtol=1e-6, atol=1e-9)


def test_the_documents_loss_by_hand():
    """D4 section 3 with f = (1, 2, 4) and y = (0, 2, 1): (1 + 0 + 9) / (2 · 3)."""
    f = tensor([1.0, 2.0, 4.0])
    loss = nn.HalfMSELoss()(f, [0.0, 2.0, 1.0])
    assert loss.item() == pytest.approx(10 / 6)
    loss.backward()
    close(f.grad.numpy(), [1 / 3, 0, 1])
    assert nn.mse(f, [0.0, 2.0, 1.0]).item() == pytest.approx(10 / 3)
    assert nn.mae(f, [0.0, 2.0, 1.0]).item() == pytest.approx(4 / 3)
    assert nn.half_mse(f, [0.0, 2.0, 1.0], "sum").item() == 5


@pytest.mark.parametrize("name", ELEMENTWISE)
@pytest.mark.parametrize("kind", ["float32", "int64", "bool", "list"])
def test_float32_stays_float32_whatever_the_targets(name, kind):
    prediction = mg.Tensor(np.array([0.5, -0.5], "float32"), requires_grad=True)
    target = [1, 0] if kind == "list" else np.array([1, 0], kind)
    loss = ELEMENTWISE[name]()(prediction, target)
    loss.backward()
    assert loss.dtype == prediction.grad.dtype == np.float32


def test_cross_entropy_stays_float32_and_takes_labels_of_any_kind():
    expected = math.log(1 + math.exp(-1))
    for labels in ([0, 1], np.array([0, 1], "uint8"), mg.Tensor([0, 1])):
        logits = mg.Tensor(np.eye(2, dtype="float32"), requires_grad=True)
        loss = nn.CrossEntropyLoss()(logits, labels)
        loss.backward()
        assert loss.item() == pytest.approx(expected, rel=1e-6)
        assert loss.dtype == logits.grad.dtype == np.float32


def test_losses_of_bare_arrays_are_numbers():
    assert nn.mse(np.array([1.0, 3.0]), np.array([1.0, 1.0])) == 2.0
    assert nn.cross_entropy(np.zeros((3, 4)), [0, 1, 2]) == pytest.approx(math.log(4))


def test_cross_entropy_at_the_extremes():
    logits = mg.Tensor(np.array([[1e4, -1e4], [-1e30, 1e30]], "float32"), requires_grad=True)
    right = nn.cross_entropy(logits, [0, 1], "none")
    np.testing.assert_array_equal(right.numpy(), [0, 0])
    wrong = nn.cross_entropy(logits, [1, 1], "none")
    np.testing.assert_array_equal(wrong.numpy(), [2e4, 0])
    wrong.sum().backward()
    np.testing.assert_array_equal(logits.grad.numpy(), [[1, -1], [0, 0]])


def test_bce_at_the_extremes_keeps_small_losses():
    z = tensor([40.0, -40.0, 40.0, -40.0, 1e4, -1e4])
    t = [1.0, 0.0, 0.0, 1.0, 0.0, 0.0]
    tail = math.log1p(math.exp(-40))
    loss = nn.bce_with_logits(z, t, "none")
    np.testing.assert_allclose(loss.numpy(), [tail, tail, 40 + tail, 40 + tail, 1e4, 0.0], rtol=1e-14)
    loss.sum().backward()
    p = 1 / (1 + math.exp(40))
    np.testing.assert_allclose(z.grad.numpy(), [-p, p, 1 - p, p - 1, 1, 0], rtol=1e-12)


def test_two_shapes_that_would_broadcast_are_refused_with_the_numbers():
    prediction, target = np.zeros((64, 1)), np.zeros(64)
    with pytest.raises(ShapeError) as error:
        nn.MSELoss()(prediction, target)
    assert str(error.value) == (
        "MG-110 mse: prediction (64, 1) and target (64,) would broadcast to (64, 64): 4096 differences instead of "
        "64. Use target.reshape(64, 1)."
    )
    assert (prediction - target).size == 4096
    assert nn.mse(prediction, target.reshape(64, 1)) == 0


@pytest.mark.parametrize("target", [np.float64(1), np.zeros(1), np.zeros(5)])
def test_other_shapes_are_refused_too(target):
    with pytest.raises(
        ShapeError, match=r"MG-110 mae: prediction \(64,\) and target \(\d?,?\) differ in shape"
    ):
        nn.mae(np.zeros(64), target)


@pytest.mark.parametrize("loss", [nn.mse, nn.half_mse, nn.mae, nn.bce_with_logits])
def test_each_elementwise_loss_gives_its_name(loss):
    with pytest.raises(ShapeError, match=rf"MG-110 {loss.__name__}: .*Use target\.reshape\(2, 3\)"):
        loss(np.zeros((2, 3)), np.zeros((3, 2)))


def test_a_target_of_another_float_dtype_is_refused():
    with pytest.raises(DtypeError, match=r"MG-211 mse: target is float64 .*target\.astype\('float32'\)"):
        nn.mse(np.zeros(3, "float32"), np.zeros(3))


@pytest.mark.parametrize(("classes", "bound"), [(2, "0.313"), (10, "1.461"), (1000, "5.909")])
def test_softmax_before_cross_entropy_is_warned_of_with_the_bound(classes, bound):
    labels = np.arange(2)
    logits = mg.Tensor(1e3 * np.eye(2, classes), requires_grad=True)
    with pytest.warns(
        MinigradWarning, match=rf"MG-401 .*softmax, test_losses.py line .*{classes} classes .*{bound}\."
    ):
        warn_once_per_class_count(classes, nn.Softmax()(logits), labels)
    perfect = nn.cross_entropy(np.eye(2, classes), labels)
    assert f"{perfect:.3f}" == bound


def warn_once_per_class_count(classes, probabilities, labels):
    """A warning shows once per line, so each case has its own."""
    if classes == 2:
        return nn.cross_entropy(probabilities, labels)
    if classes == 10:
        return nn.CrossEntropyLoss()(probabilities, labels)
    return nn.cross_entropy(probabilities, labels, "sum")


def test_logits_are_not_warned_of():
    logits = nn.ReLU()(mg.Tensor(np.eye(3), requires_grad=True))
    nn.cross_entropy(logits, [0, 1, 2])


def test_bad_labels_come_with_their_place():
    labels = np.arange(1, 11)
    with pytest.raises(
        LabelError, match=r"MG-402 labels must be class ids 0\.\.9; found 10 at index 9 .*y - 1"
    ):
        nn.CrossEntropyLoss()(mg.Tensor(np.zeros((10, 10))), labels)


@pytest.mark.parametrize("make", [*ELEMENTWISE.values(), nn.CrossEntropyLoss])
def test_an_unknown_reduction_is_refused(make):
    with pytest.raises(ConfigError, match="MG-802 reduction is 'average'; it can be mean, sum, none"):
        make("average")


@pytest.mark.parametrize("loss", [nn.mse, nn.half_mse, nn.mae, nn.bce_with_logits])
def test_losses_behind_a_normalisation_differentiate_twice(loss):
    norm = nn.LayerNorm(3).to("float64")
    x, target = np.array([[0.7, -1.0, 2.0], [3.0, 0.1, 1.0]]), np.array([[0.0, 1.0, 0.5], [1.0, 0.0, 0.2]])
    mg.gradcheck(lambda x: loss(norm(x), target), [x], order=2)
