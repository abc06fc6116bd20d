"""Lines of the user's program."""

from __future__ import annotations

import inspect
import warnings

import numpy as np

import minigrad as mg
from minigrad import errors, source
from minigrad.errors import MinigradWarning


def line() -> int:
    return inspect.currentframe().f_back.f_lineno


def test_here_is_the_callers_line():
    place = source.here()
    assert (place.line, place.filename) == (line() - 1, __file__)
    assert str(place) == f"test_source.py line {line() - 2}"


def test_a_cell_is_called_a_cell():
    assert source.file_name("/tmp/ipykernel_417/84730456.py") == "cell"
    assert source.file_name("/home/ada/train.py") == "train.py"


def test_here_looks_through_minigrad_and_numpy():
    a = mg.Tensor([1.0], requires_grad=True)
    results = [
        np.sin(a),
        a * 2,
        2 - a,
        a.sum(),
        mg.ops.split(a, 1)[0],
        a @ np.ones(1, "float32"),
    ]
    first = line() - 7
    assert [r.record.location.line for r in results] == [first + k for k in range(6)]
    assert {r.record.location.filename for r in results} == {__file__}


def test_a_call_over_several_lines_is_where_it_begins():
    a = mg.Tensor([1.0], requires_grad=True)
    b = np.multiply(
        a,
        np.sin(a),
    )
    assert [record.location.line for record in mg.tape(b)] == [line() - 2, line() - 4]


def test_code_without_a_file():
    scope = {"source": source}
    exec(compile("place = source.here()", "<cell>", "exec"), scope)
    assert str(scope["place"]) == "<cell> line 1"


def test_a_warning_is_given_once_per_line_of_the_program():
    start = line()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(3):
            errors.warn("MG-999", "something")
        errors.warn("MG-999", "something")
    assert [(w.lineno, w.filename) for w in caught] == [(start + 4, __file__), (start + 5, __file__)]
    assert {(str(w.message), w.category) for w in caught} == {("MG-999 something", MinigradWarning)}
