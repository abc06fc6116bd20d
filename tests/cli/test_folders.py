"""Every command that writes a folder: alone in it, and never into what is not there any more."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from minigrad.claims import claimed
from minigrad.train import callbacks
from tests.cli.shared import TINY, command, environment, minigrad

SEARCH = ["search", "--space", "lr=0.001,0.01", "--sampler", "grid", "--trials", 2, "--epochs", 2]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    minigrad("train", *TINY, "--out", folder / "run")
    return folder


@pytest.fixture
def run(runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(runs / "run", tmp_path / "run")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "run"


NEW: dict[str, list[Any]] = {
    "train": ["train", *TINY, "--out"],
    "search": [*SEARCH, "--out"],
    "prune": ["prune", "run", "--sparsity", 0.5, "--epochs", 1, "--out"],
    "quantize": ["quantize", "run", "--out"],
    "bench": ["bench", "--peers", "numpy", "--out"],
    "release": ["course", "release", "A1"],
}


@pytest.mark.parametrize("words", NEW.values(), ids=NEW)
def test_a_folder_in_use_is_refused_at_once(run: Path, words: list[Any]) -> None:
    with claimed("other"):
        assert "MG-806 other is in use" in minigrad(*words, "other", code=2)
        assert [path.name for path in Path("other").iterdir()] == [".in-use"]
    assert {path.name for path in run.parent.iterdir()} == {"run", "other"}


@pytest.mark.parametrize("name", ["train", "search", "prune"])
def test_what_is_still_running_is_not_resumed(run: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    said = []

    def on_epoch_begin(_: object, trainer: object) -> None:
        if not said:
            said.append(minigrad(name, "--resume", "other", code=2))
            said.append(minigrad(*NEW[name], "other", code=2))

    monkeypatch.setattr(callbacks.GradientStatistics, "on_epoch_begin", on_epoch_begin)
    monkeypatch.setattr(callbacks.GradientStatistics, "on_step_end", lambda *_: None)
    monkeypatch.setattr(callbacks.GradientStatistics, "on_epoch_figures", lambda *_: None)
    minigrad(*NEW[name], "other")
    assert all("MG-806 other is in use" in text for text in said)
    assert len(said) == 2
    assert not list(Path("other").rglob(".*"))


TAKEN: dict[str, Callable[[Path], Any]] = {
    "removed": shutil.rmtree,
    "emptied": lambda folder: [path.unlink() for path in folder.iterdir() if path.is_file()],
    "emptied but for hidden files": lambda folder: [
        path.unlink() for path in folder.iterdir() if path.name[0] != "."
    ],
    "made anew": lambda folder: (shutil.rmtree(folder), folder.mkdir()),
}


@pytest.mark.parametrize("take", TAKEN.values(), ids=TAKEN)
@pytest.mark.parametrize("name", ["train", "search", "prune", "quantize"])
def test_a_folder_that_is_taken_away_is_an_error_and_is_not_made_again(
    run: Path, name: str, take: Callable[[Path], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = [*NEW[name][:-1], *(["--aware", 1] if name == "quantize" else []), "--out"]
    taken: list[Path] = []
    left: list[str] = []

    def on_epoch_begin(*_: object) -> None:
        if not taken:
            folder = next(Path().glob(".other-partial-*")) if name == "quantize" else Path("other")
            taken.append(folder)
            take(folder)
            left[:] = [str(path) for path in folder.rglob("*")] if folder.exists() else ["none"]

    monkeypatch.setattr(callbacks.GradientStatistics, "on_epoch_begin", on_epoch_begin)
    monkeypatch.setattr(callbacks.GradientStatistics, "on_step_end", lambda *_: None)
    monkeypatch.setattr(callbacks.GradientStatistics, "on_epoch_figures", lambda *_: None)
    if name in ("prune", "quantize") and take is TAKEN["emptied but for hidden files"]:
        minigrad(*words, "other")  # all of it is written at the end
        minigrad("evaluate", "other")
        return
    assert "MG-808" in minigrad(*words, "other", code=1)
    assert not Path("other/results.json").exists()
    assert not Path("other/weights.safetensors").exists()


EMPTY = [
    ["train", "--out", ""],
    ["train", "--out="],
    ["train", "--resume", ""],
    ["train", "--from", ""],
    ["search", "--out", ""],
    ["search", "--resume", ""],
    ["prune", "run", "--sparsity", "0.5", "--out", ""],
    ["prune", ""],
    ["quantize", "run", "--out", ""],
    ["quantize", ""],
    ["evaluate", ""],
    ["predict", "", "--row", "1"],
    ["predict", "run", ""],
    ["export", ""],
    ["export", "run", ""],
    ["bench", "--out", ""],
    ["step", "--out", ""],
    ["course", "release", "A1", ""],
    ["course", "check", ""],
    ["course", "grade", "A1", ""],
    ["course", "grade", "A1", "run", "--out", ""],
    ["course", "report", "A1", ""],
    ["course", "report", "A1", "x.csv", "--out", ""],
]


@pytest.mark.parametrize("words", EMPTY, ids=" ".join)
def test_an_empty_path_is_not_the_current_folder(run: Path, words: list[str]) -> None:
    assert "MG-802" in minigrad(*words, code=2)
    assert [path.name for path in run.parent.iterdir()] == ["run"]


@pytest.mark.parametrize("words", NEW.values(), ids=NEW)
@pytest.mark.parametrize("out", ["file", "file/run", "link", "link/run"])
def test_what_is_in_the_way_is_told_before_the_work(
    run: Path, words: list[Any], out: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("file").touch()
    Path("link").symlink_to("nowhere")
    for module in ("train.trainer.Trainer.fit", "bench.run.run", "train.search.workers.try_all"):
        monkeypatch.setattr(f"minigrad.{module}", lambda *_: pytest.fail("it has begun to work"))
    assert f"MG-804 {out.partition('/')[0]} is a " in minigrad(*words, out, code=2)
    assert {path.name for path in run.parent.iterdir()} == {"run", "file", "link"}


@pytest.mark.parametrize(
    "words", [["export", "run", "file/x.onnx"], ["step", "line", "--out", "file/x.html"]], ids=lambda w: w[0]
)
def test_one_file_is_checked_before_the_work_too(run: Path, words: list[str]) -> None:
    Path("file").touch()
    assert "MG-804 file is a file" in minigrad(*words, code=2)


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("no disk can be mounted here")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


@pytest.mark.parametrize("name", ["train", "prune", "quantize", "release"])
def test_a_full_disk_is_told_with_a_code_and_leaves_no_half_file(
    run: Path, tiny_disk: Path, name: str
) -> None:
    done = subprocess.run(
        command(*NEW[name], tiny_disk / "other"),
        cwd=run.parent, env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    if name == "release" and done.returncode == 0:
        return  # it is as small as that
    assert done.returncode == 1
    assert done.stderr.count("error:") == 1
    assert "MG-807" in done.stderr
    assert "the disk is full" in done.stderr
    assert "Traceback" not in done.stderr
    assert not [path for path in tiny_disk.rglob("*") if "-partial-" in path.name or path.name == ".in-use"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
def test_a_full_disk_behind_the_output_is_told_too() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            command("recipes"), env=environment(), stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 1
    assert done.stderr.startswith("error: MG-807 what is printed could not be written: the disk is full.")
    assert "Traceback" not in done.stderr
