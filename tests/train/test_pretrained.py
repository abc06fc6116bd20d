from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest

from minigrad import nn
from minigrad.errors import ConfigError, DataError, NonFiniteError
from minigrad.files import load_arrays, save_arrays
from minigrad.train.build import build
from minigrad.train.checkpoint import Checkpoint, save_checkpoint
from minigrad.train.config import OPTIMIZERS, Config
from minigrad.train.pretrained import freeze, matching, transfer
from minigrad.train.progress import ShowProgress
from minigrad.train.run import load_network, resume, start

SHORT = {"recipe": "mlp-dropout", "hidden": 16, "epochs": 2, "batch_size": 256}
NAMES = ["1.weight", "1.bias", "4.weight", "4.bias"]


def run(folder: Path, **settings: object) -> dict[str, np.ndarray]:
    """Train, and return the weights."""
    start(Config(**{**SHORT, **settings}), folder, ShowProgress("quiet"))
    return load_arrays(folder / "weights.safetensors")[0]


@pytest.fixture(scope="module", autouse=True)
def _no_pictures() -> Iterator[None]:
    """Drawing takes longer than training here, and no picture is looked at."""
    nothing = {name: lambda *_, **__: None for name in ("curves", "confusion", "mistakes")}
    with patch.multiple("minigrad.viz.plots", **nothing):
        yield


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base") / "run"
    run(folder, seed=5)
    return folder


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_frozen_parameters_do_not_move_by_a_bit(base: Path, tmp_path: Path, optimizer: str) -> None:
    rate = 0.01 if optimizer == "adam-as-printed" else 0.1
    brakes = {"weight_decay": 0.1, "l2": 1.0, "clip_norm": 1.0, "clip_value": 0.5}
    momentum = {"momentum": 0.9} if optimizer == "sgd" else {}
    ended = run(
        tmp_path / "run",
        start_from=str(base),
        freeze="1.*",
        optimizer=optimizer,
        lr=rate,
        epochs=1,
        **brakes,
        **momentum,
    )
    began = load_arrays(base / "weights.safetensors")[0]
    for name in NAMES:
        assert np.array_equal(ended[name], began[name]) == name.startswith("1."), name


def test_a_run_begins_with_the_other_runs_weights(base: Path, tmp_path: Path) -> None:
    ended = run(tmp_path / "run", start_from=str(base), lr=1e-30, epochs=1)
    for name, array in load_arrays(base / "weights.safetensors")[0].items():
        np.testing.assert_array_equal(ended[name], array)


def test_what_is_fresh_is_drawn_and_the_rest_is_taken(base: Path, tmp_path: Path) -> None:
    config = Config(**SHORT, seed=9)
    drawn = build(config).model.state_dict()
    run(tmp_path / "run", start_from=str(base), fresh="4.*", seed=9)
    first, taken = (
        load_arrays(tmp_path / "run" / "first-weights.safetensors")[0],
        load_arrays(base / "weights.safetensors")[0],
    )
    for name in NAMES:
        np.testing.assert_array_equal(first[name], (drawn if name.startswith("4.") else taken)[name])


def test_a_new_head_of_another_width_can_be_fresh(tmp_path: Path) -> None:
    chance = np.random.default_rng(0)
    np.savez(tmp_path / "own.npz", x=chance.random((300, 8, 8)), y=chance.integers(0, 3, 300))
    run(tmp_path / "digits", epochs=1)
    new = run(
        tmp_path / "own", data=str(tmp_path / "own.npz"), start_from=str(tmp_path / "digits"), fresh="4.*"
    )
    assert new["4.weight"].shape == (3, 16)


class Stopped(Exception):
    """Ends a run as a kill would."""


@pytest.mark.parametrize("after_epochs", [0, 1])
def test_a_resumed_run_ends_with_the_same_bytes_without_its_source(tmp_path: Path, after_epochs: int) -> None:
    run(tmp_path / "base", seed=5)
    settings = {"start_from": str(tmp_path / "base"), "freeze": "1.*", "epochs": 3}
    run(tmp_path / "whole", **settings)

    def stop(checkpoint: Checkpoint, trainer: object) -> None:
        if after_epochs:
            save_checkpoint(trainer, checkpoint.path, checkpoint.settings)
        raise Stopped

    with patch.object(Checkpoint, "on_epoch_end", stop), pytest.raises(Stopped):
        run(tmp_path / "killed", **settings)
    shutil.rmtree(tmp_path / "base")
    resume(tmp_path / "killed", ShowProgress("quiet"))
    whole, killed = ((tmp_path / name / "weights.safetensors").read_bytes() for name in ("whole", "killed"))
    assert whole == killed


def test_a_resumed_run_cannot_thaw(tmp_path: Path) -> None:
    def stop(checkpoint: Checkpoint, trainer: object) -> None:
        save_checkpoint(trainer, checkpoint.path, checkpoint.settings)
        raise Stopped

    with patch.object(Checkpoint, "on_epoch_end", stop), pytest.raises(Stopped):
        run(tmp_path / "run", freeze="1.*")
    config = tmp_path / "run" / "config.json"
    config.write_text(config.read_text().replace("1.*", ""))
    with pytest.raises(DataError, match=r"MG-714 .*freeze was '1\.\*' and is '' now"):
        resume(tmp_path / "run", ShowProgress("quiet"))


@pytest.mark.parametrize("kind", ["float32", "float64", "float16"])
def test_a_file_that_pytorch_wrote(tmp_path: Path, kind: str) -> None:
    torch = pytest.importorskip("torch", reason="compares with PyTorch")
    from safetensors.torch import save_file

    torch.manual_seed(0)
    theirs = torch.nn.Sequential(
        torch.nn.Flatten(),
        torch.nn.Linear(64, 16),
        torch.nn.ReLU(),
        torch.nn.Dropout(0.2),
        torch.nn.Linear(16, 10),
    ).to(getattr(torch, kind))
    save_file(theirs.state_dict(), tmp_path / "theirs.safetensors")
    ended = run(tmp_path / "run", start_from=str(tmp_path / "theirs.safetensors"), freeze="1.*", lr=1e-30)
    for name, tensor in theirs.state_dict().items():
        np.testing.assert_array_equal(ended[name], tensor.numpy().astype(np.float32))
    model, _ = load_network(tmp_path / "run")
    x = np.random.default_rng(0).random((5, 64), dtype=np.float32)
    with torch.no_grad():
        expected = theirs.float().eval()(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(model(x).numpy(), expected, rtol=1e-5, atol=1e-6)


def test_weights_that_do_not_fit_are_named_and_leave_nothing(base: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="MG-841") as caught:
        run(tmp_path / "run", start_from=str(base), hidden=32)
    assert "1.weight is (32, 64) here and (16, 64)" in str(caught.value)
    assert "--fresh '4.*'" in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_weights_that_are_not_finite_are_refused() -> None:
    model = nn.Linear(2, 1)
    before, arrays = model.state_dict(), model.state_dict()
    arrays["weight"][0, 1] = np.nan
    with pytest.raises(NonFiniteError, match="MG-403 weight in file is not finite"):
        transfer(model, arrays, Path("file"), "")
    np.testing.assert_array_equal(model.state_dict()["weight"], before["weight"])
    transfer(model, arrays, Path("file"), "weight")


def test_an_unfinished_run_gives_no_weights(tmp_path: Path) -> None:
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "config.json").write_text(json.dumps(Config(**SHORT).to_dict()))
    with pytest.raises(DataError, match="MG-715"):
        run(tmp_path / "run", start_from=str(tmp_path / "half"))


def test_a_missing_source_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="MG-711 there is no weight file"):
        run(tmp_path / "run", start_from=str(tmp_path / "nowhere"))


def test_patterns() -> None:
    assert matching(NAMES, "", "--freeze") == []
    assert matching(NAMES, "4.bias,1.*", "--freeze") == ["1.weight", "1.bias", "4.bias"]
    assert matching(NAMES, "*.bias, layers.1.weight", "--freeze") == ["1.weight", "1.bias", "4.bias"]
    for wrong in ("2.*", "1", "1.*,fc1.*", "[1", "1.*.*"):
        with pytest.raises(ConfigError, match="MG-842") as caught:
            matching(NAMES, wrong, "--freeze")
        assert all(name in str(caught.value) for name in NAMES)


def test_freezing_everything_is_refused() -> None:
    model = nn.Linear(2, 1)
    with pytest.raises(ConfigError, match="MG-842 --freeze weight,bias freezes all 2"):
        freeze(model, "weight,bias")
    assert all(p.requires_grad for p in model.parameters())


def test_a_run_of_before_there_were_such_settings_still_loads(base: Path, tmp_path: Path) -> None:
    """Its config.json and the copy in its weights file lack them."""
    shutil.copytree(base, tmp_path / "old")
    old = {
        name: value
        for name, value in Config(**SHORT, seed=5).to_dict().items()
        if name not in ("fresh", "freeze")
    }
    (tmp_path / "old" / "config.json").write_text(json.dumps(old))
    arrays, texts = load_arrays(base / "weights.safetensors")
    save_arrays(tmp_path / "old" / "weights.safetensors", arrays, {**texts, "config.json": json.dumps(old)})
    np.testing.assert_array_equal(load_network(tmp_path / "old")[0].state_dict()["1.bias"], arrays["1.bias"])
