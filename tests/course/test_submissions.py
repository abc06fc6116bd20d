"""A class in every kind of packaging: graded in one run, everybody with a row, and checked to the same verdicts."""

from __future__ import annotations

import csv
import json
import os
import sys
import time
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from minigrad.cli import app
from minigrad.course import checking, grading
from minigrad.course.assignment import find, load
from minigrad.course.cells import Cell, from_percent, to_percent
from minigrad.course.checking import Check
from minigrad.course.grading import Grader, Settings, grade_class
from minigrad.course.remote import Forks
from minigrad.course.results import read_results, remove_others
from minigrad.course.settling import write_csv
from minigrad.course.submissions import Submission, passed_over, submissions
from minigrad.course.texts import file_names, whole
from minigrad.errors import DataError
from tests.course.packaging import ALL, LOST, PASSED_OVER, texts, write
from tests.long import long

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits and forks are Linux's")

A1 = load(find("A1"))
FEW = replace(A1, questions=[q for q in A1.questions if q.name in ("log", "tanh")])
TANH = replace(A1, questions=[q for q in A1.questions if q.name == "tanh"])


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("packed") / "in"
    return folder, write(folder, A1)


@pytest.fixture(scope="module")
def graded(packed, tmp_path_factory):
    folder, _ = packed
    out = tmp_path_factory.mktemp("out")
    grader = Grader(TANH, Settings(seconds=3.0))
    try:
        results = grade_class(grader, submissions(folder, "a1_rules"), out / "results")
    finally:
        grader.close()
    write_csv(out / "grades.csv", TANH, results)
    return {result.student: result for result in results}, out


def test_everybody_has_a_row_and_what_they_earned(packed, graded):
    expected, (results, out) = packed[1], graded
    assert set(results) == set(expected)
    came = {}
    for student, result in results.items():
        lost = sorted(outcome.test for outcome in result.outcomes if not outcome.passed)
        came[student] = result.trouble or {0: ALL, 2: LOST}.get(len(lost), str(lost))
    assert {
        student: (came[student], comes_to)
        for student, comes_to in expected.items()
        if comes_to not in came[student]
    } == {}
    with open(out / "grades.csv", newline="", encoding="utf-8") as table:
        rows = list(csv.DictReader(table))
    assert len(rows) == len(expected)
    assert len(read_results(out / "results", TANH)) == len(expected)
    assert all(row["note"] for row in rows if expected[row["student"].removeprefix("'")] not in (ALL, LOST))


def test_what_is_passed_over_is_said(packed):
    others = passed_over(packed[0])
    assert set(others) == PASSED_OVER
    assert "plain.py" in others["plain.zip"]


NAMES = {"tanh-numbers"}


@pytest.fixture
def quick(monkeypatch):
    """One fork server for all checks, and one test of each: a start takes a second."""
    forks = Forks(seconds=3.0)

    def runner(assignment):
        few = [
            replace(q, tests=[test for test in q.tests if test.name in NAMES]) for q in assignment.questions
        ]
        grader = Grader(replace(assignment, questions=few), Settings(seconds=3.0))
        grader._of_thread.forks = forks
        assignment.questions[:] = few
        return grader, ""

    monkeypatch.setattr(checking, "_runner", runner)
    yield
    forks.close()


@long
def test_check_and_grade_agree_on_every_submission(packed, graded, quick):
    results, compared = graded[0], 0
    for given in submissions(packed[0], "a1_rules"):
        if given.path is None:
            continue
        result = results[given.student]
        try:
            told = [outcome for _, outcomes in Check.of(given.path).outcomes() for outcome in outcomes]
        except DataError:
            assert result.trouble, given.student
            continue
        want = {outcome.test: outcome.passed for outcome in result.outcomes if outcome.test in NAMES}
        assert {outcome.test: outcome.passed for outcome in told} == want, given.student
        compared += 1
    assert compared > 60


def test_a_plot_costs_nothing():
    plots = Cell("code", "import matplotlib.pyplot as plt\nplt.plot([1])\nplt.show()")
    grader = Grader(FEW, Settings(seconds=30))
    try:
        kept, problems = grader.loadable([plots, *A1.submitted])
    finally:
        grader.close()
    assert (len(kept), problems) == (1 + len(A1.submitted), [])


@pytest.mark.parametrize("what", ["deleted", "moved"])
def test_a_file_without_tests_is_checked_with_the_released_ones(what, tmp_path):
    text, _ = texts(A1)
    cells = from_percent(text)
    left = [cell for cell in cells if not cell.is_test and (what == "moved" or cell.name != "tanh")]
    tests = [cell for cell in cells if cell.is_test] if what == "moved" else []
    (tmp_path / "mine.py").write_text(to_percent([*tests, *left]))
    (tmp_path / "released.py").write_text(text)
    if what == "deleted":
        with pytest.raises(DataError, match="MG-948"):
            Check.of(tmp_path / "mine.py")
        told = CliRunner().invoke(
            app, ["course", "check", str(tmp_path / "mine.py"), "--tests", str(tmp_path / "released.py")]
        )
        assert "9/10 public passed; 10 hidden" in told.output
        return
    told = CliRunner().invoke(app, ["course", "check", str(tmp_path / "mine.py")])
    assert "10/10 public passed; 10 hidden" in told.output


def test_what_the_grader_itself_cannot_do_is_that_students_note(tmp_path, monkeypatch):
    given = [Submission(name, None, "", A1.submitted) for name in ("ada", "bob", "carol", "dora")]
    grader = Grader(FEW, Settings(seconds=10))
    grade, write_json = Grader.grade, grading.write_json

    def fails(self, submission):
        if submission.student == "bob":
            raise RuntimeError("x\ud83d\0" * 10_000)
        return grade(self, submission)

    def full(path, content):
        if path.name == "carol.json":
            raise OSError(28, "No space left on device")
        write_json(path, content)

    def done(result, kept):
        if result.student == "dora":
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(Grader, "grade", fails)
    monkeypatch.setattr(grading, "write_json", full)
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "carol.json").write_text("what was there before")
    try:
        results = grade_class(grader, given, tmp_path / "r", done=done)
        monkeypatch.undo()
        again = grade_class(grader, given, tmp_path / "r")
    finally:
        grader.close()
    assert [result.score for result in results] == [4, 0, 4, 4]
    assert "the grader's fault" in results[1].trouble
    assert "No space left" in results[2].notes[0]
    assert "No space left" in results[3].notes[0]
    write_csv(tmp_path / "t.csv", FEW, results)
    assert len((tmp_path / "t.csv").read_text(encoding="utf-8").splitlines()) == 5
    assert [result.score for result in again] == [4, 4, 4, 4]


def test_a_submission_has_a_time_altogether(monkeypatch):
    monkeypatch.setattr(grading, "_TOTAL", 2)
    slow = [replace(c, source=c.source.replace("return g / a", "while True: pass")) for c in A1.submitted]
    sleeps = Cell("code", "import time; time.sleep(0.8)")
    grader = Grader(FEW, Settings(seconds=1.0))
    try:
        began = time.monotonic()
        result = grader.grade(Submission("slow", None, "", [sleeps, *slow]))
        lost = {outcome.test for outcome in result.outcomes if not outcome.passed}
        assert lost >= {"log-numbers", "log-safe"} & {test.name for test in FEW.tests}
        assert time.monotonic() - began < 12
    finally:
        grader.close()


def test_many_cells_that_hang_take_none_before_them(monkeypatch):
    monkeypatch.setattr(grading, "_MOST_DROPPED", 3)
    hang = Cell("code", "while True: pass")
    grader = Grader(FEW, Settings(seconds=0.7))
    try:
        kept, problems = grader.loadable([*A1.submitted, *[hang] * 12])
    finally:
        grader.close()
    assert [cell.name for cell in kept] == [cell.name for cell in A1.submitted]
    assert len(problems) == 4


def test_those_who_are_gone_are_gone_everywhere(tmp_path):
    (tmp_path / "in").mkdir()
    for name in ("ada", "bob"):
        (tmp_path / "in" / f"{name}.py").write_text(texts(A1)[0])
    words = ["course", "grade", "A1", str(tmp_path / "in"), "--out", str(tmp_path / "g.csv")]
    assert CliRunner().invoke(app, words).exit_code == 0
    (tmp_path / "g" / "feedback" / "notes.txt").write_text("mine")
    (tmp_path / "in" / "bob.py").unlink()
    (tmp_path / "in" / "bob.txt").write_text("x")
    told = " ".join(CliRunner().invoke(app, words).output.split())
    assert "theirs any more: bob" in told
    assert "passed over: bob.txt" in told
    left = sorted(
        str(path.relative_to(tmp_path / "g")) for path in (tmp_path / "g").rglob("*") if path.is_file()
    )
    assert left == [
        "feedback/ada.html", "feedback/notes.txt", "gradescope/ada/results.json", "results/ada.json", "secret",
    ]  # fmt: skip
    assert remove_others(tmp_path / "g", ["ada"]) == []


STUDENTS = [
    "", "..", ".", "con", "NUL.txt", "-rf", "a/b", "a\0b", "x" * 300, "é" * 200, " a ", "a.", "Ada", "ada", "ADA",
    "e\u0301", "é", "\udcff", "\n", "😀" * 100, "../../etc/passwd", "a:b", "josé", "李", "o'neil", "a b", "x@y.edu",
]  # fmt: skip


def test_every_student_has_a_file_of_their_own(tmp_path):
    names = file_names(STUDENTS)
    assert len({name.casefold() for name in names.values()}) == len(STUDENTS)
    for name in names.values():
        (tmp_path / f"{name}.json").write_text("x", encoding="utf-8")
        assert name[0] not in "-."
        assert len(os.fsencode(f".{name}-partial-12345678.json")) < 255
    assert len(list(tmp_path.iterdir())) == len(STUDENTS)
    for plain in ("josé", "李", "a b", "x@y.edu"):
        assert names[plain] == plain


def test_halves_of_characters_are_joined_or_replaced():
    assert whole("a\ud83d\ude00b\ud83d") == "a😀b\ufffd"
    json.dumps(whole("\udcff")).encode()
