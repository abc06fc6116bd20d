"""Functions of functions."""

from __future__ import annotations

import numpy as np
import pytest

import minigrad as mg
from minigrad.errors import DtypeError, GradientError


def test_the_gradient_of_a_numpy_function():
    assert mg.grad(np.sin)(0.0).item() == 1
    assert mg.grad(np.sin).__name__ == "sin"


def test_higher_orders():
    f = lambda x: x**4  # noqa: E731
    derivatives = [81.0, 108.0, 108.0, 72.0, 24.0, 0.0]  # of x⁴ at 3
    for expected in derivatives:
        assert f(mg.Tensor(np.float64(3))).item() == pytest.approx(expected, rel=1e-14)
        f = mg.grad(f)


def test_value_and_gradient():
    value, gradient = mg.value_and_grad(lambda x: (x * x).sum())(np.array([1.0, 2.0]))
    assert value.item() == 5
    assert not value.requires_grad
    np.testing.assert_array_equal(gradient.data, [2, 4])


def test_several_arguments():
    f = lambda a, b, scale=1.0: (a * b * scale).sum()  # noqa: E731
    a, b = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    np.testing.assert_array_equal(mg.grad(f, argnums=1)(a, b).data, a)
    to_a, to_b = mg.grad(f, argnums=(0, 1))(a, b, scale=2.0)
    np.testing.assert_array_equal(to_a.data, 2 * b)
    np.testing.assert_array_equal(to_b.data, 2 * a)


def test_an_argument_that_does_not_matter_has_gradient_zero():
    np.testing.assert_array_equal(
        mg.grad(lambda a, b: b.sum(), argnums=(0, 1))(np.ones(2), np.ones(2))[0].data, [0, 0]
    )
    assert mg.grad(lambda a: mg.Tensor(1.0))(2.0).item() == 0


def test_the_callers_tensor_is_untouched():
    x = mg.Tensor([1.0, 2.0], requires_grad=True)
    mg.grad(lambda t: (t * t).sum())(x)
    assert x.grad is None


def test_a_hessian_vector_product():
    h = np.array([[2.0, 1.0], [1.0, 6.0]])
    f = lambda x: (x @ (h @ x)) / 2  # noqa: E731
    v = np.array([1.0, -1.0])
    product = mg.grad(lambda x: (mg.grad(f)(x) * v).sum())(np.array([0.3, 0.4]))
    np.testing.assert_allclose(product.data, h @ v, rtol=1e-14)


def test_an_inner_function_may_use_the_outer_variable():
    inner = lambda x: mg.grad(lambda y: x * x * y)(2.0)  # noqa: E731  d/dy x²y = x²
    assert mg.grad(inner)(np.float64(3)).item() == 6
    # the classical test of perturbation confusion: d/dx [x · d/dy (x + y)] = 1
    assert mg.grad(lambda x: x * mg.grad(lambda y: x + y)(1.0))(1.0).item() == 1


def test_a_gradient_penalty_reaches_the_parameters():
    w = mg.Tensor(np.array([2.0]), requires_grad=True)
    slope = mg.grad(lambda x: (w * x * x).sum())(np.array([3.0]))  # 2 w x
    (slope * slope).sum().backward()  # d/dw (2wx)² = 8 w x²
    assert w.grad.item() == 144


def test_it_works_inside_no_grad():
    with mg.no_grad():
        assert mg.grad(np.exp)(0.0).item() == 1


def test_mistakes():
    with pytest.raises(GradientError, match="MG-202"):
        mg.grad(lambda x: x * 2)(np.ones(3))
    with pytest.raises(GradientError, match=r"MG-202 .* returned float; it must return one Tensor"):
        mg.grad(lambda x: 1.0)(np.ones(3))
    with pytest.raises(DtypeError, match="MG-210"):
        mg.grad(np.square)(3)
