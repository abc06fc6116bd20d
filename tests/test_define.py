"""Defining an operation: its own again and again, minigrad's never; what was recorded keeps its definition."""

from __future__ import annotations

import numpy as np
import pytest

import minigrad as mg
from minigrad import registry
from minigrad.errors import OperationError


@pytest.fixture(autouse=True)
def _restored_registry(monkeypatch):
    for entries in ("operations", "functions", "methods"):
        monkeypatch.setattr(registry, entries, dict(getattr(registry, entries)))


def cell(factor=3.0):
    """What a cell of a notebook does each time that it runs."""
    return mg.define(
        "scaled",
        lambda a: factor * a,
        f"{factor} · a",
        lambda g: factor * g,
        inputs="a",
        method="scaled",
        of=np.sinc,
    )


def test_a_definition_of_one_s_own_is_replaced():
    first = cell()
    second = cell(5.0)
    assert registry.operations["scaled"] is second is not first
    x = mg.Tensor([1.0, 2.0], requires_grad=True)
    for use in (second, np.sinc, lambda t: t.scaled()):
        x.zero_grad()
        use(x).sum().backward()
        assert x.grad.numpy().tolist() == [5.0, 5.0]
    assert second.formula == "5.0 · a"


def test_what_the_old_one_stood_for_is_withdrawn_where_the_new_one_does_not():
    cell()
    mg.define("scaled", lambda a: 7 * a, "7 · a", lambda g: 7 * g, inputs="a")
    with pytest.raises(AttributeError, match="scaled"):
        mg.Tensor([1.0]).scaled()
    with pytest.raises(OperationError, match=r"MG-602 np\.sinc"):
        np.sinc(mg.Tensor([1.0], requires_grad=True))


def test_a_ufunc_that_was_taken_over_is_given_back():
    builtin = registry.functions[np.tanh]

    def define(forward):
        return mg.define("own_tanh", forward, "tanh a", lambda g, y: g * (1 - y * y), inputs="a")

    own = define(np.tanh)
    assert registry.functions[np.tanh] is own
    again = define(np.tanh)
    assert registry.functions[np.tanh] is again
    define(lambda a: np.tanh(a))
    assert registry.functions[np.tanh] is builtin
    assert np.tanh(mg.Tensor([1.0], requires_grad=True)).record.operation.name == "tanh"


def test_a_graph_keeps_the_definition_that_it_was_recorded_with():
    x = mg.Tensor([1.0, 2.0], requires_grad=True)
    y = cell()(x)
    cell(5.0)
    y.sum().backward()
    assert x.grad.numpy().tolist() == [3.0, 3.0]


def test_a_definition_that_fails_leaves_the_old_one():
    first = cell()
    with pytest.raises(OperationError, match="MG-603"):
        mg.define("scaled", lambda a: a, "a", lambda g, z: z, inputs="a", method="scaled")
    assert registry.operations["scaled"] is first
    assert mg.Tensor([1.0]).scaled().numpy().tolist() == [3.0]


@pytest.mark.parametrize("name", list(registry.operations))
def test_a_name_of_minigrad_s_own_is_refused(name):
    before = registry.operations[name]
    with pytest.raises(OperationError, match=f"MG-603 there is an operation named '{name}' in minigrad"):
        mg.define(name, lambda a: a, "a", lambda g: g, inputs="a", method=name)
    assert registry.operations[name] is before


def test_a_rule_keeps_the_name_of_its_function():
    def my_rule(g):
        return 2 * g

    operation = mg.define("doubled", lambda a: 2 * a, "2 · a", my_rule, inputs="a")
    assert my_rule.__name__ == "my_rule"
    assert my_rule.__qualname__.endswith("my_rule")
    assert (operation.rule(0).function, operation.rule(0).name) == (my_rule, "doubled_vjp_0")
    assert operation.rule(0).formula == "2 · g"


def test_the_three_forms_of_a_rule():
    def stable(g, a):
        return g * np.where(a > 100, 1.0, np.exp(np.minimum(a, 100)))

    forms = {
        "g · e^a": lambda g, a: g * np.exp(a),
        "g times the power": ("g times the power", stable),
        "g · e^a ": (lambda g, a: g * np.exp(a), stable),
    }
    for text, rule in forms.items():
        operation = mg.define("powered", lambda a: np.exp(a), "e^a", rule, inputs="a")
        assert operation.rule(0).formula == text.strip()
        mg.gradcheck(operation, [np.linspace(-1, 1, 5)])
    assert operation.rule(0).function is stable


def test_the_textbook_s_function_is_never_run():
    def refused(a):
        raise AssertionError("only read")

    operation = mg.define("same", lambda a: a * 1.0, ("a", refused), lambda g: g, inputs="a")
    x = mg.Tensor([1.0], requires_grad=True)
    operation(x).backward()
    assert operation(np.array([2.0])).tolist() == [2.0]
    assert x.grad.numpy().tolist() == [1.0]
