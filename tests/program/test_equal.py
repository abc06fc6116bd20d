"""Compiled steps give the bits of eager ones: random networks, losses, optimizers, schedules, over twenty steps."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad import nn, optim
from minigrad.optim import chain

STEPS = 20
FEATURES, CLASSES = 5, 3

ACTIVATIONS = [nn.ReLU, nn.Tanh, nn.Sigmoid, nn.GELU, nn.LeakyReLU]
LOSSES: list[tuple[Callable[[], Any], bool]] = [  # and whether the targets are class ids
    (nn.CrossEntropyLoss, True),
    (lambda: nn.CrossEntropyLoss("sum"), True),
    (nn.MSELoss, False),
    (nn.HalfMSELoss, False),
    (nn.L1Loss, False),
    (nn.BCEWithLogitsLoss, False),
]
OPTIMIZERS: list[Callable[..., optim.Optimizer]] = [
    optim.GD,
    optim.SGD,
    lambda p, lr, **o: optim.SGD(p, lr, momentum=0.9, **o),
    lambda p, lr, **o: optim.SGD(p, lr, momentum=0.9, nesterov=True, **o),
    optim.AdaGrad,
    optim.RMSprop,
    optim.Adam,
    optim.AdamW,
    optim.AMSGrad,
    optim.NAdam,
    optim.Lion,
    optim.Muon,
    optim.AdamAsPrinted,
]
SCHEDULES: list[Callable[[float], Any]] = [
    lambda rate: rate,
    lambda rate: optim.Cosine(rate, steps=STEPS),
    lambda rate: optim.Exponential(rate, decay_rate=0.5, decay_steps=7),
    lambda rate: rate * 0.5,
]


def network(seed: int, widths: list[int], activation: Any, p: float, norm: bool, dtype: str) -> nn.Module:
    rng = np.random.default_rng(seed)
    layers: list[nn.Module] = []
    before = FEATURES
    for width in widths:
        layers += [nn.Linear(before, width, rng=rng), *([nn.LayerNorm(width)] if norm else []), activation()]
        if p:
            layers.append(nn.Dropout(p))
        before = width
    model = nn.Sequential(*layers, nn.Linear(before, CLASSES, rng=rng)).to(dtype)
    nn.seed_dropout(model, seed)
    return model


def batches(seed: int, n: int, labels: bool, dtype: str) -> list[tuple[Any, Any]]:
    rng = np.random.default_rng(seed + 1)
    sizes = [n] * (STEPS - 1) + [max(1, n // 2)]  # the last, smaller batch
    return [
        (
            rng.standard_normal((m, FEATURES)).astype(dtype),
            rng.integers(0, CLASSES, m) if labels else rng.random((m, CLASSES)).astype(dtype),
        )
        for m in sizes
    ]


def step_of(
    model: Any, optimizer: optim.Optimizer, loss_of: Any, passes: int, weight: float
) -> Callable[..., Any]:
    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        for _ in range(passes):
            with mg.accumulate(passes) if passes > 1 else nullcontext():
                loss = loss_of(model(mg.Tensor(x)), y)
                if weight:
                    loss = loss + weight * sum((w * w).sum() for w in model.parameters())
                loss.backward()
        optimizer.step()
        return loss

    return step


@settings(max_examples=int(os.environ.get("MINIGRAD_EXAMPLES", "60")))
@given(
    seed=st.integers(0, 10_000),
    widths=st.lists(st.integers(1, 7), max_size=2),
    activation=st.sampled_from(ACTIVATIONS),
    loss=st.sampled_from(LOSSES),
    optimizer=st.sampled_from(OPTIMIZERS),
    schedule=st.sampled_from(SCHEDULES),
    rate=st.sampled_from([0.1, 0.003]),
    max_norm=st.sampled_from([None, 0.5]),
    decay=st.sampled_from([0.0, 0.01]),
    p=st.sampled_from([0.0, 0.3]),
    norm=st.booleans(),
    passes=st.sampled_from([1, 1, 2]),
    weight=st.sampled_from([0.0, 0.01]),
    n=st.sampled_from([1, 2, 6]),
    dtype=st.sampled_from(["float32", "float64"]),
)
def test_a_compiled_step_has_the_bits_of_the_eager_one(
    seed,
    widths,
    activation,
    loss,
    optimizer,
    schedule,
    rate,
    max_norm,
    decay,
    p,
    norm,
    passes,
    weight,
    n,
    dtype,
):
    results = []
    make_loss, labels = loss
    for compiled in (False, True):
        model = network(seed, widths, activation, p, norm, dtype)
        trained = {k: p for k, p in model.named_parameters() if optimizer is not optim.Muon or p.ndim == 2}
        opt = optimizer(trained, lr=schedule(rate), weight_decay=decay, max_norm=max_norm)
        step = step_of(model, opt, make_loss(), passes, weight)
        step = mg.compile(step) if compiled else step
        losses = [step(x, y) for x, y in batches(seed, n, labels, dtype)]
        results.append((losses, model.parameters(), opt))
    (losses, ours, opt), (replayed, theirs, other) = results
    for k, (a, b) in enumerate(zip(losses, replayed, strict=True)):
        np.testing.assert_array_equal(a.numpy(), b.numpy(), err_msg=f"loss {k}")
        assert a.dtype == b.dtype
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    for name, state in opt.state.items():
        for key, array in state.items():
            np.testing.assert_array_equal(array, other.state[name][key])
    assert opt.t == other.t == STEPS


def test_a_network_of_kernels_has_the_bits_of_the_eager_one():
    """784-128-10, whose products go through tiles, single samples and several threads."""
    for n in (1, 32, 128):
        rng = np.random.default_rng(0)
        data = [(rng.standard_normal((n, 784)).astype("f"), rng.integers(0, 10, n)) for _ in range(6)]
        found = []
        for compiled in (False, True):
            rng = np.random.default_rng(1)
            model = nn.Sequential(nn.Linear(784, 128, rng=rng), nn.ReLU(), nn.Linear(128, 10, rng=rng))
            step = step_of(model, optim.Adam(model, lr=0.01), nn.CrossEntropyLoss(), 1, 0.0)
            step = mg.compile(step) if compiled else step
            found.append([step(x, y).item() for x, y in data] + [p.numpy() for p in model.parameters()])
        for a, b in zip(*found, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("argnums", [0, (0, 1)])
def test_a_gradient_is_compiled(argnums: Any):
    def f(a: Any, b: Any) -> Any:
        return (np.sin(a) * b).sum()

    compiled = mg.compile(mg.value_and_grad(f, argnums))
    for k in range(5):
        a, b = np.linspace(0, 1, 4) + k, np.arange(4.0)
        value, gradient = compiled(a, b)
        np.testing.assert_allclose(value.numpy(), (np.sin(a) * b).sum())
        first = gradient if argnums == 0 else gradient[0]
        np.testing.assert_allclose(first.numpy(), np.cos(a) * b)
        if argnums != 0:
            np.testing.assert_allclose(gradient[1].numpy(), np.sin(a))


def test_a_second_derivative_is_compiled():
    f = mg.compile(mg.grad(mg.grad(np.tanh)))
    for x in (0.1, 0.5, 0.9, -0.3):
        t = np.tanh(x)
        np.testing.assert_allclose(f(np.float64(x)).item(), -2 * t * (1 - t * t), rtol=1e-12)


def test_a_module_is_compiled_for_inference():
    model = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.5, np.random.default_rng(0)), nn.Linear(4, 2)).eval()
    predict = mg.compile(model)
    for k in range(4):
        x = np.full((2, 3), k, "float32")
        result = predict(x)
        np.testing.assert_array_equal(result.numpy(), model(mg.Tensor(x)).numpy())
        assert not result.requires_grad


OTHERWISE: dict[
    str, tuple[Callable[[Any], Any], Callable[[Any], Any]]
] = {  # an optimizer; what is done to gradients
    "the formula as it stands": (lambda m: optim.Adam(m, fast=False), lambda m: None),
    "a chain with a schedule": (
        lambda m: chain.Chain(
            m, [chain.scale_by_adam, partial(chain.scale, factor=optim.Cosine(1.0, 9))], 0.1
        ),
        lambda m: None,
    ),
    "clipped by norm": (lambda m: optim.SGD(m, 0.1), lambda m: optim.clip_grad_norm(m, 0.1)),
    "clipped by value": (lambda m: optim.SGD(m, 0.1), lambda m: optim.clip_grad_value(m, 0.01)),
    "scaled by hand": (lambda m: optim.SGD(m, 0.1), lambda m: [scale(p) for p in m.parameters()]),
    "an L1 penalty": (lambda m: optim.SGD(m, 0.1), lambda m: None),
}


def scale(p: Any) -> None:
    p.grad.data = 0.5 * p.grad.data


@pytest.mark.parametrize("name", OTHERWISE)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_else_is_done_in_a_step(name: str, dtype: str):
    make, change = OTHERWISE[name]
    found = []
    for compiled in (False, True):
        model = network(3, [4], nn.Tanh, 0.0, False, dtype)
        opt, loss_of = make(model), nn.CrossEntropyLoss()

        def step(x, y, model=model, opt=opt, loss_of=loss_of):
            opt.zero_grad()
            loss = loss_of(model(mg.Tensor(x)), y)
            if "penalty" in name:
                loss = loss + 0.01 * sum(np.abs(p).sum() for p in model.parameters())
            loss.backward()
            change(model)
            opt.step()
            return {"loss": loss, "norm": [np.sqrt((p * p).sum()) for p in model.parameters()]}

        step = mg.compile(step) if compiled else step
        results = [step(x, y) for x, y in batches(5, 4, True, dtype)]
        found.append([(r["loss"].item(), *(n.item() for n in r["norm"])) for r in results])
    assert found[0] == found[1]


def test_half_precision():
    found = []
    for compiled in (False, True):
        model = network(3, [4], nn.ReLU, 0.0, False, "float16")
        opt, loss_of = optim.Adam(model, 0.01), nn.CrossEntropyLoss()
        step = step_of(model, opt, loss_of, 1, 0.0)
        step = mg.compile(step) if compiled else step
        found.append([step(x, y).item() for x, y in batches(5, 4, True, "float16")])
    assert found[0] == found[1]
