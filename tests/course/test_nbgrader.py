"""The same sources through nbgrader: its release is ours, its autograder gives the same scores.

An optional job, since nbgrader brings 100 packages: ``pip install nbgrader`` and run this file. It skips without.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("nbgrader", reason="nbgrader is not installed")

from minigrad.course.assignment import HIDDEN, load, released
from minigrad.course.cells import read_cells, to_notebook
from minigrad.course.running import Bench, local
from minigrad.course.variant import needed
from tests.course.planting import changed, planted, sources


def nbgrader(course: Path, *words: str) -> None:
    made = subprocess.run(
        [sys.executable, "-m", "nbgrader", *words, f"--course-dir={course}"],
        capture_output=True,
        text=True,
        env=os.environ,
        cwd=course,
        check=False,
    )
    assert made.returncode == 0, made.stderr[-3000:]


@pytest.fixture(autouse=True)
def _found(monkeypatch):
    """nbgrader calls the command of another package by its bare name."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.stem)
def test_the_source_becomes_an_nbgrader_course_with_the_same_scores(path, tmp_path):
    from nbgrader.api import Gradebook

    one = load(path)
    source = tmp_path / "source" / "a1" / f"{path.stem}.ipynb"
    source.parent.mkdir(parents=True)
    source.write_text(to_notebook(one.cells), encoding="utf-8")
    nbgrader(tmp_path, "generate_assignment", "a1", "--create")

    theirs = read_cells(tmp_path / "release" / "a1" / f"{path.stem}.ipynb")
    ours = released(one)
    # nbgrader knows nothing of numbers: those of hidden tests stay
    theirs = needed(theirs, [cell for cell in one.cells if cell.is_solution])
    assert [cell.source for cell in theirs] == ["" if cell.source == HIDDEN else cell.source for cell in ours]

    solutions = {"reference": one.submitted, "untouched": ours}
    for number, mistake in enumerate(planted(path.stem)[::8]):
        solutions[f"wrong{number}"] = changed(one, mistake)
    for student, cells in solutions.items():
        by_name = {cell.name: cell for cell in cells if cell.is_solution}
        whole = [
            replace(cell, source=by_name[cell.name].source) if cell.is_solution else cell for cell in ours
        ]
        folder = tmp_path / "submitted" / student / "a1"
        folder.mkdir(parents=True)
        (folder / f"{path.stem}.ipynb").write_text(to_notebook(whole), encoding="utf-8")
    nbgrader(tmp_path, "autograde", "a1", "--create")

    with Gradebook(f"sqlite:///{tmp_path / 'gradebook.db'}") as book:
        scores = {each.student.id: each.score for each in book.assignment_submissions("a1")}
    bench = Bench(one)
    for student, cells in solutions.items():
        person, _ = local([cell for cell in cells if cell.kind == "code" and not cell.is_test], one)
        assert scores[student] == sum(bench.run(test, person).score for test in one.tests), student
    assert scores["reference"] == one.points
    assert scores["untouched"] == 0
