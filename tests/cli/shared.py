"""What the tests of the command line have in common: running it, inside this process or as its own."""

from __future__ import annotations

import os
import subprocess
import sys
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
    root = str(Path(__file__).parents[2])
    return {**os.environ, "PYTHONPATH": root, "PYTHONUNBUFFERED": "1", **extra}


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
