"""Gradcheck finds what is wrong, and says it with the right numbers."""

from __future__ import annotations

import numpy as np
import pytest

import minigrad as mg
from minigrad import ops, registry
from minigrad.errors import DtypeError, GradientError

A = np.random.default_rng(0).normal(size=(3, 4))
LARGE = np.random.default_rng(1).normal(size=(60, 50))


@pytest.fixture(autouse=True)
def _restored_table(monkeypatch):
    monkeypatch.setattr(registry, "operations", dict(registry.operations))


def operation(name, forward, rule):
    return mg.define(name, forward, "…", ("…", rule), inputs="a")


def tanh_with(rule):
    return operation("my_tanh", lambda a: np.asarray(np.tanh(a)), rule)


def test_right_rules_pass():
    mg.gradcheck(tanh_with(lambda g, y: g * (1 - y * y)), [A], order=3)
    mg.gradcheck(np.tanh, [LARGE], order=2)
    mg.gradcheck(lambda a: (a @ a.T).sum(), [LARGE], order=2)


@pytest.mark.parametrize("order", [1, 2])
def test_the_message_has_the_numbers(order):
    a = np.full((3, 4), np.arctanh(np.sqrt(0.42)))  # 1 - tanh² = 0.58
    with pytest.raises(GradientError) as caught:
        mg.gradcheck(tanh_with(lambda g, y: g * y * y), [a], order=order)
    first, *table_lines = str(caught.value).splitlines()
    assert first.startswith("MG-601 gradcheck 'my_tanh' input 0 at [")
    assert first.endswith("]: yours 0.42000, numeric 0.58000. 12 of 12 entries differ.")
    assert table_lines[0].split() == ["input", "output", "yours", "numeric"]
    assert table_lines[1].split()[:2] == ["[0,0]", "[0,0]"]
    assert [float(x) for x in table_lines[1].split()[2:]] == pytest.approx([0.42, 0.58], abs=1e-7)


@pytest.mark.parametrize("a", [A, LARGE], ids=["full", "directions"])
@pytest.mark.parametrize(
    "rule",
    [
        lambda g, y: g * 0,
        lambda g, y: g * (1 - y * y) * (1 + 1e-4),
        lambda g, y: g * (1 - y),
        lambda g, y: -g * (1 - y * y),
        lambda g, y: g * (1 - y * y) + 1e-3,
    ],
    ids=["zero", "one part in 10,000", "wrong formula", "sign", "a constant"],
)
def test_wrong_rules_cannot_pass(rule, a):
    with pytest.raises(GradientError, match="MG-601"):
        mg.gradcheck(tanh_with(rule), [a])


def test_one_wrong_entry_is_found_and_placed():
    def rule(g, y):
        mask = np.zeros(y.shape)
        mask[2, 3] = 1e-4
        return g * (1 - y * y) + g * mask

    with pytest.raises(GradientError, match=r"input 0 at \[2,3\].* 1 of 12 entries differ"):
        mg.gradcheck(tanh_with(rule), [A])


def test_a_rule_that_is_wrong_only_in_second_order():
    def rule(g, a):
        bare = a.data if isinstance(a, mg.Tensor) else a  # hides a from the tape
        return 2 * g * bare

    square = operation("my_square", lambda a: a * a, rule)
    mg.gradcheck(square, [A])
    with pytest.raises(
        GradientError, match=r"MG-601 gradcheck 'my_square' \(order 2\) input 0 at .* yours 0.00000"
    ):
        mg.gradcheck(square, [A], order=2)


def test_a_rule_that_hides_the_incoming_gradient():
    square = operation(
        "my_square", lambda a: a * a, lambda g, a: 2 * a * (g.data if isinstance(g, mg.Tensor) else g)
    )
    mg.gradcheck(square, [A])
    with pytest.raises(GradientError, match=r"\(order 2\) the incoming gradient at"):
        mg.gradcheck(square, [A], order=2)


def test_not_a_number_is_no_pass():
    with pytest.raises(GradientError, match=r"MG-601 .*yours nan"):
        mg.gradcheck(tanh_with(lambda g, y: g * np.nan), [A])
    with pytest.raises(GradientError, match="numeric nan"), np.errstate(invalid="ignore"):
        mg.gradcheck(np.sqrt, [np.array([1.0, -1.0])])


def test_a_kink_is_found():
    with pytest.raises(GradientError, match="kink"):
        mg.gradcheck(ops.relu, [np.array([0.0, 1.0])])


def test_a_gradient_that_does_not_arrive():
    with pytest.raises(GradientError, match=r"yours 0\.00000, numeric 2\.00000"):
        mg.gradcheck(lambda a: mg.Tensor(a.data * 2), [A])


def test_only_float64():
    with pytest.raises(
        DtypeError, match=r"MG-213 gradcheck works in float64; input 1 is float32\..*astype\('float64'\)"
    ):
        mg.gradcheck(np.add, [A, A.astype("float32")])


def test_other_inputs_are_passed_through():
    seen = []

    def f(a, i, flag, nothing, mask):
        seen.append((type(i), flag, nothing, mask.dtype))
        return a[i] * flag * mask

    mg.gradcheck(f, [A, np.array([0, 0, 1]), True, None, np.array([True, False, True, True])], order=2)
    assert set(seen) == {(np.ndarray, True, None, np.dtype(bool))}


def test_inputs_may_be_tensors_and_python_numbers():
    t = mg.Tensor(A, requires_grad=True)
    mg.gradcheck(lambda a, b, c: a * b + c.sum(), [t, 0.5, [1.0, 2.0]], order=2)
    assert t.grad is None


def test_inputs_are_left_as_they_are():
    before = A.copy()
    mg.gradcheck(np.sin, [A], order=2)
    np.testing.assert_array_equal(A, before)


def test_layout_is_kept():
    strides = []

    def f(a):
        strides.append(a.data.strides)
        return a * 2.0

    mg.gradcheck(f, [A.T])
    assert set(strides) == {A.T.strides}


def test_large_inputs_are_checked_in_few_evaluations():
    calls = []

    def f(a):
        calls.append(1)
        return np.sin(a)

    mg.gradcheck(f, [LARGE])
    assert len(calls) < 50


def test_it_works_under_no_grad():
    with mg.no_grad():
        mg.gradcheck(np.sin, [A], order=2)


def test_the_function_must_return_a_tensor():
    with pytest.raises(GradientError, match=r"MG-202 .*returns a Tensor, not float"):
        mg.gradcheck(lambda a: 1.0, [A])
