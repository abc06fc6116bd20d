"""Linear systems: solutions, inverses, determinants, Cholesky factors, powers.

The rules are those of Giles 2008, "Collected Matrix Derivative Results for Forward and Reverse Mode Algorithmic
Differentiation", where no other source is named; g is his bar: Ā, B̄, C̄.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.backend import Array
from minigrad.errors import ConfigError, MatrixError, ShapeError
from minigrad.operation import define, stands_for, without_gradient
from minigrad.ops.matrices import below, in_lapack, on_diagonal, turned, widened
from minigrad.ops.products import arrays, check_same_dtype, matmul, places, whole_number
from minigrad.tensor import Tensor, unwrap


@widened
def _solve_b(g: Array, a: Array) -> Any:
    return solve_matrices(turned(a), g)


@widened
def _solve_a(g: Array, y: Array, a: Array) -> Any:
    return -solve_matrices(turned(a), g) @ turned(y)


@widened
def _solve_both(needs_grad: Any, g: Array, y: Array, a: Array, b: Array) -> Sequence[Array | None]:
    b_gradient = solve_matrices(turned(a), g)
    return -b_gradient @ turned(y) if 0 in needs_grad else None, b_gradient


def _solved(a: Array, b: Array) -> Array:
    if b.ndim < 2:
        raise ShapeError(
            "MG-103", f"solve takes b as columns; shape {b.shape} is none: np.linalg.solve(a, b)."
        )
    return np.linalg.solve(a, b)


solve_matrices: Any = define(
    "solve",
    in_lapack("solve", _solved),
    "a⁻¹ b",
    ("-(a⁻ᵀ g) yᵀ", _solve_a),
    ("a⁻ᵀ g", _solve_b),
    joint_vjp=_solve_both,
)


def solve(a: Any, b: Any) -> Any:
    """Return x of a x = b, for a vector b, or for stacks of matrices a and b; ``np.linalg.solve``.

    Giles 2008, §2.3.1: B̄ = A⁻ᵀ C̄, Ā = -B̄ Cᵀ. Raises MatrixError MG-616 where ``a`` is not square, MG-617 where it is
    singular, ShapeError MG-103 where ``b`` has another number of rows.
    """
    a, b = arrays("solve", a, b)
    check_same_dtype("solve", a, b)
    return np.squeeze(solve_matrices(a, np.expand_dims(b, -1)), -1) if b.ndim == 1 else solve_matrices(a, b)


@widened
def _inverse_rule(g: Array, y: Array) -> Any:
    return -turned(y) @ g @ turned(y)


inv: Any = define(
    "inv",
    in_lapack("inv", lambda a: np.linalg.inv(a)),
    "a⁻¹",
    ("-yᵀ g yᵀ", _inverse_rule),  # Giles 2008, §2.2.3
    inputs="a",
    of=np.linalg.inv,
)


def _cofactors(a: Array) -> Array:
    """det(a) a⁻ᵀ, and where there is no inverse the same from a = U S Vᵀ: det(U) det(V) U (Π of the other s) Vᵀ."""
    try:
        return np.linalg.det(a)[..., None, None] * turned(np.linalg.inv(a))
    except np.linalg.LinAlgError:
        u, s, vh = np.linalg.svd(a)
        others = np.where(on_diagonal(a), 1, s[..., None, :])
        return np.linalg.det(u @ vh)[..., None, None] * ((u * np.prod(others, axis=-1)[..., None, :]) @ vh)


@widened
def _cofactor_rule(g: Array, y: Array, a: Array) -> Any:
    inverse = turned(inv(a))
    return np.sum(g * inverse, axis=(-2, -1), keepdims=True) * y - y @ turned(g) @ inverse


cofactor: Any = define(
    "cofactor",
    in_lapack("cofactor", _cofactors),
    "± det of a without row i and column j",
    ("(Σ g · a⁻ᵀ) y - y gᵀ a⁻ᵀ", _cofactor_rule),
    inputs="a",
)

# Giles 2008, §2.2.4, Ā = C̄ C A⁻ᵀ, in Jacobi's form, which holds for singular matrices too: PyTorch gives 0 there. The
# second derivative is PyTorch's, and needs an inverse.
det: Any = define(
    "det",
    in_lapack("det", lambda a: np.linalg.det(a)),
    "det a",
    ("g · the cofactors of a", widened(lambda g, a: g[..., None, None] * cofactor(a))),
    inputs="a",
    of=np.linalg.det,
)

_signed_logdet: Any = define(
    "signed_logdet",
    in_lapack("slogdet", lambda a: np.stack(tuple(np.linalg.slogdet(a)), axis=-1)),
    "(sign det a, ln |det a|)",
    ("g of the logarithm · a⁻ᵀ", widened(lambda g, a: g[..., 1, None, None] * turned(inv(a)))),
    inputs="a",
)

_Slogdet: Any = type(np.linalg.slogdet(np.eye(1)))


def slogdet(a: Any) -> Any:
    """Return the sign of the determinant, which has no gradient, and ln |det a|; ``np.linalg.slogdet``.

    Its gradient is a⁻ᵀ; a singular matrix has none (MatrixError MG-617).
    """
    both = _signed_logdet(a)
    return _Slogdet(np.sign(both[..., 0]), both[..., 1])


@widened
def _cholesky_rule(g: Array, y: Array) -> Any:
    """Murray 2016, "Differentiation of the Cholesky decomposition", §3: L⁻ᵀ ½ (Φ + Φᵀ) L⁻¹ with Φ of Lᵀ L̄."""
    lower = np.where(below(y), turned(y) @ g, 0)
    halves = np.where(on_diagonal(y), turned(y) @ g, lower + turned(lower)) / 2
    return solve_matrices(turned(y), turned(solve_matrices(turned(y), halves)))


_cholesky: Any = define(
    "cholesky",
    in_lapack("cholesky", lambda a: np.linalg.cholesky(a)),
    "L of a = L Lᵀ",
    ("L⁻ᵀ ½ (Φ + Φᵀ) L⁻¹ with Φ = tril(Lᵀ g), its diagonal halved", _cholesky_rule),
    inputs="a",
)


def cholesky(a: Any, upper: bool = False) -> Any:
    """Return L of a = L Lᵀ, or U of a = Uᵀ U, of symmetric matrices; ``np.linalg.cholesky``.

    It reads one triangle of ``a`` (the upper one for U); the gradient, which is symmetric, is that of a change of both.
    Raises MatrixError MG-618 where an eigenvalue is not positive.
    """
    return turned(_cholesky(turned(a))) if upper else _cholesky(a)


def matrix_power(a: Any, n: int) -> Any:
    """Return a @ a @ … @ a, n times; for n = 0 the identity, for a negative n powers of the inverse.

    Raises MatrixError MG-616 where ``a`` is not square, MG-617 where n is negative and it is singular.
    """
    n = whole_number("matrix_power", "n", n)
    if a.ndim < 2 or a.shape[-2] != a.shape[-1]:
        raise MatrixError("MG-616", f"matrix_power takes square matrices, not shape {a.shape}.")
    if n == 0:
        one = on_diagonal(unwrap(a)).astype(a.dtype)
        return Tensor(np.broadcast_to(one, a.shape).copy())
    if n < 0:
        a, n = inv(a), -n
    power = None
    while True:
        n, odd = divmod(n, 2)
        if odd:
            power = a if power is None else matmul(power, a)
        if n == 0:
            return power
        a = matmul(a, a)


def tensorinv(a: Any, ind: int = 2) -> Any:
    """Return the inverse with respect to ``tensordot`` over the first ``ind`` axes; ``np.linalg.tensorinv``.

    Raises ConfigError MG-215 where ``ind`` is not positive, MatrixError MG-616 where the first axes' entries are not as
    many as the others'.
    """
    if whole_number("tensorinv", "ind", ind) <= 0:
        raise ConfigError("MG-215", f"tensorinv needs ind above 0, a number of axes; {ind} was given.")
    first, others = a.shape[:ind], a.shape[ind:]
    return np.reshape(inv(np.reshape(a, (math.prod(first), math.prod(others)))), others + first)


def tensorsolve(a: Any, b: Any, axes: Sequence[int] | None = None) -> Any:
    """Return x of ``tensordot(a, x, x.ndim) = b``, after ``axes`` of a were moved to its end.

    Raises MatrixError MG-616 where x has not as many entries as b.
    """
    a, b = arrays("tensorsolve", a, b)
    if axes is not None:
        moved = places(axes, a.ndim, "tensorsolve")
        a = np.transpose(a, [*(k for k in range(a.ndim) if k not in moved), *moved])
    shape = a.shape[b.ndim - a.ndim :]  # all of it where both have as many axes, as NumPy has it
    if b.size != math.prod(shape) or a.size != b.size**2:
        raise MatrixError(
            "MG-616", f"tensorsolve of shapes {a.shape} and {b.shape}: as many numbers are asked for as there are "
            f"equations; here {math.prod(shape)} and {b.size}.",
        )  # fmt: skip
    return np.reshape(solve(np.reshape(a, (b.size, b.size)), np.reshape(b, (-1,))), shape)


stands_for(np.linalg.solve, solve, "a⁻¹ b")
stands_for(np.linalg.slogdet, slogdet, "(sign det a, ln |det a|)")
stands_for(np.linalg.cholesky, cholesky, "L of a = L Lᵀ")
stands_for(np.linalg.matrix_power, matrix_power, "a @ a @ … @ a")
stands_for(np.linalg.tensorinv, tensorinv, "a⁻¹, of a as a matrix")
stands_for(np.linalg.tensorsolve, tensorsolve, "a⁻¹ b, of a as a matrix")
without_gradient(np.linalg.matrix_rank, "a whole number")
