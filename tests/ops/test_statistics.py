"""Averages, running products, differences, covariances, interpolation: NumPy's values, PyTorch's gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import minigrad as mg
from minigrad import registry
from minigrad.errors import MinigradError, WeightsError
from tests.ops.test_order import AXES, HOLED, NUMBERS, SHAPES, equal, laid_out, ours, same

torch = pytest.importorskip("torch")
registry.load()
pytestmark = pytest.mark.filterwarnings("ignore")

NAN, INF = np.nan, np.inf
RNG = np.random.default_rng(11)
A, B = RNG.normal(size=(3, 4, 5)), RNG.normal(size=(2, 5))
ZEROS = np.array([[2.0, 0.0, 3.0, -1.0], [0.0, 4.0, 0.0, 2.0], [1.0, 2.0, 3.0, 0.0]])
HOLES = np.array([[2.0, NAN, 3.0], [NAN, NAN, 1.0]])
STEPS = np.array([0.0, 0.5, 1.25, 1.5, 3.0])
TIMES = np.array([1, 2, 0, 3, 1])
WEIGHTS = RNG.uniform(0.2, 1, 5)


def _convolved(mode: str) -> Callable[..., Any]:
    padding = {"valid": lambda m: 0, "full": lambda m: m - 1}[mode]
    return lambda a, v: torch.nn.functional.conv1d(a[None, None], v[None, None], padding=padding(len(v)))[
        0, 0
    ]


PAIRS: dict[str, tuple[Any, Any, tuple[Any, ...]]] = {
    "cumprod": (lambda t: np.cumprod(t, axis=1), lambda t: torch.cumprod(t, 1), (A,)),
    "cumprod with zeros": (lambda t: np.cumprod(t, axis=1), lambda t: torch.cumprod(t, 1), (ZEROS,)),
    "cumprod of one": (lambda t: np.cumprod(t, axis=0), lambda t: torch.cumprod(t, 0), ([0.0],)),
    "prod with zeros": (lambda t: np.prod(t, axis=1), lambda t: torch.prod(t, 1), (ZEROS,)),
    "nansum": (lambda t: np.nansum(t, axis=1), lambda t: torch.nansum(t, 1), (HOLES,)),
    "nanmean": (lambda t: np.nanmean(t, axis=1), lambda t: torch.nanmean(t, 1), (HOLES,)),
    "diff": (lambda t: np.diff(t, n=2, axis=1), lambda t: torch.diff(t, n=2, dim=1), (A,)),
    "diff with ends": (
        lambda t, p, q: np.diff(t, axis=-1, prepend=p, append=q),
        lambda t, p, q: torch.diff(t, dim=-1, prepend=p, append=q),
        (B, B[:, :1], B[:, :2]),
    ),
    "trapezoid": (np.trapezoid, torch.trapezoid, (B, STEPS)),
    "trapezoid of steps": (
        lambda t: np.trapezoid(t, dx=0.3, axis=0),
        lambda t: torch.trapezoid(t, dx=0.3, dim=0),
        (B,),
    ),
    **{
        f"gradient, edge order {order}": (
            lambda t, order=order: np.gradient(t, STEPS, axis=1, edge_order=order),
            lambda t, order=order: torch.gradient(t, spacing=(torch.tensor(STEPS),), dim=1, edge_order=order)[
                0
            ],
            (B,),
        )
        for order in (1, 2)
    },
    "gradient along all axes": (
        lambda t: np.stack(np.gradient(t, 0.5)),
        lambda t: torch.stack(torch.gradient(t, spacing=0.5)),
        (A[0],),
    ),
    "cov": (np.cov, torch.cov, (B,)),
    "cov with weights": (
        lambda t, w: np.cov(t, fweights=TIMES, aweights=w, ddof=1),
        lambda t, w: torch.cov(t, correction=1, fweights=torch.tensor(TIMES), aweights=w),
        (B, WEIGHTS),
    ),
    "cov of one variable": (lambda t: np.cov(t, ddof=0), lambda t: torch.cov(t, correction=0), (B[0],)),
    "corrcoef": (np.corrcoef, torch.corrcoef, (A[0],)),
    "bincount": (
        lambda w: np.bincount(TIMES, w, minlength=6),
        lambda w: torch.zeros(6, dtype=torch.float64).index_add(0, torch.tensor(TIMES), w),
        (WEIGHTS,),
    ),
    "correlate": (np.correlate, _convolved("valid"), (A[0, 0], B[0, :3])),
    "correlate of all": (lambda a, v: np.correlate(a, v, "full"), _convolved("full"), (A[0, 0], B[0, :3])),
    "convolve": (np.convolve, lambda a, v: _convolved("full")(a, v.flip(0)), (A[0, 0], B[0, :3])),
    "average": (
        lambda t, w: np.average(t, axis=1, weights=w),
        lambda t, w: (t * w).sum(1) / w.sum(),
        (B, WEIGHTS),
    ),
    "linspace": (
        lambda a, b: np.linspace(a, b, 4),
        lambda a, b: torch.stack([a + (b - a) * k / 3 for k in range(4)]),
        (B[0], B[1]),
    ),
    "polyval": (np.polyval, lambda p, x: p[0] * x**2 + p[1] * x + p[2], (B[0, :3], A[0])),
}


@pytest.mark.parametrize("name", PAIRS)
def test_as_in_pytorch(name: str) -> None:
    mine, other, inputs = PAIRS[name]
    same(mine, other, *inputs)


def test_cumprod_to_second_order_with_zeros() -> None:
    for row in ZEROS:
        mg.gradcheck(np.cumprod, [row], order=2)


def test_infinities_are_left_out_and_not_multiplied_by_0() -> None:
    t = mg.Tensor(np.array([INF, 2.0, NAN, 3.0]), requires_grad=True)
    kept = np.array([False, True, False, True])
    for f, value, gradient in (
        (lambda: np.sum(t, where=kept), 5.0, [0, 1, 0, 1]),
        (lambda: np.prod(t, where=kept, initial=2.0), 12.0, [0, 6, 0, 4]),
        (lambda: np.mean(t, where=kept), 2.5, [0, 0.5, 0, 0.5]),
        (lambda: np.var(t, where=kept), 0.25, [0, -0.5, 0, 0.5]),
        (lambda: np.std(t, where=kept), 0.5, [0, -0.5, 0, 0.5]),
        (lambda: np.max(t, where=kept, initial=0.0), 3.0, [0, 0, 0, 1]),
        (lambda: np.min(t, where=kept, initial=9.0), 2.0, [0, 1, 0, 0]),
    ):
        t.zero_grad()
        y = f()
        y.backward()
        assert y.item() == pytest.approx(value)
        np.testing.assert_allclose(t.grad.numpy(), gradient)


def test_a_start_that_ties_shares_the_gradient() -> None:
    assert ours(lambda t: np.max(t, initial=3.0), [1.0, 3.0])[1][0].tolist() == [0, 0.5]
    assert ours(lambda t: np.max(t, initial=4.0), [1.0, 3.0])[1][0].tolist() == [0, 0]


def test_a_mean_that_is_given_has_a_gradient() -> None:
    x = np.array([1.0, 2.0, 6.0])
    y, (by_x, by_mean) = ours(lambda t, m: np.var(t, mean=m), x, [4.0])
    assert y == pytest.approx(np.var(x, mean=np.array([4.0])))
    np.testing.assert_allclose(by_x, 2 * (x - 4) / 3)
    np.testing.assert_allclose(by_mean, [-2 * (x - 4).sum() / 3])


def test_the_deviation_of_equal_entries_has_gradient_0() -> None:
    for f in (np.nanstd, lambda t: np.std(t, where=np.array([True, False, True]))):
        assert ours(f, [2.0, NAN, 2.0])[1][0].tolist() == [0, 0, 0]


def test_interp_at_its_kinks() -> None:
    """At a point the line on its right counts, at the last that on its left, and beyond the ends there is none."""
    x, xp, fp = np.array([-1.0, 0.0, 1.0, 3.0, 4.0]), np.array([0.0, 1.0, 3.0]), np.array([1.0, 4.0, 0.0])
    y, (by_x, _, by_f) = ours(np.interp, x, xp, fp)
    np.testing.assert_array_equal(y, np.interp(x, xp, fp))
    np.testing.assert_allclose(by_x / np.arange(1, 6), [0, 3, -2, -2, 0])
    np.testing.assert_allclose(by_f, [1 + 2, 3, 4 + 5])
    steep = mg.Tensor(np.array([5.0, INF]))
    assert np.interp(mg.Tensor(np.array([1.0, 2.0])), [1.0, 2.0], steep).numpy().tolist() == [5.0, INF]


def test_histogram_sums_weights() -> None:
    x = np.array([0.1, 0.4, 0.5, 0.9, 1.0, 7.0])
    w = mg.Tensor(np.arange(1.0, 7.0), requires_grad=True)
    for density in (False, True):
        counts, edges = np.histogram(x, bins=[0, 0.5, 1], weights=w, density=density)
        wanted, at = np.histogram(x, bins=[0, 0.5, 1], weights=w.numpy(), density=density)
        np.testing.assert_allclose(counts.numpy(), wanted)
        np.testing.assert_array_equal(edges.numpy(), at)
    counts, _ = np.histogram(x, bins=[0, 0.5, 1], weights=w)
    counts[1].backward()
    assert w.grad.numpy().tolist() == [0, 0, 1, 1, 1, 0]
    assert [part.numpy().tolist() for part in np.histogram(mg.Tensor(x), bins=[0, 0.5, 1])] == [
        [2, 3],
        [0, 0.5, 1],
    ]


# --- NumPy's values, in all options ----------------------------------------------------------------------------------


@settings(max_examples=300, deadline=None)
@given(
    a=laid_out(HOLED),
    data=st.data(),
    axis=AXES,
    keepdims=st.booleans(),
    f=st.sampled_from(["sum", "prod", "max", "min", "mean", "var", "std"]),
    over_nan=st.booleans(),
)
def test_masked_reductions_equal_numpys(
    a: np.ndarray, data: Any, axis: Any, keepdims: bool, f: str, over_nan: bool
) -> None:
    options: dict[str, Any] = {"where": data.draw(arrays.arrays(bool, a.shape))}
    if f in ("max", "min") or (f in ("sum", "prod") and data.draw(st.booleans())):
        options["initial"] = 1.5
    if f in ("var", "std"):
        options["ddof"] = data.draw(st.sampled_from([0, 1]))
    function = getattr(np, ("nan" if over_nan else "") + f)
    equal(lambda t: function(t, axis=axis, keepdims=keepdims, **options), a)


LINES = arrays.arrays(np.float64, st.integers(1, 6), elements=NUMBERS)


@settings(max_examples=150, deadline=None)
@given(a=LINES, v=LINES, mode=st.sampled_from(["full", "same", "valid"]))
def test_convolutions_equal_numpys(a: np.ndarray, v: np.ndarray, mode: Any) -> None:
    equal(lambda a, v: np.convolve(a, v, mode=mode), a, v)
    equal(lambda a, v: np.correlate(a, v, mode), a, v)
    equal(lambda a: np.correlate(a[::-1], v, mode), a)


@settings(max_examples=150, deadline=None)
@given(a=laid_out(), n=st.integers(0, 3), axis=st.sampled_from([0, -1, 1]), initial=st.booleans())
def test_running_functions_equal_numpys(a: np.ndarray, n: int, axis: int, initial: bool) -> None:
    equal(lambda t: np.diff(t, n=n, axis=axis, prepend=1.0), a)
    for f in (np.cumsum, np.cumprod, np.nancumsum, np.nancumprod):
        equal(lambda t, f=f: f(t, axis=axis), a)
        equal(lambda t, f=f: f(t), a)
    equal(lambda t: np.cumulative_sum(t, axis=axis, include_initial=initial), a)
    equal(lambda t: np.cumulative_prod(t, axis=axis, include_initial=initial), a)
    equal(lambda t: np.trapezoid(t, dx=0.5, axis=axis), a)
    equal(lambda t: np.ediff1d(t, to_end=[1.0, 2.0]), a)


@settings(max_examples=100, deadline=None)
@given(shape=SHAPES, data=st.data(), order=st.sampled_from([1, 2]))
def test_gradient_equals_numpys(shape: tuple[int, ...], data: Any, order: int) -> None:
    a = RNG.normal(size=shape)
    steps = [data.draw(st.sampled_from([0.5, np.cumsum(RNG.uniform(0.1, 1, n))])) for n in shape]
    f = np.gradient(a, *steps, edge_order=order) if min(shape) > order else None
    if f is None:
        with pytest.raises(ValueError, match="MG-103"):
            np.gradient(mg.Tensor(a), *steps, edge_order=order)
        return
    got = np.gradient(mg.Tensor(a), *steps, edge_order=order)
    for mine, wanted in zip(got if len(shape) > 1 else [got], f if len(shape) > 1 else [f], strict=True):
        np.testing.assert_allclose(mine.numpy(), wanted, rtol=1e-9, atol=1e-9)


@settings(max_examples=100, deadline=None)
@given(
    data=st.data(),
    rowvar=st.booleans(),
    ddof=st.sampled_from([None, 0, 1]),
    bias=st.booleans(),
    second=st.booleans(),
)
def test_cov_equals_numpys(data: Any, rowvar: bool, ddof: Any, bias: bool, second: bool) -> None:
    m = data.draw(arrays.arrays(np.float64, st.sampled_from([(5,), (3, 5), (1, 5)]), elements=NUMBERS))
    m = m if rowvar or m.ndim == 1 else m.T
    options: dict[str, Any] = {"rowvar": rowvar, "ddof": ddof, "bias": bias}
    if data.draw(st.booleans()):
        options["fweights"] = TIMES
    if data.draw(st.booleans()):
        options["aweights"] = WEIGHTS
    equal(lambda t: np.cov(t, **({"y": t} if second else {}), **options), m)


@settings(max_examples=150, deadline=None)
@given(
    x=arrays.arrays(np.float64, SHAPES, elements=NUMBERS),
    n=st.integers(1, 5),
    options=st.sampled_from([{}, {"left": -7.0}, {"right": 9.0, "left": 2.0}, {"period": 2.5}]),
)
def test_interp_equals_numpys(x: np.ndarray, n: int, options: Any) -> None:
    xp, fp = np.cumsum(RNG.uniform(0.2, 1, n)) - 2, RNG.normal(size=n)
    if options.get("period"):
        xp = np.linspace(0.1, 2.3, n)
    equal(lambda x, xp, fp: np.interp(x, xp, fp, **options), x, xp, fp)


@settings(max_examples=100, deadline=None)
@given(
    f=st.sampled_from(["linspace", "logspace", "geomspace"]),
    num=st.integers(0, 5),
    endpoint=st.booleans(),
    axis=st.sampled_from([0, -1]),
    shape=arrays.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=3),
)
def test_points_between_ends_equal_numpys(f: str, num: int, endpoint: bool, axis: int, shape: Any) -> None:
    a, b = RNG.uniform(0.5, 2, shape), RNG.uniform(0.5, 2, shape)
    equal(lambda a, b: getattr(np, f)(a, b, num=num, endpoint=endpoint, axis=axis), a, b)


@pytest.mark.parametrize("axis", [None, 0, 1, (0, 2), (2, 0)])
@pytest.mark.parametrize("keepdims", [True, False])
def test_average_equals_numpys(axis: Any, keepdims: bool) -> None:
    full = RNG.uniform(0.2, 1, A.shape)
    own = full if axis is None else np.ones(tuple(A.shape[k] for k in np.atleast_1d(axis))) * 0.3
    for weights in (full, own):
        for part in (0, 1):
            equal(
                lambda t, w, part=part: np.average(t, axis, w, returned=True, keepdims=keepdims)[part],
                A,
                weights,
            )
    equal(lambda t: np.average(t, axis=axis, keepdims=keepdims, returned=True)[1], A)


def test_along_axes() -> None:
    for axis in (0, 1, -1):
        equal(lambda t, axis=axis: np.apply_along_axis(np.cumsum, axis, t), A)
        equal(lambda t, axis=axis: np.apply_along_axis(lambda v: np.stack([v, v * 2]), axis, t), A)
        equal(lambda t, axis=axis: np.apply_along_axis(np.sum, axis, t), A)
    equal(lambda t: np.apply_over_axes(np.sum, t, [0, -1]), A)


@pytest.mark.parametrize(
    ("call", "part"),
    [
        (
            lambda t: np.average(t, weights=[1, -1, 0]),
            "MG-614 average: the weights sum to 0 in 1 of 1 places",
        ),
        (lambda t: np.average(t, weights=[1, 2]), r"MG-103 weights of shape \(2,\) .* \(3,\)"),
        (lambda t: np.diff(t, n=-1), "MG-215 diff: .*not -1"),
        (lambda t: np.diff(t, axis=2), r"MG-216 diff of shape \(3,\): there is no axis 2"),
        (lambda t: np.gradient(t, edge_order=3), "MG-215 gradient: edge_order is 1 or 2, not 3"),
        (lambda t: np.gradient(t[:2], edge_order=2), "MG-103 gradient .* 2 entries; edge_order=2 needs 3"),
        (lambda t: np.gradient(t, [1.0, 2.0]), r"MG-103 gradient: coordinates of shape \(2,\)"),
        (lambda t: np.interp(t, t, t[:2]), r"MG-103 interp: xp of shape \(3,\) and fp of shape \(2,\)"),
        (lambda t: np.interp(t, t, t, period=0), "MG-215 interp: a period is not 0"),
        (lambda t: np.convolve(t, t[:0]), r"MG-103 convolve of shapes \(3,\) and \(0,\)"),
        (lambda t: np.convolve(t, t, "all"), "MG-215 convolve: mode is 'full', 'valid' or 'same', not 'all'"),
        (lambda t: np.cov(t, aweights=[1, 2]), r"MG-103 cov: 3 observations, and aweights of shape \(2,\)"),
        (lambda t: np.cov(t, fweights=[1, 0.5, 1]), "MG-215 cov: fweights count observations"),
        (lambda t: np.bincount([0, 1], t), "MG-103 bincount: 2 numbers and weights of shape"),
        (lambda t: np.cumulative_sum(t[None]), r"MG-215 an array of 2 axes, shape \(1, 3\)"),
        (lambda t: np.linspace(0.0, t, -1), "MG-215 linspace: .*not -1"),
        (lambda t: np.sum(t, where=np.ones((2, 3), bool)), "MG-103|MG-215"),
    ],
)
def test_errors_teach(call: Any, part: str) -> None:
    with pytest.raises(MinigradError, match=part):
        call(mg.Tensor([1.0, 2.0, 3.0]))


def test_an_average_of_no_weight_is_a_division_by_zero() -> None:
    assert issubclass(WeightsError, ZeroDivisionError)


@pytest.mark.skipif(not hasattr(np, "cumulative_sum"), reason="since NumPy 2.1")
@pytest.mark.parametrize("options", [{}, {"axis": 0}, {"axis": -1}, {"include_initial": True}])
@pytest.mark.parametrize("name", ["cumulative_sum", "cumulative_prod"])
def test_a_running_sum_of_a_single_number_is_a_vector(name, options):
    t = mg.Tensor(2.0, requires_grad=True)
    found = getattr(np, name)(t, **options)
    first = [float(name.endswith("prod"))] if options.get("include_initial") else []
    assert found.data.tolist() == [*first, 2.0]
    np.sum(found * 3.0).backward()
    assert t.grad.item() == 3.0
