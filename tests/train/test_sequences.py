"""Pictures read row by row."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.errors import ConfigError
from minigrad.train import run
from minigrad.train.config import Config
from minigrad.train.progress import ShowProgress
from minigrad.train.recipes import RECIPES
from minigrad.train.sequences import RowReader


def test_it_is_told_by_the_state_after_the_last_row() -> None:
    rng = np.random.default_rng(0)
    model = RowReader(9, 2, 4, 1, 0.0, rng, rng)
    x = rng.standard_normal((2, 9)).astype(np.float32)
    state = None
    for row in range(3):
        y, state = model.layers(mg.Tensor(x.reshape(2, 3, 3)[:, row : row + 1]), state)
    wanted = y.numpy()[:, 0] @ model.head.weight.numpy().T + model.head.bias.numpy()
    np.testing.assert_allclose(model(mg.Tensor(x)).numpy(), wanted, atol=1e-6)
    assert isinstance(model.layers, nn.LSTM)


def test_what_is_no_square_is_refused() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(ConfigError, match=r"MG-803 .* 10 numbers"):
        RowReader(10, 2, 4, 1, 0.0, rng, rng)


def test_digits_are_learnt_row_by_row(tmp_path: Path) -> None:
    settings = RECIPES["rows-lstm"].settings("digits") | {"hidden": 48, "epochs": 6, "lr": 0.01}
    results = run.start(Config.from_dict(settings), tmp_path / "run", ShowProgress("quiet"))
    assert results["test_accuracy"] > 0.9
