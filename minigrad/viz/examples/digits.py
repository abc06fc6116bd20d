"""One step of a 784-128-10 network on 32 pictures, with Adam: large arrays as heat maps."""

import numpy as np

import minigrad as mg
from minigrad import nn, optim
from minigrad.data import load_digits


class Network(nn.Module):
    """Pixels to 128 hidden units to 10 digits."""

    def __init__(self, rng: np.random.Generator) -> None:
        super().__init__()
        self.fc1 = nn.Linear(784, 128, rng=rng)
        self.fc2 = nn.Linear(128, 10, rng=rng)

    def forward(self, x: mg.Tensor) -> mg.Tensor:
        """Return the logits."""
        hidden = mg.ops.relu(self.fc1(x))
        logits: mg.Tensor = self.fc2(hidden)
        return logits


digits = load_digits()
enlarged = np.kron(digits.x[:32].reshape(32, 8, 8), np.ones((1, 3, 3), "float32"))  # 8×8 pixels to 24×24
x = mg.Tensor(np.pad(enlarged, ((0, 0), (2, 2), (2, 2))).reshape(32, 784), name="x")
labels = digits.y[:32]
model = Network(np.random.default_rng(0))
optimizer, loss_of = optim.Adam(model, lr=0.001), nn.CrossEntropyLoss()


def step() -> None:
    """One mini-batch forwards and backwards, and Adam's first update."""
    optimizer.zero_grad()
    logits = model(x)
    loss = loss_of(logits, labels)
    loss.backward()
    optimizer.step()
