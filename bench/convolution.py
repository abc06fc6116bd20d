"""A convolution's forward product and its two gradients on shapes of LeNet, VGG and ResNet, beside PyTorch's.

    python -m bench.convolution        # alternating calls, medians, 2 threads

Each row ends with the ratio of PyTorch's time to ours, 1 and more where ours is as fast; the last line has the
geometric mean of all of them.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from minigrad_kernels import conv

import minigrad as mg

THREADS, ROUNDS = 2, 9


class Shape(NamedTuple):
    """x (n, c, side, side), weights (o, c, kernel, kernel)."""

    n: int
    c: int
    side: int
    o: int
    kernel: int
    stride: int
    padding: int


SHAPES = {
    "LeNet, first": Shape(32, 1, 28, 6, 5, 1, 2),
    "LeNet, second": Shape(32, 6, 14, 16, 5, 1, 0),
    "LeNet, second, 128": Shape(128, 6, 14, 16, 5, 1, 0),
    "VGG, 64 channels": Shape(8, 64, 56, 64, 3, 1, 1),
    "VGG, 128 channels": Shape(8, 128, 28, 128, 3, 1, 1),
    "VGG, 512 channels": Shape(4, 512, 14, 512, 3, 1, 1),
    "ResNet, first": Shape(8, 3, 64, 64, 7, 2, 3),
    "ResNet, stride 2": Shape(8, 64, 56, 128, 3, 2, 1),
    "ResNet, 1x1": Shape(8, 256, 14, 256, 1, 1, 0),
    "ResNet, 1x1, stride 2": Shape(8, 64, 56, 128, 1, 2, 0),
}


def programs(shape: Shape, torch: Any) -> dict[str, tuple[Callable[[], Any], Callable[[], Any]]]:
    """Return for each product ours and PyTorch's, ready to be called."""
    n, c, side, o, k, s, p = shape
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, c, side, side), dtype=np.float32)
    w = rng.standard_normal((o, c, k, k), dtype=np.float32)
    how: Any = ((s, s), ((p, p), (p, p)))
    g = rng.standard_normal(conv.forward(x, w, None, *how).shape, dtype=np.float32)
    tx, tw, tg = map(torch.from_numpy, (x, w, g))
    library = torch.nn.grad
    return {
        "forward": (
            lambda: conv.forward(x, w, None, *how),
            lambda: torch.nn.functional.conv2d(tx, tw, None, s, p),
        ),
        "dL/dx": (
            lambda: conv.backward_input(g, w, (side, side), *how),
            lambda: library.conv2d_input(tx.shape, tw, tg, s, p),
        ),
        "dL/dw": (
            lambda: conv.backward_weight(g, x, (k, k), *how),
            lambda: library.conv2d_weight(tx, tw.shape, tg, s, p),
        ),
    }


def medians(pair: tuple[Callable[[], Any], ...]) -> list[float]:
    """Return the median seconds of each, called in turns."""
    for f in pair:
        f()
        f()
    times: list[list[float]] = [[] for _ in pair]
    for _ in range(ROUNDS):
        for f, found in zip(pair, times, strict=True):
            start = time.perf_counter()
            f()
            found.append(time.perf_counter() - start)
    return [statistics.median(found) for found in times]


def main() -> None:
    """Print the table."""
    import torch

    torch.set_num_threads(THREADS)
    mg.set_threads(THREADS)
    ratios = []
    for name, shape in SHAPES.items():
        row = []
        for what, pair in programs(shape, torch).items():
            ours, theirs = medians(pair)
            row.append(f"{what} {1e3 * ours:7.2f} ms, {theirs / ours:.2f}")
            ratios.append(theirs / ours)
        print(f"{name:22}", *row, sep="   ", flush=True)
    print(f"geometric mean {statistics.geometric_mean(ratios):.2f}")


if __name__ == "__main__":
    sys.exit(main())
