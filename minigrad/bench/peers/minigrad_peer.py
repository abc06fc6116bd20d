"""minigrad, eager: the training loop of its README."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import minigrad as mg
from minigrad import backend, nn, optim
from minigrad.bench.peers import BETA1, BETA2, EPS, RATES, Program, Task

Place = Callable[[Any, Any], tuple[Any, Any]]
Step = Callable[[Any, Any], Any]


def build(task: Task) -> Program:
    """See ``minigrad.bench.peers``."""
    return Program(*eager(task))


def eager(task: Task) -> tuple[Place, Step]:
    """Return how a batch is placed, and the step, as a learner writes both."""
    row, device = task.row, task.device
    mg.set_threads(task.threads)
    rng = mg.generator(0)  # its weights are replaced at once
    layers: list[nn.Module] = []
    for (inputs, outputs), (w, b) in zip(row.layers, task.weights, strict=True):
        layer = nn.Linear(inputs, outputs, rng=rng)
        layer.load_state_dict({"weight": w, "bias": b})
        layers += [layer, nn.ReLU()]
    model = nn.Sequential(*layers[:-1])
    if device != "cpu":
        model.to(device)
    optimizer: optim.Optimizer = optim.SGD(model, lr=RATES["sgd"])
    if row.optimizer == "adam":
        optimizer = optim.Adam(model, lr=RATES["adam"], betas=(BETA1, BETA2), eps=EPS)
    loss_of: nn.Module = nn.MSELoss() if row.is_regression else nn.CrossEntropyLoss()

    def place(x: Any, y: Any) -> tuple[Any, Any]:
        target = backend.to_device(y, device)
        return mg.Tensor(backend.to_device(x, device)), mg.Tensor(target) if row.is_regression else target

    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = loss_of(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return place, step
