"""A small part of the class of 240: honest and hostile ones in one run, each hostile one hurts itself alone."""

from __future__ import annotations

import sys
import tempfile

import pytest

from minigrad.course.assignment import find, load
from minigrad.course.holding import holding
from tests.course import class_of_240
from tests.long import long

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the walls are Linux's")


@long
def test_honest_ones_get_what_they_earned_and_hostile_ones_hurt_themselves_alone(tmp_path):
    if any(holding(tmp_path / "probe")):
        pytest.skip("needs Landlock or namespaces, and seccomp")
    with tempfile.TemporaryDirectory() as folder:
        words = ["--honest", "12", "--hostile", "12", "--seconds", "2"]
        assert class_of_240.main([folder, *words]) == 0


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("problem: Your code raised an error.", []),
        (
            "problem: Your code raised FOUND",
            ["says of a hidden test 'Your code raised FOUND'", "says FOUND of a hidden test"],
        ),
        ("advice: yes\nproblem: [[0.25]]", ["says of a hidden test '[[0.25]]'"]),
        (f"x {class_of_240.MARK}", [f"says {class_of_240.MARK!r}"]),
    ],
)
def test_what_must_not_be_said_is_found(said, found):
    one = load(find("A1"))
    scores = {"tests": [{"name": "5. tanh: hidden test 1", "output": said}]}
    assert class_of_240.told(one, "", scores) == found
    line = next(
        line for test in one.tests if test.hidden for line in test.source.split("\n") if "program(" in line
    )
    assert class_of_240.told(one, f"<p>{line.strip()}</p>", {"tests": []}) == [f"says {line.strip()!r}"]
