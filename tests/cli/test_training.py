from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest

from minigrad.train.prepare import make_line
from minigrad.train.recipes import RECIPES
from tests.cli.shared import TINY, minigrad


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def config(run: str) -> dict:
    return json.loads(Path(run, "config.json").read_text())


def test_training_says_what_it_does_and_leaves_a_folder() -> None:
    said = minigrad("train", *TINY)
    for part in ("mlp-dropout on digits", "D4 section 4", "Linear 64->128", "9,610 parameters", "batch 64"):
        assert part in said
    assert re.search(r"\d\d\.\d\d % test accuracy", said)
    assert "minigrad evaluate runs/mlp-dropout-digits-1" in said
    files = {path.name for path in Path("runs/mlp-dropout-digits-1").iterdir()}
    assert files == {
        *(
            "config.json",
            "network.json",
            "results.json",
            "weights.safetensors",
            "history.json",
            "history.csv",
        ),
        *("summary.md", "curves.png", "confusion.png", "mistakes.png"),
    }


def test_no_line_of_it_is_longer_than_80_characters() -> None:
    assert max(map(len, minigrad("train", *TINY).splitlines())) <= 80


def test_runs_are_numbered() -> None:
    for _ in range(2):
        minigrad("train", "line-gd", "--epochs", 1, "--quiet")
    assert sorted(path.name for path in Path("runs").iterdir()) == ["line-gd-line-1", "line-gd-line-2"]


def test_quiet_prints_the_folder_alone() -> None:
    assert minigrad("train", *TINY, "--quiet") == "runs/mlp-dropout-digits-1\n"


def test_what_is_left_out_is_the_recipes() -> None:
    minigrad("train", "mlp-sgd", "--epochs", 1, "--lr", 0.5, "--out", "run", "--quiet")
    expected = RECIPES["mlp-sgd"].settings("digits") | {"epochs": 1, "lr": 0.5}
    assert expected.items() <= config("run").items()


def test_every_option_reaches_the_config() -> None:
    given = {
        **{"epochs": 2, "batch_size": 100, "grow_batch": 1, "accumulate": 2, "optimizer": "sgd", "lr": 0.2},
        **{"momentum": 0.5, "nesterov": True, "schedule": "cosine", "warmup": 1, "l1": 0.1, "l2": 0.2},
        **{"elastic": 0.001, "rho": 0.3, "weight_decay": 0.01, "clip_norm": 5.0, "clip_value": 1.0},
        **{"patience": 3, "validation": 0.2, "augment": True, "seed": 7, "device": "cpu"},
        **{"hidden": 20, "freeze": "0.*"},
    }
    others = {"layers": 1, "context": 64, "dropout": 0.2, "start_from": "", "fresh": ""}
    options: list[object] = []
    for name, value in given.items():
        options += [f"--{name.replace('_', '-')}"] + ([] if value is True else [value])
    said = minigrad("train", "deep-adam", *options, "--out", "run")
    assert config("run") == {"recipe": "deep-adam", "data": "digits", **others, **given}
    for part in (
        "grow batch 1",
        "momentum 0.5",
        "nesterov",
        "cosine schedule",
        "l2 0.2",
        "augment",
        "seed 7",
    ):
        assert part in " ".join(said.split())


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        (
            ["mlp-sdg"],
            ["recipe is 'mlp-sdg'", "deep-adam, line-gd, mlp-sgd, mlp-dropout", "Did you mean mlp-sgd?"],
        ),
        (["--optimizer", "Adm"], ["gd, sgd, adagrad, rmsprop, adam, adamw", "Did you mean adam?"]),
        (["--schedule", "cosin"], ["constant, exponential, exponential-as-printed", "Did you mean cosine?"]),
        (["--data", "minst"], ["digits, mnist, glyphs, line, FILE.csv, FILE.npz", "Did you mean mnist?"]),
        (["--device", "gpu"], ["gpu", "cpu", "cuda"]),
        (["--epochs", "0"], ["epochs is 0", "1 or more"]),
        (["--lr", "-1"], ["lr is -1", "above 0"]),
        (["--lr", "nan"], ["lr is nan"]),
        (["--validation", "1.5"], ["validation is 1.5", "from 0 to below 1"]),
        (["--momentum", "0.9"], ["momentum", "sgd", "adam"]),
        (["--patience", "3", "--validation", "0"], ["patience", "validation"]),
        (["--schedule", "plateau", "--validation", "0"], ["plateau", "validation"]),
        (["line-gd", "--data", "digits"], ["line-gd", "classes"]),
        (["--data", "line", "--augment"], ["augment", "pictures"]),
    ],
)
def test_a_wrong_setting_names_the_right_ones(options: list[str], parts: list[str]) -> None:
    said = " ".join(minigrad("train", *options, code=2).split())
    for part in (*parts, "MG-"):
        assert part in said
    assert not list(Path("runs").glob("*/*"))


def test_a_wrong_setting_leaves_no_folder() -> None:
    minigrad("train", "--patience", 3, "--validation", 0, code=2)
    assert not list(Path("runs").iterdir())


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--epochs", "abc"], "--epochs"),
        (["--epoch", "3"], "--epochs"),
        (["--lr"], "--lr"),
        (["deep-adam", "extra"], "extra"),
    ],
)
def test_wrong_usage_is_explained(options: list[str], named: str) -> None:
    said = minigrad("train", *options, code=2)
    assert "Error" in said
    assert named in said


def test_a_folder_holds_one_run() -> None:
    minigrad("train", *TINY, "--out", "run", "--quiet")
    before = Path("run/weights.safetensors").read_bytes()
    assert "--resume run" in minigrad("train", *TINY, "--out", "run", code=2)
    assert Path("run/weights.safetensors").read_bytes() == before
    Path("file").touch()
    assert "MG-804 file is a file" in minigrad("train", *TINY, "--out", "file", code=2)


def test_a_folder_that_cannot_be_written_is_an_error() -> None:
    Path("file").touch()
    assert "MG-804 file is a file" in minigrad("train", *TINY, "--out", "file/run", code=2)


def test_data_that_is_not_there_is_an_error() -> None:
    said = minigrad("train", "--data", "none.csv", code=1)
    assert "MG-703" in said
    assert "minigrad explain MG-703" in said


def test_a_training_that_blows_up_is_an_error() -> None:
    said = minigrad("train", "mlp-sgd", *TINY, "--l2", 1e9, "--out", "run", code=1)
    assert "MG-403 training stopped at step" in said
    assert "Warning" not in said
    assert "not finished" in minigrad("evaluate", "run", code=1)


def test_resuming_a_finished_run_shows_its_results() -> None:
    first = minigrad("train", *TINY, "--out", "run")
    again = minigrad("train", "--resume", "run")
    assert "The run run is finished." in again
    assert re.findall(r"[\d.]+ % test accuracy", again) == re.findall(r"[\d.]+ % test accuracy", first)


def test_resuming_changes_no_setting() -> None:
    minigrad("train", *TINY, "--out", "run", "--quiet")
    said = minigrad("train", "deep-adam", "--resume", "run", "--lr", 1, "--batch-size", 3, code=2)
    assert "MG-803" in said
    for name in ("RECIPE", "--lr", "--batch-size"):
        assert name in said


def test_resuming_what_is_no_run_is_an_error() -> None:
    Path("empty").mkdir()
    for folder in ("empty", "nowhere"):
        assert "MG-712" in minigrad("train", "--resume", folder, code=1)


def test_the_line_is_the_least_squares_line() -> None:
    minigrad("train", "line-gd", "--out", "run", "--quiet")
    line = make_line()
    slope, height = np.polyfit(line.x[:, 0], line.y[:, 0], 1)
    said = minigrad("predict", "run", "--row", "0.5")
    found = float(re.search(r"-?\d+\.\d+", said)[0])
    assert found == pytest.approx(slope * 0.5 + height, abs=0.03)


def test_a_table_of_ones_own() -> None:
    iris = pytest.importorskip("sklearn.datasets").load_iris()
    with open("iris.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow([*iris.feature_names, "kind"])
        table.writerows([*row, iris.target_names[k]] for row, k in zip(iris.data, iris.target, strict=True))
    said = minigrad("train", "mlp-dropout", "--data", "iris.csv", "--epochs", 40, "--out", "run")
    assert "149 of 150 rows kept (1 repeated)" in said
    assert float(re.search(r"([\d.]+) % test accuracy", said)[1]) > 90
    assert Path(config("run")["data"]).is_absolute()
    assert "virginica" in minigrad("evaluate", "run")
    best = max(
        minigrad("predict", "run", "--row", "6.3 3.3 6.0 2.5").splitlines(), key=lambda line: line.count("█")
    )
    assert "virginica" in best


def test_a_traceback_can_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    from typer.testing import CliRunner

    from minigrad.cli import app
    from minigrad.errors import ConfigError

    monkeypatch.setenv("MINIGRAD_TRACEBACK", "1")
    assert isinstance(CliRunner().invoke(app, ["train", "--lr", "-1"]).exception, ConfigError)


def test_a_run_that_begins_with_another_says_so_and_what_is_frozen() -> None:
    minigrad("train", *TINY, "--out", "base", "--quiet")
    said = minigrad("train", *TINY, "--from", "base", "--freeze", "1.*", "--freeze", "4.bias", "--out", "run")
    assert "1.weight, 1.bias, 4.bias frozen" in said
    assert re.search(r"begins as +\S+/base\n", said)
    assert config("run")["freeze"] == "1.*,4.bias"
    assert Path(config("run")["start_from"]) == Path("base").resolve()


@pytest.mark.parametrize(
    ("options", "code", "parts"),
    [
        (["--freeze", "fc1.*"], 2, ["MG-842", "1.weight, 1.bias, 4.weight, 4.bias"]),
        (["--freeze", "*"], 2, ["MG-842", "nothing is left to train"]),
        (["--fresh", "4.*"], 2, ["MG-803", "--from"]),
        (["--from", "nowhere"], 1, ["MG-711", "nowhere"]),
        (["--dropout", "1.5"], 2, ["dropout is 1.5"]),
        (["--hidden", "0"], 2, ["hidden is 0"]),
        (["mlp-sgd", "--dropout", "0.5"], 2, ["dropout is no setting of mlp-sgd", "mlp-dropout"]),
        (
            ["line-gd", "--hidden", "5"],
            2,
            ["hidden is no setting of line-gd", "deep-adam, mlp-sgd, mlp-dropout"],
        ),
    ],
)
def test_a_wrong_beginning_is_explained(options: list[str], code: int, parts: list[str]) -> None:
    said = " ".join(minigrad("train", *options, "--out", "run", code=code).split())
    for part in parts:
        assert part in said
    assert not Path("run").exists()


def test_the_width_of_the_hidden_layers_can_be_set() -> None:
    said = minigrad("train", "deep-adam", *TINY, "--hidden", 20, "--out", "run")
    assert "Linear 64->20 · ReLU · Linear 20->20 · ReLU · Linear 20->10" in " ".join(said.split())
    minigrad("evaluate", "run")
