"""A training step, and its forward pass alone: minigrad's, and the hand-written NumPy program's."""

from __future__ import annotations

from typing import Any

import pytest

import minigrad as mg
from minigrad.bench.data import batches, initial_weights
from minigrad.bench.grid import FEW, Row
from minigrad.bench.peers import PEERS, Task

ROUNDS, WARM_UP = 200, 20


@pytest.mark.parametrize("peer", ["minigrad", "numpy"])
@pytest.mark.parametrize("row", FEW, ids=lambda row: row.name)
def test_step(benchmark: Any, row: Row, peer: str) -> None:
    program, fresh = PEERS[peer].build(Task(row, initial_weights(row))), batches(row)
    benchmark.group = row.name
    loss = benchmark.pedantic(
        program.step, setup=lambda: (program.place(*next(fresh)), {}), rounds=ROUNDS, warmup_rounds=WARM_UP
    )
    assert loss.item() > 0


@pytest.mark.parametrize("batch", [1, 32, 1024])
def test_forward(benchmark: Any, batch: int) -> None:
    row = Row((784, 128, 10), batch, "sgd")
    model, fresh = mg.nn.Sequential(mg.nn.Linear(784, 128), mg.nn.ReLU(), mg.nn.Linear(128, 10)), batches(row)
    with mg.no_grad():
        out = benchmark.pedantic(
            model, setup=lambda: ((mg.Tensor(next(fresh)[0]),), {}), rounds=ROUNDS, warmup_rounds=WARM_UP
        )
    assert out.shape == (batch, 10)
