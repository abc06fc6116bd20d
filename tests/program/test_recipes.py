"""The recipes' own steps, compiled: the eager step's bits, and a saved file whose losses agree."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.train.build import build
from minigrad.train.config import Config
from minigrad.train.recipes import RECIPES
from tests.program.test_saved import ALONE


def step_of(recipe: str) -> tuple[Any, Any, list[tuple[Any, Any]]]:
    settings = RECIPES[recipe].settings(RECIPES[recipe].data)
    session = build(Config(**{**settings, "batch_size": 16}))
    trainer = session.trainer

    def step(x, y):
        trainer.optimizer.zero_grad()
        loss = trainer.loss_of(x, y)
        loss.backward()
        trainer.optimizer.step()
        return loss

    trainer.model.train()
    batches = [batch for batch, _ in zip(session.loader, range(10), strict=False)]
    return step, session.model, [(x, y) for x, y in batches if len(x) == 16]


SAMPLES = [
    name for name, recipe in RECIPES.items() if not recipe.reads
]  # a recurrent step is not compiled yet


@pytest.mark.parametrize("recipe", SAMPLES)
def test_a_recipes_step(recipe: str, tmp_path: Path):
    eager, ours, data = step_of(recipe)
    compiled, theirs, _ = step_of(recipe)
    step = mg.compile(compiled)
    for x, y in data[:6]:
        assert step(x, y).item() == eager(x, y).item()
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    step.program.save(tmp_path / "step.py", steps=100)
    rest = data[6:]
    np.savez(tmp_path / "data.npz", x=[x for x, _ in rest], y=[y for _, y in rest])
    subprocess.run([sys.executable, "-c", ALONE], cwd=tmp_path, env={}, check=True, timeout=120)
    expected = [step(x, y).item() for x, y in rest]
    np.testing.assert_allclose(np.load(tmp_path / "losses.npy"), expected, rtol=2e-4)
