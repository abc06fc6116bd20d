"""A class of 200 submissions of assignment 1, a tenth of them hostile, graded twice: once whole, once with a kill.

    python -m tests.course.class_of_200 FOLDER [--students 200] [--jobs 2]

Says how long it took, and fails where a score is not the one that the submission was made for, where the two tables
differ, or where a hostile submission has gained a point by its attack.
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

from minigrad.course.assignment import Assignment, find, load, released
from minigrad.course.cells import Cell, to_notebook, to_percent
from tests.course import hostile
from tests.course.planting import Planted, planted

ENGINE = ("engine", "safe", "network", "ends", "square")  # the tests that run in the engine, by their names
ATTACKS = [*hostile.IN_TANH, *hostile.AT_THE_TOP]


def whole(one: Assignment, solutions: dict[str, str]) -> list[Cell]:
    """What a student hands in: the released cells with solutions in them."""
    return [replace(c, source=solutions[c.name]) if c.name in solutions else c for c in released(one)]


def right(one: Assignment) -> dict[str, str]:
    return {cell.name: cell.source for cell in one.cells if cell.is_solution}


def mistaken(one: Assignment, rng: random.Random) -> tuple[dict[str, str], set[str]]:
    """Solutions with a few mistakes, in cells of their own, and the tests that these lose."""
    solutions = right(one)
    lost: set[str] = set()
    spoilt: set[str] = set()
    for wrong in rng.sample(planted(one.name), rng.choice([0, 0, 1, 2, 4, 8])):
        name = next(n for n, text in solutions.items() if wrong.cell in ("", n) and _is_in(wrong, one, n))
        if name not in spoilt:
            solutions[name] = solutions[name].replace(wrong.old, wrong.new)
            lost |= wrong.lost
            spoilt.add(name)
    return solutions, lost


def _is_in(wrong: Planted, one: Assignment, name: str) -> bool:
    return any(cell.name == name and wrong.old in cell.source for cell in one.cells)


def make(folder: Path, one: Assignment, students: int) -> dict[str, int]:
    """Write the submissions; return the score that each was made for."""
    rng = random.Random(1)
    points = {test.name: test.points for test in one.tests}
    expected = {}
    for k in range(students):
        name = f"student{k:03}"
        if k % 10 == 9:
            attack = ATTACKS[2 * (k // 10) % len(ATTACKS)]
            solutions, lost = right(one), set()
            if attack.body:
                solutions["tanh"] = solutions["tanh"].replace(hostile.RIGHT, attack.body)
                lost = {"tanh-numbers", "tanh-network"}
            cells = whole(one, solutions)
            if attack.top:
                cells.insert(1, Cell("code", attack.top))
                lost = {test for test in points if test.endswith(ENGINE) and attack.loses}
        elif k % 17 == 0:
            cells, lost = released(one), set(points)
        else:
            solutions, lost = mistaken(one, rng)
            cells = whole(one, solutions)
        expected[name] = one.points - sum(points[test] for test in lost)
        if k % 3 == 0:
            (folder / f"{name}.ipynb").write_text(to_notebook(cells), encoding="utf-8")
        elif k % 3 == 1:
            (folder / f"{name}.py").write_text(to_percent(cells), encoding="utf-8")
        else:
            (folder / name).mkdir()
            (folder / name / f"{one.name}.py").write_text(to_percent(cells), encoding="utf-8")
            (folder / name / "conftest.py").write_text("raise SystemExit('planted')")
    return expected


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--students", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=2)
    chosen = parser.parse_args()
    one = load(find("A1"))
    given = chosen.folder / "submissions"
    shutil.rmtree(chosen.folder, ignore_errors=True)
    given.mkdir(parents=True)
    expected = make(given, one, chosen.students)

    def command(out: str) -> list[str]:
        options = ["--out", str(chosen.folder / out), "--jobs", str(chosen.jobs)]
        return [sys.executable, "-m", "minigrad", "course", "grade", "A1", str(given), *options]

    begun = time.monotonic()
    subprocess.run(command("whole.csv"), check=True)
    print(f"{chosen.students} submissions, {len(one.tests)} tests each: {time.monotonic() - begun:.0f} s")
    killed = subprocess.Popen(command("killed.csv"), stdout=subprocess.DEVNULL)
    results = chosen.folder / "killed" / "results"
    while len(list(results.glob("[!.]*.json"))) < chosen.students // 2:
        time.sleep(0.05)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    done = len(list(results.glob("[!.]*.json")))
    begun = time.monotonic()
    subprocess.run(command("killed.csv"), check=True, stdout=subprocess.DEVNULL)
    print(f"killed after {done} submissions; the rest took {time.monotonic() - begun:.0f} s")
    same = (chosen.folder / "whole.csv").read_bytes() == (chosen.folder / "killed.csv").read_bytes()
    print("the two tables are the same, byte for byte" if same else "THE TWO TABLES DIFFER")
    with open(chosen.folder / "whole.csv", encoding="utf-8", newline="") as table:
        scores = {row["student"]: int(row["score"]) for row in csv.DictReader(table)}
    wrong = {name: (scores[name], score) for name, score in expected.items() if scores[name] != score}
    right_ones = len(scores) - len(wrong)
    print(f"{right_ones} of {len(scores)} scores are those that the submissions were made for {wrong or ''}")
    return int(not same or bool(wrong))


if __name__ == "__main__":
    raise SystemExit(main())
