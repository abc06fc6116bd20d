"""What a test draws from: a student's own numbers, which nobody can work out who has not the secret."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import stat
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from minigrad.cli import app
from minigrad.course.assignment import find, load
from minigrad.course.grading import Grader, Settings
from minigrad.course.seeds import generator, secret_in, seed_of
from minigrad.course.submissions import Submission
from minigrad.errors import DataError
from tests.long import long

A1 = load(find("A1"))
COUNTS = ("wrong", "could not be graded", "not written yet")


def seeds_in(results: Path) -> dict[str, int]:
    return {
        path.stem: json.loads(path.read_text())["key"]["seed"] for path in sorted(results.glob("[!.]*.json"))
    }


def grade(tmp_path: Path, given: Path, out: str, *options: str) -> dict[str, int]:
    words = ["course", "grade", "A1", str(given), "--out", str(tmp_path / f"{out}.csv"), *options]
    subprocess.run([sys.executable, "-m", "minigrad", *words], check=True, capture_output=True)
    return seeds_in(tmp_path / out / "results")


def test_seeds_are_hmacs_of_assignment_and_student():
    # HMAC from its definition (RFC 2104): H((K ^ opad) || H((K ^ ipad) || message))
    key = b"0123456789abcdef".ljust(64, b"\0")
    inner = hashlib.sha256(bytes(k ^ 0x36 for k in key) + b"a1_rules\0alice").digest()
    outer = hashlib.sha256(bytes(k ^ 0x5C for k in key) + inner).digest()
    assert seed_of(b"0123456789abcdef", "a1_rules", "alice") == int.from_bytes(outer[:16], "big")


def test_students_assignments_and_secrets_have_seeds_of_their_own():
    all_ = {
        seed_of(secret, assignment, student)
        for secret in (b"one secret of many", b"another one of them")
        for assignment in ("a1_rules", "a2_walk")
        for student in ("alice", "bob", "al\ud83dice", "", "a1_rules\0alice")
    }
    assert len(all_) == 20


@long
def test_a_grade_is_made_with_a_secret_that_only_its_owner_reads(tmp_path):
    given = tmp_path / "in"
    given.mkdir()
    for name in ("ada", "bob"):
        (given / f"{name}.py").write_text("# %%\ndef exp_vjp(g, y):\n    return g * y\n")
    first = grade(tmp_path, given, "first")
    assert first["ada"] != first["bob"]
    for guess in (*(f"{k} ada" for k in range(3)), "ada"):
        assert zlib.crc32(guess.encode()) not in first.values()
    secret = tmp_path / "first" / "secret"
    assert stat.S_IMODE(os.stat(secret).st_mode) == 0o600
    assert len(secret.read_bytes().strip()) >= 32
    assert grade(tmp_path, given, "first") == first
    assert grade(tmp_path, given, "second")["ada"] != first["ada"]
    alone = grade(tmp_path, given / "ada.py", "third", "--student", "ada", "--secret", str(secret))
    assert alone == {"ada": first["ada"]}
    again = grade(tmp_path, given / "ada.py", "first", "--student", "ada")
    assert again == first  # who is not graded again is not removed either


def test_the_folder_of_one_student_is_graded_by_a_name(tmp_path):
    (tmp_path / "submission").mkdir()
    (tmp_path / "submission" / "a1_rules.py").write_text("# %%\ndef exp_vjp(g, y):\n    return g * y\n")
    (tmp_path / "submission" / "notes.py").write_text("1 / 0")
    assert list(grade(tmp_path, tmp_path / "submission", "g", "--student", "1234-99")) == ["1234-99"]
    result = json.loads((tmp_path / "g" / "results" / "1234-99.json").read_text())
    assert (result["file"], result["score"]) == ("a1_rules.py", 2)


def test_one_student_alone_leaves_no_class_behind_without_its_roster(tmp_path):
    given, roster = tmp_path / "in", tmp_path / "class.csv"
    given.mkdir()
    (given / "ada.py").write_text("# %%\ndef exp_vjp(g, y):\n    return g * y\n")
    roster.write_text("Name;Login\nAda Lovelace;ada\nGina Gone;gina\n")
    grade(tmp_path, given, "g", "--roster", str(roster))
    rows = {row["student"]: row for row in csv.DictReader((tmp_path / "g.csv").open(encoding="utf-8-sig"))}
    counts = [[int(row[name]) for name in COUNTS] for row in rows.values()]
    tests = len(A1.tests)
    assert list(rows) == ["ada", "gina"]
    assert sum(counts[0]) + 2 == tests  # exp has two tests
    assert counts[1] == [0, 0, 0]  # nothing was handed in, so nothing is wrong
    before = {path: path.read_bytes() for path in sorted(tmp_path.rglob("*")) if path.is_file()}
    alone = [
        "course",
        "grade",
        "A1",
        str(given / "ada.py"),
        "--student",
        "ada",
        "--out",
        str(tmp_path / "g.csv"),
    ]
    for options, says in (
        ([], "holds a class"),
        (["--roster", str(roster)], "--roster says"),
        (["--question", "tanh", "--anonymous"], "--anonymous, --question says"),
    ):
        refused = CliRunner().invoke(app, [*alone, *options])
        assert refused.exit_code == 2
        assert "MG-802" in refused.output
        assert says in " ".join(refused.output.split())
    assert {path: path.read_bytes() for path in sorted(tmp_path.rglob("*")) if path.is_file()} == before


@pytest.mark.parametrize("content", ["", "2027\n", "0123456789abcde\n"])
def test_a_secret_that_can_be_tried_out_is_refused(tmp_path, content):
    (tmp_path / "secret").write_text(content)
    with pytest.raises(DataError, match=r"MG-954.*characters"):
        secret_in(tmp_path / "secret")


def test_a_secret_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(DataError, match="MG-954"):
        secret_in(tmp_path)


def test_numbers_of_one_test_are_no_others():
    drawn = [generator("a1_rules", test, 7).random(50) for test in ("exp-numbers", "exp-safe")]
    assert len({*drawn[0], *drawn[1]}) == 100
    assert (generator("a1_rules", "exp-safe", 7).random(50) == drawn[1]).all()


def test_a_seed_is_too_long_to_be_tried_out():
    seeds = [Grader(A1, Settings(b"k" * 32)).key(Submission(str(k), None))["seed"] for k in range(64)]
    assert max(seeds) >= 2**120
    assert len(set(seeds)) == 64
