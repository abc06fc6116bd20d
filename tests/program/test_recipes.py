"""The recipes' own steps, compiled: the eager step's bits, and a saved file whose losses agree."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.train.build import build
from minigrad.train.compiling import step_of as step_of_training
from minigrad.train.config import Config
from minigrad.train.recipes import RECIPES
from tests.program.test_saved import ALONE

STEPS = 20


def step_of(recipe: str, folder: Path) -> tuple[Any, Any, list[tuple[Any, Any]]]:
    settings = {**RECIPES[recipe].settings(RECIPES[recipe].data), "batch_size": 16}
    if RECIPES[recipe].reads:
        text = "".join(np.random.default_rng(0).choice([*"ab cd"], 9000))
        (folder / "text.txt").write_text(text)
        settings |= {"hidden": 8, "context": 16, "layers": 2, "data": str(folder / "text.txt")}
    session = build(Config(**settings))
    model, trainer = session.model, session.trainer
    model.train()
    step = step_of_training(model, trainer.loss, trainer.optimizer, trainer.penalty)
    epochs = itertools.chain.from_iterable(itertools.repeat(session.loader))
    batches = itertools.islice((batch for batch in epochs if len(batch[0]) == 16), STEPS + 4)
    return lambda x, y: step(((x, y),))[0], model, list(batches)


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipes_step(recipe: str, tmp_path: Path):
    eager, ours, data = step_of(recipe, tmp_path)
    compiled, theirs, _ = step_of(recipe, tmp_path)
    step = mg.compile(compiled)
    for x, y in data[:STEPS]:
        assert step(x, y).item() == eager(x, y).item()
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    step.program.save(tmp_path / "step.py", steps=100)
    rest = data[STEPS:]
    np.savez(tmp_path / "data.npz", x=[x for x, _ in rest], y=[y for _, y in rest])
    subprocess.run([sys.executable, "-c", ALONE], cwd=tmp_path, env={}, check=True, timeout=120)
    expected = [step(x, y).item() for x, y in rest]
    np.testing.assert_allclose(np.load(tmp_path / "losses.npy"), expected, rtol=2e-4)
