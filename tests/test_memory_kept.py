"""A training step lives on the memory that the step before it freed."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from minigrad import nn, optim
from minigrad.memory import empty_apart, keep_freed_memory

COUNT = """
import resource, numpy as np, minigrad as mg
w = mg.Tensor(np.ones((1000, 1000), "float32"), requires_grad=True)
optimizer = mg.optim.SGD([w], lr=0.1)
def step():
    optimizer.zero_grad()
    (w * w).sum().backward()
    optimizer.step()
for _ in range(3):
    step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(**environment: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", COUNT],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout)


@pytest.mark.skipif(not keep_freed_memory(), reason="the C library is not glibc, or is to be left alone")
def test_a_training_step_asks_the_system_for_no_memory() -> None:
    assert page_faults() < 200  # in 20 steps, whose arrays have 1000 pages each
    assert page_faults(MINIGRAD_MALLOC="system", MALLOC_TRIM_THRESHOLD_="0") > 10_000


def test_large_arrays_that_are_read_side_by_side_start_on_different_quarters_of_a_page():
    arrays = [empty_apart((600, 500), "float32", place) for place in range(4)]
    assert [a.ctypes.data % 4096 for a in arrays] == [64, 64 + 1024, 64 + 2048, 64 + 3072]
    for a in arrays:
        assert a.shape == (600, 500)
        assert a.dtype == np.float32
        assert a.flags.c_contiguous
        a[...] = 1.0


def test_an_optimizer_keeps_parameters_and_state_apart():
    model = nn.Linear(600, 500)
    optimizer = optim.Adam(model)
    arrays = [model.weight.data, *optimizer.state["weight"].values()]
    assert len({a.ctypes.data % 4096 for a in arrays}) == 3
    assert not optimizer.state["weight"]["m"].any()
