"""Linear algebra: PyTorch's values and gradients, NumPy's results in every option, conventions, errors that teach."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad import registry
from minigrad.errors import ConfigError, DtypeError, MatrixError, MinigradError, OperationError, ShapeError
from tests.ops.cases import linalg
from tests.ops.test_tensor_products import agree, array, laid_out

torch = pytest.importorskip("torch")
inf = math.inf


def t_(a: Any) -> Any:
    return a.mT if isinstance(a, torch.Tensor) else np.swapaxes(a, -1, -2)


def gram(a: Any) -> Any:
    return a @ t_(a) + a[..., :1, :1] ** 2


def symmetric(a: Any) -> Any:
    return a + t_(a)


L, T = np.linalg, torch.linalg

PARITY: dict[str, tuple[Callable[..., Any], Callable[..., Any], list[tuple[int, ...]]]] = {
    # ours, PyTorch's, shapes; of vectors, functions that do not depend on their signs
    "solve": (L.solve, T.solve, [(3, 3), (3, 2)]),
    "solve, a vector": (L.solve, T.solve, [(3, 3), (3,)]),
    "solve, stacks": (L.solve, T.solve, [(2, 3, 3), (2, 3, 2)]),
    "solve, stretched": (L.solve, T.solve, [(2, 1, 3, 3), (4, 3, 2)]),
    "inv": (L.inv, T.inv, [(2, 3, 3)]),
    "det": (L.det, T.det, [(2, 3, 3)]),
    "slogdet": (lambda a: L.slogdet(a)[1], lambda a: T.slogdet(a)[1], [(2, 3, 3)]),
    "slogdet's sign times": (
        lambda a: L.slogdet(a)[0] * np.exp(L.slogdet(a).logabsdet),
        lambda a: T.slogdet(a)[0] * torch.exp(T.slogdet(a)[1]),
        [(2, 3, 3)],
    ),
    "cholesky": (lambda a: L.cholesky(gram(a)), lambda a: T.cholesky(gram(a)), [(2, 3, 3)]),
    "cholesky, upper": (
        lambda a: L.cholesky(gram(a), upper=True),
        lambda a: T.cholesky(gram(a), upper=True),
        [(2, 3, 3)],
    ),
    "cholesky, of a square alone": (L.cholesky, T.cholesky, [(0, 2, 2)]),
    "pinv": (L.pinv, T.pinv, [(2, 4, 3)]),
    "pinv, wide": (L.pinv, T.pinv, [(3, 5)]),
    "pinv, hermitian": (
        lambda a: L.pinv(symmetric(a), hermitian=True),
        lambda a: T.pinv(symmetric(a), hermitian=True),
        [(3, 3)],
    ),
    "pinv, rtol": (lambda a: L.pinv(a, rtol=0.3), lambda a: T.pinv(a, rtol=0.3), [(2, 2)]),
    "lstsq": (lambda a, b: L.lstsq(a, b)[0], lambda a, b: T.lstsq(a, b).solution, [(5, 3), (5, 2)]),
    "lstsq, wide": (
        lambda a, b: L.lstsq(a, b)[0],
        lambda a, b: T.lstsq(a, b, driver="gelsd").solution,
        [(2, 4), (2, 3)],
    ),
    "matrix_power": (lambda a: L.matrix_power(a, 5), lambda a: T.matrix_power(a, 5), [(2, 3, 3)]),
    "matrix_power, negative": (lambda a: L.matrix_power(a, -3), lambda a: T.matrix_power(a, -3), [(3, 3)]),
    "tensorinv": (L.tensorinv, T.tensorinv, [(2, 3, 6)]),
    "tensorinv, ind": (lambda a: L.tensorinv(a, 1), lambda a: T.tensorinv(a, 1), [(6, 3, 2)]),
    "tensorsolve": (L.tensorsolve, T.tensorsolve, [(2, 3, 6), (2, 3)]),
    "tensorsolve, axes": (
        lambda a, b: L.tensorsolve(a, b, axes=(0, 2)),
        lambda a, b: T.tensorsolve(a, b, dims=(0, 2)),
        [(3, 6, 2), (6,)],
    ),
    "eigh's vectors": (
        lambda a: L.eigh(symmetric(a))[1] ** 2,
        lambda a: T.eigh(symmetric(a))[1] ** 2,
        [(2, 4, 4)],
    ),
    "eigh's vectors, not made symmetric": (
        lambda a: L.eigh(a)[1] ** 2,
        lambda a: T.eigh(a)[1] ** 2,
        [(4, 4)],
    ),
    "eigh, U": (lambda a: L.eigh(a, "U")[1] ** 2, lambda a: T.eigh(a, "U")[1] ** 2, [(4, 4)]),
    "eigh, both": (
        lambda a: np.einsum("ij,j,kj->ik", (r := L.eigh(a)).eigenvectors, np.exp(r.eigenvalues), r[1]),
        lambda a: torch.einsum("ij,j,kj->ik", (r := T.eigh(a))[1], torch.exp(r[0]), r[1]),
        [(3, 3)],
    ),
    "eigvalsh": (L.eigvalsh, T.eigvalsh, [(2, 3, 3)]),
    "eigvalsh, U": (lambda a: L.eigvalsh(a, "U"), lambda a: T.eigvalsh(a, UPLO="U"), [(3, 3)]),
    "svd's U": (lambda a: L.svd(a, False)[0] ** 2, lambda a: T.svd(a, False)[0] ** 2, [(2, 4, 3)]),
    "svd's V": (lambda a: L.svd(a, False)[2] ** 2, lambda a: T.svd(a, False)[2] ** 2, [(2, 4, 3)]),
    "svd's U, wide": (lambda a: L.svd(a, False)[0] ** 2, lambda a: T.svd(a, False)[0] ** 2, [(3, 4)]),
    "svd's V, wide": (lambda a: L.svd(a, False)[2] ** 2, lambda a: T.svd(a, False)[2] ** 2, [(2, 3, 4)]),
    "svd, all three": (
        lambda a: ((r := L.svd(a, False)).U * r.S[..., None, :] ** 2) @ r.Vh,
        lambda a: ((r := T.svd(a, False))[0] * r[1][..., None, :] ** 2) @ r[2],
        [(2, 4, 3)],
    ),
    "svd, full": (
        lambda a: L.svd(a)[0][..., :3] ** 2 @ L.svd(a)[2] ** 2,
        lambda a: T.svd(a)[0][..., :3] ** 2 @ T.svd(a)[2] ** 2,
        [(4, 3)],
    ),
    "svdvals": (L.svdvals, T.svdvals, [(2, 4, 3)]),
    "svd without vectors": (lambda a: L.svd(a, compute_uv=False), T.svdvals, [(3, 4)]),
    "qr's Q": (lambda a: L.qr(a)[0], lambda a: T.qr(a)[0], [(2, 4, 3)]),
    "qr's R": (lambda a: L.qr(a)[1], lambda a: T.qr(a)[1], [(2, 4, 3)]),
    "qr, both": (lambda a: (r := L.qr(a)).Q @ r.R**2, lambda a: (r := T.qr(a))[0] @ r[1] ** 2, [(4, 3)]),
    "qr, square": (lambda a: L.qr(a).Q + L.qr(a).R, lambda a: T.qr(a)[0] + T.qr(a)[1], [(2, 3, 3)]),
    "qr, wide": (lambda a: (r := L.qr(a)).Q @ r.R**2, lambda a: (r := T.qr(a))[0] @ r[1] ** 2, [(2, 3, 5)]),
    "qr, complete": (
        lambda a: L.qr(a, "complete").R ** 2,
        lambda a: T.qr(a, mode="complete")[1] ** 2,
        [(3, 5)],
    ),
    "cond": (L.cond, T.cond, [(2, 3, 3)]),
    "cond, tall": (L.cond, T.cond, [(4, 3)]),
    "cond, -2": (lambda a: L.cond(a, -2), lambda a: T.cond(a, -2), [(3, 3)]),
    "cond, fro": (
        lambda a: L.cond(a, "fro"),
        lambda a: T.norm(a, dim=(-2, -1)) * T.norm(T.inv(a), dim=(-2, -1)),
        [(2, 3, 3)],
    ),
    "cond, 1": (lambda a: L.cond(a, 1), lambda a: T.norm(a, 1) * T.norm(T.inv(a), 1), [(3, 3)]),
    "multi_dot": (lambda *xs: L.multi_dot(xs), lambda *xs: T.multi_dot(xs), [(2, 3), (3, 4), (4, 2)]),
}


@pytest.mark.parametrize("name", PARITY)
def test_values_and_gradients_are_pytorch_s(name: str) -> None:
    ours, theirs, shapes = PARITY[name]
    agree(ours, theirs, *(regular(shape) for shape in shapes))


def regular(shape: tuple[int, ...]) -> np.ndarray:
    """Far from singular, all singular values different."""
    a = 0.3 * array(*shape)
    if len(shape) > 1 and a.size:
        n = min(shape[-2:])
        a[..., range(n), range(n)] += np.array([1.0, -2.0, 3.0, 4.0, 5.0, 6.0])[:n]
    return a


VECTOR_ORDERS = (0, 0.5, 1, 1.5, 2, 3, 4, -1, -2, inf, -inf)
MATRIX_ORDERS = ("fro", "nuc", 1, -1, 2, -2, inf, -inf)


@pytest.mark.parametrize("order", VECTOR_ORDERS)
def test_vector_norms_are_pytorch_s(order: float) -> None:
    def check(axis: Any, keepdims: bool, shape: tuple[int, ...]) -> None:
        agree(
            lambda a: np.linalg.vector_norm(a, ord=order, axis=axis, keepdims=keepdims),
            lambda a: torch.linalg.vector_norm(a, order, dim=axis, keepdim=keepdims),
            array(*shape),
        )

    for axis, keepdims, shape in (
        (None, False, (5,)),
        (1, False, (2, 3)),
        (-1, True, (2, 3)),
        ((0, 2), False, (2, 3, 2)),
    ):
        if order or order == 2:
            check(axis, keepdims, shape)


@pytest.mark.parametrize("order", MATRIX_ORDERS)
@pytest.mark.parametrize("keepdims", [False, True])
def test_matrix_norms_are_pytorch_s(order: Any, keepdims: bool) -> None:
    for axis in ((0, 1), (2, 0), (-1, -2)):
        agree(
            lambda a, axis=axis: np.linalg.norm(a, order, axis, keepdims),
            lambda a, axis=axis: torch.linalg.norm(a, order, axis, keepdims),
            array(3, 2, 4),
        )
    agree(
        lambda a: np.linalg.matrix_norm(a, ord=order, keepdims=keepdims),
        lambda a: torch.linalg.matrix_norm(a, order, keepdim=keepdims),
        regular((2, 3, 3)),
    )


def gradient(f: Callable[..., Any], a: Any) -> np.ndarray:
    x = mg.Tensor(np.asarray(a, float), requires_grad=True)
    with np.errstate(all="ignore"):
        np.sum(f(x)).backward()
    return x.grad.data


def torch_gradient(f: Callable[..., Any], a: Any) -> np.ndarray:
    x = torch.tensor(np.asarray(a, float), requires_grad=True)
    f(x).sum().backward()
    return x.grad.numpy()


class TestConventions:
    @pytest.mark.parametrize("order", [p for p in VECTOR_ORDERS if p])
    @pytest.mark.parametrize("x", [[0.0, 0.0, 0.0], [0.0, 3.0, -3.0, 1.0], [2.0], [-2.0, 2.0]])
    def test_vector_norms_at_0_and_at_ties(self, order: float, x: list[float]) -> None:
        found = gradient(lambda a: np.linalg.norm(a, order), x)
        np.testing.assert_allclose(
            found, torch_gradient(lambda a: torch.linalg.norm(a, order), x), rtol=1e-14
        )

    @pytest.mark.parametrize("order", MATRIX_ORDERS)
    @pytest.mark.parametrize(
        "a", [np.eye(2) * 2, np.array([[1.0, -1], [1, 1]]), np.array([[3.0, 0], [0, 1]])]
    )
    def test_matrix_norms_at_ties(self, order: Any, a: np.ndarray) -> None:
        found = gradient(lambda x: np.linalg.norm(x, order), a)
        np.testing.assert_allclose(
            found, torch_gradient(lambda x: torch.linalg.norm(x, order), a), atol=1e-14
        )

    @pytest.mark.parametrize("order", ["fro", 1, -1, inf, -inf])
    def test_matrix_norms_at_0(self, order: Any) -> None:
        np.testing.assert_array_equal(gradient(lambda x: np.linalg.norm(x, order), np.zeros((2, 3))), 0)

    def test_the_second_gradient_of_a_norm_at_0_is_0(self) -> None:
        second = mg.grad(lambda x: np.sum(mg.grad(np.linalg.norm)(x) ** 2))
        np.testing.assert_array_equal(second(np.zeros(3)).data, 0)

    def test_the_order_0_counts(self) -> None:
        x = mg.Tensor([[0.0, 2.0], [3.0, 4.0]], requires_grad=True)
        y = np.linalg.norm(x, 0, axis=1)
        y.sum().backward()
        np.testing.assert_array_equal(y.data, [1, 2])
        np.testing.assert_array_equal(x.grad.data, 0)

    @pytest.mark.parametrize("a", [np.eye(3), np.diag([1.0, 1.0, 2.0]), np.zeros((2, 2)), np.ones((3, 3))])
    def test_of_equal_eigenvalues_the_values_have_a_gradient(self, a: np.ndarray) -> None:
        for ours, theirs in (
            (lambda x: np.linalg.eigh(x)[0] ** 2, lambda x: torch.linalg.eigh(x)[0] ** 2),
            (lambda x: np.linalg.eigvalsh(x) ** 2, lambda x: torch.linalg.eigvalsh(x) ** 2),
            (lambda x: np.linalg.svdvals(x) ** 2, lambda x: torch.linalg.svdvals(x) ** 2),
        ):
            np.testing.assert_allclose(gradient(ours, a), torch_gradient(theirs, a), atol=1e-14)

    def test_of_equal_eigenvalues_the_vectors_have_none(self) -> None:
        a = np.diag([1.0, 1.0, 2.0])
        for ours, theirs in (
            (lambda x: np.linalg.eigh(x)[1] ** 4, lambda x: torch.linalg.eigh(x)[1] ** 4),
            (lambda x: np.linalg.svd(x)[0] ** 4, lambda x: torch.linalg.svd(x)[0] ** 4),
        ):
            assert not np.isfinite(gradient(ours, a)).all()
            assert not np.isfinite(torch_gradient(theirs, a)).all()

    def test_one_matrix_of_a_stack_with_equal_eigenvalues_spoils_itself_alone(self) -> None:
        found = gradient(
            lambda x: np.linalg.eigh(x)[1] ** 4, np.stack([np.eye(2), np.array([[2.0, 1], [1, 3]])])
        )
        assert not np.isfinite(found[0]).all()
        assert np.isfinite(found[1]).all()

    def test_singular_values_that_are_0(self) -> None:
        a = np.array([[1.0, 0], [2, 0], [5, 0]])
        u = np.array([1.0, 2, 5]) / math.sqrt(30)
        found = gradient(lambda x: np.linalg.svdvals(x)[0], a)
        np.testing.assert_allclose(found, np.stack([u, 0 * u], axis=1), atol=1e-15)
        assert np.isfinite(gradient(lambda x: np.linalg.norm(x, "nuc"), a)).all()
        assert not np.isfinite(gradient(lambda x: np.linalg.svd(x, False)[0] ** 4, a)).all()

    @pytest.mark.parametrize(
        ("a", "cofactors"),
        [
            ([[1, 2], [2, 4]], [[4, -2], [-2, 1]]),
            ([[1, 2, 3], [4, 5, 6], [7, 8, 9]], [[-3, 6, -3], [6, -12, 6], [-3, 6, -3]]),
            ([[1, 0, 0], [0, 2, 0], [0, 0, 0]], [[0, 0, 0], [0, 0, 0], [0, 0, 2]]),
            ([[1, 2, 3], [2, 4, 6], [3, 6, 9]], np.zeros((3, 3))),
            ([[0.0]], [[1.0]]),
            ([[1e-200, 0], [0, 1]], [[1, 0], [0, 1e-200]]),
        ],
    )
    def test_det_of_a_singular_matrix_has_its_cofactors(self, a: Any, cofactors: Any) -> None:
        """Worked out by hand; PyTorch says 0, which is wrong where the rank is n - 1."""
        np.testing.assert_allclose(gradient(np.linalg.det, a), cofactors, rtol=1e-12, atol=1e-13)
        stack = np.stack([np.asarray(a, float), np.eye(len(a))])
        np.testing.assert_allclose(gradient(np.linalg.det, stack)[0], cofactors, rtol=1e-12, atol=1e-13)

    def test_a_condition_number_without_an_inverse_is_inf(self) -> None:
        a = mg.Tensor(np.array([[1.0, 2.0], [2.0, 4.0]]))
        for p in (1, inf, "fro"):
            assert np.linalg.cond(a, p).item() == inf


def test_named_tuples_are_numpy_s() -> None:
    a = np.array([[2.0, 1.0], [1.0, 3.0]])
    x = mg.Tensor(a, requires_grad=True)
    assert not np.linalg.slogdet(x).sign.requires_grad
    for f in (np.linalg.eigh, np.linalg.svd, np.linalg.qr, np.linalg.slogdet):
        got, wanted = f(x), f(a)
        assert type(got) is type(wanted)
        for part, right in zip(got, wanted, strict=True):
            assert isinstance(part, mg.Tensor)
            np.testing.assert_allclose(part.data, right, atol=1e-14)


def projector(q: Any) -> Any:
    return q @ t_(q)


@pytest.mark.parametrize(
    "rest",
    [
        lambda a: np.linalg.svd(a)[0][..., a.shape[-1] :],
        lambda a: np.linalg.qr(a, "complete")[0][..., a.shape[-1] :],
        lambda a: t_(np.linalg.svd(t_(a))[2])[..., a.shape[-1] :],
    ],
)
@pytest.mark.parametrize("shape", [(4, 2), (2, 3, 1), (3, 3)])
def test_the_space_that_is_left_has_its_gradient(rest: Callable[[Any], Any], shape: tuple[int, ...]) -> None:
    """1 - a a⁺ projects onto it; PyTorch takes the further columns for constants, or refuses them."""
    a = regular(shape)
    w = array(shape[-2], shape[-2])
    found = gradient(lambda x: projector(rest(x)) * w, a)
    wanted = gradient(lambda x: (np.eye(shape[-2]) - x @ np.linalg.pinv(x)) * w, a)
    np.testing.assert_allclose(found, wanted, atol=1e-12)
    mg.gradcheck(lambda x: projector(rest(x)), [a], order=2)


FORMS: dict[str, list[Callable[..., Any]]] = {
    # every function in all of its options, of one array; several results are compared one by one
    "square": [
        np.linalg.inv,
        np.linalg.det,
        np.linalg.slogdet,
        lambda a: np.linalg.matrix_power(a, 0),
        lambda a: np.linalg.matrix_power(a, 1),
        lambda a: np.linalg.matrix_power(a, 6),
        lambda a: np.linalg.matrix_power(a, -2),
        lambda a: np.linalg.cholesky(gram(a)),
        lambda a: np.linalg.cholesky(gram(a), upper=True),
        np.linalg.eigvalsh,
        lambda a: np.linalg.eigvalsh(a, UPLO="U"),
        lambda a: np.abs(np.linalg.eigh(symmetric(a))[1]),
        lambda a: np.linalg.eigh(a, "U").eigenvalues,
        lambda a: np.linalg.pinv(symmetric(a), hermitian=True),
        lambda a: np.linalg.svd(symmetric(a), hermitian=True, compute_uv=False),
        lambda a: np.abs(np.linalg.svd(symmetric(a), hermitian=True)[0]),
        lambda a: (r := np.linalg.svd(symmetric(a), hermitian=True))[0] * r[1][..., None, :] @ r[2],
        lambda a: np.linalg.solve(a, a),
        lambda a: np.linalg.solve(a, np.ones(a.shape[-1], a.dtype)),
        *(lambda a, p=p: np.linalg.cond(a, p) for p in (None, 2, -2, 1, -1, inf, -inf, "fro", "nuc")),
    ],
    "any": [
        np.linalg.svdvals,
        lambda a: np.linalg.svd(a, compute_uv=False),
        lambda a: tuple(map(np.abs, np.linalg.svd(a, full_matrices=False))),
        lambda a: projector(np.linalg.svd(a)[0]),
        lambda a: projector(np.linalg.svd(a)[2]),
        np.linalg.qr,
        lambda a: np.linalg.qr(a, mode="r"),
        lambda a: np.linalg.qr(a, "complete")[1],
        lambda a: projector(np.linalg.qr(a, "complete")[0]),
        np.linalg.pinv,
        lambda a: np.linalg.pinv(a, 0.4),
        lambda a: np.linalg.pinv(a, rcond=0.4),
        lambda a: np.linalg.pinv(a, rtol=0.4),
        lambda a: np.linalg.cond(a),
        np.linalg.matrix_rank,
        lambda a: np.linalg.matrix_rank(a, 2.0),
        *(lambda a, p=p: np.linalg.matrix_norm(a, ord=p) for p in MATRIX_ORDERS),
        *(lambda a, p=p: np.linalg.matrix_norm(a, ord=p, keepdims=True) for p in MATRIX_ORDERS),
        *(lambda a, p=p: np.linalg.norm(a, p, axis=(-1, 0)) for p in (None, *MATRIX_ORDERS)),
        *(lambda a, p=p: np.linalg.norm(a, p, (0, 1), True) for p in (None, *MATRIX_ORDERS)),
        *(lambda a, p=p: np.linalg.norm(a, p) for p in (None, *MATRIX_ORDERS)),
        *(lambda a, p=p: np.linalg.norm(a, p, axis=-1) for p in (None, *VECTOR_ORDERS)),
        *(lambda a, p=p: np.linalg.norm(a, p, 0, True) for p in (None, *VECTOR_ORDERS)),
        *(lambda a, p=p: np.linalg.vector_norm(a, ord=p) for p in VECTOR_ORDERS),
        *(lambda a, p=p: np.linalg.vector_norm(a, axis=(0, 1), ord=p, keepdims=True) for p in VECTOR_ORDERS),
        lambda a: np.linalg.lstsq(a, np.ones(a.shape[0], a.dtype)),
        lambda a: np.linalg.lstsq(a, np.ones((a.shape[0], 2), a.dtype)),
        lambda a: np.linalg.lstsq(a, np.ones((a.shape[0], 2), a.dtype), rcond=0.3),
        lambda a: np.linalg.lstsq(a, np.ones((a.shape[0], 2), a.dtype), rcond=-1),
    ],
}


def compare(f: Callable[..., Any], a: np.ndarray) -> None:
    """NumPy's results, their shapes and dtypes; what NumPy refuses is refused by one of minigrad's errors."""
    with np.errstate(all="ignore"):
        try:
            wanted = f(a)
        except Exception as error:
            kind = np.linalg.LinAlgError if isinstance(error, np.linalg.LinAlgError) else type(error)
            with pytest.raises((kind, MinigradError)):
                f(mg.Tensor(a, requires_grad=True))
            return
        got = f(mg.Tensor(a, requires_grad=True))
    if not isinstance(wanted, tuple):
        got, wanted = (got,), (wanted,)
    for mine, right in zip(got, wanted, strict=True):
        bare = mine.data if isinstance(mine, mg.Tensor) else np.asarray(mine)
        assert bare.shape == np.shape(right)
        assert bare.dtype == np.asarray(right).dtype or bare.dtype.kind == "i"
        np.testing.assert_allclose(bare, right, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("kind", FORMS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_results_are_numpy_s_in_every_option(kind: str, data: st.DataObject) -> None:
    stack = data.draw(st.sampled_from([(), (2,), (0,), (1, 2)]))
    m = data.draw(st.integers(0, 4))
    n = m if kind == "square" else data.draw(st.integers(0, 4))
    a = laid_out(regular((*stack, m, n)), data.draw(st.integers(0, 3)))
    for f in FORMS[kind]:
        compare(f, a)


@pytest.mark.parametrize("kind", FORMS)
def test_float32_and_integers(kind: str) -> None:
    a = np.array([[3, 1, 0], [1, 4, 1], [0, 1, 6]])
    for f in FORMS[kind]:
        with np.errstate(all="ignore"):
            for dtype in ("float32", "int64"):
                wanted, got = f(a.astype(dtype)), f(mg.Tensor(a.astype(dtype)))
                pairs = zip(got, wanted, strict=True) if isinstance(wanted, tuple) else [(got, wanted)]
                for mine, right in pairs:
                    if isinstance(mine, mg.Tensor):
                        assert mine.dtype == np.asarray(right).dtype
                        np.testing.assert_allclose(mine.data, right, rtol=1e-3, atol=1e-4)


def test_norms_of_a_number_and_of_vectors() -> None:
    assert np.linalg.norm(mg.Tensor(-3.0)).item() == 3
    x = array(5)
    for p in (None, *VECTOR_ORDERS):
        compare(lambda a, p=p: np.linalg.norm(a, p), x)
        compare(lambda a, p=p: np.linalg.norm(a, p, keepdims=True), x)
    for p in ("fro", "nuc", "nonsense"):
        compare(lambda a, p=p: np.linalg.norm(a, p), x)


@pytest.mark.parametrize("p", [2, 3, -1])
def test_large_numbers_of_a_norm_s_gradient_do_not_overflow(p: float) -> None:
    a = np.array([3.0, 4.0]) * 1e60
    np.testing.assert_allclose(
        gradient(lambda x: np.linalg.norm(x, p), a),
        gradient(lambda x: np.linalg.norm(x, p), a / 1e60),
        rtol=1e-12,
    )


S = np.array([[1.0, 2.0], [2.0, 4.0]])
ERRORS: list[tuple[Callable[..., Any], Any, str]] = [
    (np.linalg.inv, S, r"MG-617 inv of shape \(2, 2\): the matrix is singular: its rank is 1, not 2"),
    (np.linalg.inv, np.stack([np.eye(2), S]), r"MG-617 .*matrix \[1\] is singular"),
    (lambda a: np.linalg.solve(a, np.ones(2)), S, r"MG-617 solve .*np\.linalg\.lstsq"),
    (lambda a: np.linalg.matrix_power(a, -1), S, "MG-617"),
    (lambda a: np.linalg.tensorinv(a, 1), S, "MG-617"),
    (
        np.linalg.cholesky,
        S - 3 * np.eye(2),
        r"MG-618 .*the smallest eigenvalue of the matrix is -3.*np\.eye\(2\)",
    ),
    (np.linalg.cholesky, np.stack([np.eye(2), -np.eye(2)]), r"MG-618 .*matrix \[1\] is -1"),
    (np.linalg.inv, np.ones((2, 3)), r"MG-616 inv .*shape \(2, 3\) has 2 rows and 3 columns.*pinv"),
    (np.linalg.det, np.ones((2, 3)), "MG-616 det"),
    (np.linalg.slogdet, np.ones((2, 3)), "MG-616 slogdet"),
    (np.linalg.eigh, np.ones((2, 3)), "MG-616 eigh"),
    (np.linalg.eigvalsh, np.ones((2, 3)), "MG-616 eigh"),
    (np.linalg.cholesky, np.ones((2, 3)), "MG-616 cholesky"),
    (lambda a: np.linalg.matrix_power(a, 2), np.ones((2, 3)), "MG-616 matrix_power"),
    (lambda a: np.linalg.solve(a, np.ones(2)), np.ones((2, 3)), "MG-616 solve"),
    (np.linalg.inv, np.ones(3), r"MG-616 inv takes a matrix.*a\[None, :\]"),
    (np.linalg.svd, np.ones(3), "MG-616 svd"),
    (np.linalg.qr, np.ones(3), "MG-616 qr"),
    (np.linalg.tensorinv, np.ones((2, 3, 4)), r"MG-616 inv"),
    (np.linalg.svd, np.full((2, 2), np.nan), "MG-403 svd of shape .*NaN or infinite"),
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("call", "a", "part"), ERRORS)
def test_a_matrix_that_will_not_do_is_named_and_is_a_linalgerror(call: Any, a: np.ndarray, part: str) -> None:
    with pytest.raises(np.linalg.LinAlgError, match=part) as caught:
        call(mg.Tensor(a, requires_grad=True))
    assert isinstance(caught.value, MatrixError)
    assert isinstance(caught.value, MinigradError)


def test_a_gradient_that_needs_an_inverse_says_so() -> None:
    for f in (lambda a: np.linalg.slogdet(a)[1], lambda a: np.linalg.qr(a)[0]):
        with pytest.raises(MatrixError, match=r"MG-617 .*is singular"), np.errstate(all="ignore"):
            np.sum(f(mg.Tensor(np.array([[1.0, 0], [2, 0]]), requires_grad=True))).backward()


OTHER_ERRORS: list[tuple[Callable[[Any], Any], type[Exception], str]] = [
    (lambda t: np.linalg.solve(t, np.ones(5)), ShapeError, r"MG-103 solve .*\(3, 3\) and \(5, 1\)"),
    (lambda t: np.linalg.solve(t, t.astype("float32")), DtypeError, "MG-211 solve"),
    (lambda t: np.linalg.lstsq(t, np.ones(5)), ShapeError, "MG-103 lstsq"),
    (lambda t: np.linalg.tensorsolve(t, np.ones(2)), MatrixError, "MG-616 tensorsolve"),
    (lambda t: np.linalg.tensorinv(t, 0), ConfigError, "MG-215 tensorinv"),
    (lambda t: np.linalg.qr(t, "raw"), ConfigError, "MG-215 qr .*'raw'"),
    (lambda t: np.linalg.pinv(t, rcond=1e-3, rtol=1e-3), ValueError, "rcond"),
    (lambda t: np.linalg.norm(t, 3), ConfigError, "MG-215 a matrix has norms .*3"),
    (lambda t: np.linalg.norm(t, axis=(0, 0)), ConfigError, "MG-215 norm"),
    (lambda t: np.linalg.norm(t, axis=5), ShapeError, "MG-216 norm"),
    (lambda t: np.linalg.norm(t[None], 2), ConfigError, "MG-215 norm"),
    (lambda t: np.linalg.matrix_norm(t[0]), ConfigError, "MG-215"),
    (lambda t: np.linalg.cond(t[:0]), MatrixError, "MG-616"),
    (lambda t: np.linalg.matrix_power(t, 1.5), OperationError, "MG-215 matrix_power: n is a whole number"),
    (lambda t: np.linalg.tensorinv(t, 0.5), OperationError, "MG-215 tensorinv: ind is a whole number"),
    (lambda t: np.linalg.lstsq(t, np.ones(3), "a"), ConfigError, "MG-215 lstsq: rcond"),
    (lambda t: np.linalg.solve(t, None), OperationError, "MG-609 solve .*None"),
    (lambda t: np.linalg.eigh(t, "X"), ValueError, "UPLO"),
    (lambda t: np.linalg.eig(t), OperationError, r"MG-602 np\.linalg\.eig"),
    (lambda t: np.linalg.eigvals(t), OperationError, r"MG-602 np\.linalg\.eigvals"),
]


@pytest.mark.parametrize(("call", "error", "part"), OTHER_ERRORS)
def test_what_is_refused(call: Callable[[Any], Any], error: type[Exception], part: str) -> None:
    with pytest.raises(error, match=part):
        call(mg.Tensor(regular((3, 3)), requires_grad=True))


def test_solve_takes_one_solution_in_the_backward_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = (mg.Tensor(regular(shape), requires_grad=True) for shape in ((4, 4), (4, 2)))
    y = np.linalg.solve(a, b).sum()
    calls = []
    right = np.linalg.solve
    monkeypatch.setattr(np.linalg, "solve", lambda *args: calls.append(1) or right(*args))
    y.backward()
    assert len(calls) == 1


@pytest.mark.parametrize("wanted", [(0,), (1,), (0, 1)])
@pytest.mark.parametrize("shapes", [((4, 4), (4, 2)), ((2, 1, 3, 3), (4, 3, 1))])
def test_the_gradients_of_solve_in_one_go_are_those_of_its_rules(wanted: Any, shapes: Any) -> None:
    operation = registry.operations["solve"]
    a, b = (regular(shape) for shape in shapes)
    y = operation(a, b)
    g = array(*y.shape)
    found = operation.joint_vjp(dict.fromkeys(wanted), g, y, a, b)
    for i in wanted:
        np.testing.assert_array_equal(found[i], operation.rules[i](i, g, y, (a, b), {}))


@pytest.mark.parametrize("name", sorted(linalg.CASES))
def test_third_order(name: str) -> None:
    case = next(case for case in linalg.CASES[name] if case.layout == "transposed")
    mg.gradcheck(case.f, case.inputs, order=3)


def test_bare_arrays_beside_a_tensor() -> None:
    a, b = regular((3, 3)), regular((3, 2))
    x = mg.Tensor(b, requires_grad=True)
    np.sum(np.linalg.solve(a, x)).backward()
    np.testing.assert_allclose(x.grad.data, np.linalg.inv(a).T @ np.ones((3, 2)), rtol=1e-12)
    y = mg.Tensor(a, requires_grad=True)
    np.sum(np.linalg.solve(y, b.tolist())).backward()
    np.testing.assert_allclose(y.grad.data, gradient(lambda t: np.linalg.inv(t) @ b, a), rtol=1e-10)


@pytest.mark.parametrize("shape", [(1, 1), (1, 1, 1), (0, 3), (0,)])
def test_tensorsolve_of_as_many_axes_has_them_all(shape):
    a, b = np.full(shape, 4.0), np.full(shape, 2.0)
    t = mg.Tensor(a, requires_grad=True)
    found = np.linalg.tensorsolve(t, b)
    np.testing.assert_array_equal(found.data, np.full(shape, 0.5), strict=True)
    np.sum(found).backward()
    np.testing.assert_array_equal(t.grad.data, np.full(shape, -2.0 / 16.0), strict=True)
