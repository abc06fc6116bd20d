"""A whole epoch of D4's program on MNIST, the loader and the trainer included."""

from __future__ import annotations

import os
from typing import Any

import pytest

from minigrad.errors import DataError
from minigrad.train import run
from minigrad.train.config import Config
from minigrad.train.recipes import recipe_named


@pytest.mark.skipif(
    "MINIGRAD_DATA" not in os.environ, reason="MINIGRAD_DATA does not name a folder with MNIST"
)
def test_epoch(benchmark: Any) -> None:
    try:
        session = run.build(Config(**recipe_named("mlp-dropout").settings("mnist")))
    except DataError as error:
        pytest.skip(error.message)

    def epoch() -> None:
        session.trainer.fit(session.loader, None, session.trainer.epoch + 1)

    benchmark.pedantic(epoch, rounds=3, warmup_rounds=1)
    assert session.trainer.history["loss"][-1] < session.trainer.history["loss"][0]
