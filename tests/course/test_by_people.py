"""What people add to the tests: overrides, bonus questions, answers in words, and pages that show them."""

from __future__ import annotations

import csv
from dataclasses import replace
from html import unescape

import pytest

from minigrad.course import by_hand
from minigrad.course.adjusting import OVERRIDES, add_override, checked, read_overrides
from minigrad.course.assignment import TEXT_STUB, find, load, released
from minigrad.course.cells import read_cells, to_notebook, to_percent
from minigrad.course.checking import Check
from minigrad.course.feedback import gradescope, page
from minigrad.course.release import release
from minigrad.course.report import statistics, write_report
from minigrad.course.results import Result, as_json, from_json
from minigrad.course.roster import Names, Person
from minigrad.course.running import Bench, local
from minigrad.course.settling import Around, settled, write_csv
from minigrad.course.submissions import Submission, read_submission
from minigrad.errors import DataError
from tests.course.small import EVERYTHING, assignment, handed_in

WRONG = {"double": "3 * x"}  # loses both of the tests of the first question


def result(one, student, tmp_path, **answers):
    """What the tests give for one student, worked out in this process."""
    path = tmp_path / f"{student}.py"
    path.write_text(handed_in(**answers))
    given = read_submission(student, path)
    bench, (theirs, problems) = Bench(one), local(given.cells, one)
    outcomes = [bench.run(test, theirs, 7) for test in one.tests]
    return Result(student, path.name, {}, outcomes, problems), given


class Class:
    """Ada and Bob, by any case."""

    def student(self, named):
        return named.casefold() if named.casefold() in ("ada", "bob") else None

    def nobody(self, named):
        return f"there is no student {named!r}."


def around(one, folder, students=("ada", "bob")):
    folder.mkdir(exist_ok=True)
    made = Around(one, folder, students=list(students))
    made._read_by_hand()
    return made


def test_a_bonus_comes_on_top_and_is_no_part_of_what_there_is_to_be_had(tmp_path):
    one = assignment(tmp_path)
    assert (one.points, one.bonus) == (EVERYTHING, 3)
    assert [question.is_bonus for question in one.questions] == [False, False, True]
    full, _ = result(one, "ada", tmp_path)
    without, _ = result(one, "bob", tmp_path, square="x")
    assert (full.score, without.score) == (6, 3)
    shown = page(one, without)
    assert f"<b>3</b> of {EVERYTHING} points" in shown
    assert (
        "(bonus)" not in shown.partition("<section")[0].partition("of 3 questions")[2]
    )  # nobody has to look at it
    many = replace(full, outcomes=[replace(outcome, points=10) for outcome in full.outcomes])
    assert "width:100.0%" in page(one, many)
    assert gradescope(one, full)["score"] == 6


def test_nothing_but_bonus_is_refused(tmp_path):
    one = tmp_path / "s.py"
    source = assignment(tmp_path).cells
    cells = [
        replace(cell, source=cell.source.replace("## 1. Double", "## 1. Double (Bonus)")) for cell in source
    ]
    cells = [replace(cell, source=cell.source.replace("## 2. Why", "## 2. Why (bonus) ")) for cell in cells]
    one.write_text(to_percent(cells))
    with pytest.raises(DataError, match="MG-943"):
        load(one)


def test_the_release_has_an_empty_text_cell_and_says_how_to_answer(tmp_path):
    one = assignment(tmp_path)
    (text,) = [cell for cell in released(one) if cell.is_text]
    assert (text.kind, text.source, text.nbgrader["points"]) == ("markdown", TEXT_STUB, 4)
    for notebook in (False, True):
        path = release(one, tmp_path / str(notebook), notebook=notebook)
        assert "linear?" in path.read_text()
        assert "f(a) + f(b)" not in path.read_text()
        assert load(path).points == EVERYTHING
        readme = (path.parent / "README.md").read_text()
        assert "3 questions, 7 points and 3 more to be had on top" in readme
        assert "YOUR ANSWER HERE" in readme
        assert "1 other tests (2 points)" in readme
        check = Check.of(path)
        assert sum(len(outcomes) for _, outcomes in check.outcomes()) == 2


@pytest.mark.parametrize("markers", [True, False])
def test_what_stands_around_the_markers_of_a_text_stays(tmp_path, markers):
    one = assignment(tmp_path)
    answer = "Because:\n### BEGIN SOLUTION\nf is linear.\n### END SOLUTION" if markers else "f is linear."
    cells = [replace(cell, source=answer) if cell.is_text else cell for cell in one.cells]
    (tmp_path / "t1_text.py").write_text(to_percent(cells))
    again = load(tmp_path / "t1_text.py")
    (text,) = [cell for cell in released(again) if cell.is_text]
    assert text.source == (f"Because:\n{TEXT_STUB}" if markers else TEXT_STUB)
    assert "f is linear." in again.questions[1].sample
    assert "BEGIN" not in again.questions[1].sample
    assert again.questions[2].title == "3. Square (bonus)"


ANSWERS = [
    "One line.",
    "Two\n\nparagraphs",
    "# A heading\n\nof mine",
    "",
    "=HYPERLINK(1)",
    "ünïcödé $x^2$",
    TEXT_STUB,
]


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("tags", [True, False])
@pytest.mark.parametrize("form", ["py", "ipynb"])
def test_an_answer_is_found_with_its_tag_and_without(tmp_path, form, tags, answer):
    one = assignment(tmp_path)
    (tmp_path / "s.py").write_text(handed_in(why=answer))
    cells = read_cells(tmp_path / "s.py")
    if not tags:
        cells = [replace(cell, nbgrader={}) for cell in cells]
    path = tmp_path / f"ada.{form}"
    path.write_text(to_percent(cells) if form == "py" else to_notebook(cells))
    found = by_hand.answers(one, read_submission("ada", path))
    assert found == {"why": "" if answer == TEXT_STUB else answer}


def test_what_cannot_be_read_has_no_answer(tmp_path):
    one = assignment(tmp_path)
    assert by_hand.answers(one, Submission("ada", None, trouble="missing")) == {}
    assert by_hand.answers(load(find("A1")), Submission("ada", tmp_path / "s1_small.py")) == {}


def sheet(one, folder, read, anonymous=False):
    made = by_hand.read_sheet(folder, one, Class().student)
    return by_hand.write_sheet(folder, one, made, read, anonymous=anonymous)


def enter(folder, points, comment="", delimiter=",", encoding="utf-8-sig"):
    """Fill in the first row of the sheet, as a spreadsheet would."""
    path = folder / by_hand.SHEET
    rows = list(csv.DictReader(path.read_text("utf-8-sig").splitlines()))
    rows[0] |= {"points": points, "comment": comment, "rater": "TA 1"}
    with path.open("w", encoding=encoding, newline="") as file:
        table = csv.DictWriter(file, [*rows[0]], delimiter=delimiter)
        table.writeheader()
        table.writerows(rows)


def test_points_wait_until_they_are_given_and_are_shown_with_their_comment(tmp_path):
    one = assignment(tmp_path)
    ada, _ = result(one, "ada", tmp_path)
    (around(one, tmp_path / "g")).settle(ada)
    assert (ada.score, ada.settled.waiting) == (6, ["why"])
    assert "not graded yet" in page(one, ada)
    assert "0 / 4" not in page(one, ada)
    waits = [test for test in gradescope(one, ada)["tests"] if test["name"] == "2. Why"]
    assert waits[0]["output"] == "Not graded yet."
    assert "score" not in waits[0]
    sheet(one, tmp_path / "g", {"ada": {"why": "It is."}, "bob": {"why": ""}})
    enter(tmp_path / "g", "2,5", "gut, aber <b>kurz</b>", ";", "cp1252")
    (around(one, tmp_path / "g")).settle(ada)
    assert (ada.score, ada.points_of(one.questions[1]), ada.settled.waiting) == (8.5, 2.5, [])
    shown = page(one, ada)
    assert "2.5 / 4" in shown
    assert "gut, aber &lt;b&gt;kurz&lt;/b&gt;" in shown
    write_csv(tmp_path / "g.csv", one, [ada])
    (row,) = csv.DictReader((tmp_path / "g.csv").read_text().splitlines())
    assert (row["score"], row["points"], row["why"]) == ("8.5", "7", "2.5")
    assert from_json(as_json(ada)).score == 6  # what the tests gave is stored, and nothing else


def test_nothing_that_was_entered_is_lost(tmp_path):
    one, folder = assignment(tmp_path), tmp_path
    sheet(one, folder, {"ada": {"why": "It is."}, "bob": {"why": "So."}})
    enter(folder, "3", "good")
    before = (folder / by_hand.SHEET).read_text("utf-8-sig")
    notes = sheet(one, folder, {"bob": {"why": "So."}, "carl": {"why": "Me too."}})
    after = list(csv.DictReader((folder / by_hand.SHEET).read_text("utf-8-sig").splitlines()))
    assert [row["student"] for row in after] == ["ada", "bob", "carl"]
    assert after[0]["points"] == "3"
    assert after[0]["rater"] == "TA 1"
    assert notes == []
    assert before.splitlines()[1].startswith("ada,why,4,3,good,a-")
    notes = sheet(one, folder, {"ada": {"why": "It is not."}, "bob": {"why": "So not."}})
    assert len(notes) == 1
    assert "ada's answer to why has changed" in notes[0]
    text = (folder / by_hand.SHEET).read_text("utf-8-sig").replace(after[0]["answer"], "")
    (folder / by_hand.SHEET).write_text(text)
    assert sheet(one, folder, {"ada": {"why": "It is not."}, "bob": {"why": "So not."}}) == []


def test_answers_are_read_side_by_side_and_by_code_where_names_are_not_to_be_seen(tmp_path):
    one = assignment(tmp_path)
    read = {"ada": {"why": "<script>alert(1)</script>"}, "bob": {"why": ""}}
    sheet(one, tmp_path, read)
    shown = (tmp_path / by_hand.PAGE).read_text()
    assert "<script" not in shown
    assert "<script>alert(1)</script>" in unescape(shown)
    assert "nothing is written here" in shown
    assert "Why is doubling linear?" in shown
    assert "f(c a) = c f(a)" in shown  # what is expected
    sheet(one, tmp_path, read, anonymous=True)
    for name in (by_hand.PAGE, by_hand.SHEET):
        text = (tmp_path / name).read_text("utf-8-sig")
        assert "ada" not in text
        assert "bob" not in text
    codes = by_hand.read_codes(tmp_path)
    assert set(codes) == {"ada", "bob"}
    enter(tmp_path, "1")
    first = next(csv.DictReader((tmp_path / by_hand.SHEET).read_text("utf-8-sig").splitlines()))["student"]
    sheet(one, tmp_path, read, anonymous=True)
    assert by_hand.read_codes(tmp_path) == codes
    (whose,) = [key for key, code in codes.items() if code == first]
    assert by_hand.read_sheet(tmp_path, one, Class().student).rows[whose, "why"].points == 1


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("ada,why,5", "'5' is to be ada's points for why, a number from 0 to 4"),
        ("ada,why,-1", "a number from 0 to 4"),
        ("ada,why,01. Mai", "a number from 0 to 4"),
        ("ada,double,1", "there is why"),
        ("ada,why,1\nADA,why,2", "lines 2 and 3 differ"),
    ],
)
def test_points_that_cannot_be_meant_are_errors(tmp_path, line, said):
    one = assignment(tmp_path)
    (tmp_path / by_hand.SHEET).write_text(f"student,question,points\n{line}\n")
    with pytest.raises(DataError, match="MG-959") as caught:
        by_hand.read_sheet(tmp_path, one, Class().student)
    assert said in str(caught.value)


def cells(**changed):
    usual = {
        "student": "ada",
        "question": "double",
        "points": "2",
        "reason": "shown at the board",
        "by": "",
        "when": "",
    }
    return usual | changed


OVERRIDDEN = [  # what is changed, to what; the score after it, and the question's points; the tests alone give 0 + 3
    ([("double", "2,5")], 5.5, 2.5),
    ([("1. Double", "3")], 6, 3),
    ([("double-hidden", "2")], 5, 2),
    ([("double-numbers", "0.5"), ("double-hidden", "1")], 4.5, 1.5),
    ([("double-hidden", "2"), ("double", "1")], 4, 1),  # the whole question counts
    ([("double", "1"), ("double", "2")], 5, 2),  # the later line
    ([("square", "0")], 0, 0),
]


@pytest.mark.parametrize(("changes", "score", "points"), OVERRIDDEN)
def test_an_override_stays_and_is_shown_everywhere(tmp_path, changes, score, points):
    one, folder = assignment(tmp_path), tmp_path / "g"
    for question, value in changes:
        made = checked("here", one, cells(question=question, points=value, by="Prof. X"), Class())
        add_override(folder / OVERRIDES, made)
    ada, _ = result(one, "Ada".lower(), tmp_path, **WRONG)
    bob, _ = result(one, "bob", tmp_path, **WRONG)
    settled(around(one, folder), [ada, bob])
    assert (ada.score, bob.score) == (score, 3)
    assert ada.points_of(one.questions[0]) == points or changes[0][0] == "square"
    write_csv(tmp_path / "g.csv", one, [ada, bob])
    rows = list(csv.DictReader((tmp_path / "g.csv").read_text().splitlines()))
    assert (float(rows[0]["score"]), rows[1]["score"]) == (score, "3")
    write_report(tmp_path / "report", one, [ada, bob])
    for text in (
        page(one, ada),
        str(gradescope(one, ada)),
        (tmp_path / "report" / "report.html").read_text(),
    ):
        assert "shown at the board" in text
        assert "Prof. X" in text
    assert "shown at the board" in rows[0]["note"]
    assert "shown at the board" not in page(one, bob)
    assert gradescope(one, ada)["score"] == score


def test_a_hidden_tests_name_stays_hidden_from_the_student(tmp_path):
    one, folder = assignment(tmp_path), tmp_path / "g"
    add_override(
        folder / OVERRIDES, checked("here", one, cells(question="double-hidden", points="1"), Class())
    )
    ada, _ = result(one, "ada", tmp_path, **WRONG)
    around(one, folder).settle(ada)
    assert "double-hidden" not in page(one, ada)
    assert "double-hidden" not in str(gradescope(one, ada))
    assert "a hidden test" in page(one, ada)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"student": "eve"}, "there is no student 'eve'"),
        ({"student": ""}, "there is no student"),
        ({"question": "dobule"}, "Is 'double'"),
        ({"question": "zzz"}, "There are double, why, square"),
        ({"points": "4"}, "a number from 0 to 3"),
        ({"question": "double-hidden", "points": "3"}, "a number from 0 to 2"),
        ({"points": "all"}, "'all' is to be the points of double"),
        ({"points": ""}, "'' is to be the points"),
        ({"reason": ""}, "needs a reason"),
    ],
)
def test_an_override_of_what_is_not_there_is_an_error_with_its_line(tmp_path, changed, said):
    one, path = assignment(tmp_path), tmp_path / OVERRIDES
    line = cells(**changed)
    path.write_text("student,question,points,reason\n" + ",".join(list(line.values())[:4]) + "\n")
    with pytest.raises(DataError, match="MG-958") as caught:
        read_overrides(path, one, Class())
    assert said in str(caught.value)
    assert "line 2" in str(caught.value)


def test_a_table_of_overrides_keeps_its_columns_and_says_what_takes_whose_place(tmp_path):
    one, path = assignment(tmp_path), tmp_path / OVERRIDES
    path.write_text("Reason;Student;Question;Points;Ticket\nill;ADA;double;1,5;77\n")
    add_override(path, checked("here", one, cells(points="2", reason="=1+1"), Class()))
    found, notes = read_overrides(path, one, Class())
    assert [(each.student, each.points, each.reason) for each in found] == [("ada", 2.0, "=1+1")]
    assert len(notes) == 1
    assert "line 3 takes the place of line 2" in notes[0]
    text = path.read_text("utf-8-sig")
    assert "77" in text
    assert "\n'=1+1," in text
    assert found[0].when.startswith("20")


def test_the_report_counts_only_what_is_graded_and_only_who_handed_in(tmp_path):
    one, folder = assignment(tmp_path), tmp_path / "g"
    ada, _ = result(one, "ada", tmp_path)
    bob, _ = result(one, "bob", tmp_path, **WRONG)
    gone = replace(
        bob,
        student="gone",
        trouble="missing",
        outcomes=[replace(outcome, passed=False) for outcome in bob.outcomes],
    )
    sheet_folder = around(one, folder, ("ada", "bob", "gone"))
    sheet_folder.missing = {"gone"}
    sheet(one, folder, {"ada": {"why": "x"}, "bob": {"why": "y"}})
    enter(folder, "2")
    sheet_folder._read_by_hand()
    results = settled(sheet_folder, [ada, bob, gone])
    from minigrad.course.results import without_missing

    rows = {row.name: row for row in statistics(one, without_missing(results))}
    assert (rows["double"].mean, rows["double"].full, rows["double"].none) == (0.5, 0.5, 0.5)
    assert (rows["why"].mean, rows["why"].full) == (0.5, 0.0)  # of ada's alone: 2 of 4
    shown = write_report(tmp_path / "report", one, results).read_text()
    assert "2 students" in shown
    assert "why: 1" in shown
    assert "<h3>Missing</h3><p>1: gone</p>" in shown


def test_points_of_nobody_are_kept_and_said(tmp_path):
    one = assignment(tmp_path)
    (tmp_path / by_hand.SHEET).write_text("student,question,points,comment\naad,why,3,good\nada,why,,\n")
    made = by_hand.read_sheet(tmp_path, one, Class().student)
    assert len(made.notes) == 1
    assert "line 2" in made.notes[0]
    assert "'aad'" in made.notes[0]
    sheet(one, tmp_path, {"ada": {"why": "It is."}})
    rows = list(csv.DictReader((tmp_path / by_hand.SHEET).read_text("utf-8-sig").splitlines()))
    assert [(row["student"], row["points"], row["comment"]) for row in rows] == [
        ("aad", "3", "good"),
        ("ada", "", ""),
    ]


def test_a_text_that_nobody_has_read_yet_has_no_mean(tmp_path):
    one, folder = assignment(tmp_path), tmp_path / "g"
    ada, _ = result(one, "ada", tmp_path)
    shown = write_report(tmp_path / "report", one, settled(around(one, folder), [ada])).read_text()
    assert "nan" not in shown.split("<h3>Questions</h3>")[1].casefold()


def test_the_page_has_the_students_name(tmp_path):
    one = assignment(tmp_path)
    ada, _ = result(one, "ada", tmp_path)
    ada.settled.person = Person("ada", "Lovelace, <Ada>")
    assert "Lovelace, &lt;Ada&gt; (ada)" in page(one, ada)


def test_what_students_code_changes_beside_the_results_is_put_back(tmp_path):
    one, folder = assignment(tmp_path), tmp_path / "g"
    _, given = result(one, "ada", tmp_path)
    folder.mkdir()
    (folder / OVERRIDES).write_text("student,question,points,reason\nada,double,1,slip\n")
    before = (folder / OVERRIDES).read_bytes()
    around_it = Around.read(one, folder, [given], Names())
    (folder / OVERRIDES).write_text("student,question,points,reason\nada,double,3,nice\nada,square,3,nice\n")
    (folder / by_hand.SHEET).write_text("student,question,points\nada,why,4\n")  # none was there
    around_it.finish(anonymous=False)
    assert (folder / OVERRIDES).read_bytes() == before
    assert sum("was changed while students' code ran" in note for note in around_it.notes) == 2
    (row,) = csv.DictReader((folder / by_hand.SHEET).read_text("utf-8-sig").splitlines())
    assert row["points"] == ""


def test_jupytext_makes_the_same_notebook_of_a_text_cell(tmp_path):
    jupytext = pytest.importorskip("jupytext")
    one = assignment(tmp_path)
    notebook = jupytext.reads((tmp_path / "s1_small.py").read_text(), "py:percent")
    (cell,) = [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade_id") == "why"]
    (ours,) = [cell for cell in one.cells if cell.is_text]
    assert (cell.cell_type, cell.source, dict(cell.metadata["nbgrader"])) == (
        "markdown",
        ours.source,
        ours.nbgrader,
    )
