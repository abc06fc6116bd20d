"""Every step of the lesson on convolution gives the same result."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from minigrad_kernels import conv, conv_lesson, launch

needs_numba = pytest.mark.skipif(
    launch.numba() is None or launch.reference_is_forced(), reason="Numba is not installed, or switched off"
)
#: samples, channels, height, width, outputs, kernel, stride, padding
SHAPES = [
    (2, 3, 6, 7, 4, (3, 2), 1, 1),
    (1, 1, 5, 5, 6, (5, 5), 1, 2),
    (2, 4, 9, 8, 5, (3, 3), 2, 1),
    (3, 5, 4, 4, 8, (1, 1), 2, 0),
    (1, 2, 3, 3, 3, (2, 3), 3, 2),
]


def arguments(shape: Any) -> tuple[Any, ...]:
    n, c, h, w, o, kernel, stride, padding = shape
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, c, h, w), dtype=np.float32)
    weights = rng.standard_normal((o, c, *kernel), dtype=np.float32)
    sides = ((padding, padding), (padding, padding))
    size = conv.output_lengths((h, w), kernel, (stride, stride), sides, (1, 1))
    wanted = conv.forward.reference(x.astype(float), weights.astype(float), None, (stride, stride), sides)
    return x, weights, stride, padding, np.full((n, o, *size), np.nan, np.float32), wanted


@needs_numba
@pytest.mark.parametrize("step", conv_lesson.STEPS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_step(step: str, shape: Any) -> None:
    *args, y, wanted = arguments(shape)
    conv_lesson.STEPS[step](*args, y)
    np.testing.assert_allclose(y, wanted, atol=1e-5 * np.abs(wanted).max())


@pytest.mark.parametrize("step", ["naive", "reordered"])
def test_steps_can_be_walked_through_in_plain_python(step: str) -> None:
    *args, y, wanted = arguments(SHAPES[0])
    conv_lesson.STEPS[step].plain(*args, y)
    np.testing.assert_allclose(y, wanted, atol=1e-5 * np.abs(wanted).max())
