"""Lessons as files: the shipped ones, and what is said of one that is wrong, with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from minigrad.cli.step import recorded
from minigrad.errors import ConfigError, DataError
from minigrad.viz import examples, page_live
from minigrad.viz.lessons.binding import Bound, bind, on_page
from minigrad.viz.lessons.reading import names, parse, read

GOOD = """\
lesson = "mine"
title = "Mine"
example = "mlp"

[[challenge]]
name = "small-loss"
title = "Bring the loss down"
text = "Change weights."
condition = "loss < 0.01"

[[challenge]]
name = "slope"
title = "The slope"
text = "What is it?"
ask = "dL/dW1[0,0] ="
answer = "grad(W1)[0, 0]"
"""


def bound(text: str) -> Bound:
    lesson = parse(text, "mine.toml")
    trace = recorded(lesson)
    return bind(lesson, trace, page_live.page(trace)[0])


@pytest.mark.parametrize("name", names())
def test_a_shipped_lesson_fits_its_step(name: str) -> None:
    lesson = read(name)
    trace = recorded(lesson)
    made = bind(lesson, trace, page_live.page(trace)[0])
    assert lesson.name == name
    assert len(made.data()["challenges"]) == len(lesson.challenges) >= 3
    assert all(challenge.hint for challenge in lesson.challenges)


def test_there_are_three_lessons_at_least() -> None:
    assert {"dead-units", "first-quarter", "vanishing"} <= set(names())


def test_a_lesson_of_ones_own_opens_a_program_beside_it(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "import minigrad as mg\nw = mg.Tensor([2.0], requires_grad=True, name='w')\n"
        "def step():\n    loss = (w * w).sum()\n    loss.backward()\n"
    )
    (tmp_path / "mine.toml").write_text(
        GOOD.replace('example = "mlp"', 'program = "mine.py"').replace("grad(W1)[0, 0]", "grad(w)[0]")
    )
    lesson = read(str(tmp_path / "mine.toml"))
    trace = recorded(lesson)
    made = bind(lesson, trace, page_live.page(trace)[0])
    assert made.worth(1, made.replay.worked_out(made.replay.start), 0.0) == 4.0
    version = lesson.version
    (tmp_path / "mine.py").write_text((tmp_path / "mine.py").read_text().replace("2.0", "3.0"))
    assert read(str(tmp_path / "mine.toml")).version != version


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('title = "Mine"', 'title = "Mine', r"mine.toml is no TOML: .*line 2"),
        ('title = "Mine"', 'titel = "Mine"', r"mine.toml line 2: a lesson has no 'titel'. Did you mean title\?"),
        ('title = "Mine"\n', "", r"mine.toml: a lesson needs a title. Write title = "),
        ('title = "Mine"', "title = 3", r"mine.toml line 2: title is a text, and 3 is given"),
        ('lesson = "mine"', 'lesson = "My lesson"', r"mine.toml line 1: 'My lesson' is no name"),
        ('example = "mlp"', "", r"mine.toml line 1: a lesson opens one step, and says none"),
        ('example = "mlp"', 'example = "mlp"\nsource = "x"', r"line 4: a lesson opens one step, and says example and"),
        ('example = "mlp"', 'example = "mlp"\nat = 0', r"line 4: at is the number of the step .*and 0"),
        ('example = "mlp"', 'example = "mlp"\nlock = "W1"', r"line 4: lock is a list of names"),
        ('name = "slope"', 'name = "small-loss"', r"line 12: two challenges are called 'small-loss'"),
        ('name = "slope"', 'name = "slope"\nafter = "x"', r"line 13: no challenge above this one is called 'x'; above"),
        ('answer = "grad(W1)[0, 0]"', "", r"line 12: a challenge has a condition .* has neither"),
        ('ask = "dL/dW1[0,0] ="', 'condition = "loss < 1"', r"line 16: a challenge has .*has both"),
        ('ask = "dL/dW1[0,0] ="', "", r"line 16: ask and answer go together"),
        ('text = "What is it?"', "", r"line 11: challenge 2 needs a text"),
    ],
)  # fmt: skip
def test_a_bad_file_is_told_where_and_what_to_do(old: str, new: str, said: str) -> None:
    with pytest.raises(DataError, match=f"MG-656 .*{said}"):
        parse(GOOD.replace(old, new), "mine.toml")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("loss < 0.01", "W3 < 0.01", r"line 9: 'W3 < 0.01': there is no tensor W3; there are .*W1"),
        ("loss < 0.01", "W1 < 0.01", r"line 9: 'W1 < 0.01' is an array \(2×2\). Say of which entries: all"),
        ("loss < 0.01", "loss - 1", r"line 9: 'loss - 1' is a number. A condition compares"),
        ("loss < 0.01", "loss > 0", r"line 9: 'loss > 0' holds before anything is changed"),
        ("loss < 0.01", "grad(y)[0, 0] > 0", r"line 9: .*no gradient came to y; those that got one are .*W1"),
        ("loss < 0.01", "new(x)[0, 0] > 0", r"line 9: .*no optimizer updates x"),
        ("loss < 0.01", "W1[5, 0] > 0", r"line 9: .*cannot be worked out on this step: index 5 is out of bounds"),
        ("loss < 0.01", "eval(loss)", r"line 9: .*there is no function eval; there are"),
        ("grad(W1)[0, 0]", "grad(W1)", r"line 16: 'grad\(W1\)' is an array"),
        ('text = "What is it?"', 'text = "?"\nshow = "W9"', r"line 15: there is no tensor W9"),
        ('text = "What is it?"', 'text = "?"\nshow = "new(x)"', r"line 15: nothing on the page shows new\(x\)"),
        ('text = "What is it?"', 'text = "?"\nlock = ["W9"]', r"line 15: 'W9' is nothing that can be locked; .*W1"),
    ],
)  # fmt: skip
def test_what_does_not_fit_the_step_is_told_with_its_line(old: str, new: str, said: str) -> None:
    with pytest.raises(DataError, match=f"MG-657 mine.toml {said}"):
        bound(GOOD.replace(old, new))


@pytest.mark.parametrize(
    ("opened", "said"),
    [
        ('example = "rhombus"', r"line 3: there is no example 'rhombus'; there are line, parabola"),
        ('source = "1 / 0"', r"line 3: the program cannot be run: ZeroDivisionError"),
        ('source = "x = 1"', r"line 3: the program cannot be run: it has no step\(\)"),
    ],
)
def test_a_step_that_cannot_be_opened(opened: str, said: str) -> None:
    with pytest.raises(DataError, match=f"MG-656 mine.toml {said}"):
        recorded(parse(GOOD.replace('example = "mlp"', opened), "mine.toml"))


def test_a_step_without_a_live_page_has_no_lesson() -> None:
    source = (
        "source = '''\nimport numpy as np\nimport minigrad as mg\n"
        "a = mg.Tensor(np.eye(2), requires_grad=True, name='a')\n"
        "def step():\n    np.linalg.inv(a).sum().backward()\n'''"
    )
    lesson = parse(GOOD.replace('example = "mlp"', source), "mine.toml")
    trace = recorded(lesson)
    why = r"MG-657 mine.toml line 3: the page of this step is not live, .*: inv_1 = .*Record it without.*\(MG-670\)"
    with pytest.raises(DataError, match=why):
        bind(lesson, trace, *page_live.page(trace))
    with pytest.raises(DataError, match=why):
        trace.html(lesson=on_page(lesson))
    with pytest.raises(DataError, match=r"not live, .*: it was made with live=False"):
        trace.html(lesson=on_page(lesson), live=False)


def test_a_lesson_is_about_one_step() -> None:
    with pytest.raises(
        DataError, match=r"MG-657 mine.toml line \d+: a lesson is about one step, and 3 are recorded"
    ):
        examples.record("mlp", steps=3).html(lesson=on_page(parse(GOOD, "mine.toml")))


def test_what_is_neither_a_file_nor_a_lesson(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"MG-656 'nothing' is neither .*those are .*first-quarter"):
        read("nothing")
    (tmp_path / "mine.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match=r"MG-656 .*no text in UTF-8"):
        read(str(tmp_path / "mine.toml"))


def test_locks_and_what_is_shown() -> None:
    made = bound(
        GOOD.replace(
            'text = "What is it?"', 'text = "?"\nshow = "grad(W1)"\nlock = ["data", "W2", "rate", "steps"]'
        )
    )
    assert set(made.locks[1]) == {"x", "y", "W2", ":eta", ":alpha", ":step"}
    shown = made.data()["challenges"][1]["show"]
    event = made._trace.events[shown]
    assert made._trace.nodes[event.node].name == "W1"
    assert event.kind == "accumulate_grad"
