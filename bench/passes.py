"""What each pass of the processor's gains: ``python -m bench.passes``.

The same compiled step with a pass and without it, in turns in one process; the least of many, as a ratio.
"""

from __future__ import annotations

import argparse
from time import perf_counter
from typing import Any

import numpy as np

import minigrad as mg
from minigrad import nn, optim
from minigrad.program import passes


def made_ready(activation: str, optimizer: str, batch: int, without: str) -> Any:
    """Return a call of a compiled step of 784–128–10, made ready without one of the passes."""
    rng = np.random.default_rng(0)
    model = nn.Sequential(
        nn.Linear(784, 128, rng=rng), getattr(nn, activation)(), nn.Linear(128, 10, rng=rng)
    )
    opt, loss_of = getattr(optim, optimizer)(model, lr=0.001), nn.CrossEntropyLoss()

    @mg.compile(verify=False)
    def step(x: Any, y: Any) -> Any:
        opt.zero_grad()
        loss = loss_of(model(mg.Tensor(x)), y)
        loss.backward()
        opt.step()
        return loss

    x, y = rng.standard_normal((batch, 784)).astype(np.float32), rng.integers(0, 10, batch)
    every = passes.ON_PROCESSOR
    passes.ON_PROCESSOR = tuple(each for each in every if each.__name__ != without)
    try:
        for _ in range(3):
            step(x, y)
    finally:
        passes.ON_PROCESSOR = every
    return lambda: step(x, y)


def least(call: Any, count: int) -> float:
    """Return the least time of a call, in µs."""
    found = []
    for _ in range(count):
        began = perf_counter()
        call()
        found.append(perf_counter() - began)
    return 1e6 * min(found)


def main() -> None:
    """Print a line for each network: its step's time, and how much longer it takes without a pass."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--activations", nargs="+", default=["ReLU", "Tanh", "Sigmoid", "SiLU", "GELU", "Softplus"]
    )
    parser.add_argument("--optimizers", nargs="+", default=["SGD", "Adam"])
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 32, 128])
    parser.add_argument("--rounds", type=int, default=10)
    args = parser.parse_args()
    names = [each.__name__ for each in passes.ON_PROCESSOR]
    print(f"{'784–128–10':26} {'µs':>8}  without: " + "  ".join(names))
    for activation in args.activations:
        for optimizer in args.optimizers:
            for batch in args.batches:
                calls = {name: made_ready(activation, optimizer, batch, name) for name in ("", *names)}
                best = dict.fromkeys(calls, np.inf)
                for _ in range(args.rounds):
                    for name, call in calls.items():
                        best[name] = min(best[name], least(call, 20))
                ratios = "  ".join(f"{best[name] / best['']:{len(name)}.2f}" for name in names)
                print(
                    f"{activation:10} {optimizer:8} {batch:6} {best['']:8.0f}           {ratios}", flush=True
                )


if __name__ == "__main__":
    main()
