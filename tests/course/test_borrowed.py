"""Calls into the engine where something was to be written are found, however they are spelt; others are not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from minigrad.course.assignment import load
from minigrad.course.borrowed import borrowed
from minigrad.course.cells import Cell
from tests.course import planting
from tests.course.test_right_otherwise import RIGHT

A1 = load(next(path for path in planting.sources() if path.stem == "a1_rules"))


def handed_in(body: str, top: str = "") -> list[Cell]:
    cells = [
        replace(c, source=f"def tanh_vjp(g, y):\n    {body}") if c.name == "tanh" else c for c in A1.submitted
    ]
    return [Cell("code", top), *cells] if top else cells


@pytest.mark.parametrize(
    ("body", "top", "what"),
    [
        ("return mg.ops.tanh.rule(0)(0, g, y, (y,), {})", "", "minigrad.ops.tanh.rule"),
        ("import minigrad.ops as o\n    return o.tanh(g)", "", "minigrad.ops.tanh"),
        ("return rules.Rule", "from minigrad import rules", "minigrad.rules"),
        ("return t.operations['tanh']", "import minigrad.registry as t", "minigrad.registry.operations"),
        ("import importlib\n    return importlib.import_module('minigrad.ops')", "", "minigrad.ops"),
        ("return adam(g)", "from minigrad.optim.formulas import adam", "minigrad.optim.formulas.adam"),
        (
            "import minigrad_kernels.linear as k\n    return k.backward(g)",
            "",
            "minigrad_kernels.linear.backward",
        ),
    ],
)
def test_what_is_taken_is_told_with_its_line(body, top, what):
    uses = borrowed(A1, {"eve": handed_in(body, top), "ada": handed_in("return g * (1 - y * y)")})
    assert what in [use.what for use in uses]
    assert {use.student for use in uses} == {"eve"}
    assert all(use.line for use in uses)


@pytest.mark.parametrize("path", planting.sources(), ids=lambda path: path.stem)
def test_the_reference_takes_nothing(path):
    one = load(path)
    assert borrowed(one, {"reference": one.submitted}) == []


@pytest.mark.parametrize("name", [name for name in RIGHT if name != "A8"])
def test_other_right_solutions_take_nothing_either(name):
    one = load(next(path for path in planting.sources() if path.stem.startswith(name.lower())))
    for right in RIGHT[name]:
        assert borrowed(one, {"ada": planting.changed(one, right)}) == []


def test_a_cell_that_is_no_python_does_not_matter():
    assert borrowed(A1, {"eve": handed_in("return (", "x = '\ud83d'")}) == []
