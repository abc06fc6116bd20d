from __future__ import annotations

import json
import re
import signal
import subprocess
from pathlib import Path

import pytest

pytest.importorskip("optuna", reason="searching stands on Optuna")
pytest.importorskip("onnxruntime", reason="exports are checked in onnxruntime")

from tests.cli.shared import end_with, minigrad, on_a_terminal, process, wait_until
from tests.long import first

SMALL = [
    "mlp-sgd",
    *("--space", "lr=1e-2:1:log", "--space", "hidden=4,8", "--sampler", "random", "--trials", "4"),
    *("--epochs", "3", "--set", "batch_size=256"),
]


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_search_says_what_it_does_and_leaves_a_folder() -> None:
    said = minigrad("search", *SMALL)
    for part in (
        "mlp-sgd on digits, random search",
        "lr: 0.01 to 1, logarithmic",
        "hidden: 4 or 8",
        "4, hopeless ones pruned",
        "3 epochs, batch 256, sgd, seed 0",
        "10 % of the training data, held out",
        "best so far",
    ):
        assert part in said
    assert max(map(len, said.split("trial   val loss")[0].splitlines())) <= 80
    folder = Path("searches/mlp-sgd-digits-1")
    assert {path.name for path in folder.iterdir()} == {
        *("search.json", "journal.jsonl", "trials.csv", "results.json", "summary.md", "best"),
        *("history.png", "importance.png", "slice.png"),
    }
    flat = " ".join(said.split())
    results = json.loads((folder / "results.json").read_text())
    assert (
        f"The test set was used once, at the end, on the chosen one: {100 * results['test_accuracy']:.2f} %"
        in flat
    )
    assert f"{100 * results['test_accuracy']:.2f} % test accuracy" in minigrad("evaluate", folder / "best")
    assert "is finished" in minigrad("search", "--resume", folder)


def test_quiet_prints_the_folder_alone_and_the_network_can_be_exported() -> None:
    assert minigrad("search", *SMALL, "-q") == "searches/mlp-sgd-digits-1\n"
    said = minigrad("export", "searches/mlp-sgd-digits-1/best", "model.onnx")
    assert re.search(r"file +model\.onnx, \d+ kB, ONNX operator set 17", said)
    assert re.search(r"checked +261 inputs in onnxruntime, at most \d\.\de-\d\d off", said)
    minigrad("export", "searches/mlp-sgd-digits-1/best")
    assert Path("model.onnx").read_bytes() == Path("searches/mlp-sgd-digits-1/best/model.onnx").read_bytes()


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ([], ["MG-851", "--space lr=1e-5:1e-1:log"]),
        (["--space", "lr=0.1:0.01"], ["MG-851", "Did you mean lr=0.01:0.1?"]),
        (["mlp-sdg", "--space", "lr=1,2"], ["Did you mean mlp-sgd?"]),
        (["--space", "lr=1,2", "--sampler", "Bayes"], ["sampler is 'Bayes'", "Did you mean bayes?"]),
        (["--space", "lr=1,2", "--validation", "0"], ["MG-803", "validation"]),
        (["--space", "lr=1,2", "--set", "lr=0.1"], ["MG-803", "lr cannot be both searched and set"]),
        (["--space", "epochs=1,2", "--epochs", "3"], ["MG-803", "epochs cannot be both"]),
        (["--space", "lr=1,2", "--set", "momentun=0.9"], ["MG-802", "Did you mean momentum?"]),
        (["--space", "lr=1,2", "--set", "epochs=many"], ["MG-802", "epochs must be of type int"]),
        (["--space", "lr=1,2", "--set", "nesterov"], ["MG-802", "nesterov"]),
        (
            ["line-gd", "--space", "hidden=2,4"],
            ["MG-803", "--space hidden, value 2", "no setting of line-gd"],
        ),
        (["--space", "lr=1,2", "--jobs", "0"], ["MG-802", "jobs is 0"]),
        (["--space", "lr=1:2", "--sampler", "grid", "--trials", "1"], ["MG-851", "at least 2 points"]),
    ],
)
def test_a_mistake_is_explained_and_leaves_no_folder(options: list[str], parts: list[str]) -> None:
    said = " ".join(minigrad("search", *options, code=2).split())
    for part in parts:
        assert part in said
    assert not list(Path().glob("searches/*/*"))


def test_a_listing_without_validation_data_gets_some() -> None:
    minigrad("search", "line-gd", "--space", "lr=0.01,0.1", "--trials", 2, "--epochs", 20, "--out", "search")
    assert json.loads(Path("search/search.json").read_text())["settings"]["validation"] == 0.1


def test_resuming_changes_nothing() -> None:
    said = minigrad("search", "--resume", "nowhere", "--space", "lr=1,2", "--trials", 3, code=2)
    for part in ("MG-803", "--space", "--trials"):
        assert part in said
    assert "MG-712" in minigrad("search", "--resume", "nowhere", code=1)


LONG = [*SMALL, "--epochs", "150", "--no-prune", "--out", "search", "--jobs", "2"]


def _children(of: int) -> list[int]:
    found = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(of)], capture_output=True, text=True, check=False
    )
    return [int(pid) for pid in found.stdout.split()]


@pytest.mark.parametrize("number", first([signal.SIGKILL, signal.SIGINT]))
def test_a_killed_search_leaves_no_process_and_goes_on(tmp_path: Path, number: signal.Signals) -> None:
    running = process("search", *LONG, cwd=tmp_path)
    journal = tmp_path / "search/journal.jsonl"
    wait_until(lambda: journal.exists() and journal.read_text().count('"op_code":7') >= 2)
    workers = _children(running.pid)
    assert len(workers) == 2
    end_with(number, running, "search --resume search")
    wait_until(lambda: not any(map(_alive, workers)))
    minigrad("search", "--resume", tmp_path / "search")
    rows = (tmp_path / "search/trials.csv").read_text().splitlines()
    assert len(rows) == 5


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_a_terminal_gets_bars(tmp_path: Path) -> None:
    text = on_a_terminal("search", *SMALL, "--epochs", 30, cwd=tmp_path, columns=100)
    for part in ("all trials", "trial 0", "━", "best 0.", "lr 0."):
        assert part in text
