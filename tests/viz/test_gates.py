"""Gates over time, beside those worked out time by time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.errors import ShapeError
from minigrad.viz.gates import gates

X = np.random.default_rng(1).normal(size=(6, 3)).astype(np.float32)


def sigmoid(a: Any) -> Any:
    return 1 / (1 + np.exp(-a))


@pytest.mark.parametrize("bias", [True, False])
def test_an_lstms_are_those_of_its_formula(bias: bool) -> None:
    layer = nn.LSTM(3, 4, 2, bias=bias, rng=np.random.default_rng(0))
    rows = X
    for k in range(2):
        p = {name: value for name, value in layer.state_dict().items() if name.endswith(f"l{k}")}
        h, c, wanted = np.zeros(4), np.zeros(4), []
        for x in rows:
            a = p[f"weight_ih_l{k}"] @ x + p[f"weight_hh_l{k}"] @ h
            if bias:
                a = a + p[f"bias_ih_l{k}"] + p[f"bias_hh_l{k}"]
            i, f, o, g = sigmoid(a[:4]), sigmoid(a[4:8]), sigmoid(a[12:]), np.tanh(a[8:12])
            c = f * c + i * g
            h = o * np.tanh(c)
            wanted.append({"i": i, "f": f, "g": g, "o": o, "c": c, "h": h})
        found = gates(layer, X, k)
        for name in "ifgoch":
            np.testing.assert_allclose(found[name], [each[name] for each in wanted], atol=1e-6)
        rows = np.array([each["h"] for each in wanted])


def test_a_grus_too_and_its_outputs_are_the_layers() -> None:
    layer = nn.GRU(3, 4, rng=np.random.default_rng(0))
    found = gates(layer, mg.Tensor(X))
    before = np.concatenate([np.zeros((1, 4)), found["h"][:-1]])
    np.testing.assert_allclose(found["h"], (1 - found["z"]) * found["n"] + found["z"] * before, atol=1e-6)
    np.testing.assert_allclose(found["h"], layer(mg.Tensor(X))[0].numpy(), atol=1e-6)
    assert set(found) == set("rznh")


def test_the_picture_shows_them(tmp_path: Path) -> None:
    layer = nn.LSTM(3, 4, rng=np.random.default_rng(0))
    figure = mg.viz.gates_over_time(layer, X, "abcdef", path=tmp_path / "gates.png")
    assert (tmp_path / "gates.png").stat().st_size > 1000
    shown = [axis.images[0].get_array() for axis in figure.axes]
    for picture, name in zip(shown, "ifgoch", strict=True):
        np.testing.assert_allclose(picture, gates(layer, X)[name].T)
    assert [text.get_text() for text in figure.axes[-1].get_xticklabels()] == list("abcdef")


def test_what_has_no_gates_or_does_not_fit_is_refused() -> None:
    rng = np.random.default_rng(0)
    for layer, x, number in (
        (nn.RNN(3, 4, rng=rng), X, 0),
        (nn.LSTM(3, 4, bidirectional=True, rng=rng), X, 0),
        (nn.LSTM(3, 4, rng=rng), X, 1),
        (nn.LSTM(3, 4, rng=rng), X[:, :2], 0),
        (nn.LSTM(3, 4, rng=rng), X[None], 0),
    ):
        with pytest.raises(ShapeError, match="MG-529"):
            gates(layer, x, number)
    with pytest.raises(ShapeError, match="2 labels for 6 times"):
        mg.viz.gates_over_time(nn.LSTM(3, 4, rng=rng), X, "ab")
