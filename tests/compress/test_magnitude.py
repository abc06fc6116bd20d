from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from minigrad.compress import kept_by_magnitude
from minigrad.errors import ConfigError

# few values, so that there are ties
WEIGHTS = st.fixed_dictionaries(
    {
        "a": arrays(np.float32, (3, 5), elements=st.integers(-4, 4)),
        "b": arrays(np.float32, (2, 3), elements=st.integers(-9, 9)),
    }
)


@given(WEIGHTS, st.floats(0, 1))
def test_the_smallest_go_and_exactly_so_many(weights: Any, sparsity: float) -> None:
    kept = kept_by_magnitude(weights, sparsity)
    pairs = sorted(
        (abs(float(w)), bool(k))
        for name in weights
        for w, k in zip(weights[name].flat, kept[name].flat, strict=True)
    )
    assert sum(not k for _, k in pairs) == round(sparsity * 21)
    dropped, left = [w for w, k in pairs if not k], [w for w, k in pairs if k]
    assert not dropped or not left or max(dropped) <= min(left)


@given(WEIGHTS, st.floats(0, 1))
def test_per_layer_each_loses_its_share(weights: Any, sparsity: float) -> None:
    kept = kept_by_magnitude(weights, sparsity, per_layer=True)
    for name, weight in weights.items():
        assert np.sum(~kept[name]) == round(sparsity * weight.size)
        alone = kept_by_magnitude({name: weight}, sparsity)
        np.testing.assert_array_equal(kept[name], alone[name])


@given(WEIGHTS, st.lists(st.floats(0, 1), min_size=2, max_size=2), st.booleans())
def test_what_is_dropped_stays_dropped(weights: Any, shares: list[float], per_layer: bool) -> None:
    first = kept_by_magnitude(weights, min(shares), per_layer=per_layer)
    regrown = {name: np.where(kept, weights[name], 100) for name, kept in first.items()}
    second = kept_by_magnitude(regrown, max(shares), per_layer=per_layer, before=first)
    for name in weights:
        assert not (second[name] & ~first[name]).any()


def test_by_hand() -> None:
    weights = {"a": np.array([[3.0, -1.0], [0.5, -4.0]]), "b": np.array([[0.1, 9.0]])}
    kept = kept_by_magnitude(weights, 0.5)
    assert kept["a"].tolist() == [[True, False], [False, True]]
    assert kept["b"].tolist() == [[False, True]]
    kept = kept_by_magnitude(weights, 0.5, per_layer=True)
    assert kept["a"].tolist() == [[True, False], [False, True]]
    assert kept["b"].tolist() == [[False, True]]
    assert not kept_by_magnitude(weights, 1.0)["a"].any()


@pytest.mark.parametrize("sparsity", [-0.1, 1.1, float("nan"), 90])
def test_a_share_is_from_0_to_1(sparsity: float) -> None:
    with pytest.raises(ConfigError, match="MG-802 sparsity is"):
        kept_by_magnitude({"a": np.ones((2, 2))}, sparsity)
