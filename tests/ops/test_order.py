"""Sorting, medians, quantiles and extremes: NumPy's values in every option, PyTorch's gradients and its conventions."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import minigrad as mg
from minigrad import ops, registry
from minigrad.errors import ConfigError, MinigradError
from minigrad.ops.quantiles import PLACES

torch = pytest.importorskip("torch")
registry.load()
pytestmark = pytest.mark.filterwarnings("ignore")

NAN, INF = np.nan, np.inf
RNG = np.random.default_rng(7)
A = RNG.normal(size=(3, 4, 5))
TIES = np.array([[2.0, 1.0, 2.0, 2.0, 5.0], [3.0, 3.0, 1.0, 0.0, 3.0]])


def ours(f: Callable[..., Any], *inputs: Any) -> tuple[np.ndarray, list[np.ndarray]]:
    """The result, and the gradients of Σ c · result with c = 1, 2, 3 …."""
    tensors = [mg.Tensor(np.array(x, float), requires_grad=True) for x in inputs]
    y = f(*tensors)
    y.backward(np.arange(1.0, y.size + 1).reshape(y.shape))
    return y.numpy(), [t.grad.numpy() for t in tensors]


def theirs(f: Callable[..., Any], *inputs: Any) -> tuple[np.ndarray, list[np.ndarray]]:
    tensors = [torch.tensor(np.array(x, float), requires_grad=True) for x in inputs]
    y = f(*tensors)
    y.backward(torch.arange(1.0, y.numel() + 1, dtype=torch.float64).reshape(y.shape))
    return y.detach().numpy(), [t.grad.numpy() for t in tensors]


def same(mine: Callable[..., Any], other: Callable[..., Any], *inputs: Any) -> None:
    (value, gradients), (wanted, wanted_gradients) = ours(mine, *inputs), theirs(other, *inputs)
    np.testing.assert_allclose(value, wanted, rtol=1e-10)
    for got, expected in zip(gradients, wanted_gradients, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-12)


PAIRS: dict[str, tuple[Any, Any, tuple[Any, ...]]] = {
    "sort": (lambda t: np.sort(t, axis=1), lambda t: torch.sort(t, dim=1).values, (A,)),
    "sort of ties": (np.sort, lambda t: torch.sort(t, stable=True).values, (TIES,)),
    "sort of nan": (np.sort, lambda t: torch.sort(t, stable=True).values, ([3.0, NAN, -INF, INF, NAN],)),
    "sort of all": (lambda t: np.sort(t, axis=None), lambda t: torch.sort(t.flatten()).values, (A,)),
    "median": (lambda t: np.median(t, axis=2), lambda t: torch.median(t, dim=2).values, (A,)),
    "median of all": (np.median, torch.median, (A[0, :3],)),
    "median of ties": (np.median, torch.median, ([2.0, 1.0, 2.0, 2.0, 5.0],)),
    "median with nan": (np.median, torch.median, ([2.0, NAN, 3.0],)),
    "nanmedian": (np.nanmedian, torch.nanmedian, ([2.0, NAN, 3.0, 2.0, NAN, 2.0, 8.0],)),
    "nanmedian of rows": (
        lambda t: np.nanmedian(t, axis=1),
        lambda t: torch.nanmedian(t, dim=1).values,
        ([[2.0, NAN, 3.0, 5.0], [NAN, NAN, 1.0, NAN]],),
    ),
    "quantile": (lambda t: np.quantile(t, 0.3), lambda t: torch.quantile(t, 0.3), (A,)),
    "quantile at an entry": (lambda t: np.quantile(t, 0.5), lambda t: torch.quantile(t, 0.5), (A[0, 0],)),
    "quantile of ties": (
        lambda t: np.quantile(t, 0.6, axis=1),
        lambda t: torch.quantile(t, 0.6, dim=1),
        (TIES,),
    ),
    "quantiles and their places": (
        lambda t, q: np.quantile(t, q, axis=1, keepdims=True),
        lambda t, q: torch.quantile(t, q, dim=1, keepdim=True),
        (A[0], [0.1, 0.5, 0.83, 0.0, 1.0]),
    ),
    "quantile with nan": (
        lambda t: np.quantile(t, 0.3),
        lambda t: torch.quantile(t, 0.3),
        ([1.0, NAN, 9.0, NAN],),
    ),
    "nanquantile": (
        lambda t: np.nanquantile(t, 0.3, axis=1),
        lambda t: torch.nanquantile(t, 0.3, dim=1),
        ([[2.0, NAN, 3.0, 5.0], [4.0, NAN, 1.0, NAN]],),
    ),
    **{
        f"quantile, {method}": (
            lambda t, method=method: np.quantile(t, [0.2, 0.77], axis=0, method=method),
            lambda t, method=method: torch.quantile(
                t, torch.tensor([0.2, 0.77], dtype=torch.float64), dim=0, interpolation=method
            ),
            (A[0],),
        )
        for method in ("linear", "lower", "higher", "nearest", "midpoint")
    },
    "ptp": (lambda t: np.ptp(t, axis=1), lambda t: torch.amax(t, 1) - torch.amin(t, 1), (TIES,)),
    "max of nan": (np.max, torch.max, ([1.0, NAN, 2.0, NAN],)),
    "min of nan": (np.min, torch.min, ([NAN, 1.0, 2.0],)),
    "max of infinities": (np.max, torch.max, ([INF, 1.0, INF, -INF],)),
}


@pytest.mark.parametrize("name", PAIRS)
def test_as_in_pytorch(name: str) -> None:
    mine, other, inputs = PAIRS[name]
    same(mine, other, *inputs)


@pytest.mark.parametrize("reduce", [np.max, np.min])
def test_an_infinite_gradient_reaches_the_extremes_alone(reduce: Any) -> None:
    t = mg.Tensor(np.array([1.0, 3.0, 2.0, 3.0, 1.0]), requires_grad=True)
    reduce(t).backward(np.array(INF))
    np.testing.assert_array_equal(t.grad.numpy(), np.where(t.numpy() == reduce(t.numpy()), INF, 0))


def test_the_mean_of_both_in_the_middle_shares_each_half_among_its_equals() -> None:
    _, (gradient,) = ours(np.median, [1.0, 2.0, 2.0, 5.0, 5.0, 5.0])
    np.testing.assert_allclose(gradient, [0, 1 / 4, 1 / 4, 1 / 6, 1 / 6, 1 / 6])


def test_numbers_far_out_and_infinite() -> None:
    largest = np.finfo(float).max
    assert np.median(mg.Tensor(np.array([largest, largest, largest]))).item() == largest
    assert np.median(mg.Tensor(np.array([-INF, 1.0, INF]))).item() == 1.0
    assert np.quantile(mg.Tensor(np.array([1.0, 2.0, INF])), 0.5).item() == 2.0
    assert np.nanmax(mg.Tensor(np.array([NAN, -INF]))).item() == -INF


def test_what_is_nan_alone_stays_nan() -> None:
    for f in (np.nanmax, np.nanmin, np.nanmedian, lambda t, axis: np.nanquantile(t, 0.4, axis=axis)):
        t = mg.Tensor(np.array([[NAN, NAN], [NAN, 1.0]]), requires_grad=True)
        y = f(t, axis=1)
        np.testing.assert_array_equal(y.numpy(), [NAN, 1.0])
        y[1:].sum().backward()
        np.testing.assert_array_equal(t.grad.numpy(), [[0, 0], [0, 1]])


# --- NumPy's values, in all options ----------------------------------------------------------------------------------

NUMBERS = st.one_of(st.sampled_from([0.0, 1.0, -2.5, 3.0]), st.floats(-5, 5, allow_subnormal=False))
SHAPES = arrays.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4)


@st.composite
def laid_out(draw: Any, elements: Any = NUMBERS) -> np.ndarray:
    """An array in C order, in Fortran's, or walked backwards."""
    a = draw(arrays.arrays(np.float64, draw(SHAPES), elements=elements))
    return draw(st.sampled_from([lambda a: a, np.asfortranarray, lambda a: np.flip(a.copy())]))(a)


def equal(f: Callable[..., Any], *inputs: Any) -> None:
    """f of Tensors is what it is of arrays, error for error."""
    try:
        wanted = f(*inputs)
    except (ValueError, TypeError, IndexError):
        if 0 in inputs[0].shape:  # where NumPy stumbles over a reshape, though nothing is asked for
            return
        with pytest.raises((ValueError, TypeError, IndexError)):
            f(*map(mg.Tensor, inputs))
        return
    got = f(*map(mg.Tensor, inputs))
    assert got.shape == np.shape(wanted)
    assert got.dtype == np.asarray(wanted).dtype
    np.testing.assert_allclose(got.numpy(), wanted, rtol=1e-12, atol=1e-13)


AXES = st.sampled_from([None, 0, -1, (0,), (-1, 0)])
REDUCTIONS = [np.median, np.nanmedian, np.ptp, np.nanmax, np.nanmin]
HOLED = st.one_of(NUMBERS, st.just(NAN))


@settings(max_examples=150, deadline=None)
@given(a=laid_out(HOLED), axis=AXES, keepdims=st.booleans(), f=st.sampled_from(REDUCTIONS))
def test_reductions_equal_numpys(a: np.ndarray, axis: Any, keepdims: bool, f: Any) -> None:
    equal(lambda t: f(t, axis=axis, keepdims=keepdims), a)


@settings(max_examples=100, deadline=None)
@given(
    a=laid_out(HOLED),
    axis=st.sampled_from([None, 0, -1, 1]),
    kind=st.sampled_from([None, "heapsort", "stable"]),
)
def test_sort_equals_numpys(a: np.ndarray, axis: Any, kind: Any) -> None:
    equal(lambda t: np.sort(t, axis=axis, kind=kind), a)
    equal(lambda t: np.sort(t, axis, stable=True), a)


@settings(max_examples=300, deadline=None)
@given(
    a=laid_out(),
    q=st.one_of(st.floats(0, 1), st.sampled_from([0, 1, 0.5, 0.25]), st.lists(st.floats(0, 1), max_size=3)),
    axis=AXES,
    keepdims=st.booleans(),
    method=st.sampled_from(sorted(PLACES)),
    half=st.booleans(),
)
def test_quantiles_equal_numpys(
    a: np.ndarray, q: Any, axis: Any, keepdims: bool, method: str, half: bool
) -> None:
    equal(lambda t: np.quantile(t, q, axis=axis, method=method, keepdims=keepdims), a)
    equal(lambda t: np.percentile(t, np.multiply(q, 100), axis=axis, method=method, keepdims=keepdims), a)
    if a.size > 2:
        holed = np.where(np.arange(a.size).reshape(a.shape) % 3 == 1, NAN, a)
        equal(lambda t: np.nanquantile(t, q, axis=axis, method=method, keepdims=keepdims), holed)
        equal(lambda t: np.quantile(t, q, axis=axis, method=method, keepdims=keepdims), holed)


@settings(max_examples=100, deadline=None)
@given(data=st.data(), q=st.floats(0, 1))
def test_weighted_quantiles_equal_numpys(data: Any, q: float) -> None:
    a = RNG.normal(size=(3, 4)).round(1)
    weights = data.draw(arrays.arrays(np.float64, (3, 4), elements=st.sampled_from([0.0, 0.5, 1.0, 3.0])))
    weights[0] += 1.0
    for f in (np.quantile, np.nanquantile):
        for axis in (None, 0, (1, 0)):
            w = weights.T if axis == (1, 0) else weights
            equal(lambda t, f=f, axis=axis, w=w: f(t, q, axis=axis, weights=w, method="inverted_cdf"), a)
    equal(lambda t: np.quantile(t, q, axis=0, weights=weights[:, 0], method="inverted_cdf"), a)


def test_every_method_of_numpys_is_there() -> None:
    with pytest.raises(ValueError, match="not a valid method") as caught:
        np.quantile([1.0], 0.5, method="nonsense")
    assert all(f"'{method}'" in str(caught.value) for method in PLACES)
    assert str(caught.value).count("'") // 2 - 1 == len(PLACES)


@pytest.mark.parametrize("kth", [0, 2, -1, [1, 3]])
def test_partition_puts_the_kth_where_it_is_sorted(kth: Any) -> None:
    t = mg.Tensor(A, requires_grad=True)
    y = np.partition(t, kth, axis=1)
    np.testing.assert_array_equal(np.take(y.numpy(), kth, axis=1), np.take(np.sort(A, axis=1), kth, axis=1))
    (y * y).sum().backward()
    np.testing.assert_allclose(t.grad.numpy(), 2 * A)


def test_unique_has_no_gradient() -> None:
    t = mg.Tensor(np.array([3.0, 1.0, 3.0]), requires_grad=True)
    values, index, counts = np.unique(t, return_index=True, return_counts=True)
    assert [part.numpy().tolist() for part in (values, index, counts)] == [[1, 3], [1, 0], [1, 2]]
    assert not values.requires_grad
    assert np.unique_counts(t).counts.numpy().tolist() == [1, 2]


@pytest.mark.parametrize(
    ("call", "part"),
    [
        (lambda t: np.quantile(t, 1.5), r"MG-215 quantile: q lies in \[0, 1\]; it goes from 1.5 to 1.5"),
        (lambda t: np.percentile(t, [50, 120]), r"MG-215 percentile: q lies in \[0, 100\]; .* 50 to 120"),
        (lambda t: np.quantile(t, 0.5, method="cubic"), "MG-215 quantile: there is no method 'cubic'.*hazen"),
        (lambda t: np.quantile(t, 0.5, weights=[1, 2, 3]), "MG-215 quantile .*inverted_cdf"),
        (lambda t: np.median(t, axis=3), "MG-216"),
        (lambda t: np.max(t, where=np.array([True, False, True])), r"MG-215 max with where=.*initial=-inf"),
        (lambda t: np.sort(t, order="x"), r"MG-214 np\.sort\(tensor, order='x'\)"),
    ],
)
def test_errors_teach(call: Any, part: str) -> None:
    with pytest.raises(MinigradError, match=part):
        call(mg.Tensor([1.0, 2.0, 3.0]))


@pytest.mark.parametrize("f", [ops.softmax, ops.log_softmax])
def test_softmax_of_nothing_is_nothing(f: Any) -> None:
    for shape, axis in (((2, 0), 1), ((0, 3), 0), ((0,), -1)):
        t = mg.Tensor(np.zeros(shape, "float32"), requires_grad=True)
        y = f(t, axis=axis)
        assert (y.shape, y.dtype) == (shape, np.float32)
        y.sum().backward()
        assert t.grad.shape == shape


def test_logsumexp_of_nothing_is_minus_infinity() -> None:
    t = mg.Tensor(np.zeros((2, 0)), requires_grad=True)
    y = ops.logsumexp(t, axis=1)
    np.testing.assert_array_equal(y.numpy(), torch.logsumexp(torch.zeros(2, 0), 1))
    y.sum().backward()
    assert t.grad.shape == (2, 0)


def test_the_options_are_numpys() -> None:
    """All that can be meant: what is left out writes into an array or names fields."""
    for f in (np.sort, np.partition, np.median, np.quantile, np.nanpercentile, np.ptp, np.nanmax):
        run = registry.functions[f].__closure__
        assert run is not None
        own = next(c.cell_contents for c in run if isinstance(c.cell_contents, (tuple, list)))
        assert {*inspect.signature(f).parameters} - {*own} <= {"out", "order"}, f.__name__


def test_a_median_of_integers_is_a_float() -> None:
    assert np.median(mg.Tensor([1, 2, 4, 9])).item() == 3.0
    with pytest.raises(ConfigError):
        np.quantile(mg.Tensor([1, 2]), -0.1)
