"""PyTorch, eager: the training loop of its tutorials."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from minigrad.bench.further import Further
from minigrad.bench.grid import Row
from minigrad.bench.networks import network
from minigrad.bench.peers import BETA1, BETA2, EPS, RATES, Program, Task, dense

VARIANTS = {"plain": {"foreach": False}, "foreach": {"foreach": True}, "fused": {"fused": True}}


def build(task: Task) -> Program:
    """See ``minigrad.bench.peers``."""
    return program(task, VARIANTS[task.variant])


def program(
    task: Task, settings: dict[str, bool], compiled: Callable[[Any], Any] = lambda part: part
) -> Program:
    """Build the program with these settings of the optimizer, and with its parts as ``compiled`` returns them."""
    torch.set_num_threads(task.threads)
    row, device = task.row, task.device
    model = _model(task).to(device)
    if row.optimizer == "adam":
        optimizer = torch.optim.Adam(
            model.parameters(), lr=RATES["adam"], betas=(BETA1, BETA2), eps=EPS, **settings
        )
    else:
        optimizer = torch.optim.SGD(model.parameters(), lr=RATES["sgd"], **settings)
    criterion = nn.MSELoss() if isinstance(row, Row) and row.is_regression else nn.CrossEntropyLoss()
    if isinstance(row, Further) and row.reading:
        loss_of = compiled(lambda x, y: criterion(model(x).flatten(0, 1), y.flatten()))
    else:
        loss_of = compiled(lambda x, y: criterion(model(x), y))
    update = compiled(optimizer.step)

    def place(x: Any, y: Any) -> tuple[Any, Any]:
        return torch.from_numpy(x).to(device), torch.from_numpy(y).to(device)

    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = loss_of(x, y)
        loss.backward()
        update()
        return loss

    return Program(place, step)


def _model(task: Task) -> Any:
    row = task.row
    if isinstance(row, Further):
        model = network(row, nn)
        model.load_state_dict({name: torch.from_numpy(array) for name, array in task.weights.items()})
        return model
    layers: list[Any] = []
    for (inputs, outputs), (w, b) in zip(dense(task).layers, task.weights, strict=True):
        layer = nn.Linear(inputs, outputs)
        layer.load_state_dict({"weight": torch.from_numpy(w), "bias": torch.from_numpy(b)})
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1])
