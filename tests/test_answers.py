"""An answer beside what is right, as the tutorials' exercises and the course's tests judge it."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest

from minigrad.answers import NotYet, agree, slip
from minigrad.course.testing import Wrong
from minigrad.course.testing import close as close_in_a_test
from minigrad.exercises.checking import judge

PACKAGE = Path(__file__).parents[1] / "minigrad"
SLIPS = {"add, do not average": np.array([1.0, 2.0]), "the sign": np.array([-2.0, -4.0])}


def test_there_is_one_not_yet() -> None:
    classes = [
        (path.name, node.name)
        for path in sorted(PACKAGE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef) and node.name == "NotYet"
    ]
    assert classes == [("answers.py", "NotYet")]


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ([1.0, 2.0], "add, do not average"),
        ([-2.0, -4.0], "the sign"),
        ([7.0, 7.0], "look again"),
    ],
)
def test_an_exercise_and_a_test_find_the_same_slip(given: list[float], hint: str) -> None:
    right = np.array([2.0, 4.0])
    assert judge(given, right, SLIPS, otherwise="look again") == hint
    with pytest.raises(NotYet, match=hint) as caught:
        close_in_a_test(given, right, slips=SLIPS, hint="look again")
    assert isinstance(caught.value, Wrong)
    assert judge(right, right, SLIPS) is None
    close_in_a_test(right, right, slips=SLIPS)


def test_a_notebook_shows_the_hint_and_no_traceback() -> None:
    assert NotYet("    hint  square it\n     got  3")._render_traceback_() == [
        "not yet",
        "    hint  square it",
        "     got  3",
    ]


def test_numbers_agree_in_one_shape_alone() -> None:
    one = np.ones((2, 1))
    assert agree(one, one + 1e-9, 0.0, 1e-8)
    assert not agree(one, np.ones(2), 0.0, 1e-8)
    assert not agree(one, one + 1e-7, 0.0, 1e-8)
    nan = np.array([np.nan])
    assert agree(nan, nan, 0.0, 0.0)
    assert not agree(nan, nan, 0.0, 0.0, equal_nan=False)
    assert slip(None, lambda numbers: True) is None
