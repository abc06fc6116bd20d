"""Expressions mean what the function that they were traced from computes; each printer writes the same."""

from __future__ import annotations

import cProfile
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from minigrad.symbols import Call, NoExpression, Number, Symbol, evaluate, same, trace
from minigrad.symbols.formula import latex, unicode
from minigrad.symbols.loops import Body
from minigrad.symbols.numba import loop, whole
from minigrad.symbols.python import text

A, B = Symbol("a"), Symbol("b")
C = Symbol("c", scalar=True)

LEAVES = st.sampled_from([A, B, C, Number(2), Number(0.5), Number(-3)])
UNARY = ["negative", "sqrt", "square", "reciprocal", "absolute", "sign", "floor"]
BINARY = ["add", "subtract", "multiply", "divide", "maximum", "minimum"]
COMPARISONS = ["less", "greater", "equal"]


def deeper(trees: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    conditions = st.builds(lambda f, x, y: Call(f, (x, y)), st.sampled_from(COMPARISONS), trees, trees)
    return st.one_of(
        st.builds(lambda f, x: Call(f, (x,)), st.sampled_from(UNARY), trees),
        st.builds(lambda f, x, y: Call(f, (x, y)), st.sampled_from(BINARY), trees, trees),
        st.builds(lambda c, x, y: Call("where", (c, x, y)), conditions, trees, trees),
        st.builds(lambda c, x: Call("multiply", (x, c)), conditions, trees),
    )


TREES = st.recursive(LEAVES, deeper, max_leaves=12)


def values(dtype: str) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    return {"a": rng.normal(size=9).astype(dtype), "b": rng.normal(size=9).astype(dtype), "c": 0.1}


def compute(tree: Any, given: dict[str, Any]) -> Any:
    with np.errstate(all="ignore"):
        return evaluate(tree, given)


def uses_arrays(tree: Any) -> bool:
    return not tree.scalar


@settings(max_examples=300, deadline=None)
@given(tree=TREES.filter(uses_arrays), dtype=st.sampled_from(["float32", "float64"]))
def test_the_text_for_numpy_computes_the_same_bits(tree: Any, dtype: str) -> None:
    given_ = values(dtype)
    with np.errstate(all="ignore"):
        try:
            found = eval(text(tree), {"np": np, "math": Safe()}, dict(given_))
        except ZeroDivisionError:  # of Python's own numbers
            assume(False)
    np.testing.assert_array_equal(found, compute(tree, given_))


def dtypes(tree: Any, given_: dict[str, Any]) -> set[str]:
    """The dtypes of all arrays on the way but conditions."""
    if tree.scalar or not isinstance(tree, Call):
        return set()
    own = set() if tree.function in COMPARISONS else {str(np.asarray(compute(tree, given_)).dtype)}
    return own.union(*(dtypes(argument, given_) for argument in tree.arguments))


class Safe:
    """The functions of math where NumPy's name differs, or where math raises and NumPy gives nan."""

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments: getattr(np, name)(*arguments).item()


@settings(max_examples=300, deadline=None)
@given(tree=TREES.filter(uses_arrays), dtype=st.sampled_from(["float32", "float64"]))
def test_a_loop_and_its_reference_compute_the_same_bits(tree: Any, dtype: str) -> None:
    given_ = values(dtype)
    traced = trace(lambda a, b: (tree,), A, B)
    expected = compute(tree, given_)
    if dtypes(tree, values("float32")) - {"float32"}:
        with pytest.raises(NoExpression, match="plain numbers alone"):
            Body(traced, ("a", "b"), ("a",))
        return
    for body, printed in (
        (Body(traced, ("a", "b"), ("a",)), loop),
        (Body(traced, ("a", "b"), ("a",), entry="{}", changed="new_{}"), whole),
    ):
        with np.errstate(all="ignore"):
            numbers = np.array([compute(number, given_) for _, number in body.coefficients], dtype)
            scope: dict[str, Any] = {"np": np, "math": math}
            exec(printed("run", body, ("a", "b")), scope)
            a, b = given_["a"].copy(), given_["b"].copy()
            scope["run"](a, b, numbers)
        np.testing.assert_array_equal(b, given_["b"])
        np.testing.assert_array_equal(a, np.broadcast_to(expected, a.shape).astype(dtype))


@settings(max_examples=200, deadline=None)
@given(tree=TREES)
def test_the_text_traced_again_is_the_same_expression(tree: Any) -> None:
    try:
        again = eval(text(tree), {"np": np, "math": Traced(), "a": A, "b": B, "c": C})
    except ZeroDivisionError:  # of Python's own numbers
        assume(False)
    assert compute_all(again) == compute_all(tree) or same(again, tree)


class Traced:
    def __getattr__(self, name: str) -> Any:
        return lambda *arguments: Call(
            name, tuple(a if isinstance(a, (Symbol, Number, Call)) else Number(a) for a in arguments)
        )


def compute_all(tree: Any) -> list[str]:
    tree = tree if isinstance(tree, (Symbol, Number, Call)) else Number(tree)
    return [str(compute(tree, values(dtype))) for dtype in ("float32", "float64")]


def test_names_of_a_formula_are_kept() -> None:
    def formula(a: Any, b: Any) -> Any:
        half = 0.5 * a
        longer = half + b
        return longer * half

    traced = trace(formula, A, B)
    assert [(name, text(tree, traced.names)) for name, tree in traced.lines] == [
        ("half", "0.5 * a"),
        ("longer", "half + b"),
    ]
    assert text(traced.results[0], traced.names) == "longer * half"
    assert text(traced.results[0]) == "(0.5 * a + b) * (0.5 * a)"


def test_the_functions_of_math_take_numbers_and_are_what_they_were_afterwards() -> None:
    before = math.sqrt
    traced = trace(lambda a, c: a * math.sqrt(1 - c**2) / math.sqrt(4.0), A, C)
    assert math.sqrt is before
    assert text(traced.results[0]) == "a * math.sqrt(1 - c**2) / 2.0"


@pytest.mark.parametrize(
    ("formula", "names"),
    [
        (lambda a, b: a @ b, "matmul"),
        (lambda a, b: np.sum(a), "np.sum"),
        (lambda a, b: np.einsum("i,i", a, b), "np.einsum"),
        (lambda a, b: np.add.reduce(a), "np.add"),
        (lambda a, b: a.reshape(3), ".reshape"),
        (lambda a, b: a.T, ".T"),
        (lambda a, b: a if a > 0 else b, "np.where"),
        (lambda a, b: max(a, b), "np.where"),
        (lambda a, b: math.sqrt(a), "math.sqrt"),
        (lambda a, b: float(a), "float()"),
        (lambda a, b: list(a), "loop"),
        (lambda a, b: a + "text", "str"),
        (lambda a, b: a + np.ones(3), "ndarray"),
        (lambda a, b: np.linalg.norm(a), "np.norm"),
    ],
)
def test_what_is_no_expression_says_so_by_name(formula: Any, names: str) -> None:
    with pytest.raises(NoExpression) as caught:
        trace(formula, A, B)
    assert names in str(caught.value)


def test_functions_that_round_otherwise_get_no_loop() -> None:
    traced = trace(lambda a, b: np.exp(a) + b, A, B)
    with pytest.raises(NoExpression, match=r"np\.exp"):
        Body(traced, ("a", "b"), ("a",))


@pytest.mark.parametrize(
    ("tree", "line", "math_text"),
    [
        (-A * B, "−a · b", r"-a \, b"),
        (A - (-B), "a − (−b)", r"a - \left(-b\right)"),
        (A - (B - C), "a − (b − c)", r"a - \left(b - c\right)"),
        (A / (B * C), "a / (b · c)", r"\frac{a}{b \, c}"),
        ((A + B) ** 2, "(a + b)²", r"\left(a + b\right)^{2}"),
        (A * -2.5, "a · (−2.5)", r"a \, \left(-2.5\right)"),
        (C**A, "c^a", "c^{a}"),
        (np.sqrt(A) / np.abs(B), "√(a) / |b|", r"\frac{\sqrt{a}}{\left|b\right|}"),
        (np.where(A > 0, A, 0.5 * A), "[a where a > 0, else 0.5 · a]", None),
        (Symbol("beta1") * Symbol("m_hat"), "β₁ · m̂", r"\beta_{1} \, \hat{m}"),
    ],
)
def test_formulas_for_people(tree: Any, line: str, math_text: str | None) -> None:
    assert unicode(tree) == line
    if math_text is not None:
        assert latex(tree) == math_text


def test_a_profile_goes_on_behind_a_traced_formula():
    """``cProfile`` sets a profiler that is no function, so that ``sys.setprofile`` cannot bring it back."""
    profile = cProfile.Profile()
    profile.enable()
    trace(lambda a: a * 2, A)
    _called_after_the_trace()
    profile.disable()
    assert any("_called_after_the_trace" in str(each.code) for each in profile.getstats())


def _called_after_the_trace():
    return 1
