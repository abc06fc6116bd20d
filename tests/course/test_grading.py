"""Grading through real processes: hostile solutions lose their own tests and nothing else; a killed run goes on."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import pytest

from minigrad.course import remote
from minigrad.course.assignment import Assignment, find, load
from minigrad.course.cells import Cell, to_notebook, to_percent
from minigrad.course.grading import Grader, Settings, Stopped, grade_class
from minigrad.course.results import read_results
from minigrad.course.running import Bench, failed
from minigrad.course.student import Problem
from minigrad.course.submissions import Submission, submissions
from minigrad.errors import DataError
from tests.course import hostile
from tests.course.planting import changed, planted, sources
from tests.long import first, long

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits and forks are Linux's")

A1 = load(find("A1"))
FEW = replace(A1, questions=[q for q in A1.questions if q.name in ("log", "tanh")])
IN_TANH = {"tanh-numbers", "tanh-network"}


def attacked(attack: hostile.Hostile) -> list[Cell]:
    body = attack.body or hostile.RIGHT
    cells = [replace(cell, source=cell.source.replace(hostile.RIGHT, body)) for cell in A1.submitted]
    return [Cell("code", attack.top), *cells] if attack.top else cells


def lost(result):
    return {outcome.test for outcome in result.outcomes if not outcome.passed}


ATTACKS = [*hostile.IN_TANH, *hostile.AT_THE_TOP]


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    """Where students' processes have their folders."""
    tmp_path_factory.getbasetemp()  # stays where it is
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


@pytest.fixture(scope="module")
def results(tmp_path_factory, scratch):
    """All attacks, graded by two at a time in one run."""
    grader = Grader(FEW, Settings(seconds=2.0, memory=256 << 20))
    given = [Submission(str(k), None, "", attacked(attack)) for k, attack in enumerate(ATTACKS)]
    given.append(Submission("honest", None, "", A1.submitted))
    folder = tmp_path_factory.mktemp("hostile")
    try:
        yield {result.student: result for result in grade_class(grader, given, folder)}
    finally:
        grader.close()
        assert list(scratch.glob("minigrad-course-*")) == []


@pytest.mark.parametrize("k", range(len(ATTACKS)), ids=[attack.what for attack in ATTACKS])
def test_an_attack_loses_its_own_tests_and_nothing_else(results, k):
    assert lost(results[str(k)]) == (ATTACKS[k].loses if ATTACKS[k].top else IN_TANH)


def test_an_honest_solution_among_them_gets_everything(results):
    assert results["honest"].score == results["honest"].points == FEW.points


def test_nothing_of_them_is_left(results, scratch):
    running = list(scratch.glob("minigrad-course-*"))
    assert len(running) == 2  # one for each of the two fork servers, which have not been closed yet
    assert [list(folder.iterdir()) for folder in running] == [[], []]
    assert _children_of_fork_servers() == []


def _children_of_fork_servers():
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    servers = [process for process, parent in parents.items() if parent == os.getpid()]
    return [process for process, parent in parents.items() if parent in servers]


@pytest.mark.parametrize("path", first(sources(), 2), ids=lambda path: path.stem)
def test_the_reference_gets_all_points_through_processes_too(path):
    one = load(path)
    grader = Grader(one, Settings(seconds=60))
    try:
        result = grader.grade(Submission("reference", path, "", one.submitted))
    finally:
        grader.close()
    assert [(outcome.test, outcome.message) for outcome in result.outcomes if not outcome.passed] == []
    assert result.score == one.points


def handed_in(folder: Path) -> Path:
    """A small class: a file, a notebook, a folder with planted files beside, an empty folder."""
    folder.mkdir()
    wrong = changed(FEW, next(w for w in planted("a1_rules") if w.what.startswith("tanh: the square")))
    (folder / "ada.py").write_text(to_percent(A1.cells))
    (folder / "bob.ipynb").write_text(to_notebook(wrong))
    for name in ("carol", "dave"):
        (folder / name).mkdir()
    (folder / "carol" / "a1_rules.py").write_text(to_percent(wrong))
    for name in ("conftest.py", "numpy.py", "minigrad.py", "sitecustomize.py"):
        (folder / "carol" / name).write_text("raise SystemExit('planted')")
    (folder / "README.txt").write_text("no submission")
    return folder


def test_a_folder_of_submissions_is_read_by_name(tmp_path):
    given = {one.student: one for one in submissions(handed_in(tmp_path / "in"), "a1_rules")}
    assert list(given) == ["ada", "bob", "carol", "dave"]
    assert given["carol"].path.name == "a1_rules.py"
    assert "no .py or .ipynb file" in given["dave"].trouble
    assert all(one.cells for name, one in given.items() if name != "dave")


def test_links_are_not_followed(tmp_path):
    (tmp_path / "eve.py").symlink_to(sources()[0])
    (one,) = submissions(tmp_path, "a1_rules")
    assert "link" in one.trouble
    assert not one.cells


def test_folders_without_submissions_are_refused(tmp_path):
    with pytest.raises(DataError, match="MG-944"):
        submissions(tmp_path, "a1_rules")
    with pytest.raises(DataError, match="MG-944"):
        submissions(tmp_path / "none", "a1_rules")
    (tmp_path / "notes.txt").touch()
    with pytest.raises(DataError, match="there is notes"):
        submissions(tmp_path, "a1_rules")


def test_results_are_kept_and_only_for_the_same_submission(tmp_path):
    given = submissions(handed_in(tmp_path / "in"), "a1_rules")
    grader = Grader(FEW, Settings(seconds=10))
    seen: list[tuple[str, bool]] = []

    def note(result, kept):
        seen.append((result.student, kept))

    try:
        first = grade_class(grader, given, tmp_path / "r", done=note)
        assert [(r.student, r.score) for r in first] == [("ada", 4), ("bob", 2), ("carol", 2), ("dave", 0)]
        assert not any(kept for _, kept in seen)
        (tmp_path / "r" / "ada.json").write_text('{"score": 100')
        seen.clear()
        other = (tmp_path / "in" / "bob.ipynb").read_text().replace("(1 - y)", "(1 - y * y)")
        (tmp_path / "in" / "bob.ipynb").write_text(other)
        given = submissions(tmp_path / "in", "a1_rules")
        again = grade_class(grader, given, tmp_path / "r", done=note)
    finally:
        grader.close()
    assert sorted(seen) == [("ada", False), ("bob", False), ("carol", True), ("dave", True)]
    assert [r.score for r in again] == [4, 4, 2, 0]
    assert [r.score for r in read_results(tmp_path / "r", FEW)] == [4, 4, 2, 0]
    with pytest.raises(DataError, match="MG-945"):
        read_results(tmp_path, FEW)


def test_the_seed_is_the_submissions_own_and_recorded(tmp_path):
    one, two = (Submission(name, None, "x", A1.submitted) for name in ("ada", "bob"))
    grader = Grader(FEW)
    assert grader.key(one)["seed"] != grader.key(two)["seed"]
    assert grader.key(one) == Grader(FEW).key(one)
    assert grader.key(one)["seed"] != Grader(FEW, Settings(secret=b"another")).key(one)["seed"]


def command(tmp_path: Path, out: str) -> list[str]:
    words = ["course", "grade", "A1", str(tmp_path / "in"), "--out", str(tmp_path / out), "--jobs", "2"]
    return [sys.executable, "-m", "minigrad", *words]


@long
def test_a_killed_run_goes_on_to_the_same_table(tmp_path):
    handed_in(tmp_path / "in")
    for k in range(2):
        (tmp_path / "in" / f"more{k}.py").write_text(to_percent(A1.cells))
    subprocess.run(command(tmp_path, "whole.csv"), check=True, capture_output=True)
    started = subprocess.Popen(command(tmp_path, "killed.csv"), stdout=subprocess.DEVNULL)
    folder, deadline = tmp_path / "killed" / "results", time.monotonic() + 60
    while len(list(folder.glob("[!.]*.json"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(started.pid, signal.SIGKILL)
    started.wait()
    before = {path.name: path.stat().st_mtime_ns for path in folder.glob("[!.]*.json")}
    assert 3 <= len(before) < 6
    assert not (tmp_path / "killed.csv").exists()
    subprocess.run(command(tmp_path, "killed.csv"), check=True, capture_output=True)
    assert (tmp_path / "killed.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert all(
        before[path.name] == path.stat().st_mtime_ns for path in folder.iterdir() if path.name in before
    )
    table = (tmp_path / "whole.csv").read_text().splitlines()
    assert table[0].startswith("student,file,score,points,multiply")
    assert table[1].startswith("ada,ada.py,21,21,2,2")
    gradescope = json.loads((tmp_path / "whole" / "gradescope" / "ada" / "results.json").read_text())
    assert gradescope["score"] == 21 == sum(test["score"] for test in gradescope["tests"])


def test_no_test_is_a_failure_not_a_pass(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "empty.py").write_text("")
    (tmp_path / "in" / "comment.py").write_text("# %%\n# nothing\n")
    grader = Grader(FEW, Settings(seconds=10))
    try:
        results = grade_class(grader, submissions(tmp_path / "in", "a1_rules"), tmp_path / "r")
    finally:
        grader.close()
    assert [result.score for result in results] == [0, 0]
    assert all(len(result.outcomes) == 4 for result in results)


def test_public_tests_run_before_hidden_ones_and_are_listed_in_the_files_order(monkeypatch):
    order = []
    monkeypatch.setattr(Bench, "run", lambda self, test, *_: order.append(test) or failed(test, "died", ""))
    grader = Grader(FEW, Settings(seconds=30))
    try:
        result = grader.grade(Submission("ada", None, "", A1.submitted))
    finally:
        grader.close()
    assert [test.hidden for test in order] == [False, False, True, True]
    assert [outcome.test for outcome in result.outcomes] == [test.name for test in FEW.tests]


def test_the_assignment_has_only_its_questions():
    assert isinstance(FEW, Assignment)
    assert FEW.points == 4


@pytest.mark.parametrize(
    "broken",
    [
        "import tempfile; tempfile.mkdtemp = lambda **_: open('/dev/full', 'w').write('x' * 9999)",
        "import os; fork = os.fork; os.fork = lambda: 1 / 0 if 'user' in sys._getframe(1).f_locals else fork()",
        "from minigrad.course import limits; limits.confine = lambda *_, **__: 1 / 0",
    ],
    ids=["its folder", "its process", "its limits"],
)
def test_a_process_that_cannot_be_had_is_the_graders_failure(tmp_path, monkeypatch, broken):
    monkeypatch.setattr("minigrad.course.grading._PAUSE", 0.1)
    program, before = remote._PROGRAM, "from minigrad.course.forkserver"
    monkeypatch.setattr(remote, "_PROGRAM", program.replace(before, f"{broken}\n{before}"))
    given = [Submission("ada", None, "", A1.submitted)]
    results = []
    for fixed in (False, True):
        if fixed:
            monkeypatch.setattr(remote, "_PROGRAM", program)
        grader = Grader(FEW, Settings(seconds=10))
        try:
            results += grade_class(grader, given, tmp_path)
        finally:
            grader.close()
    first, second = results
    assert "the grader's fault" in first.trouble
    assert "MG-950" in first.notes[0]
    assert {outcome.kind for outcome in first.outcomes} == {"trouble"}
    assert (second.score, second.trouble) == (FEW.points, "")


def test_what_closing_the_grader_has_ended_is_no_result(monkeypatch):
    last = replace(FEW, questions=[replace(FEW.questions[0], tests=FEW.tests[:1])])
    grader = Grader(last, Settings(seconds=10))

    def killed(*_):
        grader.close()
        raise Problem("died")

    monkeypatch.setattr(Bench, "run", killed)
    with pytest.raises(Stopped):
        grader.grade(Submission("ada", None, "", A1.submitted))
