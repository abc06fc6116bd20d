"""How long one waits for a fresh process: the import, the command line's help, and the first step of a training."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

COMMANDS = {
    "python": ["-c", "pass"],
    "import numpy": ["-c", "import numpy"],
    "import minigrad": ["-c", "import minigrad"],
    "minigrad --help": ["-m", "minigrad", "--help"],
}


def start(*arguments: str) -> None:
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)


@pytest.mark.parametrize("what", COMMANDS)
def test_start(benchmark: Any, what: str) -> None:
    benchmark.pedantic(start, COMMANDS[what], rounds=5, warmup_rounds=1)


def test_first_step(benchmark: Any, tmp_path: Path) -> None:
    """The warm-up compiles what is not compiled yet, so this is the time with a warm cache."""
    folders = (str(tmp_path / str(number)) for number in range(10))
    benchmark.pedantic(
        start, setup=lambda: (("-m", "bench.first_step", next(folders)), {}), rounds=5, warmup_rounds=1
    )
