"""A students' wheel, installed into a folder, and programs that run with it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import minigrad_kernels

import minigrad

OURS = [Path(package.__file__).parent for package in (minigrad, minigrad_kernels)]
HERE = os.pathsep.join(str(folder.parent) for folder in OURS)
"""Where the whole package is, for ``run``."""


def install(wheel: Path, folder: Path) -> Path:
    """Install a wheel alone into a folder, and return that."""
    words = ["install", "--no-deps", "--no-index", "--no-compile", "--target", str(folder), str(wheel)]
    subprocess.run([sys.executable, "-m", "pip", *words], check=True, capture_output=True)
    return folder


def run(path: str, program: str, folder: Path, *words: str) -> str:
    """Run a program in a folder with the packages of ``path``; return what it prints."""
    made = subprocess.run(
        [sys.executable, "-c", program, *words],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": path},
        cwd=folder,
        check=False,
    )
    assert made.returncode == 0, made.stderr[-3000:]
    return made.stdout
