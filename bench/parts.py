"""Parts of a training step, and a whole program, in minigrad and in PyTorch; ``compare`` and the suites time them.

A part is a function that builds what is needed and returns another, which is what is timed. Both frameworks get
two threads, float32, and equal shapes and settings.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import cycle, pairwise
from typing import Any

import numpy as np

THREADS = 2
WIDTHS = {
    "100 thousand": (784, 128, 10),
    "1.8 million": (784, 1024, 1024, 10),
    "20 million": (784, 4096, 4096, 10),
}
LOGITS = ((1024, 10), (128, 1000))
BATCHES = 500

Run = Callable[[], Any]


def layers(framework: str, widths: tuple[int, ...]) -> list[Any]:
    """Dense layers with ReLU between them, in either framework."""
    if framework == "minigrad":
        from minigrad import nn
    else:
        from torch import nn
    found: list[Any] = []
    for inputs, outputs in pairwise(widths):
        found += [nn.Linear(inputs, outputs), nn.ReLU()]
    return found[:-1]


def adam_update(framework: str, widths: tuple[int, ...]) -> Run:
    """One Adam update of all parameters, from gradients that are there already; PyTorch's is fused."""
    rng = np.random.default_rng(0)
    if framework == "minigrad":
        import minigrad as mg
        from minigrad import nn, optim

        mg.set_threads(THREADS)
        model = nn.Sequential(*layers(framework, widths))
        for p in model.parameters():
            p.grad = mg.Tensor(rng.standard_normal(p.shape, dtype=np.float32))
        return optim.Adam(model).step
    import torch

    torch.set_num_threads(THREADS)
    module = torch.nn.Sequential(*layers(framework, widths))
    for p in module.parameters():
        p.grad = torch.from_numpy(rng.standard_normal(tuple(p.shape), dtype=np.float32))
    return torch.optim.Adam(module.parameters(), fused=True).step


def softmax_cross_entropy(framework: str, shape: tuple[int, int]) -> Run:
    """Mean softmax-cross-entropy of logits of this shape, forward and backward."""
    rng = np.random.default_rng(0)
    values = rng.standard_normal(shape, dtype=np.float32)
    labels = rng.integers(shape[1], size=shape[0])
    logits: Any
    if framework == "minigrad":
        import minigrad as mg

        mg.set_threads(THREADS)
        logits, y, loss_of = mg.Tensor(values, requires_grad=True), labels, mg.nn.CrossEntropyLoss()
    else:
        import torch

        torch.set_num_threads(THREADS)
        logits = torch.from_numpy(values).requires_grad_()
        y, loss_of = torch.from_numpy(labels), torch.nn.CrossEntropyLoss()

    def run() -> Any:
        logits.grad = None
        loss = loss_of(logits, y)
        loss.backward()
        return loss

    return run


def d4_step(framework: str, fused: bool = False, batch: int = 32, device: str = "cpu") -> Run:
    """One step of D4's network (784-128-10, ReLU, dropout 0.2, Adam) on a fresh batch."""
    rng = np.random.default_rng(0)
    x = rng.random((BATCHES, batch, 784), dtype=np.float32)
    y = x[..., :780].reshape(BATCHES, batch, 10, 78).sum(axis=-1).argmax(axis=-1)
    hidden, relu, last = layers(framework, (784, 128, 10))
    batches: Any
    optimizer: Any
    model: Any
    if framework == "minigrad":
        import minigrad as mg
        from minigrad import backend, nn, optim

        mg.set_threads(THREADS)
        model = nn.Sequential(nn.Flatten(), hidden, relu, nn.Dropout(0.2, rng=rng), last).to(device)
        optimizer, loss_of = optim.Adam(model), nn.CrossEntropyLoss()
        labels = [backend.to_device(b, device) for b in y]
        batches = cycle([(mg.Tensor(a, device=device), b) for a, b in zip(x, labels, strict=True)])
    else:
        import torch

        torch.set_num_threads(THREADS)
        model = torch.nn.Sequential(torch.nn.Flatten(), hidden, relu, torch.nn.Dropout(0.2), last).to(device)
        optimizer = torch.optim.Adam(model.parameters(), fused=fused or None)
        loss_of = torch.nn.CrossEntropyLoss()
        batches = cycle(
            list(zip(torch.from_numpy(x).to(device), torch.from_numpy(y).to(device), strict=True))
        )

    def step() -> float:
        a, b = next(batches)
        optimizer.zero_grad()
        loss = loss_of(model(a), b)
        loss.backward()
        optimizer.step()
        found: float = loss.item()
        return found

    return step


def lstm_step(framework: str, width: int, times: int, batch: int) -> Run:
    """Forward and backward of an LSTM over a batch of sequences, of the sum of its outputs."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((times, batch, width), dtype=np.float32)
    layer: Any
    given: Any
    if framework == "minigrad":
        import minigrad as mg
        from minigrad import nn

        mg.set_threads(THREADS)
        layer, given = nn.LSTM(width, width, rng=rng), mg.Tensor(x)
    else:
        import torch

        torch.set_num_threads(THREADS)
        layer, given = torch.nn.LSTM(width, width), torch.from_numpy(x)

    def step() -> None:
        layer.zero_grad()
        layer(given)[0].sum().backward()

    return step


def mnist(framework: str) -> Run:
    """D4's program on MNIST, five epochs at batch 32, to its accuracy on the test set."""
    from bench.mnist_accuracy import in_minigrad, in_torch

    return partial(in_minigrad if framework == "minigrad" else in_torch, "mlp-dropout", 0)


def _both(part: Callable[..., Run], *arguments: Any) -> dict[str, Callable[[], Run]]:
    return {framework: partial(part, framework, *arguments) for framework in ("minigrad", "torch")}


PARTS: dict[str, dict[str, Callable[[], Run]]] = {
    "d4-step": {**_both(d4_step), "torch-fused": partial(d4_step, "torch", True)},
    **{f"adam, {size} parameters": _both(adam_update, widths) for size, widths in WIDTHS.items()},
    **{f"softmax-cross-entropy, {n} x {c}": _both(softmax_cross_entropy, (n, c)) for n, c in LOGITS},
    "lstm, 128, 64 times, batch 32": _both(lstm_step, 128, 64, 32),
    "mnist": _both(mnist),
}
"""Every part in each of its programs."""
WHOLE = ("mnist",)
"""The parts of which a process runs one, and is timed from its start to its end."""
