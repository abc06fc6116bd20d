"""Penalties by hand, against scikit-learn's objective, and through the tape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import Tensor
from minigrad.errors import ConfigError
from minigrad.optim import elastic_net, l1, l2, l2_as_coded

W = [np.array([[1.0, -2.0], [3.0, -4.0]]), np.array([0.5])]  # sum |w| = 10.5, sum w^2 = 30.25


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (l1(W, 0.2), 1.05),  # 0.2 / 2 * 10.5
        (l1(W, 0.2, m=5), 0.21),  # 0.2 / 10 * 10.5
        (l2(W, 0.2), 3.025),
        (l2(W, 0.2, m=5), 0.605),
        (l2_as_coded(W, 0.2), 3.025),  # 0.2 * 30.25 / 2, whatever m is
        (elastic_net(W, 0.2, rho=0.25), 2.79375),  # 0.2 (0.25 * 10.5 + 0.75 / 2 * 30.25)
        (elastic_net(W, 0.2, rho=1.0), 2.1),
        (elastic_net(W, 0.2, rho=0.0), 3.025),
    ],
)
def test_by_hand(value: float, expected: float) -> None:
    assert value == pytest.approx(expected, rel=1e-14)


PENALTIES: dict[str, tuple[Callable[[Any], Any], Callable[[np.ndarray], np.ndarray]]] = {
    "l1": (lambda w: l1(w, 0.2, m=4), lambda w: 0.2 / 8 * np.sign(w)),
    "l2": (lambda w: l2(w, 0.2, m=4), lambda w: 0.2 / 4 * w),
    "l2_as_coded": (lambda w: l2_as_coded(w, 0.2), lambda w: 0.2 * w),
    "elastic_net": (lambda w: elastic_net(w, 0.2, 0.3), lambda w: 0.2 * (0.3 * np.sign(w) + 0.7 * w)),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", PENALTIES)
def test_gradient_and_dtype(name: str, dtype: str) -> None:
    penalty, gradient = PENALTIES[name]
    weights = [Tensor(w.astype(dtype), requires_grad=True) for w in W]
    value = penalty(weights)
    assert isinstance(value, mg.Tensor)
    assert (value.shape, value.dtype) == ((), dtype)
    value.backward()
    for tensor, w in zip(weights, W, strict=True):
        np.testing.assert_allclose(tensor.grad.data, gradient(w), rtol=1e-6)


def test_elastic_net_is_scikit_learns() -> None:
    # scikit-learn minimises 1/(2n) |y - Xw|^2 + penalty; where it stops, nudging w makes the sum no smaller.
    linear_model = pytest.importorskip("sklearn.linear_model")
    rng = np.random.default_rng(6)
    x, y = rng.normal(size=(40, 5)), rng.normal(size=40)
    fit = linear_model.ElasticNet(alpha=0.1, l1_ratio=0.4, fit_intercept=False, tol=1e-12, max_iter=10**5)
    w = fit.fit(x, y).coef_

    def objective(w: np.ndarray) -> float:
        return float(np.sum((y - x @ w) ** 2) / (2 * len(y)) + elastic_net([w], 0.1, rho=0.4))

    best = objective(w)
    for i in range(5):
        for nudge in (1e-3, -1e-3):
            assert objective(w + nudge * np.eye(5)[i]) > best


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: l1([], 0.1), "weights is []; it must be a list with a Tensor in it"),
        (lambda: l2(W, 0.1, m=0), "m is 0; it must be 1 or more samples"),
        (lambda: elastic_net(W, 0.1, rho=1.5), "rho is 1.5; it must be in [0, 1]"),
    ],
)
def test_settings_out_of_range(call: Callable[[], Any], told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        call()
    assert caught.value.code == "MG-507"
    assert told in caught.value.message
