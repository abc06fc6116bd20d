"""The matrix product: the steps of the lesson in ``minigrad_kernels.matmul``, the engine's tiles, and BLAS."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from minigrad_kernels import products
from minigrad_kernels.matmul import STEPS

SIZES = (128, 512, 1024)
SLOW = {"naive": 256, "reordered": 512}
"""The largest size of a step that would take seconds beyond it."""

CASES = [
    (size, step) for size in SIZES for step in ("BLAS", "tiles", *STEPS) if size <= SLOW.get(step, SIZES[-1])
]


@pytest.mark.parametrize(("size", "step"), CASES)
def test_matmul(benchmark: Any, size: int, step: str) -> None:
    rng = np.random.default_rng(0)
    a, b = rng.random((2, size, size), dtype=np.float32)
    c = np.empty_like(a)
    benchmark.group = f"{size} x {size} x {size}"
    if step == "BLAS":
        benchmark(np.matmul, a, b, c)
    elif step == "tiles":
        benchmark(products.dot, a, b, c, True)
    else:
        benchmark(STEPS[step].compiled, a, b, c)
    np.testing.assert_allclose(c, a @ b, rtol=1e-4)
    if benchmark.stats:  # None with --benchmark-disable
        benchmark.extra_info["Gflop/s"] = 2 * size**3 / benchmark.stats["median"] / 1e9
