"""Cases of the families ``joining`` and ``arrange``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.ops.cases.core import Case, between, binary, layouts, unary

#: operations by their names
CASES: dict[str, list[Case]] = {}


def flat(parts: Any) -> Any:
    """One array of several, each with another factor, so that none can be taken for another."""
    return np.concatenate([np.ravel(part) * (k + 1) for k, part in enumerate(parts)])


def joined(f: Callable[..., Any]) -> list[Case]:
    """f on a list of arrays: two of each kind, vectors, numbers, and a number of axes that differs."""
    n = between(-2, 2)
    first, second = layouts(n), layouts(n)
    return [
        *(Case(kind, lambda a, b: f([a, b]), (first[kind], second[kind])) for kind in first),
        Case("contiguous", lambda a, b: f([a, b, a]), (n((3,)), n((3,)))),
        Case("contiguous", lambda a: f(a), (n((2, 2, 3)),)),
        Case("size-1", lambda a, b: f([a, b]), (n((1,)), n((1,)))),
    ]


def widths() -> list[Case]:
    """np.pad in every mode that has a gradient."""
    return [
        case
        for mode in ("edge", "reflect", "symmetric", "wrap", "linear_ramp", "maximum", "mean", "minimum")
        for case in unary(lambda a, mode=mode: np.pad(a, ((0, 0), (2, 1)), mode=mode))
    ] + [
        *binary(lambda a, b: np.pad(a, 1, constant_values=b[:1, :1] if b.ndim == 2 else b))[:3],
        *unary(lambda a: np.pad(a, ((0, 0), (2, 1)), mode="linear_ramp", end_values=((1, 2), (3, 4)))),
        *unary(lambda a: np.pad(a, ((0, 0), (1, 2)), mode="mean", stat_length=((1, 1), (2, 1)))),
    ]


#: functions made of operations, by the NumPy function's name with its module: "vstack", "linalg.norm"
COMPOSED: dict[str, list[Case]] = {
    "atleast_1d": [*unary(lambda a: np.atleast_1d(a) * a), Case("size-1", np.atleast_1d, (np.array(2.0),))],
    "atleast_2d": [
        *unary(lambda a: flat(np.atleast_2d(a, a[0] if len(a) else a))),
        Case("size-1", np.atleast_2d, (np.array(2.0),)),
        Case("contiguous", np.atleast_2d, (between(-1, 1)((3,)),)),
    ],
    "atleast_3d": [
        *unary(np.atleast_3d),
        Case("size-1", np.atleast_3d, (np.array(2.0),)),
        Case("contiguous", np.atleast_3d, (between(-1, 1)((3,)),)),
    ],
    "vstack": joined(np.vstack),
    "hstack": joined(np.hstack),
    "dstack": joined(np.dstack),
    "column_stack": joined(np.column_stack),
    "block": [
        *unary(lambda a: np.block([[a, a * 2], [a, -a]])),
        *unary(lambda a: np.block(a)),
        *joined(np.block)[:5],
    ],
    "append": [*binary(lambda a, b: np.append(a, b)), *unary(lambda a: np.append(a, a * 2, axis=1))],
    "insert": [
        *unary(lambda a: np.insert(a, 1, a[:, 0] * 2, axis=1)),
        *unary(lambda a: np.insert(a, [0, 1, 1], 5.0, axis=-1)),
        *binary(lambda a, b: np.insert(a, [0], b, axis=1))[:6],
    ],
    "delete": unary(lambda a: np.delete(a, 0, axis=1) * 2 if a.shape[1] > 1 else np.delete(a, [], axis=1))
    + unary(lambda a: np.delete(a, slice(0, 1))),
    "unstack": unary(lambda a: flat(np.unstack(a, axis=1))),
    "array_split": unary(lambda a: flat(np.array_split(a, 2, axis=1)))
    + unary(lambda a: flat(np.array_split(a, [1]))),
    "hsplit": unary(lambda a: flat(np.hsplit(a, [1]))),
    "vsplit": unary(lambda a: flat(np.vsplit(a, [1]))),
    "dsplit": unary(lambda a: flat(np.dsplit(a[None], [1]))),
    "broadcast_arrays": binary(lambda a, b: flat(np.broadcast_arrays(a, b))),
    "meshgrid": [
        *binary(lambda a, b: flat(np.meshgrid(a, b))),
        *binary(lambda a, b: flat(np.meshgrid(a, b, b, indexing="ij"))),
        *binary(lambda a, b: flat(np.meshgrid(a, b, sparse=True))),
    ],
    "copy": unary(lambda a: np.copy(a) * a),
    "repeat": [
        *unary(lambda a: np.repeat(a, 2)),
        *unary(lambda a: np.repeat(a, 3, axis=1)),
        *unary(lambda a: np.repeat(a, list(range(a.shape[1], 0, -1)), axis=1)),
    ],
    "tile": unary(lambda a: np.tile(a, 2)) + unary(lambda a: np.tile(a, (2, 1, 3))),
    "roll": unary(lambda a: np.roll(a, 1) * a) + unary(lambda a: np.roll(a, (1, -1), axis=(0, 1)) * a),
    "rot90": [case for k in range(4) for case in unary(lambda a, k=k: np.rot90(a, k))],
    "fliplr": unary(lambda a: np.fliplr(a) * a),
    "flipud": unary(lambda a: np.flipud(a) * a),
    "rollaxis": unary(lambda a: np.rollaxis(a, 1)),
    "matrix_transpose": unary(np.matrix_transpose),
    "diagonal": unary(np.diagonal)
    + unary(lambda a: np.diagonal(a, -1))
    + unary(lambda a: np.diagonal(a, 1, 1, 0)),
    "diag": [
        *unary(np.diag),
        *unary(lambda a: np.diag(np.ravel(a), 1)),
        *unary(lambda a: np.diag(np.ravel(a), -2)),
        *unary(lambda a: np.diag(a, 1)),
    ],
    "diagflat": unary(np.diagflat) + unary(lambda a: np.diagflat(a, -1)),
    "tril": unary(np.tril)
    + unary(lambda a: np.tril(a, -1))
    + [Case("contiguous", np.tril, (between(-1, 1)((3,)),))],
    "triu": unary(np.triu)
    + unary(lambda a: np.triu(a, 1))
    + [Case("contiguous", np.triu, (np.ones((2, 2, 3)),))],
    "vander": unary(lambda a: np.vander(np.ravel(a), 4))
    + unary(lambda a: np.vander(np.ravel(a), 3, increasing=True)),
    "resize": unary(lambda a: np.resize(a, (3, 5)), skip=("size-0",))
    + unary(lambda a: np.resize(a, (1, a.size // 2))),
    "trim_zeros": unary(lambda a: np.trim_zeros(np.pad(np.ravel(a), 2))),
    "lib.stride_tricks.sliding_window_view": unary(
        lambda a: np.lib.stride_tricks.sliding_window_view(a, min(2, a.shape[1]), axis=1)
    )
    + unary(lambda a: np.lib.stride_tricks.sliding_window_view(a, (min(2, len(a)), 1))),
    "pad": widths(),
    "full_like": unary(lambda a: np.full_like(a, np.sum(a)) * 2),
}

#: operations without a gradient: each a function of one tensor
CONSTANT: dict[str, Callable[..., Any]] = {}
