"""What students and instructors get to see: feedback that hides what is hidden, results.json, the report."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from minigrad.course import feedback, similarity
from minigrad.course.assignment import find, load
from minigrad.course.cells import Cell
from minigrad.course.feedback import gradescope, page, write_feedback
from minigrad.course.holding import Holding
from minigrad.course.report import statistics, write_report
from minigrad.course.results import Result, as_json, from_json
from minigrad.course.running import Bench, failed, local
from minigrad.course.settling import write_csv
from minigrad.course.submissions import Submission
from minigrad.errors import DataError
from tests.course.planting import sources

A1 = load(find("A1"))
SPY = "raise ValueError('<b>' + repr((y.tolist(), g.tolist(), str(globals()), '&SPY;')))"


def graded(student: str, old: str = "", new: str = "", one=A1) -> Result:
    cells = [replace(cell, source=cell.source.replace(old, new)) if old else cell for cell in one.submitted]
    bench = Bench(one)
    person, problems = local(cells, one)
    outcomes = [bench.run(test, person, 7) for test in one.tests]
    return Result(student, f"{student}.py", {}, outcomes, problems)


class Seen(HTMLParser):
    """Checks that what is opened is closed, in order; keeps the text."""

    def __init__(self, text):
        super().__init__()
        self.open, self.text = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        assert tag != "script"
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_a_page_shows_hint_call_input_expected_and_got_of_a_public_test():
    seen = Seen(page(A1, graded("ada", "(1 - y * y)", "(1 - y)")))
    assert not seen.open
    for words in (
        "19 of 21 points",
        "The square is missing",
        "tanh_vjp",
        "g = [[",
        "9 of 10 questions are complete",
    ):
        assert words in seen.text


def test_hidden_tests_show_nothing_but_their_advice():
    hidden = [test for test in A1.tests if test.hidden]
    result = graded("eve", "return g * (1 - y * y)", SPY)
    shown = page(A1, result) + json.dumps(gradescope(A1, result))
    outcomes = {outcome.test: outcome for outcome in result.outcomes}
    spied = outcomes["tanh-network"]
    assert "&SPY;" in spied.message  # the student's code did learn the inputs, and put them into its message
    assert "Your code raised an error." in shown
    public = "".join(test.source for test in A1.tests if not test.hidden)
    for test in hidden:
        assert test.name not in shown
        for line in test.source.split("\n"):
            if len(line.strip()) > 12 and "advice=" not in line and line not in public:
                assert line.strip() not in shown
    numbers = set(re.findall(r"-?\d\.\d{4,}", spied.message)) - set(
        re.findall(r"-?\d\.\d{4,}", outcomes["tanh-numbers"].message)
    )
    assert len(numbers) > 5
    assert not any(number in shown for number in numbers)


def test_everything_of_the_students_is_escaped():
    result = graded("<img src=x>", "return g * (1 - y * y)", SPY)
    result.problems = [{"cell": "<i>", "message": "<u>", "line": 3, "text": "<s>", "kind": "raised"}]
    text = page(A1, result)
    assert not Seen(text).open
    for tag in ("<img", "<b>'", "<i>", "<u>", "<s>", "&SPY;"):
        assert tag not in text


def test_what_a_students_function_returns_is_escaped_too():
    text = page(A1, graded("eve", "return g * (1 - y * y)", "return '<script>1</script>'"))
    assert not Seen(text).open
    assert "&lt;script&gt;" in text


def test_a_result_that_was_stored_under_the_old_name_is_read():
    result = graded("ada", "return g * (1 - y * y)", "return 1 / 0")
    stored = as_json(result)
    messages = [outcome["message"] for outcome in stored["outcomes"]]
    assert any(messages)
    for outcome in stored["outcomes"]:
        outcome["said"] = outcome.pop("message")
    assert [outcome.message for outcome in from_json(stored).outcomes] == messages


def test_results_json_is_what_gradescope_reads(tmp_path):
    result = graded("ada", "(1 - y * y)", "(1 - y)")
    write_feedback(tmp_path, A1, result)
    content = json.loads((tmp_path / "gradescope" / "ada" / "results.json").read_text())
    assert content["score"] == result.score == 19
    assert sum(test["max_score"] for test in content["tests"]) == 21
    # Gradescope shows no total while a test waits for the grades, and does show it where one is "hidden"
    hidden = [test.hidden for question in A1.questions for test in question.tests]
    assert [test["visibility"] for test in content["tests"]] == [
        "after_published" if each else "visible" for each in hidden
    ]
    assert [test["number"] for test in content["tests"][:3]] == ["1.1", "1.2", "2.1"]
    assert (tmp_path / "feedback" / "ada.html").read_text() == page(A1, result)


BODIES = {  # of tanh_vjp, and the word and the mark for what came of it
    "return g * (1 - y)": ("wrong", "✗"),
    "return 1 / 0": ("could not be graded", "!"),
    "raise SystemExit": ("could not be graded", "!"),
    "raise MemoryError": ("could not be graded", "!"),
    "return g +": ("could not be graded", "!"),
    "del g, y; return nothing": ("could not be graded", "!"),
    "raise NotImplementedError()": ("not written yet", "·"),
    "return g * (1 - y * y)": ("passed", "✓"),
}


@pytest.mark.parametrize("body", BODIES)
def test_wrong_and_could_not_be_graded_look_different_everywhere(tmp_path, body):
    word, mark = BODIES[body]
    result = graded("ada", "return g * (1 - y * y)", body)
    of_tanh = {test.name for question in A1.questions if question.name == "tanh" for test in question.tests}
    assert {outcome.verdict for outcome in result.outcomes if outcome.test in of_tanh} == {(word, mark)}
    others = {"wrong", "could not be graded", "not written yet"} - {word}
    text = page(A1, result)
    assert f'<span class="mark" title="{word}">{mark}</span> tanh numbers' in text
    seen = Seen(text).text
    scores = gradescope(A1, result)
    told = [test["output"] for test in scores["tests"] if test["name"].startswith("5. tanh")]
    write_csv(tmp_path / "t.csv", A1, [result])
    with open(tmp_path / "t.csv", newline="", encoding="utf-8") as table:
        (row,) = csv.DictReader(table)
    assert not any(f"1 {other}" in seen or f"2 {other}" in seen or row[other] != "0" for other in others)
    if word == "passed":
        assert told == ["", ""]
        return
    assert f"2 {word}" in seen
    assert [line.split("\n")[0] for line in told] == [f"{mark} {word}"] * 2
    assert scores["output"].startswith(f"Of 20 tests: 2 {word}.")
    assert row[word] == "2"


@pytest.mark.parametrize("body", ["return 'text'", "return [g, object()]", "return None", "return {}"])
def test_an_answer_of_another_kind_is_wrong(body):
    result = graded("ada", "return g * (1 - y * y)", body)
    (outcome,) = (outcome for outcome in result.outcomes if outcome.test == "tanh-numbers")
    assert outcome.verdict.word == "wrong"


def test_each_verdict_has_a_colour_of_its_own():
    style = (Path(feedback.__file__).parent / "feedback.css").read_text(encoding="utf-8")
    classes = feedback._CLASSES.values()
    rules = [re.search(rf"\.{name} \.mark[^{{]*{{ color: var\((--\w+)\)", style) for name in classes]
    colours = [rule[1] for rule in rules]
    assert len(set(colours)) == 4
    assert all(style.count(f"{colour}:") == 2 for colour in colours)  # in the light and in the dark


def test_what_cannot_be_graded_at_all_says_so_in_every_test(tmp_path):
    outcomes = [failed(test, "trouble", "There is no code in the file.") for test in A1.tests]
    result = Result("eve", "eve.py", {}, outcomes, trouble="There is no code in the file.")
    assert "20 could not be graded" in Seen(page(A1, result)).text
    assert {test["output"].split("\n")[0] for test in gradescope(A1, result)["tests"]} == {
        "! could not be graded"
    }


def test_a_result_comes_back_from_its_file():
    result = graded("ada", "(1 - y * y)", "(1 - y)")
    assert from_json(json.loads(json.dumps(as_json(result)))) == result
    for broken in ({}, [], {"outcomes": [{}]}, {"outcomes": 3}):
        with pytest.raises(DataError, match="MG-945"):
            from_json(broken)


def test_the_table_keeps_a_spreadsheet_from_running_names(tmp_path):
    write_csv(tmp_path / "t.csv", A1, [graded("=cmd()"), graded("bob", "return g / a", "return a")])
    with open(tmp_path / "t.csv", newline="", encoding="utf-8") as table:
        rows = list(csv.DictReader(table))
    assert rows[0]["student"] == "'=cmd()"
    assert [row["score"] for row in rows] == ["21", "19"]
    assert rows[1]["log"] == "0"


def test_statistics_are_those_worked_out_by_hand():
    results = [
        graded("a"),
        graded("b", "return g / a", "return a"),
        graded("c", "return g / a", "return g / (a + 1e-12)"),
    ]
    rows = {row.name: row for row in statistics(A1, results)}
    assert rows["log"][2:6] == (2, 0.5, pytest.approx(1 / 3), pytest.approx(1 / 3))
    assert rows["exp"][2:6] == (2, 1.0, 1.0, 0.0)
    assert np.isnan(rows["exp"].discrimination)


def test_a_report_is_written_and_lists_who_is_alike(tmp_path):
    odd = (
        "total = g * 1\n    for _ in range(3):\n        total = total + 0 * y\n    return total * (1 - y * y)"
    )
    copied = odd.replace("total", "my_sum")
    given, results = [], []
    for k in range(12):
        new = {3: odd, 8: copied}.get(k, "return g * (1 - y * y)" if k % 2 else "return g - g * y * y")
        cells = [replace(c, source=c.source.replace("return g * (1 - y * y)", new)) for c in A1.submitted]
        given.append(Submission(f"s{k}", None, "", cells))
        results.append(graded(f"s{k}"))
    path = write_report(tmp_path, A1, results, given)
    seen = Seen(path.read_text())
    assert not seen.open
    assert "s3 and s8: tanh" in seen.text
    assert "12 students" in seen.text
    assert (tmp_path / "scores.png").read_bytes()[:4] == b"\x89PNG"
    assert (tmp_path / "questions.csv").read_text().startswith("name,title,points,mean")
    starter = [
        replace(cell, source="def tanh_vjp(g, y):\n    raise NotImplementedError()")
        for cell in A1.submitted[:1]
    ]
    pairs = similarity.similar({one.student: one.cells for one in given}, starter)
    assert [(pair.one, pair.other) for pair in pairs] == [("s3", "s8")]
    assert pairs[0].share > 0.9


def test_the_report_says_what_held_as_they_were_graded(tmp_path):
    closed = dict.fromkeys(Holding._fields, False)
    given = [
        replace(graded("a"), held=closed),
        replace(graded("b"), held=closed),
        replace(graded("c"), held=closed | {"reads": True}),
        graded("d"),
    ]
    stored = [from_json(json.loads(json.dumps(as_json(result)))) for result in given]
    said = Seen(write_report(tmp_path, A1, stored).read_text()).text.partition("What kept students' code in")[
        2
    ]
    assert "2 submissions: On the machine that graded them a student's code cannot read solutions" in said
    assert "1 submission: On the machine that graded them a student's code cannot write outside" in said
    assert "It CAN read solutions or other submissions" in said
    assert "1 submission: What held as they were graded was not looked at." in said
    said = Seen(write_report(tmp_path, A1, stored[:2]).read_text()).text.partition(
        "What kept students' code in"
    )[2]
    assert said.startswith("On the machine that graded a student's code cannot read solutions")
    assert "CAN" not in said


def test_pieces_do_not_depend_on_names_comments_and_docstrings():
    one = Cell("code", 'def f(a, b):\n    """What."""\n    c = a * b  # why\n    return np.exp(c) + 1')
    two = Cell("code", "def f(x, why):\n    prod = x*why\n    return np.exp(prod) + 1")
    other = Cell("code", "def f(x, why):\n    prod = x*why\n    return np.log(prod) + 1")
    assert similarity.pieces(one) == similarity.pieces(two) != similarity.pieces(other)
    assert similarity.pieces(Cell("code", "def f(:")) == set()


def test_the_course_has_its_assignments():
    assert [path.stem.partition("_")[0] for path in sources()][:2] == ["a1", "a2"]
