"""Docstrings as they are written in the house, and what reStructuredText is made of them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

pytest.importorskip("sphinx", reason="the site is built with Sphinx: pip install -e '.[docs]'")
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "docs" / "_ext"))

from docstrings import convert


def converted(text: str) -> str:
    return "\n".join(convert(text.split("\n")))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("(1/n) Σ |y - f|; see ``mae``.", r"(1/n) Σ \|y - f\|; see ``mae``."),
        ("``|x|`` and ``a * b``", "``|x|`` and ``a * b``"),
        ("a * b, *inputs, name_", r"a \* b, \*inputs, name\_"),
        ("requires_grad and a_1", "requires_grad and a_1"),
        ("the share $\\frac{a_1}{|b|}$ of it", ":math:`\\frac{a_1}{|b|}`".join(("the share ", " of it"))),
        ("call `f(x)` or :func:`g`", "call ``f(x)`` or :func:`g`"),
        (".. math:: |w| * 2\n\n    a * b\n\n|w|", ".. math:: |w| * 2\n\n    a * b\n\n\\|w\\|"),
        ("Symbols::\n\n    a * b | c\n\nand |c|", "Symbols::\n\n    a * b | c\n\nand \\|c\\|"),
    ],
)
def test_text_stays_text(written: str, meant: str) -> None:
    assert converted(written) == meant


def test_named_lists_become_lists() -> None:
    assert converted("What it is.\n- g: the gradient,\n  of any shape\n- a, b: two\nEnd.") == (
        "What it is.\n\n- ``g``: the gradient,\n  of any shape\n- ``a``, ``b``: two\n\nEnd."
    )
    assert converted("Two.\n\nParameters\n----------\ndata : numbers,\n    or lists\nx, *args : more") == (
        "Two.\n\n\n- ``data``: numbers,\n  or lists\n- ``x``, ``*args``: more"
    )


def test_sections_are_left_to_napoleon() -> None:
    text = "Do it.\n\nArgs:\n    path: the file.\n\nRaises:\n    DataError: MG-703."
    assert converted(text) == text
