"""A network for exclusive or, with numbers that can be checked by hand: 2-2-1, ReLU, half the squared error.

Try: run it. Then set both entries of b1 to −2: no unit is alive, and no step helps.
"""

import minigrad as mg
from minigrad import optim

x = mg.Tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], name="x")
y = mg.Tensor([[0.0], [1.0], [1.0], [0.0]], name="y")
W1 = mg.Tensor([[1.0, 1.0], [1.0, 0.5]], requires_grad=True, name="W1")
b1 = mg.Tensor([0.0, -1.0], requires_grad=True, name="b1")
W2 = mg.Tensor([[1.0], [-1.0]], requires_grad=True, name="W2")
optimizer = optim.SGD([W1, b1, W2], lr=0.1)


def step() -> None:
    """One step of gradient descent on all four cases."""
    z = x @ W1 + b1
    hidden = mg.ops.relu(z)
    prediction = hidden @ W2
    error = prediction - y
    squared = error * error
    loss = squared.mean() / 2
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
