"""The most memory that a training step asks for at once, eager and compiled: ``python -m bench.memory``.

Counted is what arrays take beyond parameters, state and the batch, those that loops make for themselves among them
(tracemalloc); a compiled step's block is counted whole.
"""

from __future__ import annotations

import argparse
import tracemalloc
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

import minigrad as mg
from minigrad import nn, optim


def step_of(widths: list[int], optimizer: str) -> Callable[[Any, Any], Any]:
    """Return a training step of a network with ReLUs."""
    rng = np.random.default_rng(0)
    layers: list[nn.Module] = []
    for before, width in pairwise(widths):
        layers += [nn.Linear(before, width, rng=rng), nn.ReLU()]
    model = nn.Sequential(*layers[:-1])
    opt, loss_of = getattr(optim, optimizer)(model, lr=0.001), nn.CrossEntropyLoss()

    def step(x: Any, y: Any) -> Any:
        opt.zero_grad()
        loss = loss_of(model(mg.Tensor(x)), y)
        loss.backward()
        opt.step()
        return loss

    return step


def peak(step: Callable[[Any, Any], Any], x: Any, y: Any) -> int:
    """Return the most bytes that one more step asks for."""
    tracemalloc.start()
    step(x, y)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


def main() -> None:
    """Print a line for the eager step and one for the compiled."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--widths", type=int, nargs="+", default=[784, 1024, 1024, 10])
    parser.add_argument("--batch", type=int, default=1024)
    parser.add_argument("--optimizer", default="Adam")
    parser.add_argument("--plan", action="store_true", help="draw the compiled step's buffers too")
    args = parser.parse_args()
    rng = np.random.default_rng(1)
    x = rng.standard_normal((args.batch, args.widths[0])).astype(np.float32)
    y = rng.integers(0, args.widths[-1], args.batch)
    eager = step_of(args.widths, args.optimizer)
    eager(x, y)
    compiled = mg.compile(step_of(args.widths, args.optimizer), verify=False)
    for _ in range(3):
        compiled(x, y)
    memory = compiled.program.memory()
    print(f"{'–'.join(map(str, args.widths))}, batch {args.batch}, {args.optimizer}")
    print(f"eager     {peak(eager, x, y) / 2**20:8.2f} MiB")
    beside = peak(compiled, x, y)
    print(f"compiled  {(memory.block + beside) / 2**20:8.2f} MiB: {memory.told}")
    if args.plan:
        print(memory)


if __name__ == "__main__":
    main()
