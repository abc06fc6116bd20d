"""What the tests of the command line have in common: running it, inside this process or as its own."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from typer.testing import CliRunner

from minigrad.cli import app

TINY = ["--epochs", "3", "--batch-size", "64"]


def minigrad(*arguments: object, code: int = 0) -> str:
    """Run a command in this process and return all that it prints, stderr included."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": "80"})
    if result.exit_code != code or not isinstance(result.exception, SystemExit | None):
        raise AssertionError(f"exit {result.exit_code}, not {code}: {result.output}") from result.exception
    assert "Traceback" not in result.output
    return result.output


def command(*arguments: object) -> list[str]:
    """The command line of a process of its own."""
    return [sys.executable, "-m", "minigrad", *(str(argument) for argument in arguments)]


def environment(**extra: str) -> dict[str, str]:
    root = Path(__file__).parents[2]
    path = os.pathsep.join([str(root), str(root / "kernels")])
    return {**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1", **extra}


def process(*arguments: object, cwd: Path, **extra: str) -> subprocess.Popen[str]:
    """Start a command as its own process."""
    return subprocess.Popen(
        command(*arguments),
        cwd=cwd,
        env=environment(**extra),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def on_a_terminal(*arguments: object, cwd: Path, columns: int = 80) -> str:
    """Run a command on a terminal of its own and return all that it sends there."""
    master, terminal = pty.openpty()
    running = subprocess.Popen(
        command(*arguments),
        cwd=cwd,
        env=environment(TERM="xterm-256color", COLUMNS=str(columns)),
        stdout=terminal,
        stderr=terminal,
    )
    os.close(terminal)
    said = b""
    try:
        while part := os.read(master, 4096):
            said += part
    except OSError:
        pass  # how Linux says that the other end is closed
    os.close(master)
    assert running.wait() == 0
    return said.decode()


def wait_until(holds: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until ``holds()``; by counting, since on a busy machine both sides get less done by the clock."""
    for _ in range(int(seconds / 0.02)):
        if holds():
            return
        time.sleep(0.02)
    raise AssertionError(f"{holds} did not come true in {seconds} s")


def end_with(number: signal.Signals, running: subprocess.Popen[str], go_on: str) -> None:
    """End a process by a signal; where it can, it has to say which command goes on with what it leaves."""
    running.send_signal(number)
    out, errors = running.communicate(timeout=60)
    if number == signal.SIGKILL:
        assert running.returncode == -number
        return
    assert running.returncode == 128 + number
    assert errors.endswith(f"Interrupted.\nGo on with: minigrad {go_on}\n")
    assert "Traceback" not in out + errors
