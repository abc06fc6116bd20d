"""What a student's file still tells: each test stands under its own question, whatever cells are missing or moved."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from minigrad.course.assignment import load, released
from minigrad.course.handout import handed_out
from tests.course.planting import sources

PATH = Path("a.py")


def without_tags(cells):
    return [replace(cell, nbgrader={}) for cell in cells]


def questions(cells):
    """Of every test that is there, the question that it is put under."""
    made = handed_out(PATH, cells)
    return {
        re.sub(r"\W", "_", test.name): question.name for question in made.questions for test in question.tests
    }


def wanted(one):
    return {
        test.name.replace("-", "_"): question.title
        for question in one.questions
        for test in question.tests
        if not test.hidden
    }


@pytest.mark.parametrize("tags", [True, False], ids=["with tags", "without tags"])
@pytest.mark.parametrize("path", sources(), ids=lambda path: path.stem)
def test_each_test_stands_under_its_own_question_whatever_is_missing(path, tags):
    one = load(path)
    cells = released(one) if tags else without_tags(released(one))
    right = wanted(one)
    kinds = {"solution": {}, "heading": {}}
    for k, cell in enumerate(one.cells):
        if cell.is_solution:
            kinds["solution"][cell.name] = k
            headings = [j for j in range(k) if "## " in one.cells[j].source and one.cells[j].kind != "code"]
            kinds["heading"][cell.name] = headings[-1]
    for question in one.questions:
        public = {test.name.replace("-", "_") for test in question.tests if not test.hidden}
        for gone in (["solution"], ["heading"], ["solution", "heading"]):
            missing = {kinds[kind][question.name] for kind in gone}
            got = questions([cell for k, cell in enumerate(cells) if k not in missing])
            others = {name: title for name, title in got.items() if name in right and name not in public}
            assert others == {name: right[name] for name in others}
            assert set(right) - public <= set(others)
            its = {got[name] for name in public}
            assert not its & set(others.values())
            if gone == ["solution"]:
                assert its <= {question.title}
            assert (
                len(its) <= 1 or len(gone) == 2
            )  # of a question that left nothing, a function's name may be all


def test_an_untouched_release_has_the_titles_of_its_source():
    for path in sources():
        one = load(path)
        got = questions(released(one))
        assert {name: got[name] for name in wanted(one)} == wanted(one)


def test_two_answers_that_are_missing_side_by_side_are_not_one_question():
    one = load(sources()[0])
    gone = {"log", "tanh"}
    cells = [cell for cell in released(one) if cell.name not in gone and "## 5. tanh" not in cell.source]
    got = questions(cells)
    assert got["log_numbers"] == "4. log"
    assert got["tanh_numbers"] == "tanh_vjp"


def test_an_earlier_attempt_somewhere_else_does_not_move_a_test():
    one = load(sources()[0])
    attempt = [cell for cell in one.cells if cell.name == "tanh"]
    extra = [replace(cell, nbgrader={}) for cell in attempt]
    cells = released(one)
    at = next(k for k, cell in enumerate(cells) if cell.name == "log")
    assert questions([*cells[:at], *extra, *cells[at:]])["tanh_numbers"] == "5. tanh"
