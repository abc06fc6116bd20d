"""What only a process of its own shows: signals, exit codes, terminals, what is imported."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.cli.kill_resume import kill_and_resume, writing
from tests.cli.shared import TINY, command, end_with, environment, on_a_terminal, process, wait_until
from tests.long import long

LONG = ["--epochs", "2000", "--batch-size", "16"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_can_be_resumed(tmp_path: Path, number: signal.Signals) -> None:
    running = process("train", *LONG, "--out", "run", cwd=tmp_path)
    wait_until((tmp_path / "run" / "checkpoint.safetensors").exists)
    end_with(number, running, "train --resume run")
    assert not list((tmp_path / "run").glob(".*"))
    again = process("train", "--resume", "run", cwd=tmp_path)
    assert any("Going on after epoch" in line for line in iter(again.stdout.readline, ""))
    end_with(signal.SIGINT, again, "train --resume run")


def test_killed_runs_end_with_the_same_bytes(tmp_path: Path) -> None:
    chance = np.random.default_rng(0)
    x = chance.normal(size=(400, 12)).astype("float32")
    np.savez(tmp_path / "own.npz", x=x, y=(x[:, 0] > 0).astype(int) + (x[:, 1] > 0))
    settings = {"data": "own.npz", "epochs": 120, "batch-size": 8, "patience": 100, "seed": 3}
    options = [word for name, value in settings.items() for word in (f"--{name}", str(value))]
    found = kill_and_resume(3, tmp_path, ["train", *options])
    assert all(trial.equal for trial in found)


@long
def test_a_killed_run_that_writes_ends_with_the_same_bytes(tmp_path: Path) -> None:
    found = kill_and_resume(1, tmp_path, writing("char-gpt", tmp_path, epochs=4))
    assert all(trial.equal for trial in found)


@long
def test_a_killed_run_on_pictures_ends_with_the_same_bytes(tmp_path: Path) -> None:
    chance = np.random.default_rng(0)
    x = chance.random((80, 8, 8)).astype("float32")
    np.savez(tmp_path / "own.npz", x=x, y=(x[:, 2, 3] > 0.5).astype(int))
    settings = {"data": "own.npz", "epochs": 15, "batch-size": 16, "dropout": 0.2}
    options = [word for name, value in settings.items() for word in (f"--{name}", str(value))]
    assert kill_and_resume(1, tmp_path, ["train", "lenet", *options, "--augment"])[0].equal


def test_exit_codes_of_the_process(tmp_path: Path) -> None:
    for arguments, code in ((["info"], 0), (["evaluate", "none"], 1), (["train", "--lr", "0"], 2)):
        done = subprocess.run(
            command(*arguments), cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False
        )
        assert done.returncode == code
        assert ("error:" in done.stderr) == (code > 0)
        assert "Traceback" not in done.stderr


def test_output_into_a_file_is_plain_lines(tmp_path: Path) -> None:
    process("train", *TINY, cwd=tmp_path).communicate(timeout=120)  # compiles, and may say so
    out, errors = process("train", *TINY, cwd=tmp_path).communicate(timeout=120)
    assert errors == ""
    assert "\x1b" not in out
    assert "\r" not in out
    assert len(re.findall(r"^ +\d +\d+\.\d{4} ", out, re.MULTILINE)) == 3


def test_an_ascii_terminal_is_no_reason_to_fail(tmp_path: Path) -> None:
    running = process("train", *TINY, cwd=tmp_path, PYTHONIOENCODING="ascii")
    running.communicate(timeout=120)
    assert running.returncode == 0


def test_a_terminal_gets_a_bar_and_big_numbers(tmp_path: Path) -> None:
    text = on_a_terminal("train", *TINY, cwd=tmp_path)
    assert "epoch 1/3" in text
    assert "━" in text
    assert "test accuracy" in text
    assert "▀▀" in text


def test_help_imports_nothing_that_takes_long() -> None:
    heavy = ("matplotlib", "sklearn", "numba", "scipy", "PIL", "cupy")
    program = f"import sys, minigrad.cli; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
