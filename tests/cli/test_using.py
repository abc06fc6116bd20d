from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from minigrad.data import load_digits
from tests.cli.shared import minigrad

DIGITS = load_digits()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "run"
    minigrad("train", "--epochs", 12, "--lr", 0.005, "--out", folder, "--quiet")
    return folder


def picture(digit: int, path: Path, scale: int = 1) -> Path:
    """A digit of the data set as a PNG, white on black."""
    pixels = np.round(255 * DIGITS.x[DIGITS.y == digit][0].reshape(8, 8)).astype(np.uint8)
    Image.fromarray(np.kron(pixels, np.ones((scale, scale), np.uint8))).save(path)
    return path


def answer(said: str) -> str:
    """The class with the longest bar."""
    return max(said.splitlines()[-11:], key=lambda line: line.count("█")).split()[0]


def test_evaluate_shows_every_class_and_compares(run: Path) -> None:
    said = minigrad("evaluate", run)
    results = json.loads((run / "results.json").read_text())
    assert f"{100 * results['test_accuracy']:.2f} % test accuracy" in said
    assert "The same accuracy as when it was trained." in said
    for name, scores in results["classes"].items():
        line = next(line for line in said.splitlines() if line.strip().startswith(f"{name} "))
        assert [f"{100 * scores[s]:.1f}" for s in ("precision", "recall", "f1")] == re.findall(
            r"(\d+\.\d) %", line
        )
    assert re.search(r"mean .* 359", said)


def test_evaluate_says_where_the_results_differ(run: Path, tmp_path: Path) -> None:
    import shutil

    copy = shutil.copytree(run, tmp_path / "copy")
    results = json.loads((copy / "results.json").read_text())
    (copy / "results.json").write_text(json.dumps(results | {"test_accuracy": 0.5}))
    assert "results.json says 0.5" in minigrad("evaluate", copy)


@pytest.mark.parametrize("command", ["evaluate", "predict"])
def test_what_is_no_run_is_an_error(command: str, tmp_path: Path) -> None:
    sample = [] if command == "evaluate" else [picture(1, tmp_path / "one.png")]
    assert "MG-712" in minigrad(command, tmp_path / "none", *sample, code=1)


def test_predict_draws_the_picture_and_a_bar_per_class(run: Path, tmp_path: Path) -> None:
    said = minigrad("predict", run, picture(0, tmp_path / "zero.png"))
    lines = said.splitlines()
    assert [line.split()[0] for line in lines[-11:-1]] == list("0123456789")
    assert sum(float(share) for share in re.findall(r"([\d.]+) %", said)) == pytest.approx(100, abs=0.5)
    assert answer(said) == "0"
    assert any("██" in line for line in lines[:9])


@pytest.mark.parametrize("digit", range(10))
def test_predict_reads_a_large_drawing_on_paper(run: Path, tmp_path: Path, digit: int) -> None:
    path = picture(digit, tmp_path / "large.png", scale=12)
    ink = np.asarray(Image.open(path))
    paper = np.full((200, 300), 230, np.uint8)
    paper[60:156, 150:246] = 230 - (ink.astype(int) * 200 // 255)
    Image.fromarray(paper).convert("RGB").save(tmp_path / "paper.png")
    assert answer(minigrad("predict", run, tmp_path / "paper.png")) == answer(
        minigrad("predict", run, picture(digit, tmp_path / "small.png"))
    )


def test_predict_takes_a_picture_or_a_row(run: Path, tmp_path: Path) -> None:
    assert "MG-803" in minigrad("predict", run, code=2)
    assert "MG-803" in minigrad("predict", run, picture(1, tmp_path / "one.png"), "--row", "1", code=2)


@pytest.mark.parametrize(
    ("content", "words"), [(None, "there is no picture"), (b"text", "not a picture"), (b"", "not a picture")]
)
def test_predict_says_what_is_wrong_with_a_file(
    run: Path, tmp_path: Path, content: bytes | None, words: str
) -> None:
    if content is not None:
        (tmp_path / "x.png").write_bytes(content)
    said = minigrad("predict", run, tmp_path / "x.png", code=1)
    assert "MG-716" in said
    assert words in said


def test_predict_refuses_a_row_of_another_length(run: Path) -> None:
    assert "64 finite numbers" in minigrad("predict", run, "--row", "1,2", code=1)
