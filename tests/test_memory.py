"""What is no longer needed is let go: no graph outlives its step, and a long training does not grow."""

from __future__ import annotations

import gc
import os

import numpy as np
import psutil
import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad.records import Record


def live(kind: type) -> int:
    return sum(issubclass(type(thing), kind) for thing in gc.get_objects())


def test_1000_training_steps_leave_memory_as_it_was() -> None:
    rng = np.random.default_rng(0)
    model = nn.Sequential(
        nn.Linear(256, 512, rng=rng), nn.ReLU(), nn.Dropout(0.2, rng=rng), nn.Linear(512, 10, rng=rng)
    )
    loss_of, optimizer = nn.CrossEntropyLoss(), optim.Adam(model)
    x, y = rng.random((64, 256), dtype=np.float32), rng.integers(0, 10, 64)

    def step() -> None:
        optimizer.zero_grad()
        loss_of(model(mg.Tensor(x)), y).backward()
        optimizer.step()

    for _ in range(50):
        step()
    gc.collect()
    tensors, records = live(mg.Tensor), live(Record)
    resident = psutil.Process(os.getpid()).memory_info().rss
    gc.disable()  # reference counts alone have to do it: no cycles
    try:
        for _ in range(1000):
            step()
        assert live(mg.Tensor) == tensors
        assert live(Record) == records
    finally:
        gc.enable()
    grown = psutil.Process(os.getpid()).memory_info().rss - resident
    assert grown < 4_000_000, f"resident size grew by {grown / 1e6:.1f} MB; a step's arrays are about 1.5 MB"


def test_an_unwalked_graph_is_freed_without_the_garbage_collector() -> None:
    a = mg.Tensor(np.ones(3), requires_grad=True)
    gc.collect()
    gc.disable()
    try:
        before = live(Record)
        loss = (np.exp(a) * a).sum()
        assert live(Record) == before + 3
        del loss
        assert live(Record) == before
    finally:
        gc.enable()


def test_debug_mode_names_the_list_that_keeps_graphs() -> None:
    w = mg.Tensor(np.ones(3), requires_grad=True)
    losses: list[mg.Tensor] = []

    def train() -> None:
        for _ in range(150):
            losses.append((w * 2).sum())  # noqa: PERF401 (the mistake itself)

    with mg.debug(), pytest.warns(mg.errors.MinigradWarning, match=r"MG-504 'losses' holds 1\d\d graphs"):
        train()
