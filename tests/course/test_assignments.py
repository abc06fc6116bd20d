"""Every assignment: the reference gets all points, the release none, each planted mistake loses its own tests only."""

from __future__ import annotations

import pytest

from minigrad.course.assignment import load, released
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


def test_every_assignment_has_planted_mistakes():
    for path in SOURCES:
        assert len(planting.planted(path.stem)) >= 6
