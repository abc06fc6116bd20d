"""The first call of a program in a fresh process, where its machine code is kept already."""

from __future__ import annotations

import subprocess
import sys

import pytest
from minigrad_kernels import launch, runtime

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

BY_HAND = STEP.replace(
    "nn.CrossEntropyLoss()", "lambda z, y: np.where(z > 0, (z - y[:, None]) ** 2, 0 * z).mean()"
)
"""With chains of NumPy's loops and its reductions."""

TRAINING = """
import sys
import numpy as np
from minigrad import nn, optim
from minigrad.data import DataLoader, Dataset
from minigrad.train.trainer import Trainer

rng = np.random.default_rng(0)
data = Dataset(rng.standard_normal((100, 20)).astype("f"), rng.integers(0, 3, 100), ("a", "b", "c"), "points")
model = nn.Sequential(nn.Linear(20, 8, rng=rng), nn.ReLU(), nn.Linear(8, 3, rng=rng))
trainer = Trainer(model, nn.CrossEntropyLoss(), optim.Adam(model))
trainer.fit(DataLoader(data, 32, rng=rng), data, 2)
assert trainer.ran == "compiled", trainer.ran
print("numba" in sys.modules, "llvmlite" in sys.modules)
"""


@pytest.mark.skipif(
    runtime.features() is None or launch.reference_is_forced(), reason="here it does not go without Numba"
)
@pytest.mark.parametrize("code", [STEP, BY_HAND, TRAINING], ids=["step", "by hand", "training"])
def test_it_imports_neither_numba_nor_llvm(code):
    """That alone takes half a second."""

    def run() -> str:
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    run()
    assert run() == "False False"
