"""Derivatives of a higher order beside the first, and a deep network with and without checkpoints.

``python -m bench.test_transforms`` measures both at once, in turns, with medians; and what the deep network holds at
its peak, which a timed test does not see.
"""

from __future__ import annotations

import statistics
import tracemalloc
from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn

Run = Callable[[], Any]
LAYERS, WIDTH, SAMPLES, PIECE = 50, 256, 512, 7
ROUNDS = 200


def orders(batch: int) -> dict[str, Run]:
    """The gradient of a network 784-128-10 in all its weights, and its Hessian times a vector."""
    rng = np.random.default_rng(0)
    model = nn.Sequential(nn.Linear(784, 128, rng=rng), nn.ReLU(), nn.Linear(128, 10, rng=rng))
    x = mg.Tensor(rng.random((batch, 784), dtype=np.float32))
    labels = rng.integers(0, 10, batch)
    weights = {name: p.numpy().copy() for name, p in model.named_parameters()}
    v = {name: rng.standard_normal(w.shape).astype("float32") for name, w in weights.items()}

    def loss(weights: Any) -> Any:
        return nn.cross_entropy(mg.functional_call(model, weights, x), labels)

    gradient = mg.grad(loss)
    return {"gradient": lambda: gradient(weights), "hvp": lambda: mg.hvp(loss, weights, v)}


def deep() -> dict[str, Run]:
    """One walk forth and back through 50 layers: all at once, and in pieces of 7 under ``mg.checkpoint``."""
    rng = np.random.default_rng(0)
    layers = [nn.Sequential(nn.Linear(WIDTH, WIDTH, rng=rng), nn.Tanh()) for _ in range(LAYERS)]
    model = nn.Sequential(*layers)
    pieces = [nn.Sequential(*layers[k : k + PIECE]) for k in range(0, LAYERS, PIECE)]
    x = mg.Tensor(rng.standard_normal((SAMPLES, WIDTH)).astype("float32"))

    def whole() -> Any:
        model.zero_grad()
        (model(x) ** 2).mean().backward()

    def in_pieces() -> Any:
        model.zero_grad()
        out = x
        for piece in pieces:
            out = mg.checkpoint(piece)(out)
        (out**2).mean().backward()

    return {"whole": whole, "in pieces": in_pieces}


@pytest.mark.parametrize("which", ["gradient", "hvp"])
@pytest.mark.parametrize("batch", [32, 128])
def test_orders(benchmark: Any, batch: int, which: str) -> None:
    benchmark.group = f"784-128-10, batch {batch}"
    benchmark.pedantic(orders(batch)[which], rounds=ROUNDS, warmup_rounds=20)


@pytest.mark.parametrize("which", ["whole", "in pieces"])
def test_checkpoint(benchmark: Any, which: str) -> None:
    benchmark.group = f"{LAYERS} layers of {WIDTH}"
    benchmark.pedantic(deep()[which], rounds=20, warmup_rounds=3)


def peak(run: Run) -> int:
    """Bytes held at the peak beyond those before."""
    run()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        run()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def in_turns(runs: dict[str, Run], rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each, one round after the other."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for n in range(rounds + 10):
        for name, run in runs.items():
            begin = perf_counter()
            run()
            if n >= 10:
                times[name].append(1e3 * (perf_counter() - begin))
    return times


def told(title: str, runs: dict[str, Run], rounds: int) -> None:
    """Print medians, the fastest rounds, and the ratio of the second to the first."""
    times = in_turns(runs, rounds)
    one, other = times.values()
    for name, each in times.items():
        print(f"{title}, {name}: median {statistics.median(each):.3f} ms, fastest {min(each):.3f} ms")
    ratio = statistics.median(b / a for a, b in zip(one, other, strict=True))
    print(f"{title}: {ratio:.2f} times (median of pairs), {min(other) / min(one):.2f} times (fastest)")


if __name__ == "__main__":
    for batch in (32, 128):
        told(f"784-128-10, batch {batch}", orders(batch), ROUNDS)
    told(f"{LAYERS} layers of {WIDTH}, {SAMPLES} samples", deep(), 30)
    for name, run in deep().items():
        print(f"{name}: {peak(run) / 2**20:.1f} MiB at the peak")
