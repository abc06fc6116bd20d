"""The texts in the table are those of the functions: printed from them, or compared with them."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import minigrad as mg
from minigrad import ops, registry
from minigrad.rules import printed
from minigrad.symbols import NoExpression, Symbol, evaluate, trace
from minigrad.symbols.readable import Table
from tests.ops.cases import CASES

OPERATIONS = [name for name, operation in registry.operations.items() if operation.differentiable]
IN_WORDS = {
    "astype": "a as another dtype",
    "fmod": "a - b · trunc(a / b)",
    "positive": "a",
    "sinc_derivative": "the derivative of sinc of an order",
    "remainder": "a - b · floor(a / b)",
    "normal_cdf": "Φ(a) = ∫ φ(t) dt from -∞ to a, with φ(t) = e^(-t²/2) / √(2π)",
}
"""Formulas that say more than the function's: a conversion, an integral."""


def expression_of(function, params=()):
    """What the function does with symbols, or None."""
    given = {n: Symbol(n, scalar=n in params) for n in inspect.signature(function).parameters}
    try:
        return trace(function, **given).results[0]
    except Exception:
        return None


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_text_stands_beside_a_rule_only_where_none_can_be_printed(name):
    operation = registry.operations[name]
    for rule in operation.rules:
        if rule is None or name in (
            "broadcast_to",
            "mean_cross_entropy",
        ):  # the walk sums; forward has saved it
            continue
        plain = (rule.textbook or rule).function
        is_printed = rule.formula == printed(plain, tuple(operation.params))
        assert is_printed == (expression_of(plain, operation.params) is not None)


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_formula_of_an_operation_is_its_function_s(name):
    operation = registry.operations[name]
    if isinstance(operation.forward, np.ufunc):
        tree = trace(operation.forward, *map(Symbol, operation.inputs)).results[0]
    else:
        tree = expression_of(operation.textbook or operation.forward, operation.params)
    if tree is not None:
        assert operation.formula == IN_WORDS.get(name, Table().text(tree))


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("tanh", ["g · (1 - y²)"]),
        ("divide", ["g / b", "-g · y / b"]),
        ("power", ["g · b · a^(b - 1)", "g · y · ln a"]),
        ("relu", ["g where y > 0, else 0"]),
        ("leaky_relu", ["g where a > 0, else slope · g"]),
        ("softplus", ["g / (1 + e^-a)"]),
        ("gelu", ["g · (Φ(a) + a · φ(a))"]),
        ("clip", ["g where a ≥ a_min and a ≤ a_max, else 0"]),
        ("dropout", ["g · [random ≥ p] / (1 - p)"]),
        (
            "maximum",
            [
                "0 where a < b, else [g / 2 where a = b, else g]",
                "0 where a > b, else [g / 2 where a = b, else g]",
            ],
        ),
        (
            "linear_relu",
            [
                "(g where y > 0, else 0) @ w",
                "(g where y > 0, else 0)ᵀ @ x",
                "Σ (g where y > 0, else 0) over the samples",
            ],
        ),
    ],
)
def test_how_they_read(name, texts):
    assert [rule.formula for rule in registry.operations[name].rules if rule] == texts


def test_what_has_no_formula_says_what_it_is_called_or_what_it_says_of_itself():
    def turned(g):
        """The rows in reverse order."""
        return np.flip(g, 0)

    assert printed(turned) == "The rows in reverse order"
    assert printed(lambda g, a_shape: np.broadcast_to(g, a_shape)) == "a function of g, a_shape"
    turned.__doc__ = None
    assert printed(turned) == "turned of g"


@pytest.mark.parametrize("name", [n for n in OPERATIONS if registry.operations[n].textbook])
def test_a_textbook_s_function_computes_what_forward_does(name):
    operation = registry.operations[name]
    for case in CASES[name]:
        if case.layout == "size-0":
            continue
        tensors = [
            mg.Tensor(x, requires_grad=True) if np.asarray(x).dtype.kind == "f" else x for x in case.inputs
        ]
        records = [r for r in mg.tape(case.f(*tensors)) if r.operation is operation]
        assert records
        for record in records:
            given = [x.numpy() if isinstance(x, mg.Tensor) else x for x in record.arrays]
            np.testing.assert_allclose(
                operation.textbook(*given, **record.params), record.value, rtol=1e-6, atol=1e-12
            )


TEXTBOOK_RULES = [
    pytest.param(operation, k, id=f"{operation.name}-{k}")
    for operation in registry.operations.values()
    for k, rule in enumerate(operation.rules)
    if rule is not None and rule.textbook is not None
]


@pytest.mark.parametrize(("operation", "k"), TEXTBOOK_RULES)
def test_a_textbook_s_rule_computes_what_the_rule_does(operation, k):
    """At the points of the operation's own cases."""
    rule = operation.rules[k]
    for case in CASES[operation.name]:
        tensors = [
            mg.Tensor(x, requires_grad=True) if np.asarray(x).dtype.kind == "f" else x for x in case.inputs
        ]
        for record in (r for r in mg.tape(case.f(*tensors)) if r.operation is operation):
            given = dict(zip(operation.inputs, record.arrays, strict=True)) | {"g": 0.75, "y": record.value}
            with np.errstate(all="ignore"):
                computed, read = (
                    np.asarray(f(**{n: given[n] for n in inspect.signature(f).parameters}))
                    for f in (rule.function, rule.textbook.function)
                )
            there = np.isfinite(read)  # 0 · ln 0 and the like are what the detour is for
            np.testing.assert_allclose(computed[there], read[there], rtol=1e-7, atol=1e-12)


def test_the_walk_over_textbooks_sees_some():
    assert len(TEXTBOOK_RULES) > 5


def test_the_expression_of_a_rule_computes_what_the_rule_does():
    """Evaluated node by node, for every rule that has one."""
    rng = np.random.default_rng(0)
    seen = set()
    for name in OPERATIONS:
        operation = registry.operations[name]
        for rule in operation.rules:
            tree = rule and expression_of((rule.textbook or rule).function, operation.params)
            if tree is None:
                continue
            names = list(inspect.signature((rule.textbook or rule).function).parameters)
            given = {
                n: float(rng.uniform(0.1, 0.9)) if n in operation.params else rng.uniform(0.1, 2, 9)
                for n in names
            }
            if "n" in given:  # a whole number
                given["n"] = np.arange(9)
            if "c" in given:
                given["c"] = given["c"] > 1
            expected = (rule.textbook or rule).function(**given)
            np.testing.assert_allclose(evaluate(tree, given), expected, rtol=1e-12)
            seen.add(name)
    assert len(seen) > 30


def test_a_fused_operation_is_its_composition():
    rng = np.random.default_rng(0)
    x, w, b = (mg.Tensor(rng.standard_normal(s), requires_grad=True) for s in ((5, 3), (4, 3), (4,)))
    labels = np.array([0, 3, 1, 1, 2])
    for fused, inputs in ((ops.linear_relu, (x, w, b)), (ops.mean_cross_entropy, (x @ w.T + b, labels))):
        found = []
        for function in (fused, registry.operations[fused.__name__].textbook):
            y = function(*inputs)
            (y * y).sum().backward()
            found.append([y.numpy(), *(t.grad.numpy() for t in (x, w, b))])
            for t in (x, w, b):
                t.zero_grad()
            if fused is ops.mean_cross_entropy:
                inputs = (x @ w.T + b, labels)
        for one, other in zip(*found, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)


def test_symbols_do_not_go_through_what_is_no_function_of_single_entries():
    for function in (np.sum, np.matmul, np.sort, lambda a: a.reshape(3), lambda a: a[0]):
        with pytest.raises((NoExpression, TypeError)):
            trace(function, *[Symbol("a")] * (2 if function is np.matmul else 1))
