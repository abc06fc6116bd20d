"""A convolution: the steps of the lesson in ``minigrad_kernels.conv_lesson``, the last of which is the engine's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from minigrad_kernels import conv
from minigrad_kernels.conv_lesson import STEPS

#: pictures, channels, height and width, outputs, kernel
SHAPES = {"LeNet": (32, 6, 14, 16, 5), "VGG": (8, 64, 56, 64, 3)}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("shape", SHAPES)
def test_convolution(benchmark: Any, shape: str, step: str) -> None:
    n, c, side, o, k = SHAPES[shape]
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, c, side, side), dtype=np.float32)
    w = rng.standard_normal((o, c, k, k), dtype=np.float32)
    wanted = conv.forward.reference(x, w)
    y = np.empty_like(wanted)
    benchmark.group = f"{n} pictures of {c} channels, {side} x {side}, {o} kernels of {k} x {k}"
    benchmark(STEPS[step], x, w, 1, 0, y)
    np.testing.assert_allclose(y, wanted, atol=1e-4 * np.abs(wanted).max())
    if benchmark.stats:  # None with --benchmark-disable
        benchmark.extra_info["Gflop/s"] = 2 * y.size * w[0].size / benchmark.stats["median"] / 1e9
