"""Two moons, told apart by eight hidden units: the border between the colours bends step by step.

Try: run it, then drag a point over the border, or press Enter on it to give it the other label.
"""

import numpy as np

import minigrad as mg
from minigrad import nn, optim

rng = np.random.default_rng(0)
angle = np.linspace(0, np.pi, 24)
upper = np.stack([np.cos(angle), np.sin(angle)], axis=1)
lower = np.stack([1 - np.cos(angle), 0.5 - np.sin(angle)], axis=1)
points = np.concatenate([upper, lower]) + rng.normal(0, 0.1, (48, 2))
x = mg.Tensor(points.astype("float32"), name="x")
labels = np.repeat([0, 1], 24)
model = nn.Sequential(nn.Linear(2, 8, rng=rng), nn.Tanh(), nn.Linear(8, 2, rng=rng))
optimizer, loss_of = optim.Adam(model, lr=0.05), nn.CrossEntropyLoss()


def step() -> None:
    """One step on all 48 points."""
    logits = model(x)
    loss = loss_of(logits, labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
