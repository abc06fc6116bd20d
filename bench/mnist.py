"""D4's program on MNIST, from the start of its process to its end: minigrad eager and compiled, and PyTorch eager.

    MINIGRAD_DATA=FOLDER python -m bench.mnist [--epochs 5] [--rounds 3] [program …]

784-128-10 with dropout, Adam, batches of 32, as a learner writes it. The programs take turns. The two of minigrad have
to end with the same parameters in every bit, and the command fails where they do not.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

THREADS, BATCH = 2, 32
RATE, EPS, DROPOUT = 0.001, 1e-7, 0.2  # as Keras has them


def in_minigrad(epochs: int, compiled: bool) -> dict[str, Any]:
    import numpy as np

    import minigrad as mg
    from minigrad import nn, optim
    from minigrad.data import DataLoader, load_mnist

    mg.set_threads(THREADS)
    weights, masks, order = np.random.default_rng(0).spawn(3)
    model = nn.Sequential(
        nn.Flatten(),
        nn.Linear(784, 128, init="glorot_uniform", rng=weights),
        nn.ReLU(),
        nn.Dropout(DROPOUT, rng=masks),
        nn.Linear(128, 10, init="glorot_uniform", rng=weights),
    )
    optimizer, loss_of = optim.Adam(model, lr=RATE, eps=EPS), nn.CrossEntropyLoss()

    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = loss_of(model(mg.Tensor(x)), y)
        loss.backward()
        optimizer.step()
        return loss

    loader = DataLoader(load_mnist(train=True), BATCH, rng=order)
    program = mg.compile(step)
    for _ in range(epochs):
        if compiled:
            program.over(loader)
        else:
            for x, y in loader:
                step(x, y)
    model.eval()
    test = load_mnist(train=False)
    with mg.no_grad():
        found = model(mg.Tensor(test.x)).numpy().argmax(axis=1)
    bits = hashlib.sha256(b"".join(p.numpy().tobytes() for p in model.parameters()))
    return {"accuracy": float((found == test.y).mean()), "parameters": bits.hexdigest()}


def in_torch(epochs: int, fused: bool) -> dict[str, Any]:
    import torch
    from torch import nn

    torch.set_num_threads(THREADS)
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Dropout(DROPOUT), nn.Linear(128, 10)
    )
    for layer in model:
        if isinstance(layer, nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE, eps=EPS, fused=fused or None)
    loss_of = nn.CrossEntropyLoss()
    (x, y), (test_x, test_y) = (
        (torch.from_numpy(images), torch.from_numpy(labels))
        for images, labels in map(read, ("train", "t10k"))
    )
    for _ in range(epochs):
        for batch in torch.randperm(len(x)).split(BATCH):
            optimizer.zero_grad()
            loss_of(model(x[batch]), y[batch]).backward()
            optimizer.step()
    model.eval()
    with torch.no_grad():
        right = (model(test_x).argmax(1) == test_y).float().mean()
    return {"accuracy": float(right)}


def read(part: str) -> tuple[Any, Any]:
    """Images in 0 … 1 and labels of ``train`` or ``t10k``, without minigrad, whose import would cost time here."""
    import numpy as np

    folder = Path(os.environ["MINIGRAD_DATA"])
    folder = folder / "mnist" if (folder / "mnist").is_dir() else folder
    images = np.frombuffer(
        gzip.decompress((folder / f"{part}-images-idx3-ubyte.gz").read_bytes()), np.uint8, -1, 16
    )
    labels = np.frombuffer(
        gzip.decompress((folder / f"{part}-labels-idx1-ubyte.gz").read_bytes()), np.uint8, -1, 8
    )
    return images.reshape(-1, 28, 28).astype(np.float32) / 255, labels.astype(np.int64)


PROGRAMS = {
    "minigrad": lambda epochs: in_minigrad(epochs, compiled=False),
    "mg.compile": lambda epochs: in_minigrad(epochs, compiled=True),
    "torch": lambda epochs: in_torch(epochs, fused=False),
    "torch-fused": lambda epochs: in_torch(epochs, fused=True),
}


def timed(program: str, epochs: int, environment: dict[str, str]) -> dict[str, Any]:
    """Run a program in a process of its own; return its result, with the seconds from start to end."""
    command = [sys.executable, "-m", "bench.mnist", "--run", program, "--epochs", str(epochs)]
    began = time.perf_counter()
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return {**json.loads(done.stdout.splitlines()[-1]), "seconds": time.perf_counter() - began}


def main() -> int:
    parser = argparse.ArgumentParser(description="D4 on MNIST, process start to end")
    parser.add_argument("programs", nargs="*", metavar="program", help=", ".join(PROGRAMS))
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--run", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.run:
        print(json.dumps(PROGRAMS[arguments.run](arguments.epochs)))
        return 0
    if unknown := [name for name in arguments.programs if name not in PROGRAMS]:
        parser.error(f"there is no program {unknown[0]!r}; there are: {', '.join(PROGRAMS)}")
    if "MINIGRAD_DATA" not in os.environ:
        parser.error("set MINIGRAD_DATA to the folder that has MNIST's four files")

    from minigrad.bench.machine import clean_environment, on_processors

    environment, _ = clean_environment(os.environ, THREADS)
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in arguments.programs or PROGRAMS}
    with on_processors(THREADS):
        for turn in range(arguments.rounds):
            for name, runs in found.items():
                runs.append(timed(name, arguments.epochs, environment))
                print(
                    f"round {turn + 1}: {name:<12} {runs[-1]['seconds']:6.2f} s", file=sys.stderr, flush=True
                )
    middles = {name: statistics.median(run["seconds"] for run in runs) for name, runs in found.items()}
    for name, runs in found.items():
        beside = middles.get("torch", middles[name]) / middles[name]
        print(
            f"{name:<12} {middles[name]:6.2f} s  accuracy {runs[0]['accuracy']:.4f}  {beside:.2f} x torch's speed"
        )
    bits = {run["parameters"] for runs in found.values() for run in runs if "parameters" in run}
    if len(bits) > 1:
        print("minigrad's runs ended with DIFFERENT parameters")
        return 1
    if bits:
        print("minigrad's runs, eager and compiled, ended with the same parameters in every bit")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
