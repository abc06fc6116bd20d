"""One program in two libraries: its loss, its gradients and its parameters after some steps, side by side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import optim

torch = pytest.importorskip("torch")

STEPS = 5
Loss = Callable[[dict[str, Any]], Any]

OPTIMIZERS = {
    "SGD": (
        lambda p: optim.SGD(p, lr=0.05, momentum=0.9),
        lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9),
    ),
    "Adam": (lambda p: optim.Adam(p, lr=0.01), lambda p: torch.optim.Adam(p, lr=0.01)),
}


def drawn(seed: int, **shapes: tuple[int, ...]) -> dict[str, np.ndarray]:
    """Initial weights, the same for both."""
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=shape) * 0.5 for name, shape in shapes.items()}


def agree(start: dict[str, np.ndarray], ours: Loss, theirs: Loss, optimizer: str = "SGD") -> None:
    """Train both from ``start``: losses and gradients of each step, and what is left, are equal to 1e-10."""
    make, make_theirs = OPTIMIZERS[optimizer]
    p = {name: mg.tensor(value.copy(), requires_grad=True) for name, value in start.items()}
    q = {name: torch.tensor(value.copy(), requires_grad=True) for name, value in start.items()}
    step, step_theirs = make(list(p.values())), make_theirs(list(q.values()))
    first = None
    for _ in range(STEPS):
        step.zero_grad()
        step_theirs.zero_grad()
        loss, expected = ours(p), theirs(q)
        loss.backward()
        expected.backward()
        close(loss.item(), expected.item(), "loss")
        for name in start:
            close(p[name].grad.numpy(), q[name].grad.numpy(), f"gradient of {name}")
        step.step()
        step_theirs.step()
        first = loss.item() if first is None else first
    for name in start:
        close(p[name].numpy(), q[name].detach().numpy(), name)
    assert loss.item() < first


def close(ours: Any, theirs: Any, what: str) -> None:
    np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-10, err_msg=what)
