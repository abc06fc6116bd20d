"""Every exercise: its solution passes, every planted wrong answer gets its own hint, a placeholder is "not yet".

The solutions and the wrong answers are in ``planted_01.py`` … beside this file; the docstring of
``minigrad.exercises`` shows their form.
"""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad.errors import ConfigError
from minigrad.exercises import checking, exercise, registered
from minigrad.exercises.checking import NotYet, answer, array, call, close, judge

PLANTED = {
    path.stem[-2:]: import_module(f"tests.tutorials.{path.stem}")
    for path in sorted(Path(__file__).parent.glob("planted_*.py"))
}
EXERCISES = list(registered())
WRONG = [
    (name, words)
    for planted in PLANTED.values()
    for name, answers in sorted(planted.WRONG.items())
    for words in answers
]


def told(check, given, capsys) -> tuple[bool, str]:
    capsys.readouterr()
    right = bool(check(given))
    return right, capsys.readouterr().out


def test_every_tutorial_has_three_exercises_with_planted_answers():
    tutorials = sorted({name[:2] for name in EXERCISES})
    assert [f"{tutorial}.{k}" for tutorial in tutorials for k in (1, 2, 3)] == EXERCISES
    assert sorted(PLANTED) == tutorials
    for planted in PLANTED.values():
        assert sorted(planted.SOLUTIONS) == sorted(planted.WRONG)
    assert sorted(name for planted in PLANTED.values() for name in planted.SOLUTIONS) == EXERCISES


@pytest.mark.parametrize("name", EXERCISES)
def test_the_solution_is_right(name, capsys):
    right, text = told(exercise(name), PLANTED[name[:2]].SOLUTIONS[name], capsys)
    assert right is True, text
    assert text.startswith(f"{name} right: ")
    assert text.rstrip().endswith(".")


@pytest.mark.parametrize(("name", "words"), WRONG)
def test_a_wrong_answer_is_caught_by_its_own_hint(name, words, capsys):
    right, text = told(exercise(name), PLANTED[name[:2]].WRONG[name][words], capsys)
    assert right is False
    assert text.startswith(f"{name} not yet: ")
    assert words in text


@pytest.mark.parametrize("name", EXERCISES)
def test_there_are_two_wrong_answers_or_more_and_no_two_hints_are_alike(name):
    wrong = PLANTED[name[:2]].WRONG[name]
    hints = {words: exercise(name).hint(given) for words, given in wrong.items()}
    assert len(set(hints.values())) == len(wrong) >= 2
    for words in wrong:
        assert [other for other, hint in hints.items() if words in (hint or "")] == [words]


@pytest.mark.parametrize("name", EXERCISES)
def test_a_placeholder_is_not_yet(name, capsys):
    placeholders = [None, ..., lambda *args, **kwargs: None, lambda *args, **kwargs: ...]
    extra = getattr(PLANTED[name[:2]], "PLACEHOLDERS", {})
    for given in [*placeholders, *([extra[name]] if name in extra else [])]:
        right, text = told(exercise(name), given, capsys)
        assert right is False
        assert text.startswith(f"{name} not yet: ")
        assert "could not make sense" not in text


@pytest.mark.parametrize("name", EXERCISES)
def test_nothing_that_is_handed_in_raises(name, capsys):
    def raises(*args, **kwargs):
        raise KeyError("learner's own")

    class Odd:
        def __getattr__(self, name):
            raise RuntimeError(name)

    for given in (
        raises,
        "words",
        object(),
        Odd,
        Odd(),
        [],
        {},
        (),
        [None],
        np.nan,
        np.zeros((0, 3)),
        int,
        -1,
    ):
        right, text = told(exercise(name), given, capsys)
        assert right is False
        assert text.startswith(f"{name} not yet: ")


# -- the machinery ----------------------------------------------------------------------------------------


@pytest.fixture
def check() -> Iterator[checking.Exercise]:
    """An exercise "98.1": the double of 3.0, as a function."""

    @answer("98.1", "twice three.")
    def judged(given):
        return judge(call(given, 3.0), 6.0, {"that is the square.": 9.0}, "twice, not five times.")

    yield checking._exercises["98.1"]
    del checking._exercises["98.1"]


def divides_by_zero(x):
    return x / int(0 * x)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (lambda x: 2 * x, "98.1 right: twice three."),
        (lambda x: x * x, "98.1 not yet: that is the square."),
        (lambda x: 5 * x, "98.1 not yet: twice, not five times."),
        (lambda x: [x, x], "98.1 not yet: your answer has shape (2,); () is wanted. twice, not five times."),
        (lambda x: "six", "98.1 not yet: numbers are wanted here, and this is 'six' (str)."),
        (5.0, "98.1 not yet: a function is wanted here, and this is 5.0 (float)."),
        (None, "98.1 not yet: no answer here yet. Put yours in the place of the dots (or of None) and run"),
        (lambda x: ..., "98.1 not yet: your function returns nothing yet."),
    ],
)
def test_what_is_printed(check, given, text, capsys):
    right, printed = told(check, given, capsys)
    assert right is ("right" in text)
    assert printed.startswith(text)
    assert printed.count("\n") == 1


def test_an_exception_in_the_answer_is_named_with_its_line(check, capsys):
    _, printed = told(check, divides_by_zero, capsys)
    line = divides_by_zero.__code__.co_firstlineno + 1
    assert "your function raised ZeroDivisionError: " in printed
    assert f"division by zero, in line {line} of its cell: return x / int(0 * x)" in printed


def test_an_error_of_the_engine_in_the_answer_is_passed_on_with_the_learners_line(check, capsys):
    def mismatched(x):
        return mg.Tensor(np.zeros((2, 3))) @ mg.Tensor(np.zeros((2, 3)))

    _, printed = told(check, mismatched, capsys)
    assert "MG-102" in printed
    assert "return mg.Tensor(np.zeros((2, 3))) @" in printed


def test_an_error_in_the_check_itself_is_no_traceback(capsys):
    @answer("98.2", "never.")
    def careless(given):
        return given["missing"]

    try:
        right, printed = told(checking._exercises["98.2"], {}, capsys)
    finally:
        del checking._exercises["98.2"]
    assert right is False
    assert "the check could not make sense of this answer: KeyError: 'missing'" in printed


def test_an_answer_cannot_change_the_numbers_of_the_check():
    mine = np.ones(3)

    def writes(a, b):
        a += 1
        b += 1
        return a

    assert call(writes, mine, b=mine).tolist() == [2, 2, 2]
    assert mine.tolist() == [1, 1, 1]


def test_array_takes_numbers_lists_and_tensors():
    assert array(2).shape == ()
    x = mg.Tensor([1.5, 2.0], requires_grad=True)
    np.testing.assert_array_equal(array([x[0], 3, np.float32(4)]), [1.5, 3, 4])
    np.testing.assert_array_equal(array(x), [1.5, 2])
    for nonsense in ([1, [2, 3]], "a", {}, int, [None]):
        with pytest.raises(NotYet):
            array(nonsense)


def test_close_compares_shapes_and_numbers():
    assert close([[3.0]], 3.0)
    assert not close([[1.0, 2.0]], [1.0, 2.0])  # (1, 2) is not (2,)
    assert not close([np.nan], [np.nan])
    assert close(1.000001, 1)
    assert not close(1.0001, 1)


def test_an_unknown_exercise_names_those_that_there_are(capsys):
    with pytest.raises(
        ConfigError, match=r"MG-930 there is no exercise '01\.9'; there are 01\.1, 01\.2, 01\.3\."
    ):
        exercise("01.9")
    with pytest.raises(ConfigError, match=r"MG-930 .* there are those of the tutorials 01, "):
        exercise("zebra")


def test_two_exercises_cannot_have_one_number(check):
    for taken in (check.name, "4.2", "04.12"):
        with pytest.raises(ConfigError, match="MG-802"):
            answer(taken, "…")(lambda given: None)
