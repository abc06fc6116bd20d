"""What every framework is given: the same initial weights and the same batches, none of them twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minigrad.bench.further import CLASSES, PIXELS, Further
from minigrad.bench.grid import Row
from minigrad.bench.rows import Step

Batch = tuple[NDArray[Any], NDArray[Any]]
Weights = Any
"""Of a dense network W and b of each layer, of another one its parameters by name."""

NOISE = 0.1
_BLOCK_BYTES = 16_000_000
_SEED = 2026


def initial_weights(row: Step) -> Weights:
    """Draw W (out, in) and b (out,) of each layer from U(-1/√in, 1/√in), the same for a row at every call.

    Networks beyond dense ones get what minigrad's layers draw for themselves.
    """
    rng = np.random.default_rng(_SEED)
    if isinstance(row, Further):
        from minigrad import nn
        from minigrad.bench.networks import network

        return {name: array.copy() for name, array in network(row, nn, rng=rng).state_dict().items()}
    assert isinstance(row, Row)
    return [
        (_uniform(rng, (outputs, inputs), inputs), _uniform(rng, (outputs,), inputs))
        for inputs, outputs in row.layers
    ]


def _uniform(rng: np.random.Generator, shape: tuple[int, ...], inputs: int) -> NDArray[Any]:
    bound = inputs**-0.5
    return rng.uniform(-bound, bound, shape).astype(np.float32)


def batches(row: Step) -> Iterator[Batch]:
    """Yield fresh batches without end, the same for a row at every call.

    x is uniform in [-1, 1), of shape (batch, inputs). y is the stretch of inputs with the largest sum, one stretch for
    each class, so that there is something to learn. With one output it is 1 where an odd number of inputs is above 0,
    else 0: for two inputs exclusive or; float32 of shape (batch, 1). Pictures are such inputs, of shape
    (batch, 1, 28, 28). Of ids, x and y are (batch, context): each is 1, 2 or 3 above the one before, around a circle.

    Subnormal numbers slow every processor down, some of them a hundredfold, so that nothing here leads to them. A tenth
    of the labels is drawn at random, and the loss never gets too small. And inputs of both signs keep every hidden unit
    awake, whose moments in Adam would fade away otherwise. No matrix product is used here: BLAS threads go on
    spinning after one, and would disturb what is timed next.
    """
    rng = np.random.default_rng(_SEED + 1)
    while True:
        yield _batch(row, rng)


def block_size(row: Step) -> int:
    """Return how many batches to hold in memory at once."""
    return max(1, min(2048, _BLOCK_BYTES // row.batch_bytes))


def _batch(row: Step, rng: np.random.Generator) -> Batch:
    if isinstance(row, Row):
        return _of_dense(row, rng)
    assert isinstance(row, Further)
    if (of := row.reading) is None:
        x, y = _classified(row.batch, PIXELS * PIXELS, CLASSES, rng)
        return x.reshape(row.batch, 1, PIXELS, PIXELS), y
    steps = rng.integers(1, 4, (row.batch, of.context + 1))
    steps[:, 0] = rng.integers(of.ids, size=row.batch)
    ids = np.cumsum(steps, axis=1) % of.ids
    return np.ascontiguousarray(ids[:, :-1]), np.ascontiguousarray(ids[:, 1:])


def _of_dense(row: Row, rng: np.random.Generator) -> Batch:
    if not row.is_regression:
        return _classified(row.batch, row.widths[0], row.widths[-1], rng)
    x = _inputs(row.batch, row.widths[0], rng)
    return x, ((x > 0).sum(axis=1, keepdims=True) % 2).astype(np.float32)


def _inputs(batch: int, inputs: int, rng: np.random.Generator) -> NDArray[np.float32]:
    x = rng.random((batch, inputs), dtype=np.float32)
    x *= 2
    x -= 1
    return x


def _classified(batch: int, inputs: int, classes: int, rng: np.random.Generator) -> Batch:
    x = _inputs(batch, inputs, rng)
    stretch = inputs // classes
    y = x[:, : stretch * classes].reshape(batch, classes, stretch).sum(axis=2).argmax(axis=1)
    noisy = rng.random(batch) < NOISE
    return x, np.where(noisy, rng.integers(classes, size=batch), y)
