"""Which dtype a result has: a scalar or whole numbers beside floats never make them wider, as in PyTorch."""

from __future__ import annotations

import numpy as np
import pytest

import minigrad as mg

SCALARS = [np.float64(2), np.float32(2), np.float16(2), np.int64(2), np.int8(2), np.uint16(2), np.bool_(True)]
WHOLE = [
    np.arange(1, 4),
    np.arange(1, 4, dtype="int32"),
    np.ones((2, 1), "uint64"),
    mg.Tensor(np.arange(1, 4)),
]
FUNCTIONS = [np.add, np.subtract, np.multiply, np.divide, np.power, np.maximum, np.minimum]


@pytest.fixture(params=["float16", "float32", "float64"])
def x(request):
    return mg.Tensor(np.full((2, 3), 1.5, request.param), requires_grad=True)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("other", [*SCALARS, *WHOLE], ids=lambda x: f"{type(x).__name__}-{x.dtype}")
def test_floats_keep_their_width(x, function, other):
    numbers = other.numpy() if isinstance(other, mg.Tensor) else other
    for args, right in (
        ((x, other), function(x.data, np.asarray(numbers, x.dtype))),
        ((other, x), function(np.asarray(numbers, x.dtype), x.data)),
    ):
        x.grad = None
        result = function(*args)
        assert result.dtype == x.dtype
        np.testing.assert_array_equal(result.data, right)
        result.sum().backward()
        assert x.grad.dtype == x.dtype
        assert np.isfinite(x.grad.data).all()


def test_in_functions_that_are_not_ufuncs(x):
    whole = np.arange(3)
    for result in (
        np.where(x.data > 1, x, np.float64(0)),
        np.where(x.data > 1, whole, x),
        np.concatenate([x, np.ones((1, 3), int)]),
        np.stack([x[0], whole]),
        np.clip(x, np.float64(0), np.float64(1)),
        x @ np.arange(6).reshape(3, 2),
        np.einsum("ij,j->i", x, whole),
        x / np.sqrt(2),
        np.mean([1.0, 2.0]) * x,
    ):
        assert result.dtype == x.dtype


def test_whole_numbers_alone_stay_numpys():
    t = mg.Tensor(np.arange(3))
    assert (t / 2).dtype == np.float64
    assert (t * t).dtype == np.int64
    assert np.mean(t).dtype == np.float64
    assert np.exp(t).dtype == np.float64


def test_an_array_of_doubles_makes_the_result_double():
    x = mg.Tensor(np.ones(3, "float32"), requires_grad=True)
    assert (x * np.ones(3)).dtype == np.float64
    assert (x * np.ones(3) * np.arange(3)).dtype == np.float64


def test_second_derivatives_too():
    x = mg.Tensor(np.array([1.5, 2.5], "float32"), requires_grad=True)
    (first,) = mg.gradients(np.sum(x ** np.array([2, 3])), [x], create_graph=True)
    (second,) = mg.gradients(np.sum(first), [x])
    assert first.dtype == second.dtype == np.float32
    np.testing.assert_allclose(second.data, [2, 15])
