"""What normalises: its kernels' bits, its settings, its running statistics."""

from __future__ import annotations

import numpy as np
import pytest
from minigrad_kernels import launch, normalize, normalize_batch

import minigrad as mg
from minigrad import nn
from minigrad.errors import ConfigError, DtypeError, ShapeError
from minigrad.ops.normalization import batch_norm, group_norm, layer_norm, rms_norm

RNG = np.random.default_rng(0)


def x_of(*shape, dtype="float32"):
    return mg.Tensor(RNG.normal(size=shape).astype(dtype), requires_grad=True)


OPERATIONS = {
    "layer_norm": (lambda x, w, b: layer_norm(x, w, b), (600, 70), 70),
    "rms_norm": (lambda x, w, b: rms_norm(x, w), (600, 70), 70),
    "group_norm": (lambda x, w, b: group_norm(x, w, b, groups=3), (40, 6, 9, 13), 6),
    "batch_norm of pictures": (lambda x, w, b: batch_norm(x, w, b), (40, 6, 9, 13), 6),
    "batch_norm of rows": (lambda x, w, b: batch_norm(x, w, b), (600, 70), 70),
}


def run(name):
    f, shape, channels = OPERATIONS[name]
    rng = np.random.default_rng(3)
    tensors = [
        mg.Tensor(rng.normal(size=s).astype("float32"), requires_grad=True)
        for s in (shape, channels, channels)
    ]
    y = f(*tensors)
    y.backward(rng.normal(size=y.shape).astype("float32"))
    return [y.numpy(), *(t.grad.numpy() for t in tensors if t.grad is not None)]


@pytest.mark.skipif(launch.numba() is None or launch.reference_is_forced(), reason="there are no threads")
@pytest.mark.parametrize("name", OPERATIONS)
def test_the_number_of_threads_changes_no_bit(name, monkeypatch):
    assert np.prod(OPERATIONS[name][1]) >= normalize.PARALLEL_FROM
    several = run(name)
    monkeypatch.setattr(normalize, "several", lambda x: False)
    monkeypatch.setattr(normalize_batch, "several", lambda x: False)
    for one, other in zip(run(name), several, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", OPERATIONS)
def test_kernels_and_their_references_agree(name):
    compiled = run(name)
    with launch.reference_only():
        for one, other in zip(run(name), compiled, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_joint_gradient_is_the_rules(name):
    """Walked for a second derivative, each rule runs by itself."""
    f, _, channels = OPERATIONS[name]
    shape = (4, channels, 3) if len(OPERATIONS[name][1]) > 2 else (5, channels)
    tensors = [x_of(*s, dtype="float64") for s in (shape, (channels,), (channels,))][
        : 2 if "rms" in name else 3
    ]
    g = RNG.normal(size=shape)
    joint, each = (
        mg.gradients(np.sum(f(*tensors, *[None] * (3 - len(tensors))) * g), tensors, create_graph=again)
        for again in (False, True)
    )
    for one, other in zip(joint, each, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-10, atol=1e-12)


def test_layer_norm_is_one_record():
    layer = nn.LayerNorm(4)
    assert [record.operation.name for record in mg.tape(layer(x_of(3, 4)))] == ["layer_norm"]
    assert list(layer.state_dict()) == ["weight", "bias"]
    assert list(nn.LayerNorm((2, 4), bias=False).state_dict()) == ["weight"]
    assert list(nn.LayerNorm(4, elementwise_affine=False).state_dict()) == []


@pytest.mark.parametrize("name", OPERATIONS)
def test_float16_is_summed_in_float32(name):
    """Squares of 300 overflow in float16, and so do sums of 600 numbers around 200."""
    f, shape, _ = OPERATIONS[name]
    x = (200 + 60 * np.random.default_rng(1).normal(size=shape)).astype("float16")
    t = mg.Tensor(x, requires_grad=True)
    y = f(t, None, None)
    assert y.dtype == np.float16
    wanted = f(mg.Tensor(x.astype("float64")), None, None).numpy()
    np.testing.assert_allclose(y.numpy().astype(float), wanted, rtol=2e-3, atol=2e-3)
    (y * y.detach()).sum(axis=0).backward(np.ones(y.shape[1:], "float16"))
    assert t.grad.dtype == np.float16
    assert np.isfinite(t.grad.numpy()).all()


def test_running_statistics_of_two_batches_by_hand():
    layer = nn.BatchNorm1d(1).to("float64")
    layer(np.array([[1.0], [3.0]]))  # mean 2, variance 2 where divided by n - 1
    np.testing.assert_allclose(layer.running_mean.numpy(), [0.2])
    np.testing.assert_allclose(layer.running_var.numpy(), [0.9 + 0.2])
    layer(np.array([[0.0], [4.0], [8.0]]))  # mean 4, variance 16
    np.testing.assert_allclose(layer.running_mean.numpy(), [0.9 * 0.2 + 0.4])
    np.testing.assert_allclose(layer.running_var.numpy(), [0.9 * 1.1 + 1.6])
    assert layer.num_batches_tracked.numpy() == 2
    layer.eval()
    y = layer(np.array([[0.58]]))
    np.testing.assert_allclose(y.numpy(), [[0.0]], atol=1e-12)
    assert layer.num_batches_tracked.numpy() == 2


@pytest.mark.parametrize("recorded", [True, False])
def test_running_statistics_move_with_and_without_a_graph(recorded):
    layers = [nn.BatchNorm1d(3), nn.BatchNorm1d(3, affine=False)]
    x = RNG.normal(size=(5, 3)).astype("float32")
    with mg.enable_grad() if recorded else mg.no_grad():
        for layer in layers:
            layer(x)
            np.testing.assert_allclose(layer.running_mean.numpy(), 0.1 * x.mean(axis=0), rtol=1e-5)
            np.testing.assert_allclose(
                layer.running_var.numpy(), 0.9 + 0.1 * x.var(axis=0, ddof=1), rtol=1e-5
            )


def test_the_state_has_pytorch_s_names_and_survives():
    layer = nn.BatchNorm2d(2)
    assert list(layer.state_dict()) == [
        "weight", "bias", "running_mean", "running_var", "num_batches_tracked",
    ]  # fmt: skip
    assert [*layer.named_parameters().keys()] == ["weight", "bias"]
    layer(x_of(2, 2, 3, 3))
    other = nn.BatchNorm2d(2)
    other.load_state_dict(layer.state_dict())
    x = x_of(2, 2, 3, 3)
    np.testing.assert_array_equal(other.eval()(x).numpy(), layer.eval()(x).numpy())
    assert other.num_batches_tracked.numpy() == 1
    assert other.num_batches_tracked.dtype == np.int64
    assert list(nn.BatchNorm1d(2, track_running_stats=False).state_dict()) == ["weight", "bias"]


def test_a_step_in_training_does_not_disturb_the_graph_of_an_earlier_one():
    layer = nn.BatchNorm1d(3)
    x = x_of(4, 3)
    first = layer(x).sum()
    layer(x_of(4, 3))
    first.backward()
    assert x.grad is not None


def test_debug_mode_and_records():
    model = nn.Sequential(
        nn.Linear(4, 6, rng=RNG), nn.BatchNorm1d(6), nn.LayerNorm(6), nn.RMSNorm(6), nn.GroupNorm(2, 6)
    )
    with mg.debug():
        model(x_of(5, 4)).sum().backward()
    assert all(p.grad is not None for p in model.parameters())


@pytest.mark.parametrize(
    ("make", "shape", "kind", "match"),
    [
        (lambda: nn.BatchNorm1d(3), (1, 3), ShapeError, "MG-520 .*one number for each of 3 channels"),
        (lambda: nn.BatchNorm2d(3), (1, 3, 1, 1), ShapeError, "MG-520"),
        (lambda: nn.BatchNorm1d(3), (4, 5), ShapeError, "MG-101 .*3 channels are expected on axis 1"),
        (lambda: nn.BatchNorm2d(3), (4, 3), ShapeError, "MG-101 .*It needs 4 axes"),
        (lambda: nn.BatchNorm2d(3), (4, 8, 8, 3), ShapeError, r"channels last\? np.transpose\(x, \(0, 3, 1, 2\)\)"),
        (lambda: nn.GroupNorm(2, 4), (4, 6), ShapeError, "MG-101 .*4 channels"),
        (lambda: nn.GroupNorm(3, 4), (4, 4), ConfigError, "MG-521 .*num_groups can be 1, 2, 4"),
        (lambda: nn.RMSNorm(4), (4, 1), ShapeError, "MG-101 .*last axis is 1"),
        (lambda: nn.LayerNorm(4).to("float64"), (4, 4), DtypeError, "MG-211 .*layer_norm: x is float32"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(make, shape, kind, match):
    with pytest.raises(kind, match=match):
        make()(x_of(*shape))


def test_one_sample_is_predicted_in_evaluation():
    layer = nn.BatchNorm1d(2).eval()
    np.testing.assert_allclose(layer(np.array([[1.0, -2.0]], "float32")).numpy(), [[1, -2]], rtol=1e-4)
