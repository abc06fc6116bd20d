"""Histograms through the depth: the numbers in them against the same worked out by hand."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.errors import GradientError
from minigrad.train.texts import CharacterRNN, NextCharacter
from minigrad.viz.spreads import spreads

RNG = np.random.default_rng(0)
X = RNG.normal(size=(6, 3)).astype("float32")


def two_layers() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 4, rng=RNG), nn.Tanh(), nn.Dropout(0.5), nn.Linear(4, 2, rng=RNG))


def square(y: Any) -> Any:
    return (y * y).sum()


def test_activations_and_gradients_by_hand() -> None:
    """L = Σ y²: dL/dy = 2y, back through y = W t + b and t = tanh a."""
    model = two_layers()
    w1, b1, w2, b2 = (p.numpy() for p in model.parameters())
    a = X @ w1.T + b1
    t = np.tanh(a)
    y = t @ w2.T + b2
    g = 2 * y @ w2
    expected = [
        ("0: Linear", a, g * (1 - t * t)),
        ("1: Tanh", t, g),
        ("2: Dropout", t, g),
        ("3: Linear", y, 2 * y),
    ]
    for found, (name, activation, gradient) in zip(spreads(model, X, square), expected, strict=True):
        assert found.name == name
        np.testing.assert_allclose(found.activations, activation, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(found.gradients, gradient, rtol=1e-4, atol=1e-5)


def test_looking_learns_nothing() -> None:
    model = nn.Sequential(nn.Linear(3, 4, rng=RNG), nn.BatchNorm1d(4), nn.Linear(4, 2, rng=RNG))
    before = model.state_dict()
    mg.viz.histograms(model, X, square)
    assert all(p.grad is None for p in model.parameters())
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


def test_each_layer_has_two_histograms_that_count_all_numbers() -> None:
    model = two_layers()
    figure = mg.viz.histograms(model, X, square)
    found = spreads(model, X, square)
    assert len(figure.axes) == 2 * len(found)
    for k, spread in enumerate(found):
        for axis, values in zip(figure.axes[2 * k : 2 * k + 2], spread[1:], strict=True):
            assert sum(bar.get_height() for bar in axis.patches) == values.size
            sigma = float(re.sub("^σ ", "", axis.get_title(loc="right")).replace("−", "-"))
            assert sigma == pytest.approx(values.std(), rel=1e-3)


def test_of_a_deep_network_layers_are_chosen_evenly() -> None:
    model = nn.Sequential(*(nn.Linear(3, 3, rng=RNG) for _ in range(31)))
    figure = mg.viz.histograms(model, X, square, most=4)
    assert [axis.get_title(loc="left") for axis in figure.axes[::2]] == [
        f"{k}: Linear" for k in (0, 10, 20, 30)
    ]


def test_a_network_that_reads_characters_is_drawn_too() -> None:
    model = CharacterRNN(nn.LSTM, 5, 4, 1, 0.0, RNG, RNG)
    ids = RNG.integers(0, 5, (2, 6))
    found = spreads(model, ids, lambda logits: NextCharacter()(logits, ids))
    assert [spread.name for spread in found] == ["embedding: Embedding", "layers: LSTM", "head: Linear"]
    assert model.carried is None


def test_without_gradients_there_is_nothing_to_draw() -> None:
    with pytest.raises(GradientError, match="MG-903"):
        mg.viz.histograms(nn.ReLU(), X, square)
