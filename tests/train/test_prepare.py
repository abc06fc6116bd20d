"""What becomes of somebody's own table on its way into a network, and what is said of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from minigrad.errors import DataError, MinigradWarning
from minigrad.train.config import Config
from minigrad.train.network import Network
from minigrad.train.predict import predict_one, read_row
from minigrad.train.prepare import prepare
from minigrad.train.progress import ShowProgress
from minigrad.train.run import evaluate_run, load_network, start

BEGIN = 1_700_000_000


@pytest.fixture(autouse=True)
def _nothing_was_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("minigrad.errors._warned", set())


def save(path: Path, x: np.ndarray, y: np.ndarray) -> Path:
    if path.suffix == ".npz":
        np.savez(path, x=x, y=y)
    else:
        path.write_text(
            "".join(",".join(map(str, [*row, label])) + "\n" for row, label in zip(x, y, strict=True))
        )
    return path


def prepared(path: Path):
    return prepare(str(path), 0.1, np.random.default_rng(0))


@pytest.mark.parametrize("dtype", [np.int64, np.float64])
@pytest.mark.parametrize("kind", [".csv", ".npz"])
def test_unix_times_reach_the_network_with_all_their_seconds(tmp_path: Path, kind: str, dtype: type) -> None:
    """Of 200 seconds, float32 tells two or three apart."""
    x = (BEGIN + np.arange(200)).reshape(-1, 1).astype(dtype)
    data = prepared(save(tmp_path / f"times{kind}", x, np.arange(200) // 100))
    assert data.train.x.dtype == np.float32
    every = np.sort(np.concatenate([part.x[:, 0] for part in (data.train, data.validation, data.test)]))
    np.testing.assert_allclose(np.diff(every), 1 / np.arange(200).std(), rtol=0.05)
    network = Network.of(data)
    row = read_row(str(BEGIN + 7), network)
    assert row[0] == BEGIN + 7


def test_a_run_on_unix_times_finds_the_second_at_which_the_class_changes(tmp_path: Path) -> None:
    seconds = np.arange(200)
    path = save(tmp_path / "times.csv", np.column_stack([BEGIN + seconds, seconds % 7]), seconds // 100)
    run = tmp_path / "run"
    start(
        Config(
            recipe="deep-adam",
            data=str(path),
            optimizer="adam",
            lr=0.01,
            epochs=40,
            batch_size=32,
        ),
        run,
        ShowProgress("quiet"),
    )
    assert evaluate_run(run)[0].accuracy >= 0.95
    model, network = load_network(run)
    for second in (20, 80, 120, 180):
        probabilities = predict_one(model, network, read_row(f"{BEGIN + second}, 3", network))
        assert probabilities.argmax() == second // 100


def test_a_run_on_unix_times_is_exported_with_float64_inputs(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    import onnxruntime

    from minigrad.export.run import export

    seconds = np.arange(200)
    path = save(tmp_path / "times.csv", np.column_stack([BEGIN + seconds, seconds % 7]), seconds // 100)
    start(Config(recipe="mlp-sgd", data=str(path), epochs=1), tmp_path / "run", ShowProgress("quiet"))
    export(tmp_path / "run", tmp_path / "model.onnx")
    model, network = load_network(tmp_path / "run")
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    for second in (0, 1, 2):
        row = read_row(f"{BEGIN + second}, 3", network)
        found = session.run(["probabilities"], {"x": row.reshape(1, -1)})[0][0]
        assert found == pytest.approx(predict_one(model, network, row), abs=1e-6)


def table(rows: int = 100) -> tuple[np.ndarray, np.ndarray]:
    return np.random.default_rng(0).normal(size=(rows, 2)), np.arange(rows) % 2


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("repeat", "2 of 100 rows kept (98 repeated)"),
        ("infinite", "3 of 100 rows kept (97 with an infinite value)"),
        ("missing", "3 of 100 rows kept (97 with a missing value)"),
    ],
)
@pytest.mark.parametrize("kind", [".csv", ".npz"])
def test_an_error_says_what_was_dropped_before(tmp_path: Path, kind: str, damage: str, said: str) -> None:
    x, y = table()
    if damage == "repeat":
        x[2:], y[2:] = x[0], y[0]
    else:
        x[3:, 1] = np.inf if damage == "infinite" else np.nan
    with pytest.raises(
        DataError, match=r"MG-708 .* has (1 sample|2 samples), too few.* The table: "
    ) as raised:
        prepared(save(tmp_path / f"own{kind}", x, y))
    assert said in str(raised.value)


def test_a_quantity_in_whole_numbers_is_guessed(tmp_path: Path) -> None:
    x, _ = table()
    with pytest.raises(DataError, match=r"MG-708 .* 1 sample, .*Is the target a quantity"):
        prepared(save(tmp_path / "own.csv", x, 129_000 + 500 * np.arange(100)))


@pytest.mark.parametrize("kind", [".csv", ".npz"])
@pytest.mark.parametrize("damage", ["none", "infinite"])
def test_one_class_only_is_said(tmp_path: Path, kind: str, damage: str) -> None:
    x, y = table()
    if damage == "none":
        y[:] = 0
    else:
        x[y == 1, 0] = -np.inf
    with pytest.warns(
        MinigradWarning, match=r"MG-721 all \d+ rows of own have one class, '0'.*nothing to tell"
    ) as said:
        prepared(save(tmp_path / f"own{kind}", x, y))
    assert ("none of class '1'" in str(said[0].message)) == (damage == "infinite")


def test_rows_without_a_target_are_counted_in_the_summary(tmp_path: Path) -> None:
    x, y = table()
    labels = np.where(np.arange(100) < 5, "NA", np.where(y == 0, "a", "b"))
    for kind in (".csv", ".npz"):
        with pytest.warns(MinigradWarning, match="MG-720 .*5 of 100"):
            data = prepared(save(tmp_path / f"own{kind}", x, labels))
        assert data.notes[0] == "95 of 100 rows kept (5 without a target)"
        assert data.train.classes == ("a", "b")


@pytest.mark.parametrize(
    ("pixels", "white"),
    [
        (np.arange(60, dtype=np.uint8), 255),
        (np.arange(60, dtype=np.uint16) * 1000, 65535),
        (np.arange(60) % 17 * 1.0, 16),
        (np.arange(60) / 100, 1),
        (np.arange(60) / 10, 5.9),
    ],
)
def test_pictures_are_scaled_by_their_kind_and_not_by_the_brightest(
    tmp_path: Path, pixels: np.ndarray, white: float
) -> None:
    x = np.zeros((60, 2, 2), pixels.dtype)
    x[:, 0, 0], x[:, 0, 1] = pixels, np.arange(60) % 2  # the second makes every picture a different one
    data = prepared(save(tmp_path / "own.npz", x, np.arange(60) // 20))
    found = np.concatenate([part.x for part in (data.train, data.validation, data.test)])
    assert found.max() == pytest.approx(max(pixels.max(), 1) / white)
    assert f"pixels divided by {white:g}" in data.notes


def test_a_number_that_no_scale_brings_into_float32_is_named(tmp_path: Path) -> None:
    x, y = table()
    outside = prepared(save(tmp_path / "own.npz", x, y)).test.x[0]  # the test part is the same for every seed
    scaled = (x - x.mean(axis=0)) / x.std(axis=0)
    x[np.abs(scaled - outside).sum(axis=1).argmin(), 1] = 1e200
    with pytest.raises(DataError, match=r"MG-709 own: 1e\+200 in column 1 is too far"):
        prepared(save(tmp_path / "own.csv", x, y))
