"""Another class gets other numbers: its release holds no more than these, and last year's answers fail."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from minigrad.course import varied
from minigrad.course.assignment import find, load, released
from minigrad.course.cells import Cell, from_percent, to_percent
from minigrad.course.checking import Check
from minigrad.course.release import release, write_source
from minigrad.course.variant import differ, drawn, needed, numbers_in
from minigrad.errors import ConfigError, DataError
from tests.course import planting
from tests.long import first

VARY = ["A1", "A4", "A6", "A8"]
SEEDS = ["f3a9", "14", "next year's class", "日本"]
HEADER = '# %% nbgrader={"grade": false, "grade_id": "imports", "locked": true, "schema_version": 3, "solution": false}'


def cells_of(statement: str, text: str = "") -> list[Cell]:
    return from_percent(f"{HEADER}\n{statement}\n\n# %% [markdown]\n# {text or 'Nothing.'}\n")


def numbers(one) -> dict:
    return numbers_in(one.cells)


def lost(one, cells) -> set[str]:
    return {outcome.test for outcome in planting.graded(one, cells) if not outcome.passed}


def test_of_a_list_the_first_is_the_assignments_own():
    own = varied(a=[3, 4], b=range(5, 9), c=0.5, d=[(2, 3), (3, 2)], e="text")
    assert vars(own) == {"a": 3, "b": 5, "c": 0.5, "d": (2, 3), "e": "text"}
    cells = cells_of("variant = varied(a=[3, 4], b=range(5, 9), c=0.5, d=[(2, 3), (3, 2)], e='text')")
    assert numbers_in(drawn("any", cells, "")) == vars(own)


def test_a_variant_has_none_of_the_numbers_that_everybody_knows():
    cells = cells_of("variant = varied(a=[3, 4], b=range(5, 9), c=0.5)")
    seen = [numbers_in(drawn("any", cells, str(seed))) for seed in range(100)]
    assert {each["a"] for each in seen} == {4}
    assert {each["b"] for each in seen} == {6, 7, 8}
    assert {each["c"] for each in seen} == {0.5}
    assert numbers_in(drawn("any", cells, "7")) == seen[7]
    more = cells_of("variant = varied(new=[1, 2, 3, 4], b=range(5, 9))")
    assert [numbers_in(drawn("any", more, str(seed)))["b"] for seed in range(100)] == [e["b"] for e in seen]


def test_text_and_docstrings_get_the_numbers_and_braces_of_pythons_stay():
    code = 'variant = varied(beta=[0.9, 0.8])\ndef f():\n    """β is {{beta}}."""\n    return f"{{other}}"'
    cells = drawn("any", cells_of(code, r"With $\beta = {{beta}}$."), "seed")
    assert [cell.source for cell in cells] == [
        'variant = varied(beta=0.8)\ndef f():\n    """β is 0.8."""\n    return f"{{other}}"',
        r"With $\beta = 0.8$.",
    ]


@pytest.mark.parametrize(
    "statement",
    [
        "variant = varied(beta=[])",
        "variant = varied(range(3))",
        "variant = varied(beta=[0.9, rate()])",
        "variant = varied(**numbers)",
        "variant = varied(beta=range('x'))",
        "variant = varied(a=1)\nvariant = varied(b=2)",
    ],
)
def test_a_statement_that_cannot_be_read_is_refused(statement):
    with pytest.raises(DataError, match="MG-952"):
        drawn("any", cells_of(statement), "")


def test_a_name_that_is_none_and_a_variant_of_nothing_are_refused():
    with pytest.raises(DataError, match=r"MG-952.*\{\{bata\}\}.*beta"):
        drawn("any", cells_of("variant = varied(beta=[0.9, 0.8])", "{{bata}}"), "")
    with pytest.raises(ConfigError, match="MG-952"):
        drawn("any", cells_of("import numpy as np", r"$\sqrt{{x}}$"), "seed")
    assert drawn("any", cells_of("import numpy as np", r"$\sqrt{{x}}$"), "")[1].source == r"$\sqrt{{x}}$"


def test_a_release_has_those_numbers_alone_that_its_code_uses():
    code = cells_of("variant = varied(shown=[1, 2], hidden=[3, 4])\nx = variant.shown")
    assert needed(drawn("any", code, ""))[0].source == "variant = varied(shown=1)\nx = variant.shown"


@pytest.mark.parametrize("seed", ["", *SEEDS])
@pytest.mark.parametrize("name", VARY)
def test_the_reference_gets_all_points_in_every_variant(name, seed):
    one = load(find(name), seed)
    assert lost(one, one.submitted) == set()
    own = numbers(load(find(name)))
    assert all((numbers(one)[key] == own[key]) == (seed == "") for key in own)


@pytest.mark.parametrize("name", VARY)
def test_a_release_tells_neither_the_seed_nor_what_could_have_been_drawn(name, tmp_path):
    one = load(find(name), "a secret seed")
    path = release(one, tmp_path)
    text = "".join(file.read_text(encoding="utf-8") for file in sorted(tmp_path.iterdir()))
    assert "secret" not in text
    (statement,) = re.findall(r"^variant = varied\((.*)\)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    assert "[" not in statement
    assert "range" not in statement
    given = load(path)
    assert given.cells[0].source == one.cells[0].source
    assert numbers(given).items() <= numbers(one).items()
    assert not re.search(
        r"\{\{\w+\}\}", "".join(cell.source for cell in given.cells if cell.kind == "markdown")
    )
    check = Check.of(path)
    assert check.problems == []
    assert {outcome.kind for _, some in check.outcomes() for outcome in some} == {"unwritten"}


@pytest.mark.parametrize("name", VARY)
def test_the_reference_passes_the_check_of_its_own_variant(name, tmp_path):
    one = load(find(name), "f3a9")
    given = load(release(one, tmp_path / "out"))
    solved = [
        *(cell for cell in given.cells if not cell.is_solution),
        *(cell for cell in one.cells if cell.is_solution),
    ]
    solved.sort(key=lambda cell: [each.name for each in given.cells].index(cell.name) if cell.name else -1)
    mine = tmp_path / "mine.py"
    mine.write_text(to_percent(solved), encoding="utf-8")
    outcomes = [outcome for _, some in Check.of(mine).outcomes() for outcome in some]
    assert len(outcomes) == sum(not test.hidden for test in one.tests)
    assert all(outcome.passed for outcome in outcomes), [o.lines() for o in outcomes if not o.passed]


HARD_CODED = [
    ("A1", "+ variant.kink * g * (a == 0)", "", "relu-kink"),
    ("A1", "np.broadcast_to(g, a_shape)", "np.full((2, 3), g)", "sum-numbers"),
    ("A4", "y = x @ w.T", "y = np.einsum('si,oi->so', x.reshape(2, 3), w)", "dense-batch"),
    ("A4", "g.reshape(-1, g.shape[-1]).sum(axis=0)", "g.reshape(-1, 4).sum(axis=0)", "bias-shapes"),
    (
        "A6",
        "alpha=variant.alpha, beta1=variant.beta1, beta2=variant.beta2",
        "alpha=0.001, beta1=0.9, beta2=0.999",
        "adam-path",
    ),
    ("A6", '"printed_factor": variant.scale', '"printed_factor": 10', "diagnosis-factor"),
    ("A8", "range(steps)", "range(60 if steps > 20 else steps)", "train-reads"),
    ("A8", "nn.Linear(64, variant.signs", "nn.Linear(64, 10", "train-better"),
    ("A8", "range(0, n, size)", "range(0, 7, size)", "batches-whole"),
]


@pytest.mark.parametrize(("name", "old", "new", "test"), HARD_CODED)
def test_numbers_of_last_year_fail_this_year(name, old, new, test):
    change = planting.Planted("", old, new, "")
    last_year = load(find(name))
    assert test not in lost(last_year, planting.changed(last_year, change))
    for seed in ("14", "33"):
        one = load(find(name), seed)
        assert test in lost(one, planting.changed(one, change))


@pytest.mark.parametrize("name", VARY)
def test_a_file_of_another_variant_is_told(name):
    one, other = (load(find(name), seed) for seed in ("f3a9", "14"))
    assert not differ(one.cells, released(one))
    assert differ(one.cells, released(load(find(name))))
    if numbers(one) != numbers(other):
        assert differ(one.cells, other.cells)
    assert not differ(one.cells, cells_of("variant = varied(a=1)\nvariant = varied(b=2)"))
    assert not differ(one.cells, cells_of("import numpy as np"))


def test_the_whole_source_of_a_variant_is_the_variant(tmp_path):
    one = load(find("A6"), "f3a9")
    written = load(write_source(one, tmp_path))
    assert [(cell.kind, cell.source, cell.nbgrader) for cell in written.cells] == [
        (cell.kind, cell.source, cell.nbgrader) for cell in one.cells
    ]
    assert lost(written, one.submitted) == set()


def test_release_and_grade_by_the_command(tmp_path):
    def run(*words: str) -> str:
        command = [sys.executable, "-m", "minigrad", "course", *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    run("release", "A4", str(tmp_path / "private"), "--variant", "f3a9", "--source")
    run("release", "A4", str(tmp_path / "out"), "--variant", "f3a9")
    given = tmp_path / "in"
    given.mkdir()
    for student, seed in (("ada", "f3a9"), ("bob", "")):
        (given / f"{student}.py").write_text(to_percent(load(find("A4"), seed).cells), encoding="utf-8")
    points = load(find("A4")).points
    told = run("grade", "A4", str(given), "--variant", "f3a9", "--out", str(tmp_path / "g.csv"))
    by_path = run(
        "grade", str(tmp_path / "private" / "a4_dense.py"), str(given), "--out", str(tmp_path / "h.csv")
    )
    for out, said in (("g.csv", told), ("h.csv", by_path)):
        rows = Path(tmp_path / out).read_text().splitlines()
        assert [row.split(",")[2] for row in rows[1:]] == [str(points)] * 2
        assert re.search(r"other numbers.*: bob$", said, re.MULTILINE)


@pytest.mark.parametrize("seed", first(["f3a9", "14"]))
@pytest.mark.parametrize("name", ["A1", "A4", "A6"])  # those of A8 train a network each
def test_each_planted_mistake_loses_and_is_told_the_same_in_a_variant(name, seed):
    one = load(find(name), seed)
    for wrong in planting.planted(find(name).stem):
        outcomes = planting.graded(one, planting.changed(one, wrong))
        assert {outcome.test for outcome in outcomes if not outcome.passed} == wrong.lost, wrong.what
        said = planting.told(one, outcomes)
        assert bool(said) == bool(wrong.says), (wrong.what, said)
        assert all(re.search(wrong.says, text) for text in said.values()), (wrong.what, said)
