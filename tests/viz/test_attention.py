"""Attention seen: one entry in symbols and numbers, and the maps of a GPT's heads."""

from __future__ import annotations

import re

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.errors import ShapeError
from minigrad.viz.explain import explain
from minigrad.viz.trace import Backward, Forward


def recorded(causal: bool):
    rng = np.random.default_rng(0)
    q, k, v = (
        mg.Tensor(rng.normal(size=(3, 2)).round(2), requires_grad=True, name=name) for name in ("q", "k", "v")
    )

    def step():
        y = nn.scaled_dot_product_attention(q, k, v, is_causal=causal)
        y.name = "y"
        y.sum().backward()

    return mg.record(step), [t.numpy() for t in (q, k, v)]


def test_an_entry_is_explained_by_its_scores_and_values():
    trace, (q, k, v) = recorded(causal=False)
    event = next(event for event in trace.events if isinstance(event, Forward))
    found = explain(trace, event, (1, 1))
    assert "k[n," in found.symbols
    assert found.symbols.endswith("v[n,1]")
    scores = q[1] @ k.T / np.sqrt(2)
    powers = np.exp(scores)
    value = float(powers @ v[:, 1] / powers.sum())
    printed = float(re.findall(r"= (\S+)$", found.numbers)[0].replace("−", "-"))
    assert abs(printed - value) < 1e-3
    for score in scores:  # which scores make the weights
        assert f"e^({f'{score:.4g}'.replace('-', '−')}" in found.numbers


def test_a_hidden_key_is_shown_as_such_and_its_condition_is_not():
    trace, _ = recorded(causal=True)
    event = next(event for event in trace.events if isinstance(event, Forward))
    found = explain(trace, event, (1, 0))
    assert "where" not in found.symbols
    assert "k[1,k]" in found.symbols
    assert "k[2,k]" not in found.symbols
    assert "e^(−∞)" in found.symbols


def test_every_gradient_of_attention_is_explained():
    trace, _ = recorded(causal=False)
    own = [e for e in trace.events if isinstance(e, Backward) and trace.nodes[e.node].name == "y"]
    assert len(own) == 3
    for event in own:
        assert "dL/dy[" in explain(trace, event, (2, 1)).symbols


def test_the_maps_of_a_gpts_heads(tmp_path):
    model = nn.GPT(9, 6, 2, 3, 12, rng=np.random.default_rng(0))
    weights = model.attention_weights(np.array([[1, 2, 3, 4], [5, 6, 7, 8]])).numpy()
    assert weights.shape == (2, 2, 3, 4, 4)
    np.testing.assert_allclose(weights.sum(axis=-1), 1, rtol=1e-5)
    assert (np.triu(weights, 1) == 0).all()
    figure = mg.viz.attention_maps(weights[0, 0], list("abcd"), path=tmp_path / "maps.png")
    shown = [axis.images[0].get_array() for axis in figure.axes if axis.images]
    np.testing.assert_array_equal(shown, weights[0, 0])
    assert [text.get_text() for text in figure.axes[0].get_xticklabels()] == list("abcd")
    assert (tmp_path / "maps.png").stat().st_size > 1000
    for wrong in (weights[0], np.zeros((2, 0, 3))):
        with pytest.raises(ShapeError, match="MG-533"):
            mg.viz.attention_maps(wrong)
    with pytest.raises(ShapeError, match=r"MG-533 .*2 labels for 4 keys"):
        mg.viz.attention_maps(weights[0, 0], "ab")
