"""The dense layer for a single sample against NumPy's in float64; who does what does not matter."""

from __future__ import annotations

import numpy as np
import pytest
from minigrad_kernels import launch, sample

EPS = np.finfo(np.float32).eps
pytestmark = pytest.mark.skipif(launch.numba() is None, reason="Numba is not installed")


def by(workers, loop, *arrays):
    for worker in range(workers):
        loop(worker, workers, *arrays)


def close(got, wanted, terms, size):
    """A sum of so many terms is as near as every order of summation brings it."""
    assert (np.abs(got - wanted) <= (terms + 2) * EPS * size + 1e-30).all()


@pytest.mark.parametrize(("outputs", "inputs"), [(1, 1), (3, 5), (4, 784), (10, 130), (13, 300), (30, 4300)])
def test_the_bits_do_not_depend_on_the_workers(outputs, inputs):
    rng = np.random.default_rng(outputs)
    x, w, b, g = (
        rng.standard_normal(shape, dtype="f") for shape in (inputs, (outputs, inputs), outputs, outputs)
    )
    found = []
    for workers in (1, 2, 3):
        y, dx = np.full(outputs, np.nan, "f"), np.full(inputs, np.nan, "f")
        dw = np.full(w.shape, np.nan, "f")
        by(workers, sample._forward, x, w, b, True, y)
        by(workers, sample._backward, g, x, w, dx, dw)
        found.append((y, dx, dw))
        for a, first in zip(found[-1], found[0], strict=True):
            np.testing.assert_array_equal(a, first)
    y, dx, dw = found[0]
    exact, size = w.astype(float) @ x + b, np.abs(w).astype(float) @ np.abs(x) + np.abs(b)
    close(y, np.maximum(exact, 0), inputs, size)
    close(dx, g.astype(float) @ w, outputs, np.abs(g).astype(float) @ np.abs(w))
    np.testing.assert_array_equal(dw, np.outer(g, x))


def test_the_loops_do_what_their_python_says():
    rng = np.random.default_rng(0)
    x, w, b, g = (rng.integers(-4, 5, shape).astype("f") for shape in (300, (7, 300), 7, 7))
    for relu in (False, True):
        y, z = np.empty(7, "f"), np.empty(7, "f")
        by(2, sample._forward, x, w, b, relu, y)
        by(2, sample._forward.plain, x, w, b, relu, z)
        np.testing.assert_array_equal(y, z)  # whole numbers: exact in every order
    (dx, dw), (du, dv) = ((np.empty(300, "f"), np.empty((7, 300), "f")) for _ in range(2))
    by(2, sample._backward, g, x, w, dx, dw)
    by(2, sample._backward.plain, g, x, w, du, dv)
    np.testing.assert_array_equal(dx, du)
    np.testing.assert_array_equal(dw, dv)


def test_nan_stays_where_relu_cuts():
    x, b = np.ones(3, "f"), np.zeros(5, "f")
    w = np.outer([1, np.nan, -1, np.inf, np.nan], np.ones(3)).astype("f")
    y = np.empty(5, "f")
    sample._forward(0, 1, x, w, b, True, y)
    np.testing.assert_array_equal(y, np.array([3, np.nan, 0, np.inf, np.nan], "f"))
