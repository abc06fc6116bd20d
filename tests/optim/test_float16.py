"""Parameters of float16: the rules are worked out in float32, which the state is kept in, and rounded once."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
from minigrad_kernels.update_rules import RULES

import minigrad as mg
from minigrad import optim
from minigrad.optim import Optimizer

KINDS: dict[str, Any] = {
    name: kind
    for name, kind in vars(optim).items()
    if inspect.isclass(kind) and issubclass(kind, Optimizer) and kind not in (Optimizer, optim.Muon)
}
SETTINGS: list[tuple[str, dict[str, Any]]] = [
    *((name, {}) for name in KINDS),
    ("SGD", {"momentum": 0.9}),
    ("SGD", {"momentum": 0.9, "nesterov": True}),
    ("Adam", {"weight_decay": 0.01, "max_norm": 0.5}),
    ("RMSprop", {"weight_decay": 0.01}),
]


def weight(numbers: Any, dtype: str) -> mg.Tensor:
    return mg.Tensor(np.array(numbers, dtype), requires_grad=True, name="w")


def steps(
    kind: str, settings: dict[str, Any], dtype: str, gradients: list[Any], start: Any, fast: bool = True
) -> mg.Tensor:
    w = weight(start, dtype)
    opt = KINDS[kind]([w], lr=0.01, fast=fast, **settings)
    for g in gradients:
        w.grad = mg.Tensor(np.array(g, "float16").astype(dtype))
        opt.step()
        assert w.dtype == dtype
    return w


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize(("kind", "settings"), SETTINGS)
def test_no_gradient_no_step(kind: str, settings: dict[str, Any], fast: bool) -> None:
    settings = settings | {"weight_decay": 0.0}
    w = steps(kind, settings, "float16", [np.zeros(3)] * 3, [1.0, -2.0, 0.0], fast)
    np.testing.assert_array_equal(w.data, np.array([1.0, -2.0, 0.0], "float16"))


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("size", [1e-7, 1e-4, 1.0, 300.0, 60_000.0])
@pytest.mark.parametrize(("kind", "settings"), SETTINGS)
def test_as_in_float64_but_for_the_rounding(
    kind: str, settings: dict[str, Any], size: float, fast: bool
) -> None:
    """Each of four steps rounds the parameter once: to half of the distance to its neighbour in float16."""
    rng = np.random.default_rng(0)
    gradients = [size * rng.uniform(0.2, 1, size=5) * [1, -1, 1, -1, 1] for _ in range(4)]
    start = np.array([0.5, -0.25, 0.1, 0.0, 1.5], "float16")
    half = steps(kind, settings, "float16", gradients, start, fast).data.astype("float64")
    exact = steps(kind, settings, "float64", gradients, start).data
    largest = np.maximum(np.abs(exact), np.abs(start.astype("float64")))
    roundings = 4 * np.spacing(np.maximum(largest, 1.0).astype("float16")).astype("float64")
    assert np.isfinite(half).all()
    np.testing.assert_array_less(np.abs(half - exact), roundings + 1e-3 * np.abs(exact) + 1e-12)


@pytest.mark.parametrize(("kind", "settings"), SETTINGS)
def test_kernel_and_formula_agree_in_every_bit(kind: str, settings: dict[str, Any]) -> None:
    rng = np.random.default_rng(1)
    gradients = [rng.normal(size=(3, 4)) for _ in range(5)]
    start = rng.normal(size=(3, 4)).astype("float16")
    kernel, formula = (
        steps(kind, settings, "float16", gradients, start, fast).data for fast in (True, False)
    )
    np.testing.assert_array_equal(kernel, formula)


def test_the_state_keeps_what_float16_could_not() -> None:
    w = weight([1.0], "float16")
    opt = optim.Adam([w], lr=0.01)
    w.grad = mg.Tensor(np.array([1e-4], "float16"))
    opt.step()
    state = opt.state["w"]
    assert state["m"].dtype == state["v"].dtype == np.float32
    np.testing.assert_allclose(
        state["v"], 0.001 * np.float64(np.float16(1e-4)) ** 2, rtol=1e-6
    )  # 0 in float16
    assert w.data[0] == np.float16(0.99)  # Adam's first step is its rate
    again = optim.Adam([weight([1.0], "float16")], lr=0.01)
    again.load_state_dict(opt.state_dict())
    np.testing.assert_array_equal(again.state["w"]["v"], state["v"])


def test_float16_beside_float32() -> None:
    a, b = weight([1.0], "float16"), mg.Tensor(np.array([1.0], "float32"), requires_grad=True, name="b")
    opt = optim.Adam([a, b], lr=0.01)
    for t in (a, b):
        t.grad = mg.Tensor(np.array([0.5], t.dtype))
    opt.step()
    np.testing.assert_allclose([a.item(), b.item()], 0.99, rtol=5e-4)
    assert (a.dtype, b.dtype) == (np.float16, np.float32)


def test_a_norm_beyond_float16() -> None:
    for dtype in ("float16", "float64"):
        w = weight(np.zeros(2), dtype)
        w.grad = mg.Tensor(np.array([60_000.0, 60_000.0], dtype))
        norm = optim.clip_grad_norm([w], 3.0)
        np.testing.assert_allclose(norm, 60_000 * np.sqrt(2), rtol=1e-6)
        np.testing.assert_allclose(w.grad.data, 3 / np.sqrt(2), rtol=1e-3)
        assert w.grad.dtype == dtype
    w = weight(np.zeros(2), "float16")
    w.grad = mg.Tensor(np.array([60_000.0, 60_000.0], "float16"))
    optim.SGD([w], lr=1.0, max_norm=3.0).step()
    np.testing.assert_allclose(w.data, -3 / np.sqrt(2), rtol=1e-3)


@pytest.mark.parametrize("rule", RULES)
def test_a_kernel_refuses_float16_by_name(rule: str) -> None:
    kernel = RULES[rule]
    count = kernel.cpu.function.__code__.co_argcount - 1
    arrays = [np.zeros(3, "float16") for _ in range(count)]
    with pytest.raises(TypeError, match=rf"{rule}: .*float16.*float32"):
        kernel(*arrays, np.ones(len(RULES[rule].names), "float16"))


def test_a_network_in_float16_learns() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(64, 2)).astype("float16")
    labels = (x[:, 0] * x[:, 1] > 0).astype(int)
    net = mg.nn.Sequential(mg.nn.Linear(2, 16, rng=rng), mg.nn.ReLU(), mg.nn.Linear(16, 2, rng=rng)).to(
        "float16"
    )
    opt = optim.Adam(net, lr=0.02)
    for _ in range(150):
        opt.zero_grad()
        loss = mg.nn.cross_entropy(net(mg.Tensor(x)), labels)
        loss.backward()
        opt.step()
    assert loss.dtype == np.float16
    assert loss.item() < 0.1
