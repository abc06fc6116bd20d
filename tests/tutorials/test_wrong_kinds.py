"""Whatever is handed in, every exercise answers with a hint."""

import re
from importlib import import_module

import numpy as np
import pytest

import minigrad as mg
from minigrad.exercises import exercise, registered

EXERCISES = list(registered())
SOLUTIONS = {name: import_module(f"tests.tutorials.planted_{name[:2]}").SOLUTIONS[name] for name in EXERCISES}


class Unprintable:
    def __repr__(self):
        raise RuntimeError("no name")


class Odd:
    def __getattr__(self, name):
        raise RuntimeError(name)


def raises(kind, *told):
    def function(*args, **kwargs):
        raise kind(*told)

    return function


VALUES = {
    "None": None,
    "dots": ...,
    "a tuple of None": (None, None),
    "a tuple of dots": (..., ...),
    "text": "0.5",
    "a list of text": ["a", "b"],
    "bytes": b"12",
    "True": True,
    "a complex number": 1 + 2j,
    "complex numbers": np.array([1j, 2.0]),
    "NaN": float("nan"),
    "infinities": [np.inf, -np.inf],
    "a number too large": 10**400,
    "an empty array": np.zeros((0, 3)),
    "an empty list": [],
    "an empty dict": {},
    "a dict": {"answer": 1.0},
    "a set": {1.0, 2.0},
    "ragged lists": [[1.0], [2.0, 3.0]],
    "a deep list": [[[[1.0]]]],
    "many numbers": np.arange(1000.0),
    "a structured array": np.zeros(2, dtype=[("a", float)]),
    "dates": np.array(["2020-01-01"], dtype="datetime64[D]"),
    "objects": np.array([None, "x"], dtype=object),
    "a masked array": np.ma.masked_array([1.0, 2.0], [True, False]),
    "a Tensor": mg.Tensor([1.0, 2.0]),
    "an integer Tensor": mg.Tensor([1, 2]),
    "a Tensor that asks for a gradient": mg.Tensor([[1.0, 2.0]], requires_grad=True),
    "a generator": (k for k in range(3)),
    "a range": range(3),
    "a class": dict,
    "a module": np,
    "an object": Odd(),
    "an object that cannot be printed": Unprintable(),
    "a file name": __import__("pathlib").Path("answer.txt"),
    "functions": (lambda: 1, lambda: 2),
}
RAISED = {
    "a KeyError": (KeyError, "side"),
    "a KeyError of nothing": (KeyError,),
    "an IndexError": (IndexError, "list index out of range"),
    "an AttributeError": (AttributeError, "'numpy.ndarray' object has no attribute 'item_'"),
    "a TypeError": (TypeError, "unsupported operand"),
    "a ZeroDivisionError": (ZeroDivisionError, "division by zero"),
    "an AssertionError": (AssertionError,),
    "a NotImplementedError": (NotImplementedError,),
    "StopIteration": (StopIteration,),
    "RecursionError": (RecursionError, "maximum recursion depth exceeded"),
    "an exit": (SystemExit, 0),
    "two lines": (ValueError, "first line\nsecond line"),
}
OURS = re.compile(
    r"minigrad[/\\]exercises|Traceback|could not make sense|<lambda>\(\)|_NoProducts|reshape array"
)


def hint_of(name, given, capsys):
    """What is printed for an answer that is wrong."""
    capsys.readouterr()
    right = exercise(name)(given)
    text = capsys.readouterr().out
    assert not right, text
    assert text.startswith(f"{name} not yet: ")
    assert len(text) < 700
    assert not OURS.search(text), text
    return text


@pytest.mark.parametrize("name", EXERCISES)
def test_a_value_of_the_wrong_kind_gets_a_hint(name, capsys):
    for given in VALUES.values():
        hint_of(name, given, capsys)
        if not callable(SOLUTIONS[name]):
            continue
        text = hint_of(name, lambda *args, given=given, **kwargs: given, capsys)
        assert "a function is wanted" not in text


@pytest.mark.parametrize("name", EXERCISES)
def test_a_function_that_raises_gets_a_hint_which_names_the_error(name, capsys):
    for kind, *told in RAISED.values():
        text = hint_of(name, raises(kind, *told), capsys)
        if callable(SOLUTIONS[name]):
            assert kind.__name__ in text or kind is KeyError
            assert "raise kind(*told)" in text


@pytest.mark.parametrize("name", [name for name in EXERCISES if callable(SOLUTIONS[name])])
def test_other_parameters_get_a_hint_which_says_how_the_function_is_called(name, capsys):
    solution = SOLUTIONS[name]
    for given in (lambda: 1.0, lambda a, b, c, d, e, f, g, h, i, j, k: 1.0, lambda *, only: 1.0):
        text = hint_of(name, given, capsys)
        assert "parameter" in text
    assert exercise(name)(lambda *args: solution(*args)), name
    assert exercise(name)(lambda *args, unused=None: solution(*args)), name


@pytest.mark.parametrize("name", EXERCISES)
def test_the_shape_and_the_parts_of_a_solution_may_be_wrong_or_of_another_kind(name, capsys):
    solution = SOLUTIONS[name]

    def changed(change):
        if callable(solution):
            return lambda *args, **kwargs: change(solution(*args, **kwargs))
        if isinstance(solution, tuple) and all(map(callable, solution)):
            return tuple(lambda *args, part=part: change(part(*args)) for part in solution)
        return change(solution)

    for change in (
        lambda right: (right, right, right, right, right),
        lambda right: [right, None],
        lambda right: {"answer": right},
        lambda right: str(right),
        lambda right: lambda: right,
        lambda right: iter([right]),
    ):
        hint_of(name, changed(change), capsys)
    if isinstance(solution, (list, tuple)) and not any(map(callable, solution)):
        hint_of(name, solution[:-1], capsys)
        hint_of(name, [*solution, 1.0], capsys)
        hint_of(name, [*solution[:-1], "x"], capsys)
        hint_of(name, [*solution[:-1], None], capsys)


def as_tensors(value):
    if isinstance(value, (tuple, list)):
        return type(value)(map(as_tensors, value))
    if isinstance(value, (bool, np.bool_)) or value is None or isinstance(value, (str, dict)):
        return value
    return value if isinstance(value, mg.Tensor) else mg.Tensor(np.asarray(value), dtype="float64")


def as_arrays(value):
    if isinstance(value, (tuple, list)):
        return type(value)(map(as_arrays, value))
    return value.numpy() if isinstance(value, mg.Tensor) else value


@pytest.mark.parametrize("name", [name for name in EXERCISES if callable(SOLUTIONS[name])])
def test_tensors_for_arrays_and_arrays_for_tensors_are_right_or_get_a_hint(name, capsys):
    solution = SOLUTIONS[name]
    for change in (as_tensors, as_arrays):
        given = lambda *args, change=change: change(solution(*args))  # noqa: E731
        if not exercise(name)(given):
            hint_of(name, given, capsys)


def test_a_missing_entry_of_the_tape_is_explained(capsys):
    def forgets(tape):
        found = {tape[-1][0]: 1.0}
        for result, inputs in reversed(tape):
            for name, local in inputs:
                found[name] = found.get(name, 0.0) + found[result] * local
        return found

    text = hint_of("02.2", forgets, capsys)
    assert "'side'" in text
    assert "found[result]" in text
    assert "0" in text.partition("'side'")[2]


def test_a_notebook_shows_no_value_under_a_hint(capsys):
    verdict = exercise("01.1")((1, 2, 3))
    assert not verdict
    capsys.readouterr()
    verdict._ipython_display_()
    assert capsys.readouterr().out == ""
