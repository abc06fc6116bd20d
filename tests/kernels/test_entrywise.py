"""The loops for small arrays give NumPy's bits, for every function that they have."""

from __future__ import annotations

import numpy as np
import pytest
from minigrad_kernels import entrywise

SPECIAL = [0.0, -0.0, 1.0, -3.5, np.inf, -np.inf, np.nan, 1e-40, -1e-310, 3e38, 1e30]
BINARY = {"np.add": np.add, "-": np.subtract, "np.multiply": np.multiply, "/": np.true_divide}
UNARY = {"np.square": np.square, "np.negative": np.negative, "-": np.negative, "np.sqrt": np.sqrt}


def numbers(dtype: str) -> tuple[np.ndarray, np.ndarray]:
    with np.errstate(all="ignore"):
        special = np.array(SPECIAL).astype(dtype)
    a = np.concatenate(
        [np.repeat(special, len(special)), np.random.default_rng(0).standard_normal(50).astype(dtype)]
    )
    b = np.concatenate(
        [np.tile(special, len(special)), np.random.default_rng(1).standard_normal(50).astype(dtype)]
    )
    return a, b


def run(name, arguments, shape, dtype):
    out = np.empty(shape, dtype)
    loop, words = entrywise.find(name, arguments, out)
    loop(*words)
    return out


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", BINARY)
def test_two_arrays_or_an_array_and_a_number(name: str, dtype: str):
    a, b = numbers(dtype)
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(run(name, (a, b), a.shape, dtype), BINARY[name](a, b))
        np.testing.assert_array_equal(run(name, (0.1, b), a.shape, dtype), BINARY[name](0.1, b))
        np.testing.assert_array_equal(run(name, (a, 3), a.shape, dtype), BINARY[name](a, 3))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", UNARY)
def test_one_array(name: str, dtype: str):
    a, _ = numbers(dtype)
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(run(name, (a,), a.shape, dtype), UNARY[name](a))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_is_true_of_entries(dtype: str):
    a, _ = numbers(dtype)
    found = run("np.isfinite", (a,), a.shape, "bool")
    np.testing.assert_array_equal(found, np.isfinite(a))
    for name in ("~", "np.invert", "np.logical_not"):
        np.testing.assert_array_equal(run(name, (found,), a.shape, "bool"), ~found)
    entrywise.none(np.zeros(3, bool))
    with pytest.raises(ValueError, match=r"^$"):
        entrywise.none(np.array([False, True]))


def test_what_has_no_loop():
    a, half = np.ones((2, 3)), np.ones((2, 3), "float16")
    for name, arguments, out in [
        ("np.exp", (a,), a),
        ("+", (a, a.T), a),
        ("+", (a, np.ones(3)), a),
        ("+", (a, np.ones((2, 3), "f")), a),
        ("+", (half, half), half),
        ("+", (1, 2), a),
        ("+", (a, a), np.empty((100, 100))),
        ("~", (np.ones(3, int),), np.ones(3, int)),
        ("np.isfinite", (np.ones(3, int),), np.ones(3, bool)),
    ]:
        assert entrywise.find(name, arguments, np.empty_like(out)) is None
