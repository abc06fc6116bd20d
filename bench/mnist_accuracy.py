"""The documents' programs D0, D3 and D4, and LeNet, on MNIST, here and in PyTorch: test accuracy over three seeds.

    MINIGRAD_DATA=… python -m bench.mnist_accuracy [minigrad|torch|both] [recipe …]

Both sides get the same data, batch size, initial distribution, settings and number of epochs, and are judged by
the last epoch's weights. What a listing leaves open is in docs/recipes.md.
"""

from __future__ import annotations

import math
import statistics
import sys
import time
from typing import Any

import numpy as np

from minigrad.data import load_mnist
from minigrad.train import run
from minigrad.train.config import Config
from minigrad.train.recipes import recipe_named
from minigrad.train.trainer import evaluate

PROGRAMS = ("deep-adam", "mlp-sgd", "mlp-dropout", "lenet")
KERAS = ("deep-adam", "mlp-dropout")
"""Those whose listings are Keras programs, with its initial weights and Adam's ε."""
SEEDS = (0, 1, 2)


def in_minigrad(name: str, seed: int) -> float:
    session = run.build(Config(**recipe_named(name).settings("mnist"), seed=seed))
    session.trainer.fit(session.loader, session.data.validation, session.config.epochs)
    accuracy = evaluate(session.model, session.data.test, session.loss).accuracy
    assert accuracy is not None
    return accuracy


def torch_model(nn: Any, name: str) -> Any:
    """A recipe's network in PyTorch, with the recipe's initial distribution."""
    layers = {
        "deep-adam": lambda: [
            *(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU()),
            nn.Linear(128, 10),
        ],
        "mlp-sgd": lambda: [nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10)],
        "mlp-dropout": lambda: [nn.Linear(784, 128), nn.ReLU(), nn.Dropout(0.2), nn.Linear(128, 10)],
        "lenet": lambda: [
            nn.Unflatten(1, (1, 28, 28)),
            *(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
            *(nn.Dropout(0.2), nn.Linear(400, 120), nn.ReLU()),
            *(nn.Dropout(0.2), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)),
        ],
    }[name]()
    if name in KERAS:
        for layer in layers:
            if isinstance(layer, nn.Linear):
                nn.init.xavier_uniform_(layer.weight)
                nn.init.zeros_(layer.bias)
    return nn.Sequential(*layers)


def rate_in(settings: dict[str, Any], epoch: int) -> float:
    """The learning rate of an epoch, from 0."""
    rate: float = settings["lr"]
    if settings.get("schedule") == "step-as-printed":
        return rate * 0.1 ** (1 + epoch // 10)
    if settings.get("schedule") == "cosine":
        return rate / 2 * (1 + math.cos(math.pi * epoch / settings["epochs"]))
    return rate


def in_torch(name: str, seed: int) -> float:
    import torch
    from torch import nn

    torch.set_num_threads(2)
    torch.manual_seed(seed)
    settings = recipe_named(name).settings("mnist")
    model = torch_model(nn, name)
    if settings["optimizer"] == "sgd":
        optimizer: Any = torch.optim.SGD(model.parameters(), lr=settings["lr"])
    else:
        optimizer = torch.optim.Adam(
            model.parameters(), lr=settings["lr"], eps=1e-7 if name in KERAS else 1e-8
        )
    train, test = load_mnist(train=True), load_mnist(train=False)
    x, y = torch.from_numpy(train.x), torch.from_numpy(train.y)
    loss_of = nn.CrossEntropyLoss()
    for epoch in range(settings["epochs"]):
        for group in optimizer.param_groups:
            group["lr"] = rate_in(settings, epoch)
        for batch in torch.randperm(len(x)).split(settings["batch_size"]):
            optimizer.zero_grad()
            loss_of(model(x[batch]), y[batch]).backward()
            optimizer.step()
    model.eval()
    with torch.no_grad():
        return float((model(torch.from_numpy(test.x)).argmax(1).numpy() == test.y).mean())


def main() -> None:
    arguments = sys.argv[1:]
    side = arguments.pop(0) if arguments[:1] and arguments[0] not in PROGRAMS else "both"
    sides = {"minigrad": in_minigrad, "torch": in_torch}
    for name in arguments or PROGRAMS:
        means = {}
        for label, train in sides.items():
            if side not in (label, "both"):
                continue
            began = time.perf_counter()
            found = []
            for seed in SEEDS:
                found.append(train(name, seed))
                print(f"{name:<12} {label:<9} seed {seed}: {found[-1]:.4f}", file=sys.stderr, flush=True)
            seconds = (time.perf_counter() - began) / len(SEEDS)
            means[label] = statistics.mean(found)
            each = " ".join(f"{a:.4f}" for a in found)
            print(f"{name:<12} {label:<9} {each}  mean {means[label]:.4f}  {seconds:.1f} s a run", flush=True)
        if len(means) == 2:
            print(
                f"{name:<12} difference {100 * (means['minigrad'] - means['torch']):+.2f} points", flush=True
            )


if __name__ == "__main__":
    np.seterr(all="raise", under="ignore")
    main()
