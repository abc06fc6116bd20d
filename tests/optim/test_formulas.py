"""The formulas themselves: purity, dtype, differentiability, and the cases worked by hand."""

from __future__ import annotations

import inspect
import math
from typing import Any

import numpy as np
import pytest

from minigrad import Tensor
from minigrad.optim import formulas
from minigrad.optim.latex import latex

SETTINGS: dict[str, Any] = {
    "eta": 0.1,
    "alpha": 0.1,
    "mu": 0.9,
    "beta1": 0.9,
    "beta2": 0.99,
    "eps": 1e-8,
    "eps_hat": 1e-8,
    "decay": 0.01,
    "clip": 0.5,
    "l2": 0.1,
    "nesterov": True,
    "mu_next": 0.95,
    "mu_product": 0.8,
}
RULES = dict(inspect.getmembers(formulas, inspect.isfunction))
OF_MATRICES = {"muon", "orthogonal"}


def call(name: str, *arrays: Any, t: int = 3) -> Any:
    """Call a rule with ``arrays`` as its array parameters, in order."""
    parameters = inspect.signature(RULES[name]).parameters.values()
    settings = {p.name: SETTINGS[p.name] for p in parameters if p.kind is p.KEYWORD_ONLY}
    steps = [t] if any(p.name == "t" for p in parameters) else []
    return RULES[name](*arrays, *steps, **settings)


def count(name: str) -> int:
    """How many arrays a rule takes."""
    parameters = inspect.signature(RULES[name]).parameters.values()
    return sum(p.kind is not p.KEYWORD_ONLY and p.name != "t" for p in parameters)


def test_the_rules_are_found() -> None:
    assert {
        "gd",
        "sgd",
        "momentum",
        "adagrad",
        "rmsprop",
        "adam",
        "adam_efficient",
        "adamw",
        "adam_as_printed",
    } <= set(RULES)


@pytest.mark.parametrize("name", RULES)
def test_a_rule_says_its_formula_its_symbols_and_its_source(name: str) -> None:
    text = inspect.getdoc(RULES[name]) or ""
    if name in OF_MATRICES:
        assert ".. math::" in text
    else:
        assert latex(RULES[name]).count("&=") >= 1
    assert "Source: " in text
    for parameter in inspect.signature(RULES[name]).parameters:
        assert parameter in ("theta", "g", "t", "nesterov") or f"{parameter}" in text


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", RULES)
def test_a_rule_changes_nothing_and_keeps_the_dtype(name: str, dtype: str) -> None:
    arrays = [np.full((2, 3), 0.5, dtype) for _ in range(count(name))]
    for a in arrays:
        a.flags.writeable = False
    results = call(name, *arrays)
    for result in results if isinstance(results, tuple) else [results]:
        assert result.dtype == dtype
        assert result.shape == (2, 3)


@pytest.mark.parametrize("name", [name for name in RULES if name not in {*OF_MATRICES, "lion"}])
def test_a_rule_runs_on_tensors_and_can_be_differentiated(name: str) -> None:
    # d theta_t / d g by the tape against central differences: what learning an optimizer would need. Lion's is 0.
    # (a mean square is not less than the square of the mean, which the centred rules rely on)
    values = [
        np.array([0.7, 1.3]) / (i + 1 if "centered" in name else 1 / (i + 1)) for i in range(count(name))
    ]
    at = 0 if name == "effective_gradient" else 1
    if "centered" in name:
        values[3] *= 0.1  # no mean of the gradient is larger than the root of the mean of its squares

    def total(g: Any) -> Any:
        arrays = list(values)
        arrays[at] = g
        result = call(name, *arrays)
        return np.sum(result[0] if isinstance(result, tuple) else result)

    g = Tensor(values[at], requires_grad=True)
    total(g).backward()
    assert g.grad is not None
    for i in range(2):
        nudge = np.eye(2)[i] * 1e-6
        numeric = (total(values[at] + nudge) - total(values[at] - nudge)) / 2e-6
        assert g.grad.numpy()[i] == pytest.approx(numeric, rel=1e-7)


def test_two_steps_of_momentum_by_hand() -> None:
    # b: 1, then 0.5 * 1 + 1 = 1.5. Plain: 0 - 1 - 1.5. Nesterov: -(1 + 0.5 * 1) - (1 + 0.5 * 1.5) = -3.25.
    for nesterov, expected in ((False, -2.5), (True, -3.25)):
        theta, b = np.zeros(1), np.zeros(1)
        for _ in range(2):
            theta, b = formulas.momentum(theta, np.ones(1), b, eta=1.0, mu=0.5, nesterov=nesterov)
        assert b[0] == 1.5
        assert theta[0] == expected


def test_two_steps_of_adagrad_by_hand() -> None:
    # s: 9, then 9 + 16 = 25. theta: 0 - 3/3, then -1 - 4/5.
    theta, s = formulas.adagrad(np.zeros(1), np.array([3.0]), np.zeros(1), eta=1.0, eps=0.0)
    assert (theta[0], s[0]) == (-1.0, 9.0)
    theta, s = formulas.adagrad(theta, np.array([4.0]), s, eta=1.0, eps=0.0)
    assert (theta[0], s[0]) == (-1.8, 25.0)


def test_two_steps_of_rmsprop_by_hand() -> None:
    # v: 3/4 * 0 + 1/4 * 16 = 4, then 3/4 * 4 + 1/4 * 4 = 4. theta: 0 - 4/2 = -2, then -2 - 2/2 = -3.
    theta, v = formulas.rmsprop(np.zeros(1), np.array([4.0]), np.zeros(1), eta=1.0, alpha=0.75, eps=0.0)
    assert (theta[0], v[0]) == (-2.0, 4.0)
    theta, v = formulas.rmsprop(theta, np.array([2.0]), v, eta=1.0, alpha=0.75, eps=0.0)
    assert (theta[0], v[0]) == (-3.0, 4.0)


def test_adamw_decays_by_eta_lambda_beside_the_step() -> None:
    # First step: m^ / sqrt(v^) = sign(g). theta = 2 - 0.5 (1 + 0.1 * 2) = 1.4; eps is 0.
    theta, _, _ = formulas.adamw(
        np.array([2.0]),
        np.array([4.0]),
        np.zeros(1),
        np.zeros(1),
        1,
        eta=0.5,
        beta1=0.5,
        beta2=0.75,
        eps=0.0,
        decay=0.1,
    )
    assert theta[0] == pytest.approx(1.4, rel=1e-15)


def test_textbook_and_efficient_adam_part_at_small_gradients() -> None:
    # First step at g = eps: Algorithm 1 moves by alpha g/(g + eps) = alpha/2. The efficient form, given the same
    # eps, moves by alpha s g / (s g + eps) with s = sqrt(1 - beta2) = sqrt(0.001), so by alpha s/(s + 1).
    # The ratio is (1 + s) / (2 s) = 16.31.
    g, zero = np.array([1e-8]), np.zeros(1)
    common = {"alpha": 1.0, "beta1": 0.9, "beta2": 0.999}
    textbook = -formulas.adam(zero, g, zero, zero, 1, eps=1e-8, **common)[0][0]
    efficient = -formulas.adam_efficient(zero, g, zero, zero, 1, eps_hat=1e-8, **common)[0][0]
    s = math.sqrt(0.001)
    assert textbook == pytest.approx(0.5, rel=1e-12)
    assert efficient == pytest.approx(s / (s + 1), rel=1e-12)
    assert textbook / efficient == pytest.approx(16.31, abs=0.01)


def test_efficient_adam_with_a_rescaled_eps_is_adam() -> None:
    rng = np.random.default_rng(0)
    theta = efficient = np.zeros(5)
    m = v = m2 = v2 = np.zeros(5)
    common = {"alpha": 0.1, "beta1": 0.9, "beta2": 0.999}
    for t in range(1, 30):
        g = rng.normal(size=5) * 1e-8
        theta, m, v = formulas.adam(theta, g, m, v, t, eps=1e-8, **common)
        eps_hat = 1e-8 * math.sqrt(1 - 0.999**t)
        efficient, m2, v2 = formulas.adam_efficient(efficient, g, m2, v2, t, eps_hat=eps_hat, **common)
    np.testing.assert_allclose(efficient, theta, rtol=1e-12)
