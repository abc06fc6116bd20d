"""The roster: class lists as they are exported, and whose a submission is by what it is called."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minigrad.course.roster import COLUMNS, HandedIn, Names, Person, Roster, read_roster
from minigrad.course.submissions import submissions
from minigrad.course.tables import folded, harmless, number, plain_name, read_table, shown, write_table
from minigrad.errors import DataError
from tests.course.small import handed_in

PEOPLE = [  # name, id, email, login, section
    ("Jürgen Müller", "0011111", "jm@uni.example", "mueller7", "A"),
    ("Jane Smith", "22222", "js@uni.example", "jsmith", "B"),
    ("O'Hara, Kim, Jr.", "33333", "kim.ohara@uni.example", "kohara", "B"),
    ("Ana María López García", "44444", "aml@uni.example", "amlopez", ""),
]
HEADS = {
    "canvas": ("Student", "SIS User ID", "Email", "SIS Login ID", "Section"),
    "english": ("Full name", "Student ID", "E-mail address", "Username", "Group"),
    "german": ("Vollständiger Name", "Matrikelnummer", "E-Mail-Adresse", "Anmeldename", "Übungsgruppe"),
    "shouted": ("NAME", "STUDENT_NUMBER", "EMAIL", "LOGIN", "SECTION"),
}


def table(heads, rows, delimiter):
    def cell(text):
        return '"' + text.replace('"', '""') + '"' if set(text) & set(delimiter + '"\n') else text

    return "\n".join(delimiter.join(map(cell, row)) for row in [heads, *rows]) + "\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("heads", list(HEADS))
def test_every_export_gives_the_same_people(tmp_path, heads, delimiter, encoding):
    path = tmp_path / "class.csv"
    path.write_bytes(table(HEADS[heads], PEOPLE, delimiter).replace("\n", "\r\n").encode(encoding))
    found = [(p.name, p.id, p.email, p.login, p.section) for p in read_roster(path).people]
    assert found == PEOPLE


@pytest.mark.parametrize("kind", list(COLUMNS))
def test_every_spelling_is_as_it_is_compared_and_belongs_to_one_kind(kind):
    assert [name for name in COLUMNS[kind] if plain_name(name) != name] == []
    others = {name for other, names in COLUMNS.items() if other != kind for name in names}
    assert set(COLUMNS[kind]) & others == set()


def test_columns_come_in_any_order_and_others_are_left_alone(tmp_path):
    path = tmp_path / "class.csv"
    path.write_text("sep=;\nColour;Nachname;Notes;Vorname;Mail\nred;Müller;;Jürgen;jm@x.y\n;;;;\n")
    (person,) = read_roster(path).people
    assert (person.name, person.email, person.key) == ("Jürgen Müller", "jm@x.y", "jm@x.y")


def test_canvas_own_rows_and_numbers_are_told_from_students(tmp_path):
    path = tmp_path / "gradebook.csv"
    path.write_text(
        "Student,ID,SIS User ID,SIS Login ID,Section,A1 (4711)\n    Points Possible,,,,,20.00\n"
        '"Smith, Jane",901,22222,jsmith,B,\n"Student, Test",998,,abcdef,B,\n'
    )
    roster = read_roster(path)
    (jane,) = roster.people
    assert (jane.canvas, jane.id, jane.login, jane.key) == ("901", "22222", "jsmith", "jsmith")
    assert "test student" in roster.notes[0]


def test_moodles_participants_without_the_teachers(tmp_path):
    path = tmp_path / "participants.csv"
    path.write_text(
        "First name,Last name,Email address,Roles\nJane,Smith,js@x.y,Student\nTom,Teach,tt@x.y,Non-editing teacher\n"
    )
    roster = read_roster(path)
    assert [person.name for person in roster.people] == ["Jane Smith"]
    assert "Tom Teach" in roster.notes[0]


SPELLED = [  # what a submission is called, and whose it is
    ("jsmith", "jsmith"),
    ("JSmith", "jsmith"),
    ("22222", "jsmith"),
    ("js@uni.example", "jsmith"),
    ("js", "jsmith"),
    ("jane smith", "jsmith"),
    ("Smith, Jane", "jsmith"),
    ("Smith_Jane", "jsmith"),
    ("janesmith", "jsmith"),
    ("a1_jsmith", "jsmith"),
    ("22222_a1_final", "jsmith"),
    ("Jane_Smith_a1_rules", "jsmith"),
    ("0011111", "mueller7"),
    ("11111", "mueller7"),
    ("Jürgen Müller", "mueller7"),
    ("Ju\u0308rgen_Mu\u0308ller", "mueller7"),
    ("juergen mueller", "mueller7"),
    ("Jurgen_Muller", "mueller7"),
    ("smithjane_502_9002_a1_rules", "jsmith"),
    ("smithjane_LATE_502_9002_a1_rules-1", "jsmith"),
    ("müllerjürgen_LATE_1_2_a1_rules", "mueller7"),
    ("ohara_LATE_33333_2_a1_rules", "kohara"),
    ("lópezgarcíaanamaría_7_8_a1", "amlopez"),
    ("Jane Smith_77_assignsubmission_file", "jsmith"),
    ("Jane Smith_77_assignsubmission_file_", "jsmith"),
    ("Smith_Jane_12345_assignsubmission_file", "jsmith"),
    ("Jane Smith_33333_assignsubmission_file_a1_rules", "jsmith"),  # the number is Moodle's, not Kim's
    ("Ana López García_9_assignsubmission_file_", "amlopez"),
    ("Ana López_9_assignsubmission_file_", "amlopez"),
    ("Kim O'Hara_9_assignsubmission_file_", "kohara"),
]


def roster(people=PEOPLE):
    return Roster(Person(p[3] or p[1] or p[0], p[0], p[1], p[2], p[3], p[4]) for p in people)


@pytest.mark.parametrize(("stem", "key"), SPELLED, ids=[stem for stem, _ in SPELLED])
def test_a_submission_is_the_one_persons_whatever_it_is_called(stem, key):
    assert [person.key for person in roster().match(stem)] == [key]


@pytest.mark.parametrize(
    "stem", ["stranger", "99999", "jane", "smith", "a1_rules", "Jane Miller", "x_LATE_1_2_a1_rules"]
)
def test_what_names_nobody_is_nobodys(stem):
    assert roster().match(stem) == []


def test_what_could_be_two_is_said_and_is_nobodys():
    twins = [*PEOPLE, ("Jane Smith", "55555", "js2@uni.example", "jsmith2", "A")]
    whose = Names(roster(twins))
    assert whose("Jane Smith_77_assignsubmission_file") == "Jane Smith_77_assignsubmission_file"
    assert whose("smithjane_LATE_55555_9_a1") == "jsmith2"  # Canvas's number tells them apart
    assert whose("jsmith") == "jsmith"
    assert whose("stranger") == "stranger"
    said = whose.notes()
    assert set(said) == {"Jane Smith_77_assignsubmission_file", "stranger"}
    assert "jsmith" in said["Jane Smith_77_assignsubmission_file"]
    assert "jsmith2" in said["Jane Smith_77_assignsubmission_file"]
    assert said["stranger"] == "Not on the roster."


@given(st.permutations(range(len(PEOPLE))), st.data())
@settings(max_examples=60, deadline=None)
def test_each_name_of_a_person_finds_them_in_any_class(order, data):
    people = [PEOPLE[k] for k in order]
    name, number_, email, login, _ = data.draw(st.sampled_from(people))
    words = name.replace(",", " ").split()
    shuffled = data.draw(st.permutations(words))
    separator = data.draw(st.sampled_from([" ", "_", "-", ".", ", "]))
    for stem in (number_, email, login, login.upper(), separator.join(shuffled)):
        assert [person.key for person in roster(people).match(stem)] == [login]


def test_canvas_and_moodles_names_are_read():
    assert HandedIn.of("doe_LATE_1_2_a1-3") == HandedIn("doe", "Canvas", "1", True)
    assert HandedIn.of("doe_1_2_a1_rules") == HandedIn("doe", "Canvas", "1", False)
    assert HandedIn.of("Jo Doe_12_assignsubmission_onlinetext_") == HandedIn("Jo Doe", "Moodle", "12", False)
    assert HandedIn.of("a1_rules") == HandedIn("a1_rules")


def test_a_folder_of_submissions_is_read_by_the_roster(tmp_path):
    for name in ("jsmith.py", "22222.ipynb.txt", "mueller7_old.py", "stranger.py"):
        (tmp_path / name).write_text(handed_in())
    folder = tmp_path / "Kim O'Hara_9_assignsubmission_file"
    folder.mkdir()
    (folder / "s1_small.py").write_text(handed_in())
    (tmp_path / "Kim O'Hara_9_assignsubmission_onlinetext").mkdir()
    found = {one.student: one for one in submissions(tmp_path, "s1_small", Names(roster()))}
    assert set(found) == {"jsmith", "mueller7", "kohara", "stranger"}
    assert all(one.cells for one in found.values())


def test_two_files_of_one_person_that_differ_are_not_chosen_from(tmp_path):
    (tmp_path / "jsmith.py").write_text(handed_in())
    (tmp_path / "22222.py").write_text(handed_in(double="3 * x"))
    (one,) = submissions(tmp_path, "s1_small", Names(roster()))
    assert one.student == "jsmith"
    assert "not clear" in one.trouble


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Seat,Colour\n1,red\n", "no column that names students"),
        ("", "is empty"),
        ("Name,Id\n,\n", "names nobody"),
        ("Student,ID,SIS Login ID,Section\n    Points Possible,,,\n", "names nobody"),
        ("Name,Id\nJane,1\nJohn,1\n", "lines 2 and 3 have the same id '1'"),
        ("Name,Id\nJane,1\nJANE,2\nJane,1.0E+07\n", "shortened by a spreadsheet"),
        ("Name\nJane Smith\nJane Smith\n", "tells them apart"),
        ("Name,Email\nJane,j@x.y\nJohn,J@x.y\n", "same email"),
        ("Name,Id\nSmith, Jane,1\n", "line 2 has 3 cells"),
        ('Name,Id\n"Smith,1\n', "quotation mark"),
    ],
)  # fmt: skip
def test_what_would_give_points_to_the_wrong_one_is_an_error_with_its_line(tmp_path, text, said):
    (tmp_path / "class.csv").write_text(text)
    with pytest.raises(DataError, match="MG-956") as caught:
        read_roster(tmp_path / "class.csv")
    assert said in str(caught.value)


@pytest.mark.parametrize("content", [b"PK\x03\x04rest", b"\xd0\xcf\x11\xe0rest", b"\x00\x01\x02\xff\xfe" * 9])
def test_a_workbook_is_said_to_be_one(tmp_path, content):
    (tmp_path / "class.xlsx").write_bytes(content)
    with pytest.raises(DataError, match="Save"):
        read_roster(tmp_path / "class.xlsx")


def test_the_same_person_twice_is_one_with_both_sections(tmp_path):
    (tmp_path / "class.csv").write_text("Name,Id,Email,Group\nJane,1,,A\nJANE,1,j@x.y,B\n,,,C\n")
    found = read_roster(tmp_path / "class.csv")
    (jane,) = found.people
    assert (jane.section, jane.email) == ("A, B", "j@x.y")
    assert ["line 3" in found.notes[1], "line 4" in found.notes[0]] == [True, True]


@pytest.mark.parametrize(
    ("text", "value"),
    [("12.5", 12.5), ("12,5", 12.5), (" 3 ", 3.0), ("\xa07", 7.0), ("-1", -1.0), ("", None), ("1.234,5", None),
     ("3/4", None), ("nan", None), ("inf", None), ("1e3", None), ("01. Mai", None), ("½", None), ("٣", 3.0)],
)  # fmt: skip
def test_numbers_as_people_write_them(text, value):
    assert number(text) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [(3, "3"), (2.5, "2.5"), (1 / 3, "0.33"), (-0.001, "0"), (10, "10"), (100.0, "100"), (-2.1, "-2.1")],
)
def test_points_are_shown_short(value, text):
    assert shown(value) == text


CELLS = st.text(st.characters(codec="utf-8"), max_size=8).filter(
    lambda cell: not cell.strip().startswith(("'", '="'))
)


@given(st.lists(st.lists(CELLS, min_size=3, max_size=3), max_size=5))
@settings(max_examples=150, deadline=None)
def test_what_is_written_is_read_again_and_is_no_formula(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("t") / "t.csv"
    write_table(path, ["one", "two", "three"], rows, edited=True)
    read = read_table(path, "MG-956")
    expected = [[cell.replace("\r\n", "\n").replace("\r", "\n").strip() for cell in row] for row in rows]
    assert [[cell.strip() for cell in row.cells] for row in read.rows] == [
        row for row in expected if any(row)
    ]
    for cell in itertools.chain(*rows):
        written = harmless(cell)
        assert len(written) < 2 or written[0] not in "=+-@\t\r" or number(written) is not None


def test_folding_is_the_same_for_both_ways_to_write_an_umlaut():
    assert folded("MÜLLER")[0] == folded("mu\u0308ller")[0] == "muller"
    assert folded("Müller")[1] == "mueller"
    assert folded("Łódź Øre") == ("lodz ore", "lodz oere")


def test_what_is_one_persons_login_and_anothers_number_is_nobodys():
    people = [("Ann Ash", "10", "a@x.y", "2222", ""), ("Bo Beck", "2222", "b@x.y", "bbeck", "")]
    assert {person.name for person in roster(people).match("2222")} == {"Ann Ash", "Bo Beck"}
    zeros = [("Ann Ash", "0123", "a@x.y", "ash", ""), ("Bo Beck", "123", "b@x.y", "bbeck", "")]
    assert [person.login for person in roster(zeros).match("123")] == ["bbeck"]
    assert [person.login for person in roster(zeros).match("0123")] == ["ash"]
    local = [("Ann Ash", "1", "bo@x.y", "ash", ""), ("Bo Beck", "2", "b@x.y", "bo", "")]
    assert [person.login for person in roster(local).match("bo")] == ["bo"]


def test_canvas_number_is_not_taken_for_a_students_number():
    people = [
        Person("ash", "Ann Ash", "22222", login="ash"),
        Person("beck", "Bo Beck", "33333", login="beck"),
    ]
    assert Roster(people).match("carolcole_22222_9_a1") == []
    assert [p.key for p in Roster(people).match("ashannie_22222_9_a1")] == [
        "ash"
    ]  # part of her name is there
    canvas = [
        Person("ash", "Ann Ash", "22222", login="ash", canvas="7"),
        Person("beck", "Bo Beck", "7", canvas="8"),
    ]
    assert [person.key for person in Roster(canvas).match("nickname_7_9_a1")] == ["ash"]


def test_a_submission_that_is_taken_for_somebodys_by_a_part_of_its_name_is_said():
    whose = Names(roster())
    for stem in ("jsmith", "Jane Smith", "smithjane_1_2_a1", "22222_a1", "Ana López", "Jane Anne Smith"):
        whose(stem)
    assert "'Ana López'" in whose.notes()["amlopez"]
    assert "'Jane Anne Smith'" in whose.notes()["jsmith"]
    assert "'smithjane" not in whose.notes()["jsmith"]
