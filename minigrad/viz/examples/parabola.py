"""A parabola, fitted by eight hidden units: each tanh bends the curve at one place.

Try: run it, then drag a point away and watch which units follow.
"""

import numpy as np

import minigrad as mg
from minigrad import nn, optim

x = mg.Tensor(np.linspace(-1.5, 1.5, 13, dtype="float32").reshape(13, 1), name="x")
y = mg.Tensor(x.numpy() ** 2, name="y")
rng = np.random.default_rng(3)
model = nn.Sequential(nn.Linear(1, 8, rng=rng), nn.Tanh(), nn.Linear(8, 1, rng=rng))
optimizer = optim.Adam(model, lr=0.02)


def step() -> None:
    """One step of regression on all 13 points."""
    prediction = model(x)
    loss = ((prediction - y) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
