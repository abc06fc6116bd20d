"""One question graded anew for all: the others stay as they were, what changes is listed, and nobody loses unasked."""

from __future__ import annotations

import csv
import json
import sys
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from minigrad.cli import app
from minigrad.course.grading import Grader, Settings, grade_class
from minigrad.course.regrading import Regrade, moved
from minigrad.course.submissions import submissions
from minigrad.errors import DataError
from minigrad.files import read_json
from tests.course.small import assignment, handed_in
from tests.long import long

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits and forks are Linux's")

ANSWERS = {  # by student: what double returns, and the points of its two tests (1 and 2) under both right answers
    "two": ("2 * x", (3, 1)),
    "three": ("3 * x", (0, 2)),
    "none": ("5 * x", (0, 0)),
}


@pytest.fixture
def class_of_three(tmp_path):
    (tmp_path / "in").mkdir()
    for name, (double, _) in ANSWERS.items():
        (tmp_path / "in" / f"{name}.py").write_text(handed_in(double=double))
    return tmp_path


def graded(folder, regrade=None, **changes):
    """Grade with what the hidden test of the first question takes for right; the tests that ran, and the results."""
    one = assignment(folder, **changes)
    grader = Grader(one, Settings(seconds=20))
    ran = []
    run = grader.outcome

    def outcome(test, *rest):
        ran.append(test.name)
        return run(test, *rest)

    grader.outcome = outcome  # type: ignore[method-assign]
    try:
        given = submissions(folder / "in", one.name)
        results = grade_class(grader, given, folder / "results", regrade=regrade or Regrade())
    finally:
        grader.close()
    return sorted(set(ran)), {result.student: result for result in results}, grader, one


def doubles(results, one):
    return {name: result.points_of(one.questions[0]) for name, result in results.items()}


BEFORE = {name: points[0] for name, (_, points) in ANSWERS.items()}
SPARED = {"two": 3, "three": 2, "none": 0}
AFTER = {name: points[1] for name, (_, points) in ANSWERS.items()}


def test_nobody_loses_unasked_and_the_others_stay(class_of_three):
    _, results, _, one = graded(class_of_three)
    assert doubles(results, one) == BEFORE
    squares = {
        name: [o for o in result.outcomes if o.test == "square-numbers"] for name, result in results.items()
    }
    keys = {name: result.key for name, result in results.items()}
    ran, results, grader, one = graded(class_of_three, Regrade(("double",)), double="3 * x")
    assert ran == ["double-hidden", "double-numbers"]
    assert doubles(results, one) == SPARED
    found = {each.student: each[2:] for each in moved(results.values(), grader.digests, ["double"])}
    assert found == {"three": (0, 2, True), "two": (3, 1, False)}
    for name, result in results.items():
        assert [o for o in result.outcomes if o.test == "square-numbers"] == squares[name]
        assert result.key["questions"]["square"] == keys[name]["questions"]["square"]
        taken = result.key["questions"]["double"] == grader.digests["double"]
        assert taken == (name != "two")
        stored = read_json(class_of_three / "results" / f"{name}.json")
        assert stored["score"] == result.score
    assert graded(class_of_three, double="3 * x")[0] == []  # all that has been decided is kept


@long
def test_those_who_may_lose_lose_when_asked(class_of_three):
    graded(class_of_three)
    graded(class_of_three, Regrade(("double",)), double="3 * x")
    _, results, grader, one = graded(class_of_three, Regrade(("double",), may_lose=True), double="3 * x")
    assert doubles(results, one) == AFTER
    found = {each.student: each[2:] for each in moved(results.values(), grader.digests, ["double"])}
    assert found == {"three": (0, 2, True), "two": (3, 1, True)}
    assert all(not result.spared for result in results.values())
    assert graded(class_of_three, double="3 * x")[0] == []


def test_without_being_named_a_mended_question_alone_is_run(class_of_three):
    graded(class_of_three)
    ran, results, _, one = graded(class_of_three, double="3 * x")
    assert ran == ["double-hidden", "double-numbers"]
    assert doubles(results, one) == AFTER


def test_a_new_submission_is_graded_whole(class_of_three):
    graded(class_of_three)
    (class_of_three / "in" / "two.py").write_text(handed_in(double="3 * x", square="x"))
    (class_of_three / "in" / "late.py").write_text(handed_in(double="3 * x"))
    ran, results, _, one = graded(class_of_three, Regrade(("double",)), double="3 * x")
    assert "square-numbers" in ran
    assert doubles(results, one) == {"two": 2, "three": 2, "none": 0, "late": 2}
    assert (results["two"].points_of(one.questions[2]), results["late"].points_of(one.questions[2])) == (0, 3)


def test_a_run_that_was_stopped_lists_everybody_at_the_next(class_of_three):
    graded(class_of_three)
    graded(class_of_three, Regrade(("double",)), double="3 * x")
    before = (class_of_three / "results" / "two.json").read_bytes()
    _, results, grader, _ = graded(class_of_three, Regrade(("double",)), double="3 * x")
    assert {each.student for each in moved(results.values(), grader.digests, ["double"])} == {"two", "three"}
    assert (class_of_three / "results" / "two.json").read_bytes() == before


def test_where_the_grader_fails_what_was_there_stays(class_of_three, monkeypatch):
    graded(class_of_three)
    monkeypatch.setattr(Grader, "loadable", lambda *_: 1 / 0)
    _, results, _, one = graded(class_of_three, Regrade(("double",)), double="3 * x")
    assert doubles(results, one) == BEFORE
    assert all("could not be graded anew" in result.notes[0] for result in results.values())


def run(folder, *words):
    out = str(folder / "g.csv")
    called = CliRunner().invoke(
        app, ["course", "grade", str(folder / "s1_small.py"), str(folder / "in"), "--out", out, *words]
    )
    return called, " ".join(called.output.split())


def test_the_command_says_who_gains_and_who_loses(class_of_three):
    assignment(class_of_three)
    assert run(class_of_three)[0].exit_code == 0
    assignment(class_of_three, double="3 * x")
    called, told = run(class_of_three, "--question", "1. double")
    if called.exit_code:  # without Landlock, an ordinary user's stored results are not to be trusted
        assert "MG-945" in str(called.exception)
        return
    assert "gained: three (double: 0 → 2)" in told
    assert "would lose, and keep what they had: two (double: 3 → 1)" in told
    rows = list(csv.DictReader((class_of_three / "g" / "regraded" / "double.csv").read_text().splitlines()))
    assert [(row["student"], row["before"], row["after"]) for row in rows] == [
        ("three", "0", "2"),
        ("two", "3", "1"),
    ]
    table = {
        row["student"]: row for row in csv.DictReader((class_of_three / "g.csv").read_text().splitlines())
    }
    assert {name: float(row["double"]) for name, row in table.items()} == SPARED
    _, told = run(class_of_three, "--question", "double", "--may-lose")
    assert "lost: two (double: 3 → 1)" in told
    result = json.loads((class_of_three / "g" / "gradescope" / "two" / "results.json").read_text())
    assert result["score"] == 4
    _, told = run(class_of_three, "--question", "square")
    assert "square graded anew: nobody's points change" in told


@pytest.mark.parametrize(
    ("words", "code"),
    [(["--question", "dobule"], "MG-958"), (["--question", "why"], "MG-958"), (["--may-lose"], "MG-802")],
)
def test_what_cannot_be_graded_anew_is_refused_before_anything_runs(class_of_three, words, code):
    assignment(class_of_three)
    called, _ = run(class_of_three, *words)
    assert called.exit_code != 0
    assert code in called.output + str(called.exception)
    assert not (class_of_three / "g.csv").exists()


def test_points_that_no_test_gives_any_more_cannot_stay(class_of_three):
    from minigrad.course.regrading import merged

    _, results, grader, one = graded(class_of_three)
    stored = results["two"]
    fresh = results["none"]
    (gone,) = [outcome for outcome in stored.outcomes if outcome.test == "double-numbers"]
    stored.outcomes.remove(gone)
    with pytest.raises(DataError, match="double-numbers"):
        merged(one, stored, fresh, ["double"], {"questions": grader.digests}, Regrade(("double",)))


def test_a_question_that_is_gone_is_gone_from_every_result(class_of_three):
    graded(class_of_three)
    one = assignment(class_of_three)
    fewer = replace(
        one, questions=one.questions[:2], cells=[cell for cell in one.cells if "square" not in cell.name]
    )
    grader = Grader(fewer, Settings(seconds=20))
    try:
        results = grade_class(
            grader, submissions(class_of_three / "in", one.name), class_of_three / "results"
        )
    finally:
        grader.close()
    assert {result.student: result.score for result in results} == BEFORE
    assert all(len(result.outcomes) == 2 for result in results)
