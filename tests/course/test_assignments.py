"""Every assignment: the reference gets all points, the release none, each planted mistake loses its own tests only."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from minigrad.course.assignment import Assignment, load, released
from minigrad.course.release import release
from tests.course import planting

SOURCES = planting.sources()
PLANTED = [(path, wrong) for path in SOURCES for wrong in planting.planted(path.stem)]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_the_reference_gets_all_points(path):
    one = load(path)
    for seed in (1, 2):
        lost = [outcome for outcome in planting.graded(one, one.submitted, seed) if not outcome.passed]
        assert not lost, lost


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_the_untouched_release_is_imported_and_gets_nothing(path, tmp_path):
    one = load(path)
    cells = [cell for cell in released(one) if cell.kind == "code" and not cell.is_test]
    bench = planting.Bench(one)
    student, problems = planting.local(cells, one)
    assert problems == []
    for test in one.tests:
        outcome = bench.run(test, student)
        assert not outcome.passed, test.name
        assert outcome.kind == "unwritten", outcome


@pytest.mark.parametrize(
    ("path", "wrong"), PLANTED, ids=[f"{path.stem[:2]} {wrong.what}" for path, wrong in PLANTED]
)
def test_a_planted_mistake_loses_exactly_its_tests(path, wrong):
    one = load(path)
    outcomes = planting.graded(one, planting.changed(one, wrong))
    assert {outcome.test for outcome in outcomes if not outcome.passed} == wrong.lost
    assert wrong.lost <= {test.name for test in one.tests}
    assert sum(outcome.score for outcome in outcomes) == one.points - sum(
        test.points for test in one.tests if test.name in wrong.lost
    )
    said = planting.told(one, outcomes)
    assert bool(said) == bool(wrong.says), said
    for name, text in said.items():
        assert re.search(wrong.says, text), (name, text)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_a_release_judges_as_its_source_does_and_tells_less(path, tmp_path):
    source, handed_out = (public(load(each)) for each in (path, release(load(path), tmp_path)))
    for wrong in planting.planted(path.stem)[::3]:
        cells = planting.changed(source, wrong)
        for test, here, there in zip(
            source.tests,
            planting.graded(source, cells),
            planting.graded(replace(source, questions=handed_out.questions), cells),
            strict=True,
        ):
            assert there.passed == here.passed, (wrong.what, test.name)
            assert there.hint == here.hint or here.hint not in "".join(
                each.source for each in handed_out.tests
            )


def public(assignment: Assignment) -> Assignment:
    questions = [
        replace(each, tests=[test for test in each.tests if not test.hidden]) for each in assignment.questions
    ]
    return replace(assignment, questions=questions)


def test_every_assignment_has_planted_mistakes():
    for path in SOURCES:
        assert len(planting.planted(path.stem)) >= 24
