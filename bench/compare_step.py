"""One D4 training step (784-128-10, ReLU, dropout 0.2, Adam, cross-entropy, batch 32) here and in PyTorch, eager.

    python -m bench.compare_step [rounds]

Each framework runs in a process of its own, the two taking turns; the figures are the medians over the rounds
of each process's median step. Every step sees a fresh batch. PyTorch is timed with its default Adam, as a program
would use it, and with ``fused=True``. Both engines run on two threads.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np

BATCH, BATCHES, WARM_UP, STEPS = 32, 200, 200, 2000
WORKERS = ("minigrad", "torch", "torch-fused")


def data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.random((BATCHES * BATCH, 784), dtype=np.float32)
    w = rng.standard_normal((784, 10)).astype(np.float32)
    return x.reshape(BATCHES, BATCH, 784), (x @ w).argmax(1).reshape(BATCHES, BATCH)


def minigrad_step() -> Callable[[int], float]:
    import minigrad as mg
    from minigrad import nn, optim

    rng = np.random.default_rng(0)
    model = nn.Sequential(
        nn.Flatten(), nn.Linear(784, 128, rng=rng), nn.ReLU(), nn.Dropout(0.2, rng=rng), nn.Linear(128, 10, rng=rng)
    )
    loss_of = nn.CrossEntropyLoss()
    optimizer = optim.Adam(model, lr=0.001)
    xs, ys = data()

    def step(k: int) -> float:
        optimizer.zero_grad()
        loss = loss_of(model(mg.Tensor(xs[k])), ys[k])
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def torch_step(fused: bool) -> Callable[[int], float]:
    import torch

    torch.set_num_threads(2)
    torch.manual_seed(0)
    model = torch.nn.Sequential(
        torch.nn.Flatten(),
        torch.nn.Linear(784, 128),
        torch.nn.ReLU(),
        torch.nn.Dropout(0.2),
        torch.nn.Linear(128, 10),
    )
    loss_of = torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001, fused=fused or None)
    xs, ys = (torch.from_numpy(a) for a in data())

    def step(k: int) -> float:
        optimizer.zero_grad()
        loss = loss_of(model(xs[k]), ys[k])
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def work(worker: str) -> None:
    step = minigrad_step() if worker == "minigrad" else torch_step(worker == "torch-fused")
    losses = [step(k % BATCHES) for k in range(WARM_UP)]
    assert losses[-1] < losses[0], "the network does not learn"
    times = []
    for k in range(STEPS):
        began = time.perf_counter()
        step(k % BATCHES)
        times.append(time.perf_counter() - began)
    print(1e6 * statistics.median(times))


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    environment = {k: v for k, v in os.environ.items() if not k.startswith("OPENBLAS_")}
    found: dict[str, list[float]] = {worker: [] for worker in WORKERS}
    for _ in range(rounds):
        for worker in WORKERS:
            command = [sys.executable, "-m", "bench.compare_step", "--worker", worker]
            done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
            found[worker].append(float(done.stdout))
    ours = statistics.median(found["minigrad"])
    for worker, times in found.items():
        low, middle, high = statistics.quantiles(times, n=4)
        print(f"{worker:<12} {middle:7.1f} µs  (quartiles {low:.1f} to {high:.1f})  {middle / ours:.2f} x minigrad's")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        work(sys.argv[2])
    else:
        main()
