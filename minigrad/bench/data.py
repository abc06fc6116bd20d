"""What every framework is given: the same initial weights and the same batches, none of them twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minigrad.bench.grid import BYTES, Row

Batch = tuple[NDArray[np.float32], NDArray[Any]]
Weights = list[tuple[NDArray[np.float32], NDArray[np.float32]]]

NOISE = 0.1
_BLOCK_BYTES = 16_000_000
_SEED = 2026


def initial_weights(row: Row) -> Weights:
    """Draw W (out, in) and b (out,) of each layer from U(-1/√in, 1/√in), the same for a row at every call."""
    rng = np.random.default_rng(_SEED)
    return [
        (_uniform(rng, (outputs, inputs), inputs), _uniform(rng, (outputs,), inputs))
        for inputs, outputs in row.layers
    ]


def _uniform(rng: np.random.Generator, shape: tuple[int, ...], inputs: int) -> NDArray[Any]:
    bound = inputs**-0.5
    return rng.uniform(-bound, bound, shape).astype(np.float32)


def batches(row: Row) -> Iterator[Batch]:
    """Yield fresh batches without end, the same for a row at every call.

    x is uniform in [-1, 1), of shape (batch, inputs). y is the stretch of inputs with the largest sum, one stretch for
    each class, so that there is something to learn. With one output it is 1 where an odd number of inputs is above 0,
    else 0: for two inputs exclusive or; float32 of shape (batch, 1).

    Subnormal numbers slow every processor down, some of them a hundredfold, so that nothing here leads to them. A tenth
    of the labels is drawn at random, and the loss never gets too small. And inputs of both signs keep every hidden unit
    awake, whose moments in Adam would fade away otherwise. No matrix product is used here: BLAS threads go on
    spinning after one, and would disturb what is timed next.
    """
    rng = np.random.default_rng(_SEED + 1)
    while True:
        yield _batch(row, rng)


def block_size(row: Row) -> int:
    """Return how many batches to hold in memory at once."""
    return max(1, min(2048, _BLOCK_BYTES // (BYTES * row.batch * row.widths[0])))


def _batch(row: Row, rng: np.random.Generator) -> Batch:
    inputs, classes = row.widths[0], row.widths[-1]
    x = rng.random((row.batch, inputs), dtype=np.float32)
    x *= 2
    x -= 1
    if row.is_regression:
        return x, ((x > 0).sum(axis=1, keepdims=True) % 2).astype(np.float32)
    stretch = inputs // classes
    y = x[:, : stretch * classes].reshape(row.batch, classes, stretch).sum(axis=2).argmax(axis=1)
    noisy = rng.random(row.batch) < NOISE
    return x, np.where(noisy, rng.integers(classes, size=row.batch), y)
