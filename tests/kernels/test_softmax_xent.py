"""The exponential of the loops, and labels that are none."""

from __future__ import annotations

import numpy as np
import pytest
from minigrad_kernels import launch, powers, softmax_xent
from minigrad_kernels.launch import Loop

pytestmark = pytest.mark.skipif(
    launch.numba() is None or launch.reference_is_forced(), reason="Numba is not installed, or switched off"
)


def each(x: np.ndarray, y: np.ndarray) -> None:
    for i in range(x.size):
        y[i] = exp(x[i])  # noqa: F821  a name that the Loop is given


def test_exp32_is_as_near_the_exact_power_as_it_says() -> None:
    rng = np.random.default_rng(0)
    x = np.concatenate([np.linspace(-87, 0, 300_001), -np.exp2(rng.uniform(-30, 6, 100_000)), [0.0, -0.0]])
    x = x.astype("float32")
    y = np.empty_like(x)
    Loop(each, exp=powers.exp)(x, y)
    exact = np.exp(x.astype("float64"))
    assert (np.abs(y - exact) <= 1.04 * np.spacing(exact.astype("float32"))).all()
    np.testing.assert_array_equal(y[-2:], 1.0)


def test_exp32_at_the_edges() -> None:
    x = np.array([-87.1, -1e4, -1e30, -np.inf, np.nan], "float32")
    y = np.empty_like(x)
    Loop(each, exp=powers.exp)(x, y)
    np.testing.assert_array_equal(y, [0, 0, 0, 0, np.nan])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_largest_of_a_row(dtype: str) -> None:
    rng = np.random.default_rng(0)
    loop = softmax_xent.LOOPS[np.dtype(dtype)]["forward_loop"]
    row_max = loop.names["exponentials"].names["row_max"]
    for scale in (1e-40, 1.0, 1e30):
        for shift in (-3, 0, 3):
            row = ((rng.normal(size=37) + shift) * scale).astype(dtype)
            assert row_max(row) == row.max()
    assert row_max(np.array([-np.inf, -np.inf], dtype)) == -np.inf
    assert row_max(np.array([-0.0, 0.0], dtype)) == 0


def test_a_label_that_is_no_class_is_refused() -> None:
    logits = np.ones((2, 3), "float32")
    for label in (3, -1):
        labels = np.array([0, label])
        with pytest.raises(IndexError, match="a label is outside 0"):
            softmax_xent.forward(logits, labels)
        with pytest.raises(IndexError, match="a label is outside 0"):
            softmax_xent.backward(np.ones(2, "float32"), logits, labels)
