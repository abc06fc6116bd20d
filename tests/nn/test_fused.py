"""Neighbours that run as one operation: the same bits, and never while somebody watches."""

from __future__ import annotations

import contextlib
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from minigrad_kernels.launch import reference_only

import minigrad as mg
from minigrad import nn, ops, optim, registry


def network(widths, seed=0, relu=nn.ReLU):
    rng = np.random.default_rng(seed)
    layers = []
    for inputs, outputs in pairwise(widths):
        layers += [nn.Linear(inputs, outputs, rng=rng, bias=outputs % 3 > 0), relu()]
    return nn.Sequential(*layers[:-1])


def names(loss):
    return [record.operation.name for record in mg.tape(loss)]


def trained(widths, batch, seed, context):
    """Train for a few steps; return the losses, all parameters, and the gradient of the last batch's x."""
    rng = np.random.default_rng(seed)
    model = network(widths, seed)
    optimizer = optim.Adam(model, lr=0.01)
    losses = []
    with context:
        for _ in range(4):
            x = mg.Tensor(rng.standard_normal((batch, widths[0]), dtype=np.float32), requires_grad=True)
            optimizer.zero_grad()
            loss = nn.cross_entropy(model(x), rng.integers(0, widths[-1], batch))
            loss.backward()
            optimizer.step()
            losses.append(loss.data)
    return [*losses, *model.state_dict().values(), x.grad.data]


@given(
    widths=st.lists(st.integers(1, 40), min_size=2, max_size=5),
    batch=st.integers(1, 40),
    seed=st.integers(0, 1000),
)
def test_training_has_the_same_bits_fused_and_not(widths, batch, seed):
    fused = trained(widths, batch, seed, contextlib.nullcontext())
    for a, b in zip(fused, trained(widths, batch, seed, mg.unfused()), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("context", [contextlib.nullcontext, reference_only])
def test_what_runs_as_one(context):
    model, y = network((3, 4, 4, 2)), np.array([0, 1])
    with context():
        x = mg.Tensor(np.ones((2, 3), "float32"))
        fused = nn.cross_entropy(model(x), y)
        assert names(fused) == ["linear_relu", "linear_relu", "linear", "mean_cross_entropy"]
        assert names(nn.cross_entropy(model(x), y, "sum"))[-1] == "sum"
        with mg.unfused():
            apart = nn.cross_entropy(model(x), y)
    assert names(apart) == ["linear", "relu", "linear", "relu", "linear", "softmax_cross_entropy", "mean"]
    assert fused.data == apart.data


@pytest.mark.parametrize(
    "watching",
    [
        lambda: mg.hooks(forward=lambda *_: None),
        lambda: mg.hooks(backward=lambda _: None),
        mg.debug,
        mg.record,
    ],
)
def test_nothing_runs_as_one_while_somebody_watches(watching):
    model = network((3, 4, 2))
    with watching():
        loss = nn.cross_entropy(model(mg.Tensor(np.ones((2, 3), "float32"))), np.array([0, 1]))
    assert names(loss) == ["linear", "relu", "linear", "softmax_cross_entropy", "mean"]


def test_somebody_who_watches_the_gradients_arrive_changes_nothing():
    model = network((3, 4, 2))
    with mg.hooks(accumulate_grad=lambda *_: None):
        assert names(model(mg.Tensor(np.ones((2, 3), "float32")))) == ["linear_relu", "linear"]


def test_a_subclass_may_compute_something_else_and_is_left_alone():
    class Doubled(nn.ReLU):
        def forward(self, x):
            return 2 * super().forward(x)

    model = network((3, 4, 2), relu=Doubled)
    assert names(model(mg.Tensor(np.ones((2, 3), "float32")))) == ["linear", "relu", "multiply", "linear"]


def test_a_relu_that_stands_first_or_twice():
    rng = np.random.default_rng(0)
    model = nn.Sequential(nn.ReLU(), nn.Linear(3, 4, rng=rng), nn.ReLU(), nn.ReLU())
    x = mg.Tensor(rng.standard_normal((5, 3), dtype=np.float32), requires_grad=True)
    fused = model(x)
    assert names(fused) == ["relu", "linear_relu", "relu"]
    with mg.unfused():
        np.testing.assert_array_equal(fused.data, model(x).data)


def test_every_operation_that_gives_all_its_gradients_in_one_go_is_tested():
    registry.load()
    assert {name for name, op in registry.operations.items() if op.joint_vjp} == {
        *LINEAR,
        "dot_product_attention",  # tests/ops/test_attention.py
        "self_attention",
        "mean_cross_entropy",
        "solve",  # tests/ops/test_linalg.py
        *("layer_norm", "rms_norm", "group_norm", "batch_norm"),  # test_normalization.py
        *RECURRENT,  # tests/nn/test_recurrent.py
        *ACTIVATIONS,  # tests/ops/test_of_entries.py
    }


LINEAR = ["linear", "linear_relu"]
ACTIVATIONS = [
    *("relu", "leaky_relu", "sigmoid", "softplus", "gelu", "gelu_tanh", "silu", "elu", "mish", "hardswish"),
]
RECURRENT = [
    f"{cell}{turned}" for cell in ("rnn_tanh", "rnn_relu", "gru", "lstm") for turned in ("", "_reverse")
]


@pytest.mark.parametrize("shape", [(1, 2), (6, 10), (70, 130), (1200, 10)])
def test_the_gradient_of_the_mean_cross_entropy_is_its_rules(shape, monkeypatch):
    rng = np.random.default_rng(0)
    logits = mg.Tensor(rng.standard_normal(shape, dtype=np.float32), requires_grad=True)
    labels = rng.integers(0, shape[1], shape[0])
    found = []
    for joint_vjp in (ops.mean_cross_entropy.joint_vjp, None):
        monkeypatch.setattr(ops.mean_cross_entropy, "joint_vjp", joint_vjp)
        logits.grad = None
        (3 * ops.mean_cross_entropy(logits, labels)).backward()
        found.append(logits.grad.data)
    np.testing.assert_array_equal(*found)


def test_a_saved_gradient_that_becomes_the_result_is_not_used_twice():
    rng = np.random.default_rng(0)
    logits = mg.Tensor(rng.standard_normal((6, 3), dtype=np.float32), requires_grad=True)
    labels = rng.integers(0, 3, 6)
    loss = ops.mean_cross_entropy(logits, labels)
    loss.backward(retain_graph=True)
    once = logits.grad.data.copy()
    logits.grad.data *= 100  # somebody else's memory by now
    logits.grad = None
    loss.backward(retain_graph=True)
    np.testing.assert_array_equal(logits.grad.data, once)
    loss.backward()  # and the two are summed
    np.testing.assert_array_equal(logits.grad.data, 2 * once)
    logits.grad = None
    both = ops.mean_cross_entropy(logits, labels) + ops.mean_cross_entropy(logits, labels)
    both.backward()
    np.testing.assert_array_equal(logits.grad.data, 2 * once)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_fused_mean_has_the_bits_of_its_parts(dtype):
    rng = np.random.default_rng(0)
    for shape in [(1, 2), (6, 10), (70, 130), (1200, 10), (7, 1000)]:
        logits = mg.Tensor(rng.standard_normal(shape).astype(dtype), requires_grad=True)
        labels = rng.integers(0, shape[1], shape[0])
        found = []
        for context in (mg.unfused, contextlib.nullcontext):
            logits.grad = None
            with context():
                loss = nn.cross_entropy(logits, labels)
            loss.backward()
            found.append((loss.data, logits.grad.data))
        for a, b in zip(*found, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", LINEAR)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_all_gradients_in_one_go_are_those_of_the_rules(name, dtype, monkeypatch):
    rng = np.random.default_rng(0)
    operation = registry.operations[name]
    for tracked in [(1, 1, 1), (0, 1, 1), (1, 0, 0), (1, 1, 0)]:
        for batch in [(6,), (2, 3), (1,), (0,), ()]:
            shapes = [(*batch, 5), (4, 5), (4,)]
            inputs = [
                mg.Tensor(rng.standard_normal(shape).astype(dtype), requires_grad=bool(flag))
                for shape, flag in zip(shapes, tracked, strict=True)
            ]
            found = []
            for joint_vjp in (operation.joint_vjp, None):
                monkeypatch.setattr(operation, "joint_vjp", joint_vjp)
                result = operation(*inputs)
                result.backward(np.linspace(-1, 1, result.size, dtype=dtype).reshape(result.shape))
                found.append([None if t.grad is None else t.grad.data for t in inputs])
                for t in inputs:
                    t.grad = None
                monkeypatch.undo()
            for a, b, flag in zip(*found, tracked, strict=True):
                assert (a is None) == (b is None) == (not flag)
                if flag:  # a sum may be worked out in another order
                    np.testing.assert_allclose(a, b, rtol=0, atol=20 * np.finfo(dtype).eps)


def test_a_saved_value_that_changes_is_noticed():
    x, w = mg.Tensor(np.ones((2, 3))), nn.Parameter(np.ones((4, 3)))
    loss = ops.linear_relu(x, w, None).sum()
    x[0] = 5.0
    with pytest.raises(mg.errors.GradientError, match="MG-205"):
        loss.backward()


def test_the_mean_over_no_samples_is_no_number_either_way():
    z = mg.Tensor(np.zeros((0, 3), "float32"), requires_grad=True)
    with pytest.warns(RuntimeWarning):
        assert np.isnan(nn.cross_entropy(z, np.zeros(0, int)).item())
