"""One step of linear regression: Linear(1, 1), mean squared error, SGD with rate 0.01.

Try: drag the weight until the line goes through the points; then let the steps find it. From which rate on
do they run away?
"""

import numpy as np

import minigrad as mg
from minigrad import nn, optim

x = mg.Tensor(np.array([[1.0], [2.0], [3.0], [4.0]], "float32"), name="x")
y = mg.Tensor(np.array([[3.0], [5.0], [7.0], [9.0]], "float32"), name="y")  # y = 2x + 1
model = nn.Linear(1, 1, rng=np.random.default_rng(0))
optimizer = optim.SGD(model, lr=0.01)


def step() -> None:
    """Predict, compare, walk back, move the weight and the bias."""
    prediction = model(x)
    error = prediction - y
    squared = error * error
    loss = squared.mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
