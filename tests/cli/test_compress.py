from __future__ import annotations

import csv
import json
import re
import shutil
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from minigrad.compress import QuantizedLinear
from minigrad.files import load_arrays, save_arrays
from minigrad.train.run import load_network
from tests.cli.kill_resume import kill_and_resume
from tests.cli.shared import end_with, minigrad, process, wait_until
from tests.cli.test_using import answer, picture
from tests.long import first

FEW = ["--epochs", 6]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run, and what was made of it: ``weights`` and ``units`` are pruned, ``int8`` and ``both`` are quantised."""
    folder = tmp_path_factory.mktemp("runs")
    minigrad("train", "--epochs", 12, "--lr", 0.005, "--out", folder / "run", "--quiet")
    minigrad("prune", folder / "run", "--sparsity", 0.8, *FEW, "--out", folder / "weights", "--quiet")
    minigrad("prune", folder / "run", "--units", 0.5, *FEW, "--out", folder / "units", "--quiet")
    minigrad("quantize", folder / "run", "--out", folder / "int8", "--quiet")
    minigrad("quantize", folder / "weights", "--aware", 2, "--out", folder / "both", "--quiet")
    return folder


def results(run: Path) -> dict[str, Any]:
    return json.loads((run / "results.json").read_text())


MADE = ["weights", "units", "int8", "both"]


@pytest.mark.parametrize("name", MADE)
def test_a_compressed_run_is_a_run(runs: Path, tmp_path: Path, name: str) -> None:
    said = minigrad("evaluate", runs / name)
    assert "The same accuracy as when it was trained." in said
    found = results(runs / name)
    assert found["test_accuracy"] > found["test_accuracy_before"] - 0.05
    assert found["test_accuracy_before"] == results(runs / "run")["test_accuracy"]
    assert answer(minigrad("predict", runs / name, picture(0, tmp_path / "zero.png"))) == "0"
    assert (runs / name / "summary.md").read_text().startswith("# mlp-dropout on digits, ")
    assert minigrad("train", "--resume", runs / name).startswith(f"The run {runs / name} is finished.")


def test_pruned_weights_are_zeros_after_the_training_too(runs: Path) -> None:
    arrays, _ = load_arrays(runs / "weights" / "weights.safetensors")
    weights = [arrays["1.weight"], arrays["4.weight"]]
    zeros, size = sum(int(np.sum(w == 0)) for w in weights), sum(w.size for w in weights)
    assert zeros == round(0.8 * size)
    found = results(runs / "weights")
    assert found["sparsity"] == zeros / size
    assert found["parameters"] == size - zeros + np.count_nonzero(arrays["1.bias"]) + np.count_nonzero(
        arrays["4.bias"]
    )


def test_the_curve_is_in_a_table_and_a_picture(runs: Path) -> None:
    with open(runs / "weights" / "pruning.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["kind", "step", "share_pruned", "validation_accuracy"]
    trained = [row for row in rows if row["kind"] == "trained"]
    shares = [float(row["share_pruned"]) for row in trained]
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert shares[-1] == pytest.approx(0.8, abs=1e-4)
    assert int(trained[-1]["step"]) == 6 * 41
    at_once = {
        float(row["share_pruned"]): float(row["validation_accuracy"])
        for row in rows
        if row["kind"] == "at once"
    }
    assert at_once[0.99] < 0.6 < at_once[0.0]
    assert Image.open(runs / "weights" / "pruning.png").size[0] > 600


def test_fewer_units_make_a_smaller_dense_network(runs: Path) -> None:
    arrays, _ = load_arrays(runs / "units" / "weights.safetensors")
    assert {name: array.shape for name, array in arrays.items()} == {
        "1.weight": (64, 64), "1.bias": (64,), "4.weight": (10, 64), "4.bias": (10,),
    }  # fmt: skip
    assert results(runs / "units")["units"] == {"1": 64}


def test_the_file_holds_8_bit_integers(runs: Path) -> None:
    arrays, _ = load_arrays(runs / "int8" / "weights.safetensors")
    assert arrays["1.weight"].dtype == arrays["4.weight"].dtype == np.int8
    size, before = ((runs / name / "weights.safetensors").stat().st_size for name in ("int8", "run"))
    assert (results(runs / "int8")["weights_bytes"], results(runs / "int8")["weights_bytes_before"]) == (
        size,
        before,
    )
    assert (
        size < 0.32 * before
    )  # 9,472 weights; names, config and scales are a larger part than in a larger network
    model, _ = load_network(runs / "both")
    layers = [part for part in model.modules() if isinstance(part, QuantizedLinear)]
    assert len(layers) == 2
    assert np.mean(layers[0].weight.numpy() == 0) > 0.7  # pruned first
    steps = json.loads((runs / "both" / "compression.json").read_text())["steps"]
    assert [step["command"] for step in steps] == ["prune", "quantize"]


def test_the_same_command_gives_the_same_bits_and_tells_what_it_did(runs: Path, tmp_path: Path) -> None:
    said = minigrad("prune", runs / "run", "--sparsity", 0.8, *FEW, "--out", tmp_path / "again")
    arrays = [load_arrays(run / "weights.safetensors")[0] for run in (runs / "weights", tmp_path / "again")]
    for name, array in arrays[0].items():
        np.testing.assert_array_equal(array, arrays[1][name])
    shares = [f"{100 * np.mean(arrays[0][name] == 0):.1f} %" for name in ("1.weight", "4.weight")]
    assert f"{', '.join(shares)} of the layers' weights" in said
    found = results(runs / "weights")
    assert f"{found['parameters']:,} of {found['parameters_before']:,} parameters" in said


def test_a_pruned_run_is_pruned_further(runs: Path, tmp_path: Path) -> None:
    minigrad(
        "prune", runs / "weights", "--sparsity", 0.9, "--epochs", 2, "--out", tmp_path / "more", "--quiet"
    )
    first, second = (
        load_arrays(run / "weights.safetensors")[0]["1.weight"]
        for run in (runs / "weights", tmp_path / "more")
    )
    assert not (second[first == 0]).any()
    said = minigrad("prune", runs / "weights", "--sparsity", 0.5, "--out", tmp_path / "less", code=2)
    assert "pruned weights do not come back" in " ".join(said.split())
    assert not (tmp_path / "less").exists()


def test_without_out_the_new_run_stands_beside_the_old(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(runs / "run")
    said = minigrad("quantize", ".", "--calibration", "percentile")
    assert re.search(r"weights +12,\d\d\d bytes, 3\d\.\d % of \d\d,\d\d\d", said)
    assert (runs / "run-int8-1" / "results.json").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["prune", "run"], 2, "MG-803 prune wants one of the two"),
        (["prune", "run", "--sparsity", 0.5, "--units", 0.5], 2, "MG-803 prune wants one of the two"),
        (["prune", "run", "--units", 0.5, "--per-layer"], 2, "MG-803 units are removed"),
        (["prune", "run", "--sparsity", 90], 2, "MG-802 sparsity is 90.0"),
        (["prune", "run", "--units", -0.5], 2, "MG-802 units is -0.5"),
        (["prune", "run", "--sparsity", 0.5, "--epochs", 0], 2, "MG-802 epochs is 0"),
        (["prune", "run", "--sparsity", 0.5, "--lr", 0], 2, "MG-802 lr is 0"),
        (["prune", "run", "--sparsity", "many"], 2, "parse string as a number"),
        (["prune", "int8", "--sparsity", 0.5], 2, "MG-821"),
        (["prune", "none", "--sparsity", 0.5], 1, "MG-712 there is no run"),
        (["quantize", "run", "--calibration", "guess"], 2, "MG-802 the calibration is 'guess'"),
        (["quantize", "run", "--calibration", "percentile", "--percentile", 200], 2, "MG-802 the percentile is 200"),
        (["quantize", "run", "--aware", -1], 2, "MG-802 aware is -1"),
        (["quantize", "run", "--lr", 0.1], 2, "MG-803 a rate belongs to"),
        (["quantize", "int8"], 2, "MG-821"),
        (["quantize", "none"], 1, "MG-712 there is no run"),
        (["quantize", "run/config.json"], 1, "MG-712 there is no run"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_leaves_nothing(
    runs: Path, tmp_path: Path, arguments: list[Any], code: int, words: str
) -> None:
    command, run, *rest = arguments
    for out in (["--out", tmp_path / "deep" / "new"], []):
        before = sorted(runs.rglob("*"))
        assert words in " ".join(minigrad(command, runs / run, *rest, *out, code=code).split())
        assert sorted(runs.rglob("*")) == before
    assert not [path for path in tmp_path.rglob("*") if path.name != "deep"]


@pytest.mark.parametrize("command", [["prune", "--sparsity", 0.5], ["quantize"]])
def test_a_folder_that_is_taken_is_left_alone(runs: Path, tmp_path: Path, command: list[Any]) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "mine.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    for out in ("taken", "file", "taken/mine.txt"):
        assert "MG-804" in minigrad(command[0], runs / "run", *command[1:], "--out", tmp_path / out, code=2)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "mine.txt", "taken"]


@pytest.mark.parametrize("change", ["lost", "changed", "foreign"])
def test_the_form_belongs_to_the_weights(runs: Path, tmp_path: Path, change: str) -> None:
    copy = shutil.copytree(runs / "units", tmp_path / "copy")
    path = copy / "compression.json"
    if change == "lost":
        path.unlink()
    elif change == "changed":
        path.write_text(path.read_text().replace('"1": 64', '"1": 63'))
    else:
        shutil.copy(runs / "int8" / "compression.json", path)
    for arguments in (["evaluate", copy], ["quantize", copy, "--out", tmp_path / "new"]):
        assert "MG-717" in minigrad(*arguments, code=1)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("what", first([["--units", "0.5"], ["--sparsity", "0.9"]]), ids=["units", "weights"])
def test_a_killed_pruning_ends_with_the_same_bytes(runs: Path, tmp_path: Path, what: list[str]) -> None:
    found = kill_and_resume(1, tmp_path, ["prune", str(runs / "run"), *what, "--epochs", "200"])
    assert all(trial.equal for trial in found)
    assert any(trial.checkpoint for trial in found)
    assert {path.name for path in (tmp_path / "killed-0").iterdir()} == {
        path.name for path in (tmp_path / "whole").iterdir()
    }


@pytest.fixture
def interrupted(runs: Path, tmp_path: Path) -> Path:
    """A pruning that was ended in its midst, of a run of its own."""
    shutil.copytree(runs / "run", tmp_path / "run")
    running = process("prune", "run", "--sparsity", 0.9, "--epochs", 2000, cwd=tmp_path)
    folder = tmp_path / "run-pruned-1"
    wait_until((folder / "checkpoint.safetensors").exists)
    end_with(signal.SIGTERM, running, "prune --resume run-pruned-1")
    return folder


def test_an_interrupted_pruning_is_no_run_yet(interrupted: Path) -> None:
    assert {path.name for path in interrupted.iterdir()} == {"begun.json", "checkpoint.safetensors"}
    for command in (["evaluate"], ["quantize"], ["prune", "--sparsity", 0.5], ["train", "--resume"]):
        said = " ".join(minigrad(*command, interrupted, code=1).split())
        assert "MG-715" in said
        assert f"minigrad prune --resume {interrupted}" in said
    run = interrupted.parent / "run"
    said = minigrad("prune", run, "--sparsity", 0.5, "--out", interrupted, code=2)
    assert "MG-804" in said
    assert "prune --resume" in said


def test_resuming_a_pruning_changes_nothing(interrupted: Path, runs: Path) -> None:
    said = minigrad("prune", "run", "--per-layer", "--lr", 1, "--resume", interrupted, code=2)
    for part in ("MG-803", "RUN, --per-layer, --lr"):
        assert part in said
    assert "MG-803 prune wants a finished RUN, or --resume" in minigrad("prune", code=2)
    assert "MG-712" in minigrad("prune", "--resume", "nowhere", code=1)
    finished = runs / "units"
    assert minigrad("prune", "--resume", finished) == f"The run {finished} is finished.\n"
    assert minigrad("prune", "--resume", finished, "-q") == f"{finished}\n"


def test_a_pruning_goes_on_only_with_what_it_began_with(interrupted: Path) -> None:
    run, checkpoint = interrupted.parent / "run", (interrupted / "checkpoint.safetensors").read_bytes()
    weights, begun = run / "weights.safetensors", interrupted / "begun.json"
    arrays, texts = load_arrays(weights)
    save_arrays(weights, {name: array + 1 for name, array in arrays.items()}, texts)
    assert "MG-717" in minigrad("prune", "--resume", interrupted, code=1)
    run.rename(run.with_name("elsewhere"))
    assert "MG-712" in minigrad("prune", "--resume", interrupted, code=1)
    for damage in (
        "{}",
        '{"settings": {"sparsity": 7}, "source": {}}',
        '{"settings": {"share": 1}}',
        "[]",
        "{",
    ):
        begun.write_text(damage)
        assert "MG-712" in minigrad("prune", "--resume", interrupted, code=1)
    assert (interrupted / "checkpoint.safetensors").read_bytes() == checkpoint


def test_a_pruning_that_diverges_leaves_nothing(tmp_path: Path) -> None:
    minigrad("train", "line-gd", "--epochs", 2, "--out", tmp_path / "line", "--quiet")
    rising = ["--sparsity", 0, "--lr", 1e5, "--epochs", 40]
    said = minigrad("prune", tmp_path / "line", *rising, "--out", tmp_path / "new", code=1)
    assert "MG-403" in said
    assert not (tmp_path / "new").exists()


def test_zeros_stay_when_units_go(runs: Path, tmp_path: Path) -> None:
    minigrad(
        "prune", runs / "weights", "--units", 0.25, "--epochs", 1, "--out", tmp_path / "fewer", "--quiet"
    )
    weight = load_arrays(tmp_path / "fewer" / "weights.safetensors")[0]["1.weight"]
    assert weight.shape == (96, 64)
    assert np.mean(weight == 0) > 0.5
    minigrad(
        "prune", tmp_path / "fewer", "--sparsity", 0.95, "--epochs", 1, "--out", tmp_path / "last", "--quiet"
    )
    assert "The same accuracy" in minigrad("evaluate", tmp_path / "last")
