"""Small programs to step through, each with a ``step()``: ``minigrad step NAME``."""

from __future__ import annotations

import linecache
from importlib.resources import files
from typing import Any

NAMES = ("diamond", "line", "mlp", "digits")


def source(name: str) -> str:
    """Return the program of an example as text."""
    return (files(__name__) / f"{name}.py").read_text(encoding="utf-8")


def load(name: str) -> dict[str, Any]:
    """Run an example's program and return its names, ``step`` among them."""
    return run(source(name), name, "<minigrad example>")


def run(text: str, name: str, folder: str) -> dict[str, Any]:
    """Run a program that comes with minigrad and return its names.

    It runs under a file name of its own, since lines of files inside minigrad count as minigrad's and not as the
    user's.
    """
    file = f"{folder}/{name}.py"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    names: dict[str, Any] = {"__name__": name, "__file__": file}
    exec(compile(text, file, "exec"), names)
    return names
