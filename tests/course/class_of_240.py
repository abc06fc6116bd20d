"""A class of 240 submissions of assignment 1: 200 honest ones in every kind of packaging, and 40 hostile ones.

    python -m tests.course.class_of_240 FOLDER [--honest 200] [--hostile 40] [--jobs 2] [--seconds 4] [--check]

Grades them in one run and says how long it took, what each kind came to, and every deviation: a score that is not the
one that the submission was made for, a row that is missing, a result or a page that says what is hidden or another's,
a file that an attack has left, a server that heard from a student's code. ``--check`` runs ``minigrad course check``
on each of them too and counts where it agrees with the grade. Ends with 1 where anything deviates.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, NamedTuple

from minigrad.course import checking, grading, remote
from minigrad.course.assignment import Assignment, find, load, released
from minigrad.course.cells import Cell, to_notebook, to_percent
from minigrad.course.feedback import _HIDDEN_WORDS
from minigrad.course.running import UNGRADED, UNWRITTEN, WRONG
from minigrad.course.texts import file_names
from minigrad.errors import DataError
from tests.course import hostile
from tests.course.hostile_class import CLASS, Attack
from tests.course.packaging import packed, texts
from tests.course.planting import Planted, planted

MARK = "this-is-of-an-honest-student-alone"
PLACES = ("/tmp", "/var/tmp", "/dev/shm")


class Member(NamedTuple):
    """One student: ``kind`` is "honest" or that of the attack, ``lost`` the tests that must be lost."""

    student: str
    file: Path
    kind: str
    what: str
    lost: frozenset[str]


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


def honest(folder: Path, one: Assignment, count: int) -> list[Member]:
    """Write honest submissions: the first have a packaging's own name and are right, others have mistakes."""
    rng = random.Random(1)
    packagings = packed(*texts(one))
    names = list(packagings)
    class_ = []
    for k in range(count):
        packaging = names[k % len(names)]
        suffix = Path(packaging).suffix
        solutions, lost = (right(one), set[str]()) if k < len(names) else mistaken(one, rng)
        cells = [*whole(one, solutions), Cell("code", f"# {MARK}")]
        content = packed(to_percent(cells), to_notebook(cells))[packaging]
        student = packaging[: -len(suffix)] if k < len(names) else f"student{k:03}"
        path = folder / packaging
        if k >= len(names):
            inner = ("", f"_s{k}", f"s{k}/homework/A1")[k % 3]
            student = inner.partition("/")[0] or student
            path = folder / (f"{inner}/{one.name}{suffix}" if inner else f"{student}{suffix}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        class_.append(Member(student.replace("\n", "\\n"), path, "honest", packaging, frozenset(lost)))
    return class_


def attackers(folder: Path, one: Assignment, attacks: Sequence[Attack], **known: str) -> list[Member]:
    """Write the hostile submissions; ``known`` is what they know of the machine."""
    class_ = []
    for k, attack in enumerate(attacks):
        body, top = attack.body, attack.top
        for name, value in known.items():
            body, top = body.replace(f"{{{name}}}", value), top.replace(f"{{{name}}}", value)
        solutions = right(one)
        solutions["tanh"] = solutions["tanh"].replace(hostile.RIGHT, body)
        cells = whole(one, solutions)
        if top:
            cells.insert(1, Cell("code", top))
        path = folder / f"x{k:02}{'.py' if k % 2 else '.ipynb'}"
        path.write_text(to_percent(cells) if k % 2 else to_notebook(cells), encoding="utf-8")
        class_.append(Member(path.stem, path, attack.kind, attack.what, attack.loses))
    return class_


def deviations(one: Assignment, class_: Sequence[Member], out: Path) -> list[str]:
    """Compare what the run has written with what it should have, student by student."""
    found = []
    with open(out.with_suffix(".csv"), encoding="utf-8", newline="") as table:
        rows = {row["student"].removeprefix("'"): row for row in csv.DictReader(table)}
    points = {test.name: test.points for test in one.tests}
    names = file_names([member.student for member in class_])
    if set(rows) != {member.student for member in class_}:
        found.append(f"rows: {set(rows) ^ {member.student for member in class_}}")
    for member in class_:
        who = f"{member.student} ({member.kind}: {member.what})"
        row = rows.get(member.student, {})
        wanted = one.points - sum(points[test] for test in member.lost)
        if row.get("score") != str(wanted):
            found.append(f"{who}: {row.get('score')} points for {wanted}; {row.get('note')}")
        if sum(int(row.get(each.word, 0)) for each in (WRONG, UNGRADED, UNWRITTEN)) != len(member.lost):
            found.append(f"{who}: the table's counts are not those of {sorted(member.lost)}")
        name = names[member.student]
        result = json.loads((out / "results" / f"{name}.json").read_text("utf-8"))
        lost = {outcome["test"] for outcome in result["outcomes"] if not outcome["passed"]}
        if lost != member.lost:
            found.append(f"{who}: lost {sorted(lost)} for {sorted(member.lost)}")
        page = (out / "feedback" / f"{name}.html").read_text("utf-8")
        scores = json.loads((out / "gradescope" / name / "results.json").read_text("utf-8"))
        found += [f"{who}: {what}" for what in told(one, page, scores)]
    return found


def told(one: Assignment, page: str, scores: dict) -> list[str]:
    """What a student's page and results.json say that they must not."""
    public = "".join(test.source for test in one.tests if not test.hidden)
    secret = {
        line.strip()
        for test in one.tests
        if test.hidden
        for line in test.source.split("\n")
        if len(line.strip()) > 12 and "advice=" not in line and line.strip() not in public
    }
    text = page + json.dumps(scores)
    found = [f"says {line!r}" for line in [MARK, "SOLUTION", "HIDDEN", *sorted(secret)] if line in text]
    advice = set(_HIDDEN_WORDS.values()) | {"The result is not right."}
    for test in scores["tests"]:
        if "hidden test" in test["name"]:
            said = [
                line.partition(": ")[2] for line in test["output"].split("\n") if line.startswith("problem: ")
            ]
            found += [f"says of a hidden test {line!r}" for line in said if line not in advice]
            found += ["says FOUND of a hidden test"] if "FOUND" in test["output"] else []
    return found


class SharedForks(remote.Forks):
    """A fork server that lives on: to start one takes longer than to check a file."""

    of_thread = threading.local()
    all_: ClassVar[list[remote.Forks]] = []

    def __new__(cls, **_: float) -> remote.Forks:  # type: ignore[misc]
        if not hasattr(cls.of_thread, "forks"):
            cls.of_thread.forks = super().__new__(cls)
            cls.all_.append(cls.of_thread.forks)
        return cls.of_thread.forks

    def __init__(self, **settings: float) -> None:
        if not hasattr(self, "seconds"):
            super().__init__(**settings)

    def kill(self) -> None:
        pass

    def close(self) -> None:
        if self._process is not None and self._process.poll() is not None:  # it is gone
            super().close()


def agreement(one: Assignment, member: Member, out: Path, name: str) -> str:
    """Check one submission as its student would; return how it differs from the grade, empty where it agrees."""
    result = json.loads((out / "results" / f"{name}.json").read_text("utf-8"))
    graded = {o["test"]: o["passed"] for o in result["outcomes"]}
    graded = {test.name.replace("-", "_"): graded[test.name] for test in one.tests if not test.hidden}
    try:
        check = checking.Check.of(member.file)
    except DataError as error:
        return f"check: {error}"
    checked = {o.test.replace("-", "_"): o.passed for _, some in check.outcomes() for o in some}
    return "" if checked == graded else f"graded {graded}, checked {checked}"


def agreements(one: Assignment, class_: Sequence[Member], out: Path, jobs: int, seconds: float) -> list[str]:
    """Check all, say how many agree, and return those that do not."""
    checking.SECONDS, grading.Forks = seconds, SharedForks
    names = file_names([member.student for member in class_])
    try:
        with ThreadPoolExecutor(jobs) as pool:
            differ = list(pool.map(lambda m: agreement(one, m, out, names[m.student]), class_))
    finally:
        grading.Forks = remote.Forks
        for forks in SharedForks.all_:
            remote.Forks.close(forks)
    print(f"check = grade on {differ.count('')} of {len(class_)} submissions")
    return [f"{m.student} ({m.what}): {how}" for m, how in zip(class_, differ, strict=True) if how]


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--honest", type=int, default=200)
    parser.add_argument("--hostile", type=int, default=len(CLASS))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--check", action="store_true")
    chosen = parser.parse_args(words)
    one = load(find("A1"))
    root = chosen.folder.resolve()
    shutil.rmtree(root, ignore_errors=True)
    given, out = root / "submissions", root / "grades"
    given.mkdir(parents=True)
    before = {path for place in PLACES for path in Path(place).glob("hostile-*")}
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        class_ = honest(given, one, chosen.honest)
        known = {"source": str(find("A1")), "given": str(given), "out": str(out)}
        step = max(1, len(CLASS) // max(1, chosen.hostile))
        attacks = CLASS[::step][: chosen.hostile]
        class_ += attackers(given, one, attacks, **known, port=str(server.getsockname()[1]))
        options = ["--out", f"{out}.csv", "--jobs", str(chosen.jobs), "--seconds", str(chosen.seconds)]
        begun = time.monotonic()
        ran = subprocess.run(
            [sys.executable, "-m", "minigrad", "course", "grade", "A1", str(given), *options], check=False
        )
        took = time.monotonic() - begun
        found = [] if ran.returncode == 0 else [f"the run ended with {ran.returncode}"]
        try:
            server.accept()
            found.append("a server has heard from a student's code")
        except TimeoutError:
            pass
    left = {path for place in PLACES for path in Path(place).glob("hostile-*")} - before
    found += [f"left behind: {path}" for path in sorted(left)]
    if ran.returncode == 0:
        found += deviations(one, class_, out)
    kinds = Counter(member.kind for member in class_)
    packagings = len({member.what for member in class_ if member.kind == "honest"})
    print(f"{len(class_)} submissions ({', '.join(f'{n} {kind}' for kind, n in kinds.items())}), ", end="")
    print(f"{packagings} packagings, {len(one.tests)} tests each: {took:.0f} s")
    print(f"{len(found)} deviations", *found, sep="\n  ")
    if chosen.check and ran.returncode == 0:
        others = agreements(one, class_, out, chosen.jobs, chosen.seconds)
        print(*others, sep="\n  ")
        found += others
    return int(bool(found))


if __name__ == "__main__":
    raise SystemExit(main())
