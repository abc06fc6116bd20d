"""Every operation in the table, on every kind of input, to second order; a new one cannot dodge the walk."""

from __future__ import annotations

import numpy as np
import pytest

import minigrad as mg
from minigrad import catalogue, ops, registry
from tests.ops.cases import ALL, CASES, COMPOSED, CONSTANT, LAYOUTS, Case, incomplete, on_every_case

NUMBERED = [
    pytest.param(case, id=f"{name}-{case.layout}-{k}") for name in ALL for k, case in enumerate(ALL[name])
]


def test_no_operation_is_left_out():
    assert incomplete() == {}


def test_no_public_function_is_left_out():
    named = {operation.name for operation in registry.operations.values()}
    renamed = {"absolute": "abs"}
    assert [n for n in ops.__all__ if renamed.get(n, n) not in named | set(COMPOSED)] == []


def test_no_case_is_for_an_operation_that_is_gone():
    on_arrays = {entry.name for entry in catalogue.entries() if entry.kind == "constant"}
    assert {*CASES, *CONSTANT} - set(registry.operations) - on_arrays == set()


@pytest.fixture
def _restored_table(monkeypatch):
    monkeypatch.setattr(registry, "operations", dict(registry.operations))


@pytest.mark.usefixtures("_restored_table")
def test_a_new_operation_without_cases_is_reported():
    mg.define("cube", lambda a: a**3, "a³", ("3 · g · a²", lambda g, a: 3 * g * a * a), inputs="a")
    mg.define("step_up", lambda a: (a > 0) * 1.0, "step", None, inputs="a")
    assert incomplete() == {"cube": list(LAYOUTS), "step_up": ["a result without a graph"]}


@pytest.mark.usefixtures("_restored_table")
def test_an_operation_with_half_its_cases_is_reported(monkeypatch):
    monkeypatch.setitem(CASES, "sin", [case for case in CASES["sin"] if case.layout != "size-0"])
    assert incomplete() == {"sin": ["size-0"]}


@pytest.mark.parametrize("case", NUMBERED)
def test_first_and_second_order(case: Case):
    mg.gradcheck(case.f, case.inputs, order=2)


@on_every_case()
def test_on_tensors_equals_on_arrays(case: Case):
    """The result is that of the bare arrays, is recorded, and keeps its dtype."""
    tensors = [mg.Tensor(x, requires_grad=True) if _is_float(x) else x for x in case.inputs]
    recorded = case.f(*tensors)
    with mg.no_grad():
        plain = case.f(*(mg.Tensor(x) if _is_float(x) else x for x in case.inputs))
    assert recorded.requires_grad
    assert not plain.requires_grad
    assert plain.record is None
    np.testing.assert_array_equal(recorded.data, plain.data)


@on_every_case(but={"astype", "to", "float_power"})
def test_float32_stays_float32(case: Case):
    tensors = [mg.Tensor(x.astype("float32"), requires_grad=True) if _is_float(x) else x for x in case.inputs]
    result = case.f(*tensors)
    assert result.dtype == np.float32
    result.sum().backward()
    for t in tensors:
        assert not isinstance(t, mg.Tensor) or t.grad is None or t.grad.dtype == np.float32


@pytest.mark.parametrize("name", CONSTANT)
def test_piecewise_constant_operations_give_results_without_a_graph(name):
    a = np.array([[-1.5, 0.5, 2.0], [0.0, 1.0, -0.5]])
    same(CONSTANT[name](mg.Tensor(a, requires_grad=True)), CONSTANT[name](a))


def same(result, expected):
    """Arrays come back as Tensors without a graph, everything else as NumPy gives it."""
    if isinstance(expected, (tuple, list)):
        assert type(result) is type(expected)
        for one, other in zip(result, expected, strict=True):
            same(one, other)
    elif isinstance(result, mg.Tensor):
        assert not result.requires_grad
        assert result.record is None
        assert result.dtype == expected.dtype
        np.testing.assert_array_equal(result.data, expected)
    else:
        assert type(result) is type(expected)
        assert not isinstance(result, np.ndarray)
        assert result == expected


def _is_float(x):
    return isinstance(x, np.ndarray) and x.dtype == np.float64


THIRD = [
    "power",
    "divide",
    "exp",
    "log",
    "sqrt",
    "tanh",
    "sigmoid",
    "softplus",
    "gelu",
    "matmul",
    "var",
    "prod",
]
THIRD += [
    "softmax",
    "log_softmax",
    "logsumexp",
    "getitem",
    "einsum",
    "linear",
    "softmax_cross_entropy",
    "std",
]


@pytest.mark.parametrize("name", THIRD)
def test_third_order(name):
    case = CASES[name][0]
    mg.gradcheck(case.f, case.inputs, order=3)
