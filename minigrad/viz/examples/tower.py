"""A tower of eight sigmoids: on the way down each multiplies the gradient by at most 1/4, until nothing is left of it.

Try: follow W1 and compare its gradient with that of W8. Then make the weights of one floor ten times as large.
"""

import numpy as np

import minigrad as mg
from minigrad import optim

rng = np.random.default_rng(0)
x = mg.Tensor([[0.5, -1.0, 0.2]], name="x")
y = mg.Tensor([[0.0, 1.0, 0.0]], name="y")
W1, W2, W3, W4, W5, W6, W7, W8 = weights = [
    mg.Tensor(rng.normal(0, 1, (3, 3)).astype("float32"), requires_grad=True, name=f"W{k}")
    for k in range(1, 9)
]
optimizer = optim.SGD(weights, lr=1.0)


def step() -> None:
    """Up the tower, down again, and a step of gradient descent."""
    h = x
    for W in weights:
        h = mg.ops.sigmoid(h @ W)
    loss = ((h - y) ** 2).sum()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
