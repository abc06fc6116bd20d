"""Scores for Canvas and Moodle, imported again by importers that were written from their documentation."""

from __future__ import annotations

from dataclasses import replace

import pytest

from minigrad.course.adjusting import Change
from minigrad.course.late import Lateness
from minigrad.course.results import Result, Settled
from minigrad.course.roster import Person, Roster
from minigrad.course.running import Outcome
from minigrad.course.scores import write_scores
from minigrad.course.tables import write_table
from minigrad.errors import DataError
from tests.course.importers import (
    CanvasUser,
    Refused,
    canvas_import,
    moodle_import,
    rows_of,
    worksheet_import,
)
from tests.course.small import EVERYTHING, assignment

PEOPLE = [
    Person("ada", "Lovelace, Ada", "00111", "ada@uni.example", "ada", "A", "901"),
    Person("zoe", "Müller, Zoë", "222", "zoe@uni.example", "zoe", "B", "902"),
    Person("kim", "O'Hara, Kim", "333", "kim@uni.example", "kim", "A, B", "903"),
    Person("gone", "Gone, Gina", "444", "gg@uni.example", "gone", "", "904"),
    Person("eve", "=cmd(), Eve", "555", "eve@uni.example", "eve", "", "905"),
]
USERS = [CanvasUser(p.canvas, p.name, p.id, p.login) for p in PEOPLE]


def results():
    """Ada has 6; Zoë 6 less 10 %; Kim waits for a person; Gina is missing; Eve was given 2.5; one is a stranger."""

    def made(person, student, *, points=3.0, **settled):
        outcomes = [
            Outcome("double-numbers", 1, True),
            Outcome("double-hidden", 2, True),
            Outcome("square-numbers", 3, True),
        ]
        outcomes = outcomes if points == 3 else [replace(each, passed=False) for each in outcomes]
        return Result(student, f"{student}.py", {}, outcomes, settled=Settled(person, **settled))

    late = Lateness("2026-10-20 23:59", "2026-10-21 10:00", "the table of times", 1, 0, 10.0)
    change = Change("double", "", 0, 2.5, "at the board; +1", "Prof. X", "2026-11-01")
    return [
        made(PEOPLE[0], "ada"),
        made(PEOPLE[1], "zoe", late=late, penalty=0.6),
        made(PEOPLE[2], "kim", waiting=["why"]),
        replace(made(PEOPLE[3], "gone", points=0, missing=True), trouble="missing: nothing was handed in"),
        made(PEOPLE[4], "eve", points=0, changes=[change]),
        made(None, "stranger"),
    ]


SCORES = {"901": 6, "902": 5.4, "904": 0, "905": 2.5}  # by Canvas's numbers


def write(tmp_path, system, **options):
    one = assignment(tmp_path)
    roster = Roster(PEOPLE)

    def student(named):
        found = roster.match(named)
        return found[0].key if len(found) == 1 else None

    return write_scores(tmp_path / "out.csv", system, one, results(), student=student, **options)


def test_canvas_takes_what_is_made_from_the_roster(tmp_path):
    written = write(tmp_path, "canvas", column="Rules (4711)")
    grades, points = canvas_import(tmp_path / "out.csv", USERS, {"4711": "Rules"})
    assert grades == {("Rules", key): score for key, score in SCORES.items()}
    assert points == {"Rules": EVERYTHING}
    assert written.scores == 4
    told = " ".join(written.notes)
    assert "left out, not graded yet: kim" in told
    assert "not on the roster, left out: stranger" in told


@pytest.mark.parametrize("kept", ["canvas", "id", "login", "name"])
def test_canvas_finds_students_by_whatever_the_roster_has(tmp_path, kept, monkeypatch):
    nothing = dict.fromkeys({"canvas", "id", "login"} - {kept}, "")
    fewer = [replace(person, **nothing) for person in PEOPLE[:4]]
    one = assignment(tmp_path)
    settled = [
        replace(each, settled=replace(each.settled, person=p))
        for each, p in zip(results(), fewer, strict=False)
    ]
    written = write_scores(tmp_path / "out.csv", "canvas", one, settled)
    grades, _ = canvas_import(tmp_path / "out.csv", USERS, {})
    assert grades == {("Small numbers", key): score for key, score in SCORES.items() if key != "905"}
    assert any("by name alone" in note for note in written.notes) == (kept == "name")


GRADEBOOK = (
    "Student,ID,SIS User ID,SIS Login ID,Section,Small numbers (4711),Small numbers 2 (4712),Current Score,"
    "Final Grade\n"
    "    Points Possible,,,,,20.00,5,(read only),(read only)\n"
    '"Lovelace, Ada",901,00111,ada,A,1.00,4,,\n"Müller, Zoë",902,222,zoe,B,,4,,\n"O\'Hara, Kim",903,333,kim,B,2.00,,,\n'
    '"Gone, Gina",904,444,gone,B,,,,\n"Unknown, Una",999,999,una,B,3.00,,,\n"Student, Test",998,,abcd,B,,,,\n'
)


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_canvas_takes_back_its_own_gradebook_with_the_scores_in_it(tmp_path, delimiter):
    text = (
        GRADEBOOK if delimiter == "," else GRADEBOOK.replace(", ", "§").replace(",", ";").replace("§", ", ")
    )
    (tmp_path / "export.csv").write_text(text, "utf-8-sig")
    written = write(tmp_path, "canvas", into=tmp_path / "export.csv")
    grades, points = canvas_import(tmp_path / "out.csv", USERS, {"4711": "Small numbers"})
    assert grades == {("Small numbers", "901"): 6, ("Small numbers", "902"): 5.4, ("Small numbers", "904"): 0}
    assert points == {"Small numbers": 20}
    told = " ".join(written.notes)
    assert "Canvas has 20 points" in told  # of 7
    assert "not in export.csv: eve, stranger" in told
    assert written.scores == 3


@pytest.mark.parametrize(
    ("text", "column", "said"),
    [
        (GRADEBOOK.replace("Small numbers (4711)", "Other (1)"), "", "no column for 'Small numbers'"),
        (GRADEBOOK.replace("Small numbers 2", "Small numbers"), "", "2 columns"),
        (GRADEBOOK, "Rules", "no column for 'Rules'"),
        ("Name,Id\nAda,1\n", "", "no gradebook of Canvas's"),
    ],
)
def test_a_column_that_is_not_clear_is_asked_for(tmp_path, text, column, said):
    (tmp_path / "export.csv").write_text(text)
    with pytest.raises(DataError, match="MG-960") as caught:
        write(tmp_path, "canvas", into=tmp_path / "export.csv", column=column)
    assert said in str(caught.value)
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize(
    ("by", "of"), [("Email address", "email"), ("ID number", "id"), ("Username", "login")]
)
def test_moodle_takes_what_is_made_from_the_roster(tmp_path, by, of):
    write(tmp_path, "moodle", column="Rules")
    users = {getattr(person, of): person.canvas for person in PEOPLE}
    found = moodle_import(tmp_path / "out.csv", users, by, "Rules", "Rules (feedback)")
    assert {key: grade for key, (grade, _) in found.items()} == SCORES
    assert found["902"][1] == "1 day late: 10 %"
    assert "from 0 to 2.5 (Prof. X, 2026-11-01): at the board; +1" in found["905"][1]
    assert found["904"][1] == "missing: nothing was handed in"
    with pytest.raises(Refused, match="mapping"):
        moodle_import(tmp_path / "out.csv", {}, by, "Rules", "Rules (feedback)")


HEAD = "Identifier,Full name,Email address,Status,Grade,Maximum Grade,Grade can be changed,Last modified (submission),"
WORKSHEET = (
    HEAD + "Last modified (grade),Feedback comments\n"
    'Participant 11,Ada Lovelace,ada@uni.example,Submitted,,"7,00",Yes,"Tuesday, 20 October 2026, 11:50 PM",-,\n'
    'Participant 12,Zoë Müller,zoe@uni.example,Submitted,,"7,00",Yes,"Tuesday, 20 October 2026, 11:50 PM",-,old\n'
    'Participant 13,Kim O\'Hara,kim@uni.example,Submitted,"1,00","7,00",Yes,-,"Monday, 2 November 2026, 1:00 PM",mine\n'
    'Participant 14,Gina Gone,gg@uni.example,No submission,,"7,00",No,-,-,\n'
    'Participant 15,Una Unknown,una@uni.example,No submission,,"7,00",Yes,-,-,\n'
)


@pytest.mark.parametrize("names", [True, False])
def test_moodle_takes_back_its_worksheet_by_name_or_by_number_alone(tmp_path, names):
    text = WORKSHEET
    numbers = {}
    if not names:  # anonymous: only the numbers, which the download's folders had as well
        for person in (
            "Ada Lovelace,ada@uni.example",
            "Zoë Müller,zoe@uni.example",
            "Kim O'Hara,kim@uni.example",
        ):
            text = text.replace(person, ",")
        numbers = {"ada": "11", "zoe": "12", "kim": "13"}
    (tmp_path / "sheet.csv").write_text(text, "utf-8-sig")
    written = write(tmp_path, "moodle", into=tmp_path / "sheet.csv", numbers=numbers)
    found = worksheet_import(tmp_path / "out.csv", {"11", "12", "13", "14", "15"}, ",")
    assert found == {"11": (6, ""), "12": (5.4, "1 day late: 10 %"), "13": (1, "mine")}
    assert written.scores == 2
    before, after = rows_of(tmp_path / "sheet.csv"), rows_of(tmp_path / "out.csv")
    before[0][0] = before[0][0].removeprefix("\ufeff")
    kept = [k for k, name in enumerate(after[0]) if name not in ("Grade", "Feedback comments")]
    assert [[row[k] for k in kept] for row in after] == [[row[k] for k in kept] for row in before]
    assert "no more be changed there: gone" in " ".join(written.notes)


def test_a_file_that_is_no_worksheet_and_a_class_without_a_roster_are_refused(tmp_path):
    (tmp_path / "x.csv").write_text("Full name,Grade\nAda,1\n")
    with pytest.raises(DataError, match="MG-960"):
        write(tmp_path, "moodle", into=tmp_path / "x.csv")
    for system in ("canvas", "moodle"):
        with pytest.raises(DataError, match="MG-960"):
            write_scores(tmp_path / "out.csv", system, assignment(tmp_path), [results()[-1]])


def test_more_than_there_is_to_be_had_is_said(tmp_path):
    one = assignment(tmp_path)
    above = replace(results()[0], settled=Settled(PEOPLE[0], [Change("why", "", 0, 4, "", graded=True)]))
    (note,) = [
        note for note in write_scores(tmp_path / "o.csv", "moodle", one, [above]).notes if "bonus" in note
    ]
    assert "ada" in note


def test_no_cell_of_a_roster_is_a_formula_in_what_is_imported(tmp_path):
    for system in ("canvas", "moodle"):
        write(tmp_path, system)
        cells = [cell for row in rows_of(tmp_path / "out.csv") for cell in row]
        assert "'=cmd(), Eve" in cells
        assert [cell for cell in cells if cell[:1] in ("=", "@", "+")] == []
    write_table(tmp_path / "t.csv", ["-a"], [["-"], [-1.5], ["+49 30"], ["-x"]])
    assert rows_of(tmp_path / "t.csv") == [["'-a"], ["-"], ["-1.5"], ["'+49 30"], ["'-x"]]
