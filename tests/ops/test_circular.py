"""The float ufuncs of NumPy: PyTorch's values, gradients and conventions; methods, options and operators of ufuncs."""

from __future__ import annotations

import functools
import math
import operator
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

import minigrad as mg
from minigrad import ops, registry
from minigrad.errors import OperationError
from tests.ops.cases import CASES, COMPOSED

torch = pytest.importorskip("torch")

inf, nan = math.inf, math.nan
UFUNCS = sorted({f for f in vars(np).values() if isinstance(f, np.ufunc)}, key=lambda f: f.__name__)


@pytest.mark.parametrize("ufunc", UFUNCS, ids=lambda f: f.__name__)
def test_every_ufunc_runs_on_tensors(ufunc):
    # frexp's and ldexp's whole numbers have no rule; the operations of whole numbers are constants
    if ufunc.signature is not None or ufunc is np.isnat:
        return  # products, in a test of their own; and dates, which no tensor holds
    assert ufunc in registry.functions
    if "d->d" in ufunc.types or "dd->d" in ufunc.types:
        operation = registry.functions[ufunc]
        piecewise = ufunc in registry.constants or not getattr(operation, "differentiable", True)
        assert piecewise == (
            ufunc.__name__
            in {"ceil", "floor", "floor_divide", "nextafter", "rint", "sign", "spacing", "trunc"}
        )


TORCH = {
    "arccos": torch.acos, "arccosh": torch.acosh, "arcsin": torch.asin, "arcsinh": torch.asinh,
    "arctan": torch.atan, "arctanh": torch.atanh, "tan": torch.tan, "sinh": torch.sinh, "cosh": torch.cosh,
    "exp2": torch.exp2, "log2": torch.log2, "log10": torch.log10, "reciprocal": torch.reciprocal,
    "rad2deg": torch.rad2deg, "deg2rad": torch.deg2rad, "sinc": torch.sinc, "i0": torch.special.i0,
    "hypot": torch.hypot, "arctan2": torch.atan2, "logaddexp": torch.logaddexp, "logaddexp2": torch.logaddexp2,
    "remainder": torch.remainder, "fmod": torch.fmod, "fmax": torch.fmax, "fmin": torch.fmin,
    "copysign": torch.copysign, "power": torch.pow, "i1": torch.special.i1, "i0e": torch.special.i0e,
    "i1e": torch.special.i1e, "fabs": torch.abs, "float_power": torch.float_power,
}  # fmt: skip


def both(name, ours, *columns):
    """The results and gradients of g · f(…), ours and PyTorch's."""
    mine = [mg.Tensor(np.array(c, float), requires_grad=True) for c in columns]
    theirs = [torch.tensor(c, dtype=torch.float64, requires_grad=True) for c in columns]
    with np.errstate(all="ignore"):
        y, z = ours(*mine), TORCH[name](*theirs)
        weights = np.linspace(0.5, 1.5, y.size).reshape(y.shape)
        (y * weights).sum().backward()
    (z * torch.tensor(weights)).sum().backward()
    found = [y.numpy(), *(t.grad.numpy() for t in mine)]
    wanted = [z.detach().numpy(), *(t.grad.numpy() for t in theirs)]
    return found, wanted


@pytest.mark.parametrize("name", sorted(TORCH))
def test_values_and_gradients_are_pytorch_s(name):
    for case in {**CASES, **COMPOSED}[name]:
        if case.layout == "contiguous" and len(case.inputs) == (2 if name in TWO else 1):
            ours = getattr(np, name, None) or getattr(ops, name)
            found, wanted = both(name, ours, *(x.tolist() for x in case.inputs))
            for one, other in zip(found, wanted, strict=True):
                np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-13)


TWO = {f.__name__ for f in UFUNCS if f.nin == 2}

CONVENTIONS = {
    "hypot": ([0.0, 3, inf], [0.0, 4, 1]),
    "arctan2": ([0.0, 0, 1, -0.0], [0.0, -1, 0, 0.0]),
    "logaddexp": ([-inf, inf, 1, inf, -inf, 1000], [-inf, inf, -inf, 1, 2, -1000]),
    "logaddexp2": ([-inf, inf, 1, inf, -inf, 3000], [-inf, inf, -inf, 1, 2, -3000]),
    "fmax": ([1.0, nan, 2, nan, 3], [1.0, 1, nan, nan, 2]),
    "fmin": ([1.0, nan, 2, nan, 3], [1.0, 1, nan, nan, 2]),
    "remainder": ([5.0, -5, 1, 7], [3.0, 3, -0.3, -2]),
    "fmod": ([5.0, -5, 1, 7], [3.0, 3, -0.3, -2]),
    "copysign": ([0.0, -0.0, 1, -2, 3], [1.0, -1, -1, -1, -0.0]),
    "power": ([0.0, 0, 0, 2, 0, -1], [0.0, 2, -1, 0, -0.5, 2]),
    "fabs": ([0.0, -0.0, -2],),
    "sinc": ([0.0, 0.5, -2],),
    "arccos": ([1.0, -1, 0],),
    "arcsin": ([1.0, -1, 0],),
    "i0": ([0.0, 30, -30],),
    "i1": ([0.0, 30, -30],),
    "i0e": ([0.0, 30, -30],),
    "i1e": ([0.0, 30, -30],),
    "reciprocal": ([0.0, inf],),
}


@pytest.mark.parametrize("name", sorted(CONVENTIONS))
def test_conventions_are_pytorch_s(name):
    found, wanted = both(name, getattr(np, name, None) or getattr(ops, name), *CONVENTIONS[name])
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-13)


def test_the_remainder_of_numbers_whose_quotient_is_rounded_up():
    """1 / 0.1 is rounded to 10, and still 0.1 goes into 1 only 9 times: 1 - 9 · 0.1 = 0.09999…"""
    b = mg.Tensor(np.array([0.1]), requires_grad=True)
    y = np.remainder(np.array([1.0]), b)
    y.sum().backward()
    assert y.item() == 1.0 % 0.1
    assert b.grad.item() == -9.0


def test_sinc_around_0_to_the_fourth_order():
    points = np.array([0.0, 1e-9, 1e-3, 0.5, -0.2, 1.0])
    tensor, derivatives = mg.Tensor(points, requires_grad=True), []
    y = np.sinc(tensor)
    for _ in range(4):
        (y,) = mg.gradients(y.sum(), [tensor], create_graph=True)
        derivatives.append(y.numpy())
    # sinc a = Σ (-1)^k (π a)^(2k) / (2k + 1)!
    for n, found in enumerate(derivatives, 1):
        series = [
            sum(
                (-1) ** k
                * math.pi ** (2 * k)
                * math.perm(2 * k, n)
                * a ** (2 * k - n)
                / math.factorial(2 * k + 1)
                for k in range((n + 1) // 2, 25)
            )
            for a in points
        ]
        np.testing.assert_allclose(found, series, rtol=1e-9, atol=1e-12)


def test_functions_of_two_results():
    a = np.array([1.5, -2.25, 0.0, 7.0])
    t = mg.Tensor(a, requires_grad=True)
    for f in (
        np.modf,
        np.frexp,
        lambda x: np.divmod(x, 2.0),
        lambda x: divmod(x, 2),
        lambda x: divmod(7.0, x[:2]),
    ):
        for found, wanted in zip(f(t), f(a), strict=True):
            assert found.dtype == wanted.dtype
            np.testing.assert_array_equal(found.data, wanted)
    for k, wanted in ((0, [1, 1, 1, 1]), (1, None)):
        part = np.modf(t)[k]
        assert part.requires_grad == (wanted is not None)
    (g,) = mg.gradients(np.frexp(t)[0].sum(), [t])
    np.testing.assert_array_equal(g.numpy(), [0.5, 0.25, 1.0, 0.125])  # PyTorch


OPERATORS = [operator.mod, operator.floordiv, operator.pow, operator.truediv, divmod]


@pytest.mark.parametrize("f", OPERATORS, ids=lambda f: f.__name__)
def test_operators_in_both_orders(f):
    a = np.array([1.5, 2.25, 4.0])
    for run in (
        lambda x: f(x, 2),
        lambda x: f(2, x),
        lambda x: f(x, 0.75),
        lambda x: f(x, np.array([1.0, 2, 3])),
    ):
        results = [run(mg.Tensor(a)), run(a)]
        parts = zip(*results, strict=True) if f is divmod else [results]
        for found, wanted in parts:
            np.testing.assert_array_equal(found.data, wanted)


def test_rounding():
    t = mg.Tensor([1.26, -2.5, 3.5], requires_grad=True)
    assert round(t).numpy().tolist() == [1.0, -2.0, 4.0]
    np.testing.assert_allclose(round(t, 1).numpy(), [1.3, -2.5, 3.5])
    np.testing.assert_array_equal(np.around(t, 1).numpy(), np.round(t.numpy(), 1))
    assert not round(t).requires_grad


def test_numbers_instead_of_nan():
    a = np.array([nan, inf, -inf, 1.5])
    t = mg.Tensor(a, requires_grad=True)
    for options in ({}, {"nan": 2.0}, {"posinf": 3.0}, {"neginf": -1.0, "nan": 0.5}):
        np.testing.assert_array_equal(np.nan_to_num(t, **options).data, np.nan_to_num(a, **options))
    (g,) = mg.gradients(np.nan_to_num(t).sum(), [t])
    assert g.numpy().tolist() == [0.0, 0.0, 0.0, 1.0]


class TestMethodsOfUfuncs:
    matrices = arrays(
        np.float64, array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=3), elements=st.floats(0.5, 2)
    )
    REDUCED = (
        *(np.add, np.multiply, np.maximum, np.minimum, np.logaddexp, np.logaddexp2, np.hypot, np.fmax),
        *(np.subtract, np.divide, np.logical_and, np.logical_xor),
    )

    @given(matrices, st.sampled_from(REDUCED), st.booleans(), st.booleans(), st.data())
    def test_reduce_and_accumulate_are_numpy_s(self, a, ufunc, keepdims, turned, data):
        a = a[::-1].T if turned else a
        axis = data.draw(st.integers(-a.ndim, a.ndim - 1))
        options = data.draw(st.sampled_from([{}, {"initial": 1.25}, {"initial": 1.25, "where": a > 1}]))
        t = mg.Tensor(a, requires_grad=True)
        for run in (
            lambda x: ufunc.reduce(x, axis=axis, keepdims=keepdims, **options),
            lambda x: ufunc.accumulate(x, axis=axis),
            lambda x: ufunc.outer(x, x),
        ):
            try:
                wanted = run(a)
            except ValueError:  # nothing to begin with
                with pytest.raises((ValueError, OperationError)):
                    run(t)
                continue
            found = run(t)
            assert found.shape == np.shape(wanted)
            np.testing.assert_allclose(found.data, wanted, rtol=1e-12)

    @given(matrices)
    def test_the_reduction_of_arctan2_is_its_definition(self, a):
        # NumPy's own, with AVX-512, is arctan2(first, last): its loop overlooks that the result comes in again
        a = np.concatenate([np.ones((1, *a.shape[1:])), a])
        found = np.arctan2.reduce(mg.Tensor(a, requires_grad=True))
        np.testing.assert_allclose(found.data, functools.reduce(np.arctan2, a), rtol=1e-12)

    def test_where_it_leaves_out_the_gradient_is_0(self):
        t = mg.Tensor([[1.0, 2.0], [4.0, 8.0]], requires_grad=True)
        mask = np.array([[True, False], [True, True]])
        np.divide.reduce(t, axis=1, initial=16.0, where=mask).sum().backward()
        # 16 / 1, and 16 / 4 / 8
        np.testing.assert_allclose(t.grad.numpy(), [[-16.0, 0.0], [-0.125, -0.0625]])

    def test_the_running_maximum_s_gradient_goes_to_the_last_of_equals(self):
        a = [1.0, 3.0, 3.0, 2.0, 3.0]
        t, u = mg.Tensor(a, requires_grad=True), torch.tensor(a, requires_grad=True)
        np.maximum.accumulate(t).sum().backward()
        torch.cummax(u, 0).values.sum().backward()
        assert t.grad.numpy().tolist() == u.grad.tolist()

    def test_several_axes_only_where_their_order_does_not_count(self):
        t = mg.Tensor(np.ones((2, 3)), requires_grad=True)
        assert np.hypot.reduce(t, axis=(0, 1)).item() == pytest.approx(math.sqrt(6))
        assert np.add.reduce(t, axis=None).item() == 6
        with pytest.raises(OperationError, match=r"MG-215 np\.subtract\.reduce along the axes \(0, 1\)"):
            np.subtract.reduce(t, axis=(0, 1))

    def test_nothing_to_begin_with(self):
        t = mg.Tensor(np.ones((0, 2)), requires_grad=True)
        with pytest.raises(OperationError, match=r"MG-215 Over no entries np\.divide\.reduce"):
            np.divide.reduce(t)
        with pytest.raises(OperationError, match=r"MG-215 With where= np\.maximum\.reduce .*initial"):
            np.maximum.reduce(t, where=np.ones((0, 2), bool))

    @pytest.mark.parametrize("method", ["at", "reduceat"])
    def test_methods_that_are_refused_say_what_to_write(self, method):
        t = mg.Tensor([1.0, 2.0], requires_grad=True)
        with pytest.raises(OperationError, match=rf"MG-602 np\.hypot\.{method}\(tensor\).*Write .*np\.hypot"):
            getattr(np.hypot, method)(t, [0, 1], *([t] if method == "at" else []))

    def test_options(self):
        t = mg.Tensor([1.0, 2.0], requires_grad=True)
        y = np.exp(t, dtype="float32", casting="same_kind", order="K", subok=True, where=True)
        np.testing.assert_array_equal(y.data, np.exp(t.numpy(), dtype="float32"))
        assert y.dtype == np.float32
        y.sum().backward()
        assert t.grad.dtype == t.dtype
        for options in (
            {"where": [True, False]},
            {"casting": "unsafe"},
            {"dtype": int},
            {"signature": "d->d"},
        ):
            with pytest.raises(OperationError, match=rf"MG-602 np\.exp\(tensor, {next(iter(options))}="):
                np.exp(t, **options)


def test_the_import_of_minigrad_imports_none_of_them():
    code = (
        "import sys, minigrad; late = {'circular', 'special', 'bessel', 'gammas', 'probability', 'hypergeometric'};"
        "print([n for n in sys.modules if n == 'scipy.special' or n.removeprefix('minigrad.ops.') in late])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told.strip() == "[]"
    code = (
        "import sys, numpy as np, minigrad as mg; np.tan(mg.Tensor([1.0])); import minigrad.ops as o; o.circular;"
        "print('scipy.special' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told.strip() == "False"


CHOOSING = {
    "relu": (ops.relu, torch.relu),
    "leaky_relu": (ops.leaky_relu, torch.nn.functional.leaky_relu),
    "clip": (lambda t: np.clip(t, -0.5, 0.5), lambda t: torch.clamp(t, -0.5, 0.5)),
    "clip below": (lambda t: np.clip(t, None, 0.5), lambda t: torch.clamp(t, max=0.5)),
    "clip above": (lambda t: np.clip(t, -0.5, None), lambda t: torch.clamp(t, min=-0.5)),
    "maximum": (lambda t: np.maximum(t, 0.0), lambda t: torch.maximum(t, torch.zeros_like(t))),
    "minimum": (lambda t: np.minimum(t, 0.0), lambda t: torch.minimum(t, torch.zeros_like(t))),
    "maximum, second": (lambda t: np.maximum(0.0, t), lambda t: torch.maximum(torch.zeros_like(t), t)),
    "fmax": (lambda t: np.fmax(t, 0.0), lambda t: torch.fmax(t, torch.zeros_like(t))),
    "abs": (np.abs, torch.abs),  # whose slope of 0 at 0 is a factor
    "linear_relu": (
        lambda t: ops.linear_relu(t[:, None], np.ones((1, 1)), np.zeros(1))[:, 0],
        lambda t: torch.relu(torch.nn.functional.linear(t[:, None], torch.ones(1, 1).double()))[:, 0],
    ),
}


@pytest.mark.parametrize("g", [inf, -inf, nan, 3.0, -3.0])
@pytest.mark.parametrize("name", CHOOSING)
def test_what_is_not_chosen_gets_0_whatever_comes_back(name, g):
    ours, theirs = CHOOSING[name]
    numbers = np.array([-2.0, -0.5, -0.25, 0.0, 0.25, 0.5, 2.0])
    t, there = mg.Tensor(numbers, requires_grad=True), torch.tensor(numbers, requires_grad=True)
    ours(t).backward(np.full(numbers.shape, g))
    theirs(there).backward(torch.full(numbers.shape, g, dtype=torch.float64))
    np.testing.assert_array_equal(t.grad.data, there.grad.numpy())
