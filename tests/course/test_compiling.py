"""A student's loop is compiled once for what it says and for what it finds around it."""

from __future__ import annotations

import numpy as np

from minigrad.course.compiling import compiled

TEXT = "def scale(x):\n    for i in range(x.size):\n        x[i] = factor * x[i]\n"


def made(factor, name):
    scope = {"factor": factor}
    exec(compile(TEXT, name, "exec"), scope)
    return scope["scale"]


def test_the_same_text_is_compiled_once_and_another_surrounding_anew():
    two, again, three = made(2.0, "a"), made(2.0, "b"), made(3.0, "a")
    again.__globals__["factor"] = two.__globals__["factor"]
    assert compiled(two) is compiled(again)
    assert compiled(two) is not compiled(three)
    x = np.ones(3)
    compiled(two)(x)
    compiled(three)(x)
    np.testing.assert_array_equal(x, np.full(3, 6.0))
    assert compiled(compiled(two)) is compiled(two)
