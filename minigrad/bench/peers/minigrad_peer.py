"""minigrad, eager: the training loop of its README."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import minigrad as mg
from minigrad import backend, nn, optim
from minigrad.bench.further import Further
from minigrad.bench.grid import Row
from minigrad.bench.networks import network
from minigrad.bench.peers import BETA1, BETA2, EPS, RATES, Program, Task, dense

Place = Callable[[Any, Any], tuple[Any, Any]]
Step = Callable[[Any, Any], Any]


def build(task: Task) -> Program:
    """See ``minigrad.bench.peers``."""
    return Program(*eager(task))


def eager(task: Task) -> tuple[Place, Step]:
    """Return how a batch is placed, and the step, as a learner writes both."""
    row, device = task.row, task.device
    mg.set_threads(task.threads)
    model = _model(task)
    if device != "cpu":
        model.to(device)
    optimizer: optim.Optimizer = optim.SGD(model, lr=RATES["sgd"])
    if row.optimizer == "adam":
        optimizer = optim.Adam(model, lr=RATES["adam"], betas=(BETA1, BETA2), eps=EPS)
    is_regression = isinstance(row, Row) and row.is_regression
    loss_of: nn.Module = nn.MSELoss() if is_regression else nn.CrossEntropyLoss()
    reads = isinstance(row, Further) and row.reading

    def place(x: Any, y: Any) -> tuple[Any, Any]:
        target = backend.to_device(y, device)
        there = backend.to_device(x, device)
        return there if reads else mg.Tensor(there), mg.Tensor(target) if is_regression else target

    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        found = model(x)
        loss = loss_of(found.reshape((-1, found.shape[-1])), y.reshape(-1)) if reads else loss_of(found, y)
        loss.backward()
        optimizer.step()
        return loss

    return place, step


def _model(task: Task) -> nn.Module:
    row, rng = task.row, mg.generator(0)  # its weights are replaced at once
    if isinstance(row, Further):
        model: nn.Module = network(row, nn, rng=rng)
        model.load_state_dict(task.weights)
        return model
    layers: list[nn.Module] = []
    for (inputs, outputs), (w, b) in zip(dense(task).layers, task.weights, strict=True):
        layer = nn.Linear(inputs, outputs, rng=rng)
        layer.load_state_dict({"weight": w, "bias": b})
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1])
