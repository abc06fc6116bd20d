"""One number used twice: its two gradients are added.

Try: make x −1. The gradient of a changes its sign, that of x does not: why?
"""

import minigrad as mg

x = mg.Tensor(3.0, requires_grad=True, name="x")


def step() -> None:
    """At x = 3: dloss/dx = b · 2x + a · 2 = 36 + 18 = 54."""
    a = x * x
    b = 2.0 * x
    loss = a * b
    loss.backward()
