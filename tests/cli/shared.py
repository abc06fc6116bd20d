"""What the tests of the command line have in common: running it, inside this process or as its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
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


def wait_for(path: Path, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < end, f"{path} did not appear"
        time.sleep(0.02)
