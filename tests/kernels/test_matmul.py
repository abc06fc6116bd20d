"""Every step of the lesson multiplies matrices, on the CPU and in the CUDA source."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from minigrad_kernels import gpu, launch, matmul

from tests import cuda
from tests.kernels.emulation.device import MISSING, ORDERS, Emulated

SHAPES = [(1, 1, 1), (5, 7, 4), (33, 20, 17), (18, 530, 9), (0, 2, 3), (2, 0, 3), (130, 9, 129)]
needs_numba = pytest.mark.skipif(
    launch.numba() is None or launch.reference_is_forced(), reason="Numba is not installed, or switched off"
)


def check(a: Any, b: Any, c: Any) -> None:
    exact = a.astype("float64") @ b.astype("float64")
    size = np.abs(a).astype("float64") @ np.abs(b).astype("float64")
    assert (np.abs(c - exact) <= a.shape[1] * np.finfo("float32").eps * size).all()


@needs_numba
@pytest.mark.parametrize("step", matmul.STEPS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_steps_on_the_cpu(step: str, shape: tuple[int, int, int]) -> None:
    m, k, n = shape
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(m, k)).astype("float32"), rng.normal(size=(k, n)).astype("float32")
    c = np.full((m, n), np.nan, "float32")
    matmul.STEPS[step](a, b, c)
    check(a, b, c)


@pytest.mark.parametrize("step", matmul.STEPS)
def test_steps_can_be_walked_through_in_plain_python(step: str) -> None:
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(5, 7)).astype("float32"), rng.normal(size=(7, 4)).astype("float32")
    c = np.full((5, 4), np.nan, "float32")
    matmul.STEPS[step].plain(a, b, c)
    check(a, b, c)


@needs_numba
def test_the_parallel_step_gives_the_bits_of_the_serial_one() -> None:
    numba = launch.numba()
    assert numba is not None
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(150, 600)).astype("float32"), rng.normal(size=(600, 40)).astype("float32")
    results = []
    before = numba.get_num_threads()
    for step, threads in [("packed", 1), ("parallel", 1), ("parallel", before), ("parallel", before)]:
        numba.set_num_threads(threads)
        c = np.empty((150, 40), "float32")
        matmul.STEPS[step](a, b, c)
        results.append(c)
    numba.set_num_threads(before)
    for c in results[1:]:
        np.testing.assert_array_equal(c, results[0])


@pytest.mark.skipif(MISSING is not None, reason=str(MISSING))
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("step", matmul.GPU_STEPS)
def test_steps_in_the_cuda_source(step: str, order: str) -> None:
    with gpu.using(Emulated(order)):
        check_gpu_step(step, [(5, 7, 4), (33, 20, 17), (2, 0, 3), (130, 9, 129)])


@cuda.needed
@pytest.mark.parametrize("step", matmul.GPU_STEPS)
def test_steps_on_a_gpu(step: str) -> None:
    check_gpu_step(step, [*SHAPES, (300, 1000, 257), (1024, 512, 640)])


def check_gpu_step(step: str, shapes: list[tuple[int, int, int]]) -> None:
    rng, xp = np.random.default_rng(3), gpu.xp()
    for m, k, n in shapes:
        a, b = rng.normal(size=(m, k)).astype("float32"), rng.normal(size=(n, k)).astype("float32").T
        check(a, b, cuda.host(matmul.gpu_step(step, xp.asarray(a), xp.asarray(b))))


@cuda.needed
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_library_s_product_takes_any_layout(shape: tuple[int, int, int]) -> None:
    m, k, n = shape
    rng, xp = np.random.default_rng(4), gpu.xp()
    a, b = rng.normal(size=(m, k)).astype("float32"), rng.normal(size=(k, n)).astype("float32")
    wider = np.zeros((m, 2 * k), "float32")
    wider[:, ::2] = a
    for left in (xp.asarray(a), xp.asarray(a, order="F"), xp.asarray(wider)[:, ::2]):
        for right in (xp.asarray(b), xp.asarray(b, order="F")):
            c = xp.full((m, n), np.nan, "float32")
            gpu.matmul(left, right, c)
            check(a, b, cuda.host(c))
