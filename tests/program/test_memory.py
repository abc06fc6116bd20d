"""The plan of a program's memory: what lives at once lies apart, and nothing is left from one replay for the next."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from minigrad_kernels import tiles

import minigrad as mg
from minigrad import nn, optim
from minigrad.program.memory import Life, Lives
from tests.program.test_passes import bits_of, by_hand, random_step


def overlapping(lives: Lives) -> list[tuple[str, str]]:
    """The pairs of buffers that share bytes while both live."""
    every = lives.lives
    return [
        (a.name, b.name)
        for k, a in enumerate(every)
        for b in every[:k]
        if a.first <= b.last and b.first <= a.last
        and a.place < b.place + b.nbytes and b.place < a.place + a.nbytes
    ]  # fmt: skip


def test_random_lives_lie_apart():
    for seed in range(30):
        rng = np.random.default_rng(seed)
        firsts = rng.integers(0, 40, 25)
        made = [
            Life(f"{k}", int(rng.integers(1, 5000)), int(first), int(first + rng.integers(0, 15)))
            for k, first in enumerate(firsts)
        ]
        lives = Lives(made, 60)
        assert not overlapping(lives)
        assert all(life.place % 64 == 0 for life in lives.lives)
        assert lives.peak <= lives.block <= lives.total + 64 * len(made)
        at_once = [sum(each.nbytes for each in made if each.first <= k <= each.last) for k in range(60)]
        assert lives.peak == max(at_once)


def test_buffers_one_after_another_share_a_place():
    lives = Lives([Life("a", 100, 0, 1), Life("b", 100, 2, 3), Life("c", 50, 1, 2)], 4)
    assert {life.name: life.place for life in lives.lives} == {"a": 0, "b": 0, "c": 128}
    assert (lives.peak, lives.block, lives.total) == (150, 178, 250)


@pytest.mark.parametrize("seed", range(8))
def test_nothing_is_left_for_the_next_replay(seed: int):
    """All memory is spoilt between two calls, and the bits are those of the eager step."""
    eager = bits_of(*random_step(seed))
    step, model, data = random_step(seed)
    compiled = mg.compile(step, verify=False)

    def spoilt(x, y):
        native = compiled._last._native if compiled._last else None
        if native is not None:
            native.block.memory[:] = 0xFF  # NaN
        return compiled(x, y)

    assert bits_of(spoilt, model, data) == eager
    assert not overlapping(compiled.program.memory())


def test_memory_shows_what_the_passes_have_spared():
    step, data = by_hand(optim.Adam)
    step = mg.compile(step)
    for x, y in data:
        step(x, y)
    memory = step.program.memory()
    assert memory.block < memory.total
    assert memory.before.total > memory.total
    assert f"before the passes: {memory.before.summary}" in str(memory)
    assert "d_model_0_weight" in {life.name for life in memory.before.lives}
    assert tiles.size() is None or "d_model_0_weight" not in {life.name for life in memory.lives}


def test_a_replay_asks_for_no_memory():
    """Beside results; the whole step is in the block. (In float32, packed panels of a product would come to it.)"""
    rng = np.random.default_rng(0)
    model = nn.Sequential(nn.Linear(300, 200, rng=rng), nn.ReLU(), nn.Linear(200, 10, rng=rng)).to("float64")
    opt, loss_of = optim.Adam(model), nn.CrossEntropyLoss()

    @mg.compile(verify=False)
    def step(x, y):
        opt.zero_grad()
        loss = loss_of(model(mg.Tensor(x)), y)
        loss.backward()
        opt.step()
        return loss

    x, y = rng.standard_normal((64, 300)), rng.integers(0, 10, 64)
    for _ in range(3):
        step(x, y)
    tracemalloc.start()
    step(x, y)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 30_000  # an activation alone has 102,400 bytes
