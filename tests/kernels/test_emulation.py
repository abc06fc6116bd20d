"""The emulation of CUDA on the CPU finds the mistakes that it is there to find."""

from __future__ import annotations

import ctypes
from pathlib import Path

import numpy as np
import pytest

from tests.kernels.emulation import device

pytestmark = pytest.mark.skipif(device.MISSING is not None, reason=str(device.MISSING))

NEIGHBOUR = """
extern "C" __global__ void turn(const int *a, int *b) {
    __shared__ int shared[32];
    shared[threadIdx.x] = a[blockIdx.x * 32 + threadIdx.x];
    BARRIER
    b[blockIdx.x * 32 + threadIdx.x] = shared[31 - threadIdx.x];
}
"""
DIVERGENT = """
extern "C" __global__ void turn(const int *a, int *b) {
    if (threadIdx.x < 5)
        __syncthreads();
    b[threadIdx.x] = a[threadIdx.x];
}
"""
SIGNATURE = {"turn": [("int *", "a"), ("int *", "b")]}


def run(code: str, order: str) -> tuple[int, list[int]]:
    library = device.compiled('#line 1 "test.cu"' + code, SIGNATURE)
    a, b = np.arange(64, dtype="int32"), np.full(64, -1, "int32")
    pair = ctypes.c_int * 2
    pointers = [ctypes.c_void_p(x.ctypes.data) for x in (a, b)]
    line = library.emulate_turn(pair(2, 1), pair(32, 1), device.ORDERS[order], *pointers)
    return line, b.tolist()


RIGHT = [*range(31, -1, -1), *range(63, 31, -1)]


@pytest.mark.parametrize("order", device.ORDERS)
def test_threads_meet_at_a_barrier(order: str) -> None:
    assert run(NEIGHBOUR.replace("BARRIER", "__syncthreads();"), order) == (0, RIGHT)


@pytest.mark.parametrize("order", device.ORDERS)
def test_a_missing_barrier_shows(order: str) -> None:
    assert run(NEIGHBOUR.replace("BARRIER", ""), order)[1] != RIGHT


@pytest.mark.parametrize("order", device.ORDERS)
def test_a_barrier_that_some_threads_miss_is_named_by_its_line(order: str) -> None:
    assert run(DIVERGENT, order)[0] == 3


def test_the_header_stays_small() -> None:
    assert len((Path(device.__file__).parent / "cuda.h").read_text("utf-8").splitlines()) < 200
