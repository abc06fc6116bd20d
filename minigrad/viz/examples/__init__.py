"""Small programs to step through, each with a ``step()``: ``minigrad step NAME``, ``minigrad step --list``."""

from __future__ import annotations

import ast
import inspect
import linecache
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from minigrad.viz import program
from minigrad.viz.recording import Recording


@dataclass(frozen=True, slots=True)
class Example:
    """What is known of an example beside its program.

    - title: what it is called where examples are listed
    - steps: how many steps are recorded, so that its page has their batches in turn
    - reads: the arrays that hold places in the program's ``ALPHABET``, which a page shows and takes as text
    """

    title: str
    steps: int = 1
    reads: tuple[str, ...] = ()


EXAMPLES = {
    "line": Example("A line"),
    "parabola": Example("A parabola"),
    "diamond": Example("A diamond"),
    "mlp": Example("Exclusive or"),
    "moons": Example("Two moons"),
    "spiral": Example("A spiral"),
    "digits": Example("Handwritten digits", steps=8),
    "autoencoder": Example("An autoencoder", steps=6),
    "tower": Example("A vanishing gradient"),
    "convolution": Example("A convolution", steps=6),
    "lstm": Example("An LSTM over six letters", steps=3, reads=("letters", "following")),
    "attention": Example("Attention over a sentence", steps=3, reads=("letters", "following")),
}
NAMES = tuple(EXAMPLES)


def source(name: str) -> str:
    """Return the program of an example as text."""
    return (files(__name__) / f"{name}.py").read_text(encoding="utf-8")


def docstring(name: str) -> str:
    """Return what an example's program says of itself, without running it."""
    return ast.get_docstring(ast.parse(source(name))) or ""


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


def record(name: str, *, at: int = 1, steps: int | None = None) -> Recording:
    """Return an example's recording, from step ``at`` on, of as many ``steps`` as its page shall take in turn."""
    names, example = load(name), EXAMPLES[name]
    trace = program.call(names["step"], name, at=at, steps=steps or example.steps)
    trace.about, trace.hint = about(names["__doc__"])
    trace.texts = dict.fromkeys(example.reads, names.get("ALPHABET", ""))
    return trace


def about(text: str) -> tuple[str, str]:
    """Split what a program says of itself into what it is, and what there is to try."""
    what, _, hint = inspect.cleandoc(text).partition("\n\n")
    return " ".join(what.split()), " ".join(hint.split())
