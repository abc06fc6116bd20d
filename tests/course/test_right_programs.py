"""Whole solutions, each written in a way of its own, lose nothing: here, and the quick ones in the grader too."""

from __future__ import annotations

import sys

import pytest

from minigrad.course.assignment import load
from minigrad.course.cells import to_percent
from minigrad.course.checking import Check
from minigrad.course.grading import Grader
from minigrad.course.submissions import read_submission
from tests.course import planting
from tests.course.right_class import handed_in, programs
from tests.long import first

ALL = [(path, program) for path in planting.sources() for program in programs(load(path))]


@pytest.mark.parametrize(("path", "program"), ALL, ids=[program.stem for _, program in ALL])
def test_a_right_program_gets_all_points(path, program):
    one = load(path)
    cells = [cell for cell in handed_in(one, program) if cell.kind == "code" and not cell.is_test]
    lost = [outcome for outcome in planting.graded(one, cells) if not outcome.passed]
    assert not lost, [(outcome.test, outcome.lines()) for outcome in lost]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="students' processes are Linux's")
@pytest.mark.parametrize("name", first(["a1_lambdas", "a3_recursion", "a4_einsum", "a6_plain"]))
def test_the_grader_and_the_check_give_it_all_points(name, tmp_path):
    ((path, program),) = [each for each in ALL if each[1].stem == name]
    one = load(path)
    file = tmp_path / "student.py"
    file.write_text(to_percent(handed_in(one, program)), encoding="utf-8")
    grader = Grader(one)
    try:
        result = grader.grade(read_submission("student", file))
    finally:
        grader.close()
    assert (result.score, result.problems) == (one.points, [])
    check = Check.of(file)
    assert check.problems == []
    assert all(outcome.passed for _, outcomes in check.outcomes() for outcome in outcomes)


def test_there_are_thirty_and_three_of_each():
    assert len(ALL) >= 30
    assert all(len(programs(load(path))) >= 3 for path in planting.sources())
