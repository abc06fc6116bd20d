from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

pytest.importorskip("onnxruntime", reason="exports are checked in onnxruntime")
import onnx
from onnxruntime import InferenceSession

from minigrad import nn
from minigrad.errors import ConfigError, DataError
from minigrad.export import graph
from minigrad.export.run import export
from minigrad.tensor import Tensor
from minigrad.train.config import Config
from minigrad.train.predict import predict_one
from minigrad.train.progress import ShowProgress
from minigrad.train.recipes import RECIPES
from minigrad.train.run import evaluate_run, load_network, start

TEXT = "the cat sat on the mat and the dog lay by the log.\n" * 40
SMALL = {"hidden": 16, "context": 12, "batch_size": 4, "epochs": 1}


@pytest.fixture(scope="module", autouse=True)
def _no_pictures() -> Iterator[None]:
    nothing: Any = lambda *_, **__: None  # noqa: E731
    with (
        patch.multiple("minigrad.viz.plots", curves=nothing, confusion=nothing, mistakes=nothing),
        patch("minigrad.train.views.write", lambda *_: []),
    ):
        yield


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A short run of each recipe on its own data, and of one on a table."""
    folder = tmp_path_factory.mktemp("runs")
    rng = np.random.default_rng(0)
    table = np.column_stack([rng.normal(50, 20, (300, 3)), rng.integers(0, 3, 300)])
    np.savetxt(folder / "table.csv", table, delimiter=",", header="a,b,c,kind", comments="", fmt="%g")
    (folder / "cats.txt").write_text(TEXT)
    jobs = {
        name: (name, str(folder / "cats.txt") if recipe.reads else recipe.data)
        for name, recipe in RECIPES.items()
    }
    jobs["table"] = ("deep-adam", str(folder / "table.csv"))
    for job, (recipe, data) in jobs.items():
        settings = RECIPES[recipe].settings(data) | (SMALL if RECIPES[recipe].reads else {"epochs": 2})
        start(Config.from_dict(settings), folder / job, ShowProgress("quiet"))
    return {job: folder / job for job in jobs}


def run_file(path: Path, x: np.ndarray) -> list[np.ndarray]:
    session = InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_recipe_gives_the_same_outputs_on_its_test_data(
    runs: dict[str, Path], recipe: str, tmp_path: Path
) -> None:
    done = export(runs[recipe], tmp_path / "model.onnx")
    _, data = evaluate_run(runs[recipe])
    model, _ = load_network(runs[recipe])
    expected = model(Tensor(data.x)).numpy()
    found = run_file(tmp_path / "model.onnx", data.x.reshape(len(data), -1))
    assert np.abs(found[0] - expected).max() <= 1e-5 * max(1, np.abs(expected).max())
    assert done.agreement.largest <= 1e-5
    assert done.agreement.share == 1
    assert done.size == (tmp_path / "model.onnx").stat().st_size
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]


def test_a_table_goes_in_unscaled(runs: dict[str, Path], tmp_path: Path) -> None:
    export(runs["table"], tmp_path / "model.onnx")
    model, network = load_network(runs["table"])
    for row in np.array([[50, 20, 80], [0, 0, 0], [-10, 200, 55.5]], np.float32):
        expected = predict_one(model, network, row)
        _, probabilities = run_file(tmp_path / "model.onnx", row.reshape(1, -1))
        np.testing.assert_allclose(probabilities[0], expected, atol=1e-5)


def test_the_file_says_what_goes_in_and_comes_out(runs: dict[str, Path], tmp_path: Path) -> None:
    export(runs["mlp-dropout"], tmp_path / "model.onnx")
    made = onnx.load(tmp_path / "model.onnx")
    known = {each.key: each.value for each in made.metadata_props}
    assert known["recipe"] == "mlp-dropout"
    assert json.loads(known["classes"]) == [str(digit) for digit in range(10)]
    assert json.loads(known["image_shape"]) == [8, 8]
    assert [each.name for each in made.graph.output] == ["logits", "probabilities"]
    export(runs["line-gd"], tmp_path / "line.onnx")
    assert [each.name for each in onnx.load(tmp_path / "line.onnx").graph.output] == ["prediction"]


def test_a_text_of_any_length_goes_into_a_network_that_writes(runs: dict[str, Path], tmp_path: Path) -> None:
    export(runs["char-gpt"], tmp_path / "model.onnx")
    known = {each.key: each.value for each in onnx.load(tmp_path / "model.onnx").metadata_props}
    assert json.loads(known["classes"]) == sorted(set(TEXT))
    assert json.loads(known["context"]) == 12
    model, _ = load_network(runs["char-gpt"])
    for ids in (np.array([[0, 3, 1]]), np.arange(12)[None]):
        logits, _ = run_file(tmp_path / "model.onnx", ids)
        np.testing.assert_allclose(logits, model(ids).numpy(), atol=1e-5)


def test_a_network_that_comes_out_wrong_leaves_the_old_file(runs: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"old")

    def lost(made: graph.Graph, name: str, layer: nn.ReLU, x: graph.Value) -> graph.Value:
        return x

    with patch.dict(graph.LAYERS, {nn.ReLU: lost}), pytest.raises(DataError, match=r"MG-862 .*differ from"):
        export(runs["mlp-sgd"], tmp_path / "model.onnx")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("model.onnx", b"old")]


@pytest.mark.parametrize("name", ["model", "weights.safetensors", "folder.onnx", ""])
def test_a_file_that_is_none_is_refused(runs: dict[str, Path], tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.onnx").mkdir()
    with pytest.raises(ConfigError, match=r"MG-802 .*must end in \.onnx"):
        export(runs["line-gd"], tmp_path / name)
    assert len(list(tmp_path.iterdir())) == 1


def test_an_unfinished_run_is_no_network(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run/config.json").write_text(json.dumps(Config().to_dict()))
    with pytest.raises(DataError, match="MG-715"):
        export(tmp_path / "run", tmp_path / "model.onnx")


def test_compressed_runs_are_exported_as_they_are(runs: dict[str, Path], tmp_path: Path) -> None:
    """Eight-bit layers as QDQ, a quarter of the size; removed units stay away."""
    from minigrad.train.prune import PruneSettings, prune_run
    from minigrad.train.quantize import QuantizeSettings, quantize_run

    quiet = ShowProgress("quiet")
    with patch("minigrad.train.prune.draw"):
        prune_run(runs["deep-adam"], tmp_path / "narrow", PruneSettings(units=0.5, epochs=1), quiet)
    quantize_run(runs["deep-adam"], tmp_path / "int8", QuantizeSettings(), quiet)
    whole, narrow, int8 = (
        export(run, tmp_path / f"{run.name}.onnx")
        for run in (runs["deep-adam"], tmp_path / "narrow", tmp_path / "int8")
    )
    assert narrow.agreement.share == 1
    assert narrow.size < 0.5 * whole.size
    assert int8.size < 0.35 * whole.size
    assert int8.agreement.share > 0.5
    made = onnx.load(tmp_path / "int8.onnx")
    kinds = [node.op_type for node in made.graph.node]
    assert [kinds.count(kind) for kind in ("QuantizeLinear", "DequantizeLinear", "Gemm")] == [3, 6, 3]
    tested, data = evaluate_run(tmp_path / "int8")
    found = run_file(tmp_path / "int8.onnx", data.x)[0]
    assert np.mean(found.argmax(axis=1) == tested.outputs.argmax(axis=1)) > 0.99
