"""Three arms of a spiral, told apart by two hidden layers: it takes some hundred steps to wind up.

Try: run it at 25 steps a frame; then go back, take plain SGD, and see how much longer it needs.
"""

import numpy as np

import minigrad as mg
from minigrad import nn, optim

rng = np.random.default_rng(1)
along = np.tile(np.linspace(0.1, 1, 32), 3)
labels = np.repeat([0, 1, 2], 32)
angle = 4 * along + 2 * np.pi / 3 * labels + rng.normal(0, 0.1, 96)
points = np.stack([along * np.sin(angle), along * np.cos(angle)], axis=1)
x = mg.Tensor(points.astype("float32"), name="x")
model = nn.Sequential(
    nn.Linear(2, 16, rng=rng), nn.Tanh(), nn.Linear(16, 16, rng=rng), nn.Tanh(), nn.Linear(16, 3, rng=rng)
)
optimizer, loss_of = optim.Adam(model, lr=0.02), nn.CrossEntropyLoss()


def step() -> None:
    """One step on all 96 points."""
    logits = model(x)
    loss = loss_of(logits, labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
