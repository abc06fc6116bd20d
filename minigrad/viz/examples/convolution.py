"""A convolution: four windows of 3×3 weights slide over digits, and what they find tells which digit it is.

Try: move over the entries of a map to see the window and its sum; then change a weight of the window.
"""

import numpy as np

import minigrad as mg
from minigrad import nn, optim
from minigrad.data import DataLoader, load_digits


class Network(nn.Module):
    """Pictures to 4 maps of 6×6, halved by pooling, to 10 digits."""

    def __init__(self, rng: np.random.Generator) -> None:
        super().__init__()
        self.window = nn.Conv2d(1, 4, kernel_size=3, rng=rng)
        self.pool = nn.MaxPool2d(2)
        self.output = nn.Linear(4 * 3 * 3, 10, rng=rng)

    def forward(self, x: mg.Tensor) -> mg.Tensor:
        """Return the logits."""
        maps = mg.ops.relu(self.window(x))
        pooled = self.pool(maps)
        logits: mg.Tensor = self.output(pooled.reshape(-1, 36))
        return logits


batches = iter(DataLoader(load_digits(), batch_size=8))
model = Network(np.random.default_rng(0))
optimizer, loss_of = optim.Adam(model, lr=0.01), nn.CrossEntropyLoss()


def step() -> None:
    """One mini-batch of 8 digits."""
    pixels, labels = next(batches)
    x = mg.Tensor(pixels.reshape(8, 1, 8, 8), name="x")
    logits = model(x)
    loss = loss_of(logits, labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
