"""Products of tensors: NumPy's own results in every form, PyTorch's gradients, and what is refused."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad.errors import AxisError, ConfigError, DtypeError, MinigradError, OperationError, ShapeError

torch = pytest.importorskip("torch")

R = np.random.default_rng(7)


def array(*shape: int) -> np.ndarray:
    return R.uniform(-1, 1, shape)


def laid_out(a: np.ndarray, how: int) -> np.ndarray:
    """The same numbers otherwise in memory: in Fortran's order, with negative strides, as every second entry."""
    if how == 1:
        return a.T.copy().T
    if how == 2:
        flipped = np.flip(a).copy()
        return np.flip(flipped)
    if how == 3:
        return np.repeat(a, 2, axis=-1)[..., ::2] if a.ndim else a
    return a


def agree(ours: Callable[..., Any], theirs: Callable[..., Any], *inputs: np.ndarray) -> None:
    """Values, gradients and second gradients of a weighted sum of squares, ours and PyTorch's."""
    xs = [mg.Tensor(x, requires_grad=True) for x in inputs]
    ts = [torch.tensor(x.copy(), requires_grad=True) for x in inputs]
    y, z = ours(*xs), theirs(*ts)
    np.testing.assert_allclose(y.data, z.detach().numpy(), rtol=1e-10, atol=1e-12)
    w = np.linspace(0.5, 1.5, y.size).reshape(y.shape)
    firsts = mg.gradients(np.sum(y * y * w), xs, create_graph=True)
    wanted = torch.autograd.grad(
        (z * z * torch.tensor(w)).sum(), ts, create_graph=True, materialize_grads=True
    )
    for g, h in zip(firsts, wanted, strict=True):
        np.testing.assert_allclose(g.data, h.detach().numpy(), rtol=1e-10, atol=1e-11)
    seconds = mg.gradients(sum(np.sum(g * g) for g in firsts), xs, allow_constant=True)
    total = sum((h * h).sum() for h in wanted)
    if total.requires_grad:
        for g, h in zip(seconds, torch.autograd.grad(total, ts, materialize_grads=True), strict=True):
            np.testing.assert_allclose(g.data, h.detach().numpy(), rtol=1e-9, atol=1e-10)


PARITY: dict[str, tuple[Callable[..., Any], Callable[..., Any], list[tuple[int, ...]]]] = {
    "inner": (np.inner, torch.inner, [(2, 3), (4, 3)]),
    "inner of stacks": (np.inner, torch.inner, [(2, 2, 3), (3,)]),
    "outer": (np.outer, torch.outer, [(3,), (2,)]),
    "vdot": (np.vdot, torch.vdot, [(4,), (4,)]),
    "vecdot": (np.vecdot, torch.linalg.vecdot, [(2, 1, 3), (4, 3)]),
    "vecdot of an axis": (
        lambda a, b: np.linalg.vecdot(a, b, axis=0),
        lambda a, b: torch.linalg.vecdot(a, b, dim=0),
        [(3, 2), (3, 2)],
    ),
    "vecdot, the ufunc, of an axis": (
        lambda a, b: np.vecdot(a, b, axis=-2),
        lambda a, b: torch.linalg.vecdot(a, b, dim=-2),
        [(3, 2), (3, 2)],
    ),
    "tensordot": (np.tensordot, torch.tensordot, [(2, 3, 4), (3, 4, 2)]),
    "tensordot of pairs": (
        lambda a, b: np.tensordot(a, b, ([0, -1], [-1, 1])),
        lambda a, b: torch.tensordot(a, b, ([0, 2], [2, 1])),
        [(2, 4, 3), (5, 3, 2)],
    ),
    "kron": (np.kron, torch.kron, [(2, 3), (3, 2)]),
    "kron of different ranks": (np.kron, torch.kron, [(2,), (2, 3, 2)]),
    "cross": (np.cross, torch.linalg.cross, [(4, 3), (4, 3)]),
    "cross, stretched": (np.linalg.cross, torch.linalg.cross, [(2, 1, 3), (1, 4, 3)]),
    "trace": (np.trace, torch.trace, [(3, 4)]),
    "diagonal": (
        lambda a: np.linalg.diagonal(a, offset=-1),
        lambda a: torch.linalg.diagonal(a, offset=-1),
        [(2, 4, 3)],
    ),
    "matrix_transpose": (np.linalg.matrix_transpose, lambda a: a.mT, [(2, 3, 4)]),
    "multi_dot": (
        lambda *xs: np.linalg.multi_dot(xs),
        lambda *xs: torch.linalg.multi_dot(xs),
        [(3,), (3, 5), (5, 1), (1, 4), (4,)],
    ),
    "dot of stacks": (
        lambda a, b: np.dot(a, b),
        lambda a, b: torch.tensordot(a, b, ([1], [1])),
        [(2, 3), (4, 3, 2)],
    ),
}


@pytest.mark.parametrize("name", PARITY)
def test_values_and_gradients_are_pytorch_s(name: str) -> None:
    ours, theirs, shapes = PARITY[name]
    agree(ours, theirs, *(array(*shape) for shape in shapes))


def equal(f: Callable[..., Any], *inputs: Any) -> None:
    """NumPy's shape, dtype and numbers; whatever NumPy refuses is refused."""
    try:
        wanted = f(*inputs)
    except Exception as error:
        kind = next(k for k in (ValueError, TypeError, IndexError) if isinstance(error, k))
        with pytest.raises((kind, MinigradError)):
            f(*(mg.Tensor(x) for x in inputs))
        return
    got = f(*(mg.Tensor(x) for x in inputs))
    assert got.shape == wanted.shape
    assert got.dtype == wanted.dtype
    np.testing.assert_allclose(got.data, wanted, rtol=1e-12, atol=1e-13)


sizes = st.integers(0, 3)
looks = st.integers(0, 3)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_einsum_is_numpy_s_and_its_gradient_pytorch_s(data: st.DataObject) -> None:
    """Letters once, twice and three times in an operand, in one operand alone, in the result or not."""
    length = {c: data.draw(st.integers(0, 3), label=c) for c in "abcd"}
    terms = data.draw(st.lists(st.text("abcd", max_size=3), min_size=1, max_size=3), label="terms")
    letters = sorted({*"".join(terms)})
    output = "".join(data.draw(st.permutations(letters), label="order"))
    output = output[: data.draw(st.integers(0, len(letters)), label="kept")]
    explicit = data.draw(st.booleans(), label="explicit")
    dots = data.draw(st.booleans(), label="dots")
    inputs = []
    for term in terms:
        shape = ((2,) if dots else ()) + tuple(length[c] for c in term)
        inputs.append(laid_out(array(*shape), data.draw(looks)))
    subscripts = ",".join(("... " if dots else "") + " ".join(term) for term in terms)
    subscripts += f" -> {'...' if dots else ''}{output}" if explicit else ""
    optimize = data.draw(st.sampled_from([False, True, "greedy"]))
    agree_on_einsum(subscripts, optimize, inputs)


def agree_on_einsum(subscripts: str, optimize: Any, inputs: list[np.ndarray]) -> None:
    xs = [mg.Tensor(x, requires_grad=True) for x in inputs]
    ts = [torch.tensor(x.copy(), requires_grad=True) for x in inputs]
    y = np.einsum(subscripts, *xs, optimize=optimize)
    wanted = np.einsum(subscripts, *inputs)
    assert y.shape == np.shape(wanted)
    np.testing.assert_allclose(y.data, wanted, rtol=1e-12, atol=1e-13)
    w = np.linspace(0.5, 1.5, y.size).reshape(y.shape)
    np.sum(y * w).backward()
    z = torch.einsum(subscripts, *ts)
    (z * torch.tensor(w)).sum().backward()
    for x, t in zip(xs, ts, strict=True):
        np.testing.assert_allclose(x.grad.data, t.grad.numpy(), rtol=1e-12, atol=1e-13)


def test_einsum_picks_a_diagonal_whatever_stands_beside_it() -> None:
    a = mg.Tensor([[1.0, np.inf], [np.nan, 3.0]], requires_grad=True)
    assert np.einsum("ii", a).item() == 4
    np.testing.assert_array_equal(np.einsum("ii->i", a).data, [1, 3])
    np.einsum("ii,i->", a, mg.Tensor([2.0, 5.0])).backward()
    np.testing.assert_array_equal(a.grad.data, [[2, 0], [0, 5]])
    assert np.einsum(a, [0, 0]).item() == 4
    assert np.trace(a).item() == 4


def test_einsum_of_numbers_and_nothing() -> None:
    x = mg.Tensor(2.0, requires_grad=True)
    y = np.einsum(",,->", x, 3.0, x)
    y.backward()
    assert (y.item(), x.grad.item()) == (12, 12)
    assert np.einsum("i,i", mg.Tensor(np.zeros(0)), np.zeros(0)).item() == 0


def test_einsum_path_is_numpy_s() -> None:
    a, b, c = array(2, 8), array(8, 3), array(3, 2)
    for optimize in ("greedy", "optimal", True, False):
        ours = np.einsum_path("ij,jk,kl->il", mg.Tensor(a), mg.Tensor(b), c, optimize=optimize)
        assert ours == np.einsum_path("ij,jk,kl->il", a, b, c, optimize=optimize)


def test_a_gradient_of_many_factors_is_optimized_as_the_product_is() -> None:
    """Over all letters at once, the gradient of four factors of 40 by 40 would take 40⁵ multiplications."""
    xs = [mg.Tensor(array(40, 40), requires_grad=True) for _ in range(4)]
    np.sum(np.einsum("ab,bc,cd,de->ae", *xs, optimize=True)).backward()
    a, _, c, d = (x.data for x in xs)
    np.testing.assert_allclose(xs[1].grad.data, a.T @ np.ones((40, 40)) @ (c @ d).T, rtol=1e-10)


@settings(max_examples=60, deadline=None)
@given(a=st.lists(sizes, max_size=3), b=st.lists(sizes, max_size=3), how=looks)
def test_products_of_any_shapes(a: list[int], b: list[int], how: int) -> None:
    x, y = laid_out(array(*a), how), laid_out(array(*b), how)
    for f in (np.inner, np.outer, np.vdot, np.kron, np.dot, np.vecdot, np.linalg.outer):
        equal(f, x, y)
    for axes in (0, 1, 2, 3, ([0], [0]), (-1, 0), ([0, 1], [1, 0])):
        equal(lambda p, q, axes=axes: np.tensordot(p, q, axes), x, y)
    equal(lambda p, q: np.linalg.tensordot(p, q, axes=1), x, y)


@settings(max_examples=60, deadline=None)
@given(
    shape=st.lists(sizes, min_size=2, max_size=4),
    how=looks,
    offset=st.integers(-4, 4),
    axes=st.tuples(st.integers(-5, 4), st.integers(-5, 4)),
)
def test_diagonals_of_any_shape(shape: list[int], how: int, offset: int, axes: tuple[int, int]) -> None:
    a = laid_out(array(*shape), how)
    equal(lambda x: np.trace(x, offset, *axes), a)
    equal(lambda x: np.linalg.trace(x, offset=offset), a)
    equal(lambda x: np.linalg.diagonal(x, offset=offset), a)
    equal(np.linalg.matrix_transpose, a)


@pytest.mark.parametrize("axes", [(-1, -1, -1, None), (0, -1, 0, None), (1, 0, 1, None), (0, 1, -2, 0)])
def test_axes_of_cross(axes: tuple[int, int, int, int | None]) -> None:
    axisa, axisb, axisc, axis = axes
    a, b = array(2, 2, 3), array(2, 2, 3)
    first, second = (0, 0) if axis == 0 else (axisa, axisb)
    a, b = np.moveaxis(a, -1, first), np.moveaxis(b, -1, second)
    equal(lambda x, y: np.cross(x, y, axisa, axisb, axisc, axis), a, b)


MIXED = (np.inner, np.outer, np.vdot, np.kron, np.tensordot, np.cross, np.vecdot, np.linalg.outer)


@pytest.mark.parametrize("f", MIXED, ids=lambda f: f.__name__)
@pytest.mark.parametrize(
    "dtypes", [("int64", "int64"), ("int32", "float64"), ("int8", "int32"), ("float32", "float32")]
)
def test_dtypes_are_numpy_s(f: Callable[..., Any], dtypes: tuple[str, str]) -> None:
    a, b = (np.array([1, 2, 3], dtype) for dtype in dtypes)
    if f is np.tensordot:
        a, b = a[:, None], b[None, :]
        f = lambda x, y: np.tensordot(x, y, 1)  # noqa: E731
    equal(f, a, b)


def test_lists_and_numbers_beside_a_tensor() -> None:
    """In its dtype, as a single number is."""
    t = mg.Tensor(np.array([1.0, 2.0, 3.0], "float32"), requires_grad=True)
    for y, wanted in (
        (np.inner(t, [1, 2, 3]), 14),
        (np.inner(t, 2), [2, 4, 6]),
        (np.vdot([1, 0, 1], t), 4),
        (np.outer([2], t), [[2, 4, 6]]),
        (np.kron([1, 10], t), [1, 2, 3, 10, 20, 30]),
        (np.cross(t, [0.0, 0.0, 1.0]), [2, -1, 0]),
        (np.tensordot(t, [1.0, 1.0, 1.0], 1), 6),
    ):
        assert y.dtype == np.float32
        assert y.requires_grad
        np.testing.assert_array_equal(y.data, wanted)


def test_lists_beside_a_float64_tensor_keep_their_digits() -> None:
    t = mg.Tensor(np.array([1.0, 3.0]))
    wanted = 0.1 * 1 + 0.7 * 3
    for y in (
        np.inner(t, [0.1, 0.7]),
        np.vdot([0.1, 0.7], t),
        np.einsum("i,i", t, [0.1, 0.7]),
        np.einsum("i,i,->", t, [1, 7], 0.1),
        np.tensordot(t, [0.1, 0.7], 1),
        np.dot(t, [0.1, 0.7]),
    ):
        assert y.dtype == np.float64
        np.testing.assert_allclose(y.data, wanted, rtol=1e-14)


def test_multi_dot_chooses_the_order() -> None:
    """(10 by 1) (1 by 10) (10 by 1): from the right it takes 20 multiplications instead of 200."""
    shapes = [(10, 1), (1, 10), (10, 1)]
    xs = [mg.Tensor(array(*shape), requires_grad=True) for shape in shapes]
    seen = [record.value.shape for record in mg.tape(np.linalg.multi_dot(xs))]
    assert seen == [(1, 1), (10, 1)]


ERRORS: list[tuple[Callable[[Any], Any], type[Exception], str]] = [
    (lambda t: np.inner(t, np.ones(4)), ShapeError, r"MG-103 .*\[3\].*\[4\]"),
    (lambda t: np.tensordot(t, t, 3), ConfigError, "MG-215 tensordot: 3 axes"),
    (
        lambda t: np.tensordot(t, t, ([0], [1])),
        ShapeError,
        r"MG-103 tensordot of shapes \(2, 3\) and \(2, 3\)",
    ),
    (lambda t: np.tensordot(t, t, ([5], [1])), AxisError, "MG-216 .*5"),
    (lambda t: np.cross(t[:, :2], t[:, :2]), ShapeError, r"MG-103 cross .*a\[\.\.\., 0\] \* b"),
    (lambda t: np.linalg.cross(t[:, :2], t[:, :2]), ValueError, "3 components|must be both arrays of 3"),
    (lambda t: np.linalg.outer(t, t), ShapeError, "MG-103 .*np.outer"),
    (lambda t: np.linalg.multi_dot([t]), ShapeError, "MG-103 multi_dot"),
    (lambda t: np.linalg.multi_dot([t, t[None], t]), ShapeError, "MG-103 multi_dot"),
    (lambda t: np.linalg.matrix_transpose(t[0]), ShapeError, "MG-103 matrix_transpose"),
    (lambda t: np.trace(t[0]), ConfigError, "MG-215 a diagonal"),
    (lambda t: np.trace(t, 0, 0, 0), ConfigError, "MG-215 a diagonal"),
    (lambda t: np.trace(t, dtype="float32"), OperationError, "MG-214 .*dtype="),
    (lambda t: np.outer(t, t, out=np.zeros((6, 6))), OperationError, "MG-214 .*out="),
    (lambda t: np.einsum("ii", t), ShapeError, "MG-103 einsum 'ii': 'i' names axes of two lengths"),
    (lambda t: np.vdot(t, np.ones(5)), ShapeError, "MG-102"),
    (lambda t: np.vecdot(t, np.ones(2)), ShapeError, "MG-103"),
    (lambda t: np.vecdot(t, t, axis=5), AxisError, "MG-216"),
    (lambda t: np.vecdot(t, t, keepdims=True), OperationError, r"MG-602 np\.vecdot\(tensor, keepdims=…\)"),
    (lambda t: np.tensordot(t, t, 1.5), OperationError, "MG-215 tensordot: axes is a whole number, not 1.5"),
    (lambda t: np.tensordot(t, t, (1, 1, 1)), ConfigError, r"MG-215 tensordot .*\(1, 1, 1\) are 3"),
    (lambda t: np.trace(t, 0.5), OperationError, "MG-215 diagonal: offset is a whole number"),
    (lambda t: np.kron(t, None), OperationError, "MG-609 kron .* 1 is None.*backward"),
    (lambda t: np.outer("a", t), OperationError, "MG-609 outer .* 0 is 'a'"),
    (lambda t: np.inner(t, t.astype("float32")), DtypeError, "MG-211"),
]


@pytest.mark.parametrize(("call", "error", "part"), ERRORS)
def test_what_is_refused(call: Callable[[Any], Any], error: type[Exception], part: str) -> None:
    with pytest.raises(error, match=part):
        call(mg.Tensor(array(2, 3), requires_grad=True))


@pytest.mark.parametrize(
    "function",
    [np.inner, np.outer, np.vdot, np.tensordot, np.kron, np.cross, np.trace],
    ids=lambda f: f.__name__,
)
def test_every_option_is_known_or_refused_by_name(function: Callable[..., Any]) -> None:
    """A value that means nothing: the error names the option, or what it was given."""
    a = mg.Tensor(np.eye(3))
    leading = (a,) if function is np.trace else (a, a)
    for p in inspect.signature(function).parameters.values():
        if p.default is not p.empty:
            with pytest.raises((MinigradError, TypeError, ValueError)):
                function(*leading, **{p.name: "nonsense"})
