"""The recipes on pictures, rows and text where others go too: searched, and trained on several processes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

from minigrad.errors import ConfigError, MinigradError
from minigrad.train.config import Config
from minigrad.train.recipes import RECIPES
from minigrad.train.run import evaluate_run
from tests.parallel.launched import needs_mpi, on

TEXT = "the cat sat on the mat and the dog lay by the log, and the cat saw the dog.\n" * 30
NEW = [name for name, recipe in RECIPES.items() if recipe.sees or recipe.reads or name == "rows-lstm"]


@pytest.fixture(autouse=True)
def _no_pictures() -> Iterator[None]:
    nothing: Any = lambda *_, **__: None  # noqa: E731
    with (
        patch.multiple("minigrad.viz.plots", curves=nothing, confusion=nothing, mistakes=nothing),
        patch("minigrad.train.views.write", lambda *_: []),
    ):
        yield


def settings(name: str, folder: Path) -> dict[str, Any]:
    (folder / "cats.txt").write_text(TEXT)
    recipe = RECIPES[name]
    data = str(folder / "cats.txt") if recipe.reads else recipe.data
    small = {"epochs": 2, "validation": 0.1}
    if recipe.reads:
        small |= {"hidden": 8, "context": 12, "batch_size": 4}
    else:
        small |= {"batch_size": 256}
    return Config.from_dict(recipe.settings(data) | small).to_dict()


@pytest.mark.parametrize("name", NEW)
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


def trained(name: str, folder: Path, processes: int) -> tuple[dict[str, Any], str]:
    """Train a recipe on so many processes; return its weights and what was said on the way."""
    from minigrad.files import load_arrays

    options = [
        word
        for key, value in settings(name, folder).items()
        if value != getattr(Config, key) and key not in ("recipe", "augment")
        for word in (f"--{key.replace('_', '-')}", str(value))
    ]
    out = folder / f"on-{processes}"
    ended = on(processes, "minigrad", "train", name, *options, "--out", out, "--quiet", cwd=folder)
    assert ended.code == 0, ended.err
    return load_arrays(out / "weights.safetensors")[0], ended.err


@needs_mpi
@pytest.mark.parametrize("name", NEW)
def test_two_processes_end_where_one_does(name: str, tmp_path: Path) -> None:
    """To float32's rounding, with dropout of attention too; of what normalises over the batch that is not asked."""
    (one, _), (two, said) = trained(name, tmp_path, 1), trained(name, tmp_path, 2)
    assert one.keys() == two.keys()
    assert ("MG-675" in said) == (name == "resnet")
    for key, array in one.items():
        assert np.isfinite(two[key]).all()
        if name != "resnet":
            assert np.abs(two[key] - array).max() <= 2e-4 * np.abs(array).max(), key


@needs_mpi
def test_dropout_between_recurrent_layers_is_refused_on_several(tmp_path: Path) -> None:
    options = ["--layers", "2", "--dropout", "0.1", "--epochs", "1", "--out", tmp_path / "run"]
    ended = on(2, "minigrad", "train", "rows-lstm", *options, cwd=tmp_path)
    assert ended.code
    assert "MG-674" in ended.err + ended.out


@pytest.mark.parametrize("name", NEW)
def test_they_are_pruned_and_rounded_or_say_why_not(name: str, tmp_path: Path) -> None:
    """Dense layers are, wherever they are; networks that write are not, and whole units only of a chain of layers."""
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
        assert refused == ({} if name == "lenet" else {"units": "MG-822"})


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
