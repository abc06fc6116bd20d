"""The first call of a program in a fresh process, where its machine code is kept already."""

from __future__ import annotations

import subprocess
import sys

import pytest
from minigrad_kernels import runtime

STEP = """
import sys
import numpy as np
import minigrad as mg
from minigrad import nn, optim

model = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
optimizer, loss_of = optim.Adam(model.parameters()), nn.CrossEntropyLoss()

@mg.compile
def step(x, y):
    optimizer.zero_grad()
    loss = loss_of(model(x), y)
    loss.backward()
    optimizer.step()
    return loss

x, y = np.ones((32, 784), np.float32), np.arange(32) % 10
for _ in range(3):
    step(x, y)
print("numba" in sys.modules, "llvmlite" in sys.modules)
"""


@pytest.mark.skipif(runtime.features() is None, reason="here it does not go without Numba")
def test_it_imports_neither_numba_nor_llvm():
    """That alone takes half a second."""

    def run() -> str:
        done = subprocess.run([sys.executable, "-c", STEP], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    run()
    assert run() == "False False"
