"""Factorisations: eigenvalues and eigenvectors, singular values and vectors, QR.

An operation has one result, so the factors come as the rows of one array, of which ``np.linalg.eigh`` and its like give
the parts; what a loss makes of several of them arrives together. Eigenvectors and singular vectors are known up to
their signs, and a loss must not depend on these, nor, where values are equal, on which basis was chosen: its gradient
is infinite or NaN there, as PyTorch's. A loss of the values alone has a gradient there too.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.backend import Array
from minigrad.errors import ConfigError, MatrixError
from minigrad.operation import define, stands_for
from minigrad.ops.half import wide
from minigrad.ops.linalg import solve_matrices
from minigrad.ops.matrices import below, in_lapack, on_diagonal, turned, whole, widened
from minigrad.tensor import unwrap


def _over(numerator: Array, denominator: Array, used: Array) -> Any:
    """Divide; where the denominator is 0 and the vectors have no part in the loss, 0."""
    return numerator / np.where((denominator == 0) & ~used, 1, denominator)


def _any(*gradients: Array) -> Any:
    """Whether the loss depends on these, for each matrix of a stack."""
    found = np.any(gradients[0] != 0, axis=(-2, -1), keepdims=True)
    for g in gradients[1:]:
        found = found | np.any(g != 0, axis=(-2, -1), keepdims=True)
    return found


def _skew(a: Array) -> Any:
    return a - turned(a)


@whole("M")
def _eigen_middle(w: Array, v: Array, g_w: Array, g_v: Array) -> Any:
    same = on_diagonal(v)
    gaps = np.where(same, 1, w[..., None, :] - w[..., :, None])
    return np.where(same, g_w[..., None, :], _over(_skew(turned(v) @ g_v) / 2, gaps, _any(g_v)))


@widened
def _eigen_rule(g: Array, y: Array) -> Any:
    """Giles 2008, §3.1, of symmetric changes: V (diag(w̄) + F ∘ ½ (Vᵀ V̄ - V̄ᵀ V)) Vᵀ with F_ij = 1 / (w_j - w_i)."""
    w, v = y[..., 0, :], y[..., 1:, :]
    return v @ _eigen_middle(w, v, g[..., 0, :], g[..., 1:, :]) @ turned(v)


def _eigen(a: Array, UPLO: Any = "L") -> Array:
    w, v = np.linalg.eigh(a, UPLO)
    return np.concatenate([w[..., None, :], v], axis=-2)


_eigenpairs: Any = define(
    "eigenpairs",
    in_lapack("eigh", _eigen),
    "w, and V below it, of a = V diag(w) Vᵀ",
    ("V M Vᵀ with M = diag(g of w) + ½ (X - Xᵀ) / (w_j - w_i), X = Vᵀ (g of V)", _eigen_rule),
    inputs="a",
    params={"UPLO": "L"},
)

_Eigh: Any = type(np.linalg.eigh(np.eye(1)))


def eigh(a: Any, UPLO: str = "L") -> Any:
    """Return w and V of a = V diag(w) Vᵀ, symmetric, w in ascending order; ``np.linalg.eigh``.

    It reads one triangle of ``a``; the gradient, which is symmetric, is that of a change of both. Where eigenvalues are
    equal, that of a loss of the vectors is infinite or NaN. Raises MatrixError MG-616 where ``a`` is not square.
    """
    both = _eigenpairs(a, UPLO=UPLO)
    return _Eigh(both[..., 0, :], both[..., 1:, :])


def eigvalsh(a: Any, UPLO: str = "L") -> Any:
    """Return the eigenvalues of symmetric matrices, in ascending order: dw = diag(Vᵀ da V); ``np.linalg.eigvalsh``."""
    return eigh(a, UPLO)[0]


@whole("M")
def _singular_middle(s: Array, u_inside: Array, v_inside: Array, g_s: Array, used: Array) -> Any:
    rows, columns = s[..., :, None], s[..., None, :]
    same = on_diagonal(u_inside)
    gaps = np.where(same, 1, (columns - rows) * (columns + rows))
    mixed = _over(_skew(u_inside) * columns + rows * _skew(v_inside), gaps, used)
    return np.where(same, g_s[..., None, :], mixed)


@whole("N")
def _outside(basis: Array, g: Array, s: Array, used: Array) -> Any:
    """What of ``g`` the basis does not span, over s."""
    return _over(g - basis @ (turned(basis) @ g), s[..., None, :], used)


@widened
def _singular_rule(g: Array, y: Array, a_shape: tuple[int, ...]) -> Any:
    """Seeger et al. 2017, "Auto-Differentiating Linear Algebra" (SVD), of tall, wide and square matrices alike:
    U M Vᵀ with M = diag(s̄) + (skew(Uᵀ Ū) S + S skew(Vᵀ V̄)) / E and E_ij = s_j² - s_i², and what is outside of U, V."""
    m, n = a_shape[-2:]
    (u, s, v), (g_u, g_s, g_v) = ((x[..., :m, :], x[..., m, :], x[..., m + 1 :, :]) for x in (y, g))
    used = _any(g_u, g_v)
    result = u @ _singular_middle(s, turned(u) @ g_u, turned(v) @ g_v, g_s, used) @ turned(v)
    if m > n:
        result = result + _outside(u, g_u, s, used) @ turned(v)
    if n > m:
        result = result + u @ turned(_outside(v, g_v, s, used))
    return result


def _singular(a: Array) -> Array:
    u, s, vh = np.linalg.svd(a, full_matrices=False)
    return np.concatenate([u, s[..., None, :], turned(vh)], axis=-2)


_singular_triples: Any = define(
    "singular_triples",
    in_lapack("svd", _singular),
    "U, s below it, and V below that, of a = U diag(s) Vᵀ",
    (
        "U M Vᵀ with M = diag(g of s) + (skew X · s_j + s_i · skew Y) / (s_j² - s_i²), X = Uᵀ (g of U), "
        "Y = Vᵀ (g of V); and N Vᵀ or U Nᵀ, with what of g lies outside of U or V over s",
        _singular_rule,
    ),
    inputs="a",
)

_Svd: Any = type(np.linalg.svd(np.eye(1)))


def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    """Return U, s and Vᵀ of a = U diag(s) Vᵀ, s in descending order, or s alone; ``np.linalg.svd``.

    The columns that ``full_matrices`` adds are any basis of the space that is left: the loss may depend on that space
    (PyTorch takes them for constants). Where singular values are equal, or are 0 in a matrix that is not square, the
    gradient of a loss of the vectors is infinite or NaN. ``hermitian`` goes by way of ``eigh``.
    """
    if hermitian:
        w, v = eigh(a)
        order = np.flip(np.argsort(np.abs(unwrap(w)), axis=-1), axis=-1)
        s = np.take_along_axis(np.abs(w), order, axis=-1)
        if not compute_uv:
            return s
        signs = np.take_along_axis(np.sign(unwrap(w)), order, axis=-1)[..., None, :]
        u = np.take_along_axis(v, order[..., None, :], axis=-1)
        return _Svd(u, s, turned(u * signs))
    packed = _singular_triples(a)
    m = a.shape[-2]
    u, s, v = packed[..., :m, :], packed[..., m, :], packed[..., m + 1 :, :]
    if not compute_uv:
        return s
    if full_matrices:
        u, v = (completed(x) if x.shape[-2] > x.shape[-1] else x for x in (u, v))
    return _Svd(u, s, turned(v))


def svdvals(a: Any) -> Any:
    """Return the singular values, in descending order: ds = diag(Uᵀ da V); ``np.linalg.svdvals``."""
    return svd(a, compute_uv=False)


@whole("M")
def _copied(m: Array) -> Any:
    """What lies below the diagonal, above it too."""
    lower = np.where(below(m), m, 0)
    return np.where(on_diagonal(m), m, lower + turned(lower))


@widened
def _orthonormal_rule(g: Array, y: Array, a: Array) -> Any:
    """Walter & Lehmann 2010, "Algorithmic differentiation of linear algebra functions with application in optimum
    experimental design", with R̄ = 0: (Q̄ + Q M) R⁻ᵀ with M = sym(tril(-Q̄ᵀ Q))."""
    return turned(solve_matrices(_r_of(y, a), turned(g + y @ _copied(-turned(g) @ y))))


def _r_of(q: Array, a: Array) -> Any:
    """R = Qᵀ a, without the rounding errors below its diagonal."""
    r = turned(q) @ a
    return np.where(below(r), 0, r)


_orthonormal: Any = define(
    "orthonormal",
    in_lapack("qr", lambda a: np.linalg.qr(a)[0]),
    "Q of a = Q R",
    ("(g + Q M) R⁻ᵀ with M = sym(tril(-gᵀ Q))", _orthonormal_rule),
    inputs="a",
)

_Qr: Any = type(np.linalg.qr(np.eye(1)))


def qr(a: Any, mode: str = "reduced") -> Any:
    """Return Q and R of a = Q R, or R alone for the mode ``r``; ``np.linalg.qr``.

    R = Qᵀ a, so that one rule, that of Q, is enough; Q of a wide matrix is that of its square part, whose columns must
    be independent (else the gradient raises MatrixError MG-617). The columns that the mode ``complete`` adds are any
    basis of the space that is left: the loss may depend on that space. Raises ConfigError MG-215 in NumPy's mode
    ``raw``.
    """
    if mode not in ("reduced", "complete", "r"):
        raise ConfigError("MG-215", f"qr has the modes 'reduced', 'complete' and 'r', not {mode!r}.")
    if a.ndim < 2:
        raise MatrixError("MG-616", f"qr takes a matrix, or a stack of them; shape {a.shape} is none.")
    m, n = a.shape[-2:]
    q = _orthonormal(a[..., :m] if m < n else a)
    if mode == "complete" and m > n:
        q = completed(q)
    r = _r_of(q, a)
    return r if mode == "r" else _Qr(q, r)


def completed(q: Any) -> Any:
    """Return ``q`` with further orthonormal columns, up to as many as its rows, behind those that it has.

    They are a constant basis of the space that is left, made orthonormal again after what ``q`` takes away from it: so
    a function of that space alone has its derivatives, whatever the basis is.
    """
    extra = np.linalg.qr(wide(unwrap(q)), mode="complete")[0][..., q.shape[-1] :].astype(q.dtype)
    left = _orthonormal(extra - q @ (turned(q) @ extra))
    signs = np.sign(np.sum(unwrap(left) * extra, axis=-2, keepdims=True))
    return np.concatenate([q, left * signs], axis=-1)


stands_for(np.linalg.eigh, eigh, "a = V diag(w) Vᵀ")
stands_for(np.linalg.eigvalsh, eigvalsh, "w of a = V diag(w) Vᵀ")
stands_for(np.linalg.svd, svd, "a = U diag(s) Vᵀ")
stands_for(np.linalg.svdvals, svdvals, "s of a = U diag(s) Vᵀ")
stands_for(np.linalg.qr, qr, "a = Q R")
