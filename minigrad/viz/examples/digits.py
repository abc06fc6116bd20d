"""Handwritten digits, 8×8 pixels each, told apart by a 64-128-10 network with Adam: 9,610 parameters.

Try: make Adam's rate α ten times as large, and take the next steps; each has 32 other digits.
"""

import numpy as np

import minigrad as mg
from minigrad import nn, optim
from minigrad.data import DataLoader, load_digits


class Network(nn.Module):
    """Pixels to 128 hidden units to 10 digits."""

    def __init__(self, rng: np.random.Generator) -> None:
        super().__init__()
        self.fc1 = nn.Linear(64, 128, rng=rng)
        self.fc2 = nn.Linear(128, 10, rng=rng)

    def forward(self, x: mg.Tensor) -> mg.Tensor:
        """Return the logits."""
        hidden = mg.ops.relu(self.fc1(x))
        logits: mg.Tensor = self.fc2(hidden)
        return logits


batches = iter(DataLoader(load_digits(), batch_size=32))
model = Network(np.random.default_rng(0))
optimizer, loss_of = optim.Adam(model, lr=0.001), nn.CrossEntropyLoss()


def step() -> None:
    """One mini-batch forwards and backwards, and Adam's update."""
    pixels, labels = next(batches)
    x = mg.Tensor(pixels, name="x")
    logits = model(x)
    loss = loss_of(logits, labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
