"""Reductions by NumPy's own loops, called by their addresses: NumPy's bits, whatever the shape."""

from __future__ import annotations

import numpy as np
import pytest
from minigrad_kernels.reductions import REDUCTIONS, reducing

NAMES = ["np.sum", "np.mean", "np.prod", "np.max", "np.min"]
SHAPES = [
    *((1, n) for n in (1, 7, 8, 129, 1024, 1_000_001)),
    *((3, 10), (16, 1), (1024, 10), (7, 300), (2, 20_000)),
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", NAMES)
def test_the_bits_are_numpys(name, shape, dtype):
    a = np.random.default_rng(1).standard_normal(shape).astype(dtype)
    a[0, -1] = -0.0
    out = np.empty(shape[0], dtype)
    found = reducing(name, a, out)
    assert found is not None
    loop, arguments = found
    loop(*arguments)
    assert out.tobytes() == getattr(np, name[3:])(a, axis=1).tobytes()


def test_nan_and_infinity_come_through():
    a = np.array([[1, np.nan, 2], [np.inf, 1, -np.inf], [np.inf, 1, 2]], np.float32)
    for name in NAMES:
        out = np.empty(3, np.float32)
        found = reducing(name, a, out)
        assert found is not None
        found[0](*found[1])
        with np.errstate(invalid="ignore"):
            np.testing.assert_array_equal(out, getattr(np, name[3:])(a, axis=1))


@pytest.mark.parametrize(
    "a", [np.ones((2, 3), int), np.ones((0, 3), "f"), np.ones((3, 2), "f").T, np.ones((2, 3), "e")]
)
def test_anything_else_is_left_to_numpy(a):
    assert reducing("np.sum", a, np.empty(a.shape[0], a.dtype)) is None


def test_each_name_is_one_of_numpys():
    assert all(callable(getattr(np, name.removeprefix("np."))) for name in REDUCTIONS)
