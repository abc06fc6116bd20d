"""The guide's part on what there is around grading: its files and commands are run as printed."""

from __future__ import annotations

import csv
import os
import re
import shlex
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from minigrad.cli import app
from tests.course.importers import CanvasUser, canvas_import, moodle_import, rows_of, worksheet_import
from tests.course.small import EVERYTHING, handed_in, source
from tests.long import first

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits and forks are Linux's")

GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "course.md"
PART = GUIDE.read_text().partition("\n## Around grading\n")[2].partition("\n## ")[0]
FILES = dict(re.findall(r"```text\n# (\S+\.\w+)\n(.*?)```", PART, re.S))
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", PART, re.S) for line in block.splitlines()]


def course(line: str) -> str:
    """Run a command as printed, and return what it says on one line."""
    program, *words = shlex.split(line)
    assert program == "minigrad"
    called = CliRunner().invoke(app, words, catch_exceptions=False)
    assert called.exit_code == 0, called.output
    return " ".join(called.output.split())


def table(path: str) -> dict[str, dict[str, str]]:
    return {row["student"]: row for row in csv.DictReader(Path(path).read_text("utf-8-sig").splitlines())}


@pytest.fixture
def scratch(tmp_path, monkeypatch):
    """The guide's files, three submissions under different names, and what Canvas and Moodle have exported."""
    monkeypatch.chdir(tmp_path)
    for name, content in FILES.items():
        Path(name).write_text(content)
    Path("a1.py").write_text(source())
    Path("submissions").mkdir()
    Path("submissions/alovelace.py").write_text(handed_in(double="x + x + 0.5 * x"))
    Path("submissions/müllerzoë_LATE_902_2345_a1.py").write_text(handed_in(square="x"))
    Path("submissions/Kim O'Hara_77_assignsubmission_file").mkdir()
    Path("submissions/Kim O'Hara_77_assignsubmission_file/a1.py").write_text(handed_in())
    Path("gradebook.csv").write_text(
        "Student,ID,SIS User ID,SIS Login ID,Section,a1 (4711)\n    Points Possible,,,,,7.00\n"
        '"Lovelace, Ada",901,00111,alovelace,A,\n"Müller, Zoë",902,00222,zmueller,B,\n'
    )
    Path("worksheet.csv").write_text(
        "Identifier,Full name,Email address,Grade,Maximum Grade,Last modified (submission),Last modified (grade),"
        'Feedback comments\nParticipant 77,Kim O\'Hara,,,7.00,"Monday, 26 October 2026, 6:00 PM",-,\n'
        'Participant 78,Zoë Müller,zoe@uni.example,,7.00,"Friday, 23 October 2026, 9:30 AM",-,\n'
    )
    return tmp_path


def test_the_guide_has_files_and_commands():
    assert set(FILES) == {"class.csv", "late.toml", "times.csv"}
    assert len(COMMANDS) == 9


def test_a_course_from_the_roster_to_canvas_and_moodle(scratch):
    roster, late, override, update, anew, to_canvas, to_moodle, *into = COMMANDS
    told = course(roster)
    assert "3 submissions" in told
    assert "1 missing" in told
    rows = table("a1.csv")
    assert set(rows) == {"alovelace", "zmueller", "kohara", "ggone"}
    assert [rows[key]["score"] for key in sorted(rows)] == ["3", "0", "6", "3"]
    assert rows["ggone"]["note"].startswith("missing")
    assert (rows["zmueller"]["name"], rows["zmueller"]["id"], rows["zmueller"]["section"]) == (
        "Müller, Zoë",
        "00222",
        "B",
    )
    course(late)
    rows = table("a1.csv")
    # Zoë is 3 days late, 2 of them free, one costs 10 % of 3; Kim is in time, being ill
    assert [rows[key]["days_late"] for key in ("alovelace", "zmueller", "kohara")] == ["0", "3", "0"]
    assert [rows["zmueller"][name] for name in ("free_days", "penalty", "final", "score")] == [
        "2",
        "0.3",
        "2.7",
        "3",
    ]
    assert "ill" in rows["kohara"]["note"]
    assert "not graded yet" in rows["kohara"]["why"]
    course(override)
    assert (table("a1.csv")["alovelace"]["score"], table("a1.csv")["alovelace"]["double"]) == ("5", "2")
    assert "Prof. Hopper" in Path("a1/feedback/alovelace.html").read_text()
    sheet = Path("a1/by_hand.csv")
    lines = sheet.read_text("utf-8-sig").replace(",why,4,,", ",why,4,X,").splitlines()
    points = {"alovelace": '"3,5"', "kohara": "4", "zmueller": "0"}
    sheet.write_text("\n".join(line.replace("X", points.get(line.partition(",")[0], "")) for line in lines))
    course(update)
    rows = table("a1.csv")
    assert [rows[key]["final"] for key in ("alovelace", "kohara", "zmueller", "ggone")] == [
        "8.5",
        "10",
        "2.7",
        "0",
    ]
    Path("a1.py").write_text(source(double="2.5 * x"))
    if os.geteuid() == 0:
        told = course(anew)
        assert "would lose, and keep what they had: kohara (double: 3 → 1), zmueller (double: 3 → 1)" in told
        assert "gained: alovelace (double: 0 → 2)" in told
        assert {key: row["final"] for key, row in table("a1.csv").items()} == {
            key: rows[key]["final"] for key in rows
        }
    users = [CanvasUser("901", "Lovelace, Ada", "00111"), CanvasUser("902", "Müller, Zoë", "00222"),
             CanvasUser("903", "O'Hara, Kim", "00333"), CanvasUser("904", "Gone, Gina", "00444")]  # fmt: skip
    course(to_canvas)
    grades, possible = canvas_import(Path("canvas.csv"), users, {"4711": "Rules"})
    scores = {"901": 8.5, "902": 2.7, "903": 10, "904": 0}
    assert grades == {("Rules", key): score for key, score in scores.items()}
    assert possible == {"Rules": EVERYTHING}
    assert "map 'Email address'" in course(to_moodle)
    emails = {
        "ada@uni.example": "901",
        "zoe@uni.example": "902",
        "kim@uni.example": "903",
        "gina@uni.example": "904",
    }
    found = moodle_import(
        Path("moodle.csv"), emails, "Email address", "Small numbers", "Small numbers (feedback)"
    )
    assert {key: grade for key, (grade, _) in found.items()} == scores
    for line in into:
        course(line)
    grades, _ = canvas_import(Path("canvas.csv"), users, {"4711": "a1"})
    assert grades == {("a1", "901"): 8.5, ("a1", "902"): 2.7}
    assert {key: grade for key, (grade, _) in worksheet_import(Path("moodle.csv"), {"77", "78"}).items()} == {
        "77": 10, "78": 2.7,
    }  # fmt: skip
    course("minigrad course report a1.py a1.csv --submissions submissions")
    report = Path("a1/report/report.html").read_text()
    assert "Gina Gone (ggone)" in report
    assert "Right on paper" in report
    assert len(rows_of(Path("a1.csv"))) == 5


def test_moodles_worksheet_says_when_too(scratch):
    course(
        "minigrad course grade a1.py submissions --roster class.csv --late late.toml --times worksheet.csv --out a1.csv"
    )
    rows = table("a1.csv")
    assert (rows["zmueller"]["days_late"], rows["kohara"]["days_late"]) == ("3", "0")
    assert "does not say when" in rows["alovelace"]["note"]


CLUMSY = [  # a file that is spoilt, how, and what is said before anything runs
    ("class.csv", "00222", "00111", "MG-956"),
    ("late.toml", "grace_minutes", "grace", "MG-957"),
    ("late.toml", '"kohara"', '"nobody"', "MG-957"),
    ("times.csv", "2026-10-20 23:10", "10/11/2026 23:10", "MG-957"),
    ("a1/overrides.csv", "", "student,question,points,reason\nnobody,double,1,x\n", "MG-958"),
    ("a1/by_hand.csv", "", "student,question,points\nalovelace,why,99\n", "MG-959"),
]


@pytest.mark.parametrize(
    ("name", "old", "new", "code"), CLUMSY, ids=[f"{name}-{code}" for name, _, _, code in CLUMSY]
)
def test_what_is_clumsy_is_said_before_anything_runs(scratch, name, old, new, code):
    path = Path(name)
    path.parent.mkdir(exist_ok=True)
    path.write_text(path.read_text().replace(old, new) if old else new)
    line = "course grade a1.py submissions --roster class.csv --late late.toml --times times.csv --out a1.csv"
    called = CliRunner().invoke(app, line.split())
    assert called.exit_code != 0
    assert code in called.output + str(called.exception)
    assert not Path("a1.csv").exists()
    assert not Path("a1/results").exists()


@pytest.mark.parametrize("out", first(["a1.csv", "gradebook.csv", "./a1.csv"]))
def test_scores_are_not_written_over_what_they_are_made_from(scratch, out):
    course("minigrad course grade a1.py submissions --roster class.csv --out a1.csv")
    before = Path(out).read_bytes()
    line = f"course scores a1.py a1.csv {out} --for canvas --into gradebook.csv"
    called = CliRunner().invoke(app, line.split())
    assert "MG-802" in called.output + str(called.exception)
    assert Path(out).read_bytes() == before


def test_what_the_last_run_had_and_this_one_has_not_is_said(scratch):
    _, late, *_ = COMMANDS
    course(late)
    told = course("minigrad course grade a1.py submissions --out a1.csv")
    assert "the last run had --roster, and this one has not" in told
    assert "the last run had --late, and this one has not" in told
    assert "the last run" not in course("minigrad course grade a1.py submissions --out a1.csv")
