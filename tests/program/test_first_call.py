"""The first call of a program in a fresh process, where its machine code is kept already."""

from __future__ import annotations

import subprocess
import sys

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
print("numba.np.arraymath" in sys.modules)
"""


def test_it_does_not_make_numbas_compiler_ready():
    """That alone takes half a second: the functions that Numba knows are read in when it compiles the first time."""

    def run() -> str:
        done = subprocess.run([sys.executable, "-c", STEP], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    run()
    assert run() == "False"
