"""Pruned weights stay 0 under every optimizer, and the others move as if the pruned ones had never been."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad.compress import GradualPruning, Masks, masks_of_zeros, sparsity_at
from minigrad.errors import ConfigError

OPTIMIZERS: dict[str, Any] = {
    "gd": lambda m, **s: optim.GD(m, lr=0.1, **s),
    "sgd": lambda m, **s: optim.SGD(m, lr=0.1, **s),
    "momentum": lambda m, **s: optim.SGD(m, lr=0.1, momentum=0.9, **s),
    "nesterov": lambda m, **s: optim.SGD(m, lr=0.1, momentum=0.9, nesterov=True, **s),
    "adagrad": lambda m, **s: optim.AdaGrad(m, lr=0.1, **s),
    "rmsprop": lambda m, **s: optim.RMSprop(m, lr=0.01, **s),
    "adam": lambda m, **s: optim.Adam(m, lr=0.01, **s),
    "adamw": lambda m, **s: optim.AdamW(m, lr=0.01, **s),
    "amsgrad": lambda m, **s: optim.AMSGrad(m, lr=0.01, **s),
    "nadam": lambda m, **s: optim.NAdam(m, lr=0.01, **s),
    "lion": lambda m, **s: optim.Lion(m, lr=0.01, **s),
    "adam as printed": lambda m, **s: optim.AdamAsPrinted(m, lr=0.01, **s),
}
X = np.random.default_rng(0).normal(size=(64, 6)).astype("float32")
Y = np.random.default_rng(1).integers(0, 3, 64)


def network() -> nn.Sequential:
    rng = np.random.default_rng(2)
    return nn.Sequential(nn.Linear(6, 8, rng=rng), nn.Tanh(), nn.Linear(8, 3, rng=rng))


def step(model: nn.Module, optimizer: optim.Optimizer) -> None:
    optimizer.zero_grad()
    nn.CrossEntropyLoss()(model(mg.Tensor(X)), Y).backward()
    optimizer.step()


def test_every_optimizer_is_tried() -> None:
    made = {type(make(network())) for make in OPTIMIZERS.values()}
    assert {
        cls for cls in vars(optim).values() if isinstance(cls, type) and issubclass(cls, optim.Optimizer)
    } == {
        *made,
        optim.Optimizer,
        optim.Muon,
    }


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("settings", [{}, {"weight_decay": 0.1, "max_norm": 0.05}])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_weight_gradient_and_state_of_what_is_pruned_stay_0(
    name: str, settings: dict[str, Any], fast: bool
) -> None:
    model = network()
    optimizer = OPTIMIZERS[name](model, fast=fast, **settings)
    for _ in range(3):
        step(model, optimizer)  # so that there is a state to forget
    masks = Masks(model)
    masks.prune(0.6, optimizer)
    with masks.held():
        for _ in range(5):
            step(model, optimizer)
            for key, weight in masks.weights.items():
                dropped = ~masks.kept[key]
                for array in (weight.data, weight.grad.data, *optimizer.state[key].values()):
                    assert (array[dropped] == 0).all()
                assert (weight.data[~dropped] != 0).all()
    assert masks.sparsity == pytest.approx(0.6, abs=0.01)


def rule(theta: Any, g: Any, m: Any, v: Any, t: int) -> tuple[Any, Any, Any]:
    """Adam, written down once more."""
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
    return theta - 0.01 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8), m, v


def test_the_others_move_as_the_rule_says_and_clipping_sees_them_alone() -> None:
    """A network of the weights that are left alone, by hand, in float64: one layer, squared error."""
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(32, 4)), rng.normal(size=(32, 2))
    model = nn.Linear(4, 2, bias=False, rng=rng).to("float64")
    optimizer = optim.Adam(model, lr=0.01, max_norm=0.05)
    masks = Masks(model)
    masks.prune(0.5, optimizer)
    theta, kept = model.weight.numpy().copy(), masks.kept["weight"]
    m = v = np.zeros_like(theta)
    with masks.held():
        for t in range(1, 21):
            optimizer.zero_grad()
            ((model(mg.Tensor(x)) - y) ** 2).mean().backward()
            optimizer.step()
            g = kept * (2 * (x @ theta.T - y).T @ x / y.size)
            g = g * min(1, 0.05 / (np.sqrt((g**2).sum()) + 1e-6))
            theta, m, v = rule(theta, g, m, v, t)
            np.testing.assert_allclose(model.weight.numpy(), theta, rtol=1e-6, atol=1e-12)


def test_outside_the_block_nothing_is_held() -> None:
    model = network()
    optimizer, masks = optim.SGD(model, lr=0.1), Masks(model)
    masks.prune(0.5)
    step(model, optimizer)
    assert (model[2].weight.data != 0).all()


def test_biases_are_never_pruned() -> None:
    masks = Masks(network())
    assert list(masks.kept) == ["0.weight", "2.weight"]
    masks.prune(1.0)
    assert masks.sparsity == 1


def test_masks_are_read_off_zeros() -> None:
    model = network()
    masks = Masks(model)
    masks.prune(0.7)
    again = masks_of_zeros(model)
    for name, kept in masks.kept.items():
        np.testing.assert_array_equal(again.kept[name], kept)


def test_the_schedule_against_a_table_of_zhu_and_gupta_s_equation() -> None:
    # s_i = 0, s_f = 0.8, t0 = 10, n Δt = 40: 0.8 (1 - (1 - (t - 10)/40)³)
    wanted = {
        0: 0,
        10: 0,
        20: 0.8 * (1 - 27 / 64),
        30: 0.8 * (1 - 1 / 8),
        40: 0.8 * (1 - 1 / 64),
        50: 0.8,
        99: 0.8,
    }
    for t, s in wanted.items():
        assert sparsity_at(t, begin=10, end=50, final=0.8) == pytest.approx(s)
    assert sparsity_at(30, begin=10, end=50, final=0.8, initial=0.4) == pytest.approx(0.8 - 0.4 / 8)


def test_gradual_pruning_follows_its_schedule() -> None:
    model = network()
    optimizer = optim.Adam(model, lr=0.01)
    pruning = GradualPruning(model, optimizer, 0.9, begin=4, end=20, every=5)
    seen = []
    with pruning.masks.held():
        for t in range(1, 26):
            step(model, optimizer)
            pruning.step(t)
            seen.append(pruning.masks.sparsity)
            if t > 1:
                assert seen[-1] >= seen[-2]
    size = 6 * 8 + 8 * 3
    for t, found in enumerate(seen, 1):
        at = max(due for due in (0, 4, 9, 14, 19, 20) if due <= t)
        assert found == pytest.approx(round(sparsity_at(at, begin=4, end=20, final=0.9) * size) / size)


@pytest.mark.parametrize(
    "settings", [{"end": 0}, {"begin": 5, "end": 5}, {"end": 9, "every": 0}, {"end": 9, "sparsity": 2}]
)
def test_impossible_schedules_are_refused(settings: dict[str, Any]) -> None:
    model = network()
    with pytest.raises(ConfigError, match="MG-802"):
        GradualPruning(model, optim.SGD(model), **{"sparsity": 0.5, **settings})


def test_pruned_weights_do_not_come_back() -> None:
    model = network()
    masks = Masks(model)
    masks.prune(0.8)
    with pytest.raises(ConfigError, match=r"MG-802 sparsity is 0.5, and the network has 0.8056 already"):
        GradualPruning(model, optim.SGD(model), 0.5, end=9, masks=masks)
