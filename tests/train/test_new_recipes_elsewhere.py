"""The recipes on pictures, rows and text where others go too: searched, and trained on several processes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

from minigrad import nn
from minigrad.errors import ConfigError, MinigradError
from minigrad.files import load_arrays
from minigrad.train.config import Config
from minigrad.train.recipes import RECIPES
from minigrad.train.run import evaluate_run
from minigrad.train.synchronous import _check
from tests.long import first
from tests.parallel.launched import needs_mpi, on
from tests.train.recipes_on_processes import NEW, settings, train, without_pictures


@pytest.fixture(autouse=True)
def _no_pictures() -> Iterator[None]:
    with without_pictures():
        yield


@pytest.mark.parametrize("name", first(NEW, 2))
def test_their_settings_are_searched(name: str, tmp_path: Path) -> None:
    pytest.importorskip("optuna", reason="searching stands on Optuna")
    from minigrad.train.run import load_network
    from minigrad.train.search import run
    from minigrad.train.search.plan import Plan
    from minigrad.train.search.progress import SearchProgress

    nothing: Any = lambda *_, **__: None  # noqa: E731
    plan = Plan(settings=settings(name, tmp_path), space=["lr=1e-4:1e-2:log"], sampler="random", trials=2)
    with patch.multiple("minigrad.viz.search", history=nothing, importance=nothing, slices=nothing):
        run.start(plan, tmp_path / "search", SearchProgress("quiet"), 1)
    model, _ = load_network(tmp_path / "search" / "best")
    assert model.count_parameters() > 0
    assert len((tmp_path / "search" / "trials.csv").read_text().splitlines()) == 3


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A run of each on two processes, and what was said on the way."""
    folder = tmp_path_factory.mktemp("together")
    for name in NEW:
        settings(name, folder)  # with its text, before two processes want it
    ended = on(2, "tests.train.recipes_on_processes", folder, *NEW, cwd=folder, limit=600)
    assert ended.code == 0, ended.err
    return folder, ended.err


@needs_mpi
@pytest.mark.parametrize("name", NEW)
def test_two_processes_end_where_one_does(name: str, together: tuple[Path, str], tmp_path: Path) -> None:
    """To float32's rounding, with dropout of attention too; of what normalises over the batch that is not asked."""
    folder, said = together
    train(name, tmp_path)
    one, two = (load_arrays(place / name / "weights.safetensors")[0] for place in (tmp_path, folder))
    assert one.keys() == two.keys()
    assert ("MG-675" in said) == ("resnet" in NEW)
    for key, array in one.items():
        assert np.isfinite(two[key]).all()
        if name != "resnet":
            assert np.abs(two[key] - array).max() <= 2e-4 * np.abs(array).max(), key


def test_dropout_between_recurrent_layers_is_refused_on_several() -> None:
    layers = nn.LSTM(3, 4, 2, dropout=0.1)
    with pytest.raises(ConfigError, match=r"MG-674 layer 'layers' .*dropout 0"):
        _check(Holder(layers))
    _check(Holder(nn.LSTM(3, 4, 1, dropout=0.1)))


class Holder(nn.Module):
    def __init__(self, layers: nn.Module) -> None:
        self.layers = layers


@pytest.mark.parametrize("name", NEW)
def test_they_are_pruned_and_rounded_or_say_why_not(name: str, tmp_path: Path) -> None:
    """Dense layers are, wherever they are; networks that write are not, and whole units of dense chains alone."""
    from minigrad.train import run
    from minigrad.train.progress import ShowProgress
    from minigrad.train.prune import PruneSettings, prune_run
    from minigrad.train.quantize import QuantizeSettings, quantize_run

    config = Config.from_dict(settings(name, tmp_path) | {"epochs": 1})
    quiet = ShowProgress("quiet")
    run.start(config, tmp_path / "run", quiet)
    jobs = {
        "sparse": lambda out: prune_run(tmp_path / "run", out, PruneSettings(sparsity=0.5, epochs=1), quiet),
        "units": lambda out: prune_run(tmp_path / "run", out, PruneSettings(units=0.5, epochs=1), quiet),
        "int8": lambda out: quantize_run(tmp_path / "run", out, QuantizeSettings(), quiet),
    }
    refused = {}
    for job, start in jobs.items():
        try:
            start(tmp_path / job)
        except MinigradError as error:
            refused[job] = error.code
        else:
            before, after = (evaluate_run(tmp_path / part)[0].loss for part in ("run", job))
            assert np.isfinite(after), job
            assert job != "int8" or abs(after - before) < 0.05
    if RECIPES[name].reads:
        assert refused == dict.fromkeys(jobs, "MG-532")
    else:
        assert refused == {"units": "MG-822"}


@pytest.mark.parametrize(
    ("name", "why"), [("char-lstm", "batch before stopped"), ("resnet", "running statistics"), ("lenet", "")]
)
def test_asynchronous_training_refuses_what_more_than_gradients_belongs_to(
    name: str, why: str, tmp_path: Path
) -> None:
    from minigrad.train.asynchronous import check
    from minigrad.train.build import build

    trainer = build(Config.from_dict(settings(name, tmp_path))).trainer
    if not why:
        check(trainer)
        return
    with pytest.raises(ConfigError, match=f"MG-803 .*{why}"):
        check(trainer)
