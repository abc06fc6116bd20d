"""Cases of linear algebra: systems, factorisations, least squares, norms."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad import registry
from tests.ops.cases.core import Case, apart, between, layouts, unary

_n = between(-0.25, 0.25)


def regular(*stack: int, n: int = 3) -> np.ndarray:
    """Matrices whose eigenvalues and singular values lie apart, and far from 0."""
    return 0.3 * _n((*stack, n, n)) + np.diag(np.array([1.0, -2.0, 3.0, 4.0])[:n])


def tall(*stack: int) -> np.ndarray:
    return np.concatenate([regular(*stack, n=2), _n((*stack, 2, 2))], axis=-2)


def wide(*stack: int) -> np.ndarray:
    return np.swapaxes(tall(*stack), -1, -2)


def square(f: Callable[..., Any], empty: bool = True) -> list[Case]:
    return [
        Case("contiguous", f, (regular(),)),
        Case("contiguous", f, (regular(2, n=2),)),
        Case("transposed", f, (regular().T,)),
        Case("broadcast", f, (np.broadcast_to(regular(n=2), (2, 2, 2)),)),
        Case("size-0", f, (regular(0),)),
        *([Case("size-0", f, (np.zeros((0, 0)),))] if empty else []),
        Case("size-1", f, (regular(n=1),)),
    ]


def oblong(f: Callable[..., Any], empty: bool = True) -> list[Case]:
    return [
        *square(f, empty),
        *(Case("contiguous", f, (a,)) for a in (tall(), wide(), tall(2), wide(2))),
        *(Case("transposed", f, (a,)) for a in (tall().T, wide().T)),
        Case("broadcast", f, (np.broadcast_to(tall(), (2, 4, 2)),)),
        *([Case("size-0", f, (np.zeros((3, 0)),)), Case("size-0", f, (np.zeros((0, 2)),))] if empty else []),
    ]


def symmetric(a: Any) -> Any:
    return a + np.swapaxes(a, -1, -2)


def gram(a: Any) -> Any:
    """Matrices that have a Cholesky factor."""
    return a @ np.swapaxes(a, -1, -2) + a[..., :1, :1] ** 2


def rest(shape: tuple[int, ...], count: int) -> np.ndarray:
    return _n((*shape, count))


def systems(f: Callable[..., Any]) -> list[Case]:
    return [
        Case("contiguous", f, (regular(), rest((3,), 2))),
        Case("contiguous", f, (regular(2), rest((2, 3), 2))),
        Case("transposed", f, (regular().T, rest((2,), 3).T)),
        Case("broadcast", f, (regular(2, n=2), rest((2,), 2))),
        Case("broadcast", f, (regular(n=2), rest((2, 2), 1))),
        Case("size-0", f, (regular(0), rest((3,), 2))),
        Case("size-0", f, (regular(), rest((3,), 0))),
        Case("size-1", f, (regular(n=1), rest((1,), 1))),
    ]


#: operations by their names
CASES: dict[str, list[Case]] = {
    "solve": systems(np.linalg.solve),
    "inv": square(np.linalg.inv),
    "det": square(np.linalg.det),
    "cofactor": square(lambda a: registry.operations["cofactor"](a)),
    "signed_logdet": square(lambda a: np.linalg.slogdet(a)[1]),
    "cholesky": square(lambda a: np.linalg.cholesky(gram(a))),
    "pinv": [
        *oblong(np.linalg.pinv, empty=False),
        Case("contiguous", lambda a: np.linalg.pinv(symmetric(a), hermitian=True), (regular(),)),
    ],
    "eigenpairs": square(lambda a: np.square(registry.operations["eigenpairs"](symmetric(a)))),
    "singular_triples": oblong(lambda a: np.square(registry.operations["singular_triples"](a))),
    "orthonormal": square(lambda a: np.linalg.qr(a)[0])
    + [Case("contiguous", lambda a: np.linalg.qr(a)[0], (a,)) for a in (tall(), tall(2), wide())],
    "power_norm": [
        case
        for order in (2, 0.5, 1.5, 3, 4, -1, -2.5)
        for case in unary(lambda a, order=order: np.linalg.norm(a, order, axis=1), apart(0.5))
    ]
    + unary(np.linalg.norm)
    + unary(lambda a: np.linalg.norm(a, axis=(0, 1), keepdims=True)),
}


def matrix_norms() -> list[Case]:
    orders = ("fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf)
    return [
        case
        for order in orders
        for case in (
            Case("contiguous", lambda a, order=order: np.linalg.matrix_norm(a, ord=order), (regular(2),)),
            Case("contiguous", lambda a, order=order: np.linalg.norm(a, order, (2, 0), True), (regular(2),)),
            Case("transposed", lambda a, order=order: np.linalg.matrix_norm(a, ord=order), (tall().T,)),
            Case(
                "broadcast",
                lambda a, order=order: np.linalg.matrix_norm(a, ord=order, keepdims=True),
                (np.broadcast_to(regular(), (2, 3, 3)),),
            ),
            Case("size-0", lambda a, order=order: np.linalg.matrix_norm(a, ord=order), (regular(0),)),
            Case("size-1", lambda a, order=order: np.linalg.matrix_norm(a, ord=order), (regular(n=1),)),
        )
    ]


def lstsq(a: Any, b: Any) -> Any:
    return np.linalg.lstsq(a, b)[0]


def vector_norms(f: Callable[..., Any]) -> list[Case]:
    return [
        case
        for order in (1, math.inf, -math.inf, 2, 3)
        for layout, a in layouts(apart(0.5)).items()
        for case in (Case(layout, lambda a, order=order: f(a, ord=order, axis=1), (a,)),)
    ]


#: functions made of operations, by the NumPy function's name with its module: "vstack", "linalg.norm"
COMPOSED: dict[str, list[Case]] = {
    "linalg.solve": [
        *systems(np.linalg.solve),
        Case("contiguous", np.linalg.solve, (regular(), rest((), 3))),
        Case("broadcast", np.linalg.solve, (regular(2), rest((), 3))),
    ],
    "linalg.slogdet": square(lambda a: np.linalg.slogdet(a)[1]),
    "linalg.cholesky": square(lambda a: np.linalg.cholesky(gram(a), upper=True)),
    "linalg.pinv": oblong(lambda a: np.linalg.pinv(a, rtol=1e-3), empty=False),
    "linalg.lstsq": [
        Case("contiguous", lstsq, (tall(), rest((), 4))),
        Case("contiguous", lstsq, (wide(), rest((2,), 3))),
        Case("contiguous", lambda a, b: np.linalg.lstsq(a, b)[1], (tall(), rest((4,), 2))),
        Case("contiguous", lambda a, b: np.linalg.lstsq(a, b)[3] + b[0] * 0, (tall(), rest((4,), 2))),
        Case("transposed", lstsq, (wide().T, rest((2,), 4).T)),
        Case("broadcast", lstsq, (tall(), np.broadcast_to(rest((), 4)[:, None], (4, 2)))),
        Case("size-0", lstsq, (tall(), rest((4,), 0))),
        Case("size-1", lstsq, (regular(n=1), rest((), 1))),
    ],
    "linalg.matrix_power": [
        *square(lambda a: np.linalg.matrix_power(a, 2)),
        *square(lambda a: np.linalg.matrix_power(a, 3)),
        *square(lambda a: np.linalg.matrix_power(a, 1) * 2),
        *square(lambda a: np.linalg.matrix_power(a, -2)),
        *square(lambda a: np.linalg.matrix_power(a, 0) * a),
    ],
    "linalg.tensorinv": [
        case
        for f in (lambda a: np.linalg.tensorinv(np.reshape(a, (*a.shape[:1], 1, *a.shape[1:])), ind=2),)
        for case in square(f)
        if case.inputs[0].ndim == 2
    ]
    + [
        Case("contiguous", lambda a: np.linalg.tensorinv(a.reshape(2, 2, 4)), (regular(n=4),)),
        Case("contiguous", lambda a: np.linalg.tensorinv(a.reshape(4, 2, 2), ind=1), (regular(n=4),)),
        Case(
            "broadcast",
            lambda a, b: np.linalg.tensorinv(a + b, ind=1),
            (np.broadcast_to(0.5, (3, 3)), regular()),
        ),
        Case("size-0", lambda a: np.linalg.tensorinv(a), (np.zeros((0, 2, 0)),)),
    ],
    "linalg.tensorsolve": [
        Case(
            "contiguous",
            lambda a, b: np.linalg.tensorsolve(a.reshape(2, 2, 4), b),
            (regular(n=4), _n((2, 2))),
        ),
        Case(
            "contiguous",
            lambda a, b: np.linalg.tensorsolve(a.reshape(2, 4, 2), b, axes=(0, 2)),
            (regular(n=4), _n((4,))),
        ),
        Case("transposed", np.linalg.tensorsolve, (regular().T, _n((3,)))),
        Case("broadcast", np.linalg.tensorsolve, (regular(), np.broadcast_to(0.5, (3,)))),
        Case("size-0", np.linalg.tensorsolve, (np.zeros((0, 0)), np.zeros(0))),
        Case("size-1", np.linalg.tensorsolve, (regular(n=1), _n((1,)))),
    ],
    "linalg.eigh": square(lambda a: np.square(np.linalg.eigh(symmetric(a), "U")[1])),
    "linalg.eigvalsh": square(lambda a: np.linalg.eigvalsh(symmetric(a))),
    "linalg.svd": [
        case
        for k in (0, 2)
        for case in oblong(lambda a, k=k: np.square(np.linalg.svd(a, full_matrices=False)[k]), empty=False)
    ]
    + [
        Case("contiguous", lambda a: _projector(np.linalg.svd(a)[0][..., 2:]), (a,))
        for a in (tall(), tall(2))
    ]
    + [Case("contiguous", lambda a: np.square(np.linalg.svd(symmetric(a), hermitian=True)[2]), (regular(),))],
    "linalg.svdvals": oblong(np.linalg.svdvals),
    "linalg.qr": [
        case
        for f in (
            lambda a: np.linalg.qr(a)[1],
            lambda a: np.linalg.qr(a, "r"),
            lambda a: np.linalg.qr(a, "complete")[0][..., : min(a.shape[-2:])],
        )
        for case in oblong(f)
    ]
    + [Case("contiguous", lambda a: _projector(np.linalg.qr(a, "complete")[0][..., 2:]), (tall(),))],
    "linalg.norm": vector_norms(np.linalg.norm) + matrix_norms()[1::6],
    "linalg.vector_norm": vector_norms(np.linalg.vector_norm)
    + unary(lambda a: np.linalg.vector_norm(a, axis=(0, 1), ord=3, keepdims=True), apart(0.5)),
    "linalg.matrix_norm": matrix_norms(),
    "linalg.cond": [
        case
        for order in (None, -2, 1, "fro", math.inf)
        for case in square(lambda a, order=order: np.linalg.cond(a, order), empty=False)
    ],
}


def _projector(q: Any) -> Any:
    return q @ np.swapaxes(q, -1, -2)


#: operations without a gradient: each a function of one tensor
CONSTANT: dict[str, Callable[..., Any]] = {}
