"""Activations whose kernels are made from their formulas."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import special

import minigrad as mg
from minigrad.ops import generate, nonlinear
from minigrad.ops.of_entries import FORMULAS

SIGMOID = special.expit
INNER = np.sqrt(2 / np.pi)
EXACT = {
    "relu": lambda a: np.maximum(a, 0),
    "leaky_relu": lambda a: np.maximum(a, 0.01 * a),
    "sigmoid": SIGMOID,
    "softplus": lambda a: np.logaddexp(a, 0),
    "gelu": lambda a: a * special.ndtr(a),
    "silu": lambda a: a * SIGMOID(a),
    "elu": lambda a: np.where(a > 0, a, np.expm1(np.minimum(a, 0))),
    "gelu_tanh": lambda a: a * SIGMOID(2 * INNER * (a + 0.044715 * a**3)),
    "mish": lambda a: a * np.tanh(np.logaddexp(a, 0)),
    "hardswish": lambda a: a * np.clip(a + 3, 0, 6) / 6,
}


def test_the_generated_files_are_current() -> None:
    for path, text in generate.files().items():
        assert path.read_text(encoding="utf-8") == text, "run python -m minigrad.ops.generate"


@pytest.mark.parametrize("name", EXACT)
def test_float32_is_near_the_exact_value_over_its_whole_range(name: str) -> None:
    assert set(EXACT) == set(FORMULAS)
    a = np.concatenate([np.linspace(-20, 20, 40_001), np.geomspace(1e-30, 1, 500)]).astype(np.float32)
    wanted = EXACT[name](a.astype(np.float64))
    got = mg.registry.operations[name](a)
    assert got.dtype == np.float32
    near = np.abs(a) < 6
    np.testing.assert_allclose(got[near], wanted[near], rtol=4e-6, atol=1e-37)
    np.testing.assert_allclose(got, wanted, rtol=3e-5, atol=1e-35)


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_gradient_is_the_difference_quotient_of_the_exact_function(name: str, dtype: str) -> None:
    points = np.array([-8.0, -3.7, -1.3, -0.2, 0.4, 1.1, 2.9, 7.5])
    a = mg.Tensor(points.astype(dtype), requires_grad=True)
    mg.registry.operations[name](a).backward(np.full(8, 2, dtype))
    h = 1e-6
    wanted = (EXACT[name](points + h) - EXACT[name](points - h)) / h
    np.testing.assert_allclose(a.grad.numpy(), wanted, rtol=2e-5, atol=1e-7)


@pytest.mark.parametrize(
    ("function", "second"),
    [(nonlinear.silu, 0.5), (mg.ops.gelu, INNER), (nonlinear.gelu_tanh, INNER)],
)
def test_second_derivatives_at_0_where_the_stable_form_has_a_kink(function: Any, second: float) -> None:
    assert mg.grad(mg.grad(function))(0.0) == pytest.approx(second, rel=1e-12)


def test_other_layouts_and_float16_have_the_same_results() -> None:
    a = np.linspace(-3, 3, 12).reshape(3, 4)
    np.testing.assert_array_equal(nonlinear.silu(a.T), nonlinear.silu(np.ascontiguousarray(a.T)))
    half = nonlinear.silu(a.astype(np.float16))
    assert half.dtype == np.float16
    np.testing.assert_allclose(half, EXACT["silu"](a), rtol=2e-3)
