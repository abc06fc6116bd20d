"""A release: nothing of the solutions or of the hidden tests is left in it, and a student can work in it."""

from __future__ import annotations

import re

import pytest

from minigrad.course import assignment as form
from minigrad.course.assignment import load
from minigrad.course.cells import read_cells
from minigrad.course.checking import Check
from minigrad.course.release import release
from minigrad.errors import ConfigError, DataError
from tests.course.leaks import leaks
from tests.course.planting import sources

REGION = re.compile(r"### BEGIN (SOLUTION|HIDDEN TESTS)\n(.*?)### END", re.DOTALL)


def secret_lines(text):
    """Every line of a solution or of a hidden test that says something and stands nowhere else in the source."""
    inside = [line.strip() for _, region in REGION.findall(text) for line in region.split("\n")]
    outside = [line.strip() for line in REGION.sub("", text).split("\n")]
    return {line for line in inside if re.search(r"\w", line)} - set(outside)


@pytest.mark.parametrize("notebook", [False, True], ids=["py", "ipynb"])
@pytest.mark.parametrize("path", sources(), ids=lambda path: path.stem)
def test_no_line_of_a_solution_or_of_a_hidden_test_survives(path, notebook, tmp_path):
    written = release(load(path), tmp_path, notebook=notebook)
    left = [line.strip() for cell in read_cells(written) for line in cell.source.split("\n")]
    secrets = secret_lines(path.read_text(encoding="utf-8"))
    assert len(secrets) > 20
    assert not secrets & set(left)
    everything = "".join(each.read_text(encoding="utf-8") for each in tmp_path.iterdir())
    assert "SOLUTION" not in everything
    assert "HIDDEN" not in everything
    for test in load(path).tests:
        if test.hidden:
            hint = re.search(r'"""(.*?)"""', test.source, re.DOTALL)
            assert hint[1].split("\n")[0] not in everything
            advice = re.search(r'advice="(.*?)"', test.source)
            assert advice is None or advice[1] not in everything


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.stem)
def test_a_release_keeps_points_public_tests_and_the_number_of_hidden_ones(path, tmp_path):
    source, student = load(path), load(release(load(path), tmp_path))
    assert student.points == source.points
    assert [(t.name, t.points, t.hidden) for t in student.tests] == [
        (t.name, t.points, t.hidden) for t in source.tests
    ]
    public = [t.name for t in source.tests if not t.hidden]
    check = Check.of(tmp_path / path.name)
    assert check.problems == []
    assert check.hidden == sum(t.hidden for t in source.tests)
    outcomes = [outcome for _, each in check.outcomes() for outcome in each]
    assert len(outcomes) == len(public)
    assert {outcome.kind for outcome in outcomes} == {"unwritten"}


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.stem)
def test_no_piece_of_a_solution_stands_in_the_public_tests_and_hints_of_a_release(path, tmp_path):
    source, student = load(path), load(release(load(path), tmp_path))
    assert leaks(source, [test.source for test in student.tests if not test.hidden]) == set()


def test_a_piece_of_a_solution_is_found_in_other_words():
    one = load(sources()[0])
    for told in (
        "close(x, (1 - v**2) * up)",
        'hint = "The slope of tanh is 1 - y²."',
        'hint = "Multiply g by (1 - y · y), and by nothing else."',
        "close(student.matmul_vjp_a(g, b), g @ b.T)",
        "slips = {'s': np.broadcast_to(g, a_shape)}",
    ):
        assert leaks(one, [told]), told
    assert not leaks(
        one, ["close(student.f(g, y), vjp(np.tanh, [a], 0, g))", 'hint = "Two of them - a and b."']
    )
    with_the_graders_part = [test.source for test in one.tests if not test.hidden]
    assert len(leaks(one, with_the_graders_part)) >= 3


def test_a_release_never_overwrites_a_students_work(tmp_path):
    written = release(load(sources()[0]), tmp_path)
    written.write_text("my work")
    with pytest.raises(FileExistsError):
        release(load(sources()[0]), tmp_path)
    assert written.read_text() == "my work"


def test_an_assignment_is_found_by_its_number_and_by_its_path():
    assert form.find("A1") == form.find("a1_rules") == form.find(str(form.find("a1"))) == sources()[0]
    with pytest.raises(ConfigError, match=r"MG-941.*A1, A2"):
        form.find("A99")


HEAD = '# %% nbgrader={"grade": false, "grade_id": "f", "locked": false, "schema_version": 3, "solution": true}\n'
BODY = "def f(x):\n    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION\n\n"
TEST = (
    HEAD.replace('"solution": true', '"points": 1, "solution": false')
    .replace('"f"', '"t"')
    .replace("false", "true", 1)
)
CODE = '@test\ndef t(student, rng):\n    """Hint."""\n    close(student.f(1), 1)\n'
WHOLE = HEAD + BODY + TEST + CODE


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (HEAD, "# %%\n", "above every question"),
        (TEST, "# %%\n", "has no test"),
        ('"points": 1, ', "", "lacks points"),
        ('"points": 1', '"points": 0', "whole points"),
        ('"points": 1', '"points": 0.5', "whole points"),
        ('"grade_id": "t"', '"grade_id": "f"', "grade_id of its own"),
        ('"grade_id": "t"', '"grade_id": "../t"', "grade_id of its own"),
        ("    ### END SOLUTION\n", "", "lacks '### END SOLUTION'"),
        ("    ### BEGIN SOLUTION\n", "", "where 'a BEGIN' is due"),
        ("    ### BEGIN SOLUTION", "### BEGIN SOLUTION", "outside a function"),
        ("@test\n", "", "one function marked @test"),
        ('    """Hint."""\n', "", "hint as its docstring"),
        ("@test\n", "### BEGIN HIDDEN TESTS\n@test\n", "lacks '### END HIDDEN TESTS'"),
        (CODE, "x = 1\n### BEGIN HIDDEN TESTS\n" + CODE + "### END HIDDEN TESTS\n", "hidden in part"),
        ("close(student", "close(student(", "no Python"),
        (WHOLE, "", "no question"),
    ],
)
def test_an_assignment_of_the_wrong_form_is_refused(old, new, words, tmp_path):
    path = tmp_path / "a9_wrong.py"
    path.write_text(WHOLE)
    assert load(path).points == 1
    assert old in WHOLE
    path.write_text(WHOLE.replace(old, new))
    with pytest.raises(DataError, match=re.escape(words)) as caught:
        load(path)
    assert caught.value.code == "MG-943"


def test_a_readme_keeps_what_else_it_says(tmp_path):
    (tmp_path / "README.md").write_text("# Our course\n\nOffice hours: Monday.\n")
    first, second = (load(path) for path in sources()[:2])
    release(first, tmp_path)
    release(second, tmp_path, notebook=True)
    (tmp_path / f"{first.name}.py").unlink()
    release(first, tmp_path)
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert text.startswith("# Our course\n\nOffice hours: Monday.\n")
    for one, file in ((first, f"{first.name}.py"), (second, f"{second.name}.ipynb")):
        assert text.count(f"# {one.title}\n") == 1
        assert text.count(f"minigrad course check {file}\n") == 1
