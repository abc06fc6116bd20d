"""A signal at any moment: one line, the right exit status, no traceback, nothing half-written."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.shared import command, environment, process, wait_until

NUMBERS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
LONG = ["--epochs", 2000, "--batch-size", 16, "--out", "run"]

AT_IMPORT = """
import os, sys
class Finder:
    def find_spec(self, name, *_):
        if name == {module!r}:
            os.kill(os.getpid(), {number})
sys.meta_path.insert(0, Finder())
sys.argv = ["minigrad", "train", "--epochs", "2000", "--out", "run"]
from minigrad.cli import main
main()
"""
MODULES = [
    "typing", "numpy", "minigrad.errors", "minigrad_kernels", "minigrad.tensor", "minigrad.cli", "typer",
    "rich.console", "minigrad.cli.using", "minigrad.train.run", "minigrad.data", "numba",
    "minigrad.train.trainer",
]  # fmt: skip


def run_until(module: str, number: int, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a training that gets a signal when it begins to import a module."""
    return subprocess.run(
        [sys.executable, "-S", "-c", AT_IMPORT.format(module=module, number=int(number))],
        cwd=folder, env=environment(**site()), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def site() -> dict[str, str]:
    """So that Python needs no ``site``, which imports some of the modules by itself."""
    paths = [path for path in sys.path if path.endswith("site-packages")]
    return {"PYTHONPATH": os.pathsep.join([environment()["PYTHONPATH"], *paths])}


@pytest.mark.parametrize("module", MODULES)
def test_while_it_is_imported(tmp_path: Path, module: str) -> None:
    number = NUMBERS[MODULES.index(module) % 3]
    done = run_until(module, number, tmp_path)
    assert done.returncode == 128 + number, done.stderr
    begun = "Go on with: minigrad train --resume run\n" if (tmp_path / "run" / "config.json").exists() else ""
    assert done.stderr == f"\nInterrupted.\n{begun}"
    assert not list(tmp_path.rglob(".*"))


AT_THE_END = """
import os, sys
class Last:
    def __del__(self, kill=os.kill, me=os.getpid()):
        kill(me, {number})
last = Last()  # which goes when Python takes its modules apart
sys.argv = ["minigrad", "--version"]
from minigrad.cli import main
main()
"""


@pytest.mark.parametrize("number", NUMBERS)
def test_when_python_takes_itself_apart(number: int) -> None:
    line = [sys.executable, "-c", AT_THE_END.format(number=int(number))]
    done = subprocess.run(line, env=environment(), capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("minigrad ")


@pytest.mark.parametrize("number", NUMBERS)
def test_in_the_middle_of_the_work(tmp_path: Path, number: signal.Signals) -> None:
    running = process("train", *LONG, cwd=tmp_path)
    wait_until((tmp_path / "run" / "checkpoint.safetensors").exists)
    for _ in range(3):  # the second one ends it at once, whatever it is doing
        running.send_signal(number)
        time.sleep(0.001)
    out, errors = running.communicate(timeout=60)
    assert running.returncode == 128 + number
    said = [line for line in errors.split("\n") if not line.startswith("compiled ")]
    assert said[:2] == ["", "Interrupted."]
    assert "Traceback" not in out + errors


def test_what_nohup_started_outlives_its_terminal(tmp_path: Path) -> None:
    running = subprocess.Popen(
        ["nohup", *command("train", *LONG)], cwd=tmp_path, env=environment(),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    wait_until((tmp_path / "run" / "config.json").exists)
    running.send_signal(signal.SIGHUP)
    wait_until((tmp_path / "run" / "checkpoint.safetensors").exists)
    running.send_signal(signal.SIGTERM)
    assert running.communicate(timeout=60)[1].endswith("Go on with: minigrad train --resume run\n")
    assert running.returncode == 143


DESTRUCTOR = """
import os, signal, time
class Slow:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.01)
for _ in range(3):
    Slow()
time.sleep(50)
"""


def test_a_signal_is_not_lost_in_a_destructor(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(DESTRUCTOR)
    running = process("step", "program.py", cwd=tmp_path)
    _, errors = running.communicate(timeout=30)
    assert running.returncode == 143
    assert errors == "\nInterrupted.\n"


@pytest.mark.parametrize("number", NUMBERS)
def test_a_search_and_all_its_processes_end(tmp_path: Path, number: signal.Signals) -> None:
    pytest.importorskip("optuna")
    words = [
        "search",
        "--space",
        "lr=0.001,0.01",
        "--trials",
        2,
        "--epochs",
        2000,
        "--jobs",
        2,
        "--out",
        "run",
    ]
    running = subprocess.Popen(
        command(*words, "--sampler", "grid", "--no-prune"), cwd=tmp_path, env=environment(), start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    journal = tmp_path / "run" / "journal.jsonl"
    wait_until(lambda: journal.exists() and b"intermediate_value" in journal.read_bytes())
    os.killpg(running.pid, number)
    _, errors = running.communicate(timeout=60)  # also waits for the workers, who have the pipe of errors
    assert running.returncode == 128 + number
    assert errors == "\nInterrupted.\nGo on with: minigrad search --resume run\n"


@pytest.mark.parametrize("number", NUMBERS)
def test_one_rank_of_several_says_what_happened(tmp_path: Path, number: signal.Signals) -> None:
    pytest.importorskip("mpi4py")
    running = process("launch", "-n", 2, "train", *LONG, cwd=tmp_path)
    wait_until((tmp_path / "run" / "checkpoint.safetensors").exists)
    os.kill(_rank(running.pid, 1), number)
    out, errors = running.communicate(timeout=60)
    assert (
        "rank 1 of 2 was interrupted, and ends the others.\nGo on with: minigrad train --resume run\n"
        in errors
    )
    assert running.returncode == 128 + number
    assert "Traceback" not in out + errors


def _rank(starter: int, rank: int) -> int:
    """Find a rank's process among the descendants of the one that started them."""
    psutil = pytest.importorskip("psutil")
    for child in psutil.Process(starter).children(recursive=True):
        if child.environ().get("PMI_RANK") == str(rank):
            return int(child.pid)
    raise AssertionError("no such rank")
