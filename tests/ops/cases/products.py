"""Cases of the products: functions made of matmul, multiplications and moves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.ops.cases.core import Case, between, matrices

#: operations by their names
CASES: dict[str, list[Case]] = {}

_n = between(-1, 1)
Shape = tuple[int, ...]


def pairs(f: Callable[..., Any], *shapes: tuple[str, Shape, Shape]) -> list[Case]:
    """f on two arrays of these shapes: for "transposed" in Fortran's order, for "stretched" the first a view."""
    cases = []
    for layout, a, b in shapes:
        if layout == "transposed":
            cases.append(Case(layout, f, (_n(a[::-1]).T, _n(b[::-1]).T)))
        elif layout == "stretched":
            cases.append(Case("broadcast", f, (np.broadcast_to(_n((1, *a[1:])), a), _n(b))))
        else:
            cases.append(Case(layout, f, (_n(a), _n(b))))
    return cases


INNER = pairs(
    np.inner,
    ("contiguous", (2, 3), (4, 3)),
    ("contiguous", (3,), (2, 3)),
    ("contiguous", (2, 2, 3), (3,)),
    ("transposed", (2, 3), (4, 3)),
    ("stretched", (2, 3), (2, 3)),
    ("broadcast", (), (2, 3)),
    ("size-0", (2, 0), (3, 0)),
    ("size-0", (0, 3), (3,)),
    ("size-1", (1, 1), (1,)),
)
SAME_SIZE = (
    ("contiguous", (2, 3), (2, 3)),
    ("transposed", (2, 3), (2, 3)),
    ("stretched", (2, 3), (2, 3)),
    ("size-0", (0, 3), (0, 3)),
    ("size-1", (1, 1), (1, 1)),
    ("size-1", (), ()),
)
ANY_SIZE = (
    *SAME_SIZE,
    ("contiguous", (3,), (2, 2)),
    ("contiguous", (2, 2, 2), (3,)),
    ("broadcast", (), (2, 3)),
    ("size-0", (0,), (3,)),
)
VECTORS = (
    ("contiguous", (2, 3), (2, 3)),
    ("contiguous", (3,), (3,)),
    ("transposed", (2, 3), (2, 3)),
    ("broadcast", (2, 1, 3), (4, 3)),
    ("broadcast", (3,), (2, 3)),
    ("stretched", (2, 3), (2, 3)),
    ("size-0", (0, 3), (3,)),
    ("size-1", (1, 3), (3,)),
)
TENSORDOT: list[tuple[Any, tuple[tuple[str, Shape, Shape], ...]]] = [
    (1, (("contiguous", (2, 3), (3, 2)), ("transposed", (2, 3), (3, 2)), ("size-1", (1, 1), (1,)))),
    (2, (("contiguous", (2, 2, 3), (2, 3, 2)), ("stretched", (2, 3), (2, 3)), ("size-1", (1, 1), (1, 1)))),
    (0, (("contiguous", (2,), (3,)), ("broadcast", (), (2, 3)), ("size-0", (0,), (3,)))),
    ((1, 0), (("contiguous", (2, 3), (3, 2)), ("size-0", (2, 0), (0, 3)))),
    (([0, -1], [-1, 1]), (("contiguous", (2, 4, 3), (5, 3, 2)), ("transposed", (2, 4, 3), (5, 3, 2)))),
    (([], []), (("contiguous", (2,), (3,)),)),
]


def tensordots(function: Callable[..., Any]) -> list[Case]:
    return [
        case
        for axes, shapes in TENSORDOT
        for case in pairs(lambda a, b, axes=axes: function(a, b, axes=axes), *shapes)
    ]


def crosses(function: Callable[..., Any]) -> list[Case]:
    def f(a: Any, b: Any) -> Any:
        return function(a, b, axis=0)

    axis_0 = pairs(f, ("contiguous", (3, 2), (3, 2)), ("size-0", (3, 0), (3, 1)), ("size-1", (3, 1), (3, 1)))
    return pairs(function, *VECTORS) + axis_0


def squares(f: Callable[..., Any]) -> list[Case]:
    """f on stacks of matrices."""
    return [
        Case("contiguous", f, (_n((2, 3, 3)),)),
        Case("contiguous", f, (_n((2, 2, 4)),)),
        Case("transposed", f, (_n((4, 3)).T,)),
        Case("broadcast", f, (np.broadcast_to(_n((3, 3)), (2, 3, 3)),)),
        Case("size-0", f, (_n((0, 3, 3)),)),
        Case("size-0", f, (_n((0, 0)),)),
        Case("size-1", f, (_n((1, 1)),)),
    ]


def chains(*shapes: Shape, layout: str = "contiguous") -> Case:
    made = [_n(s[::-1]).T if layout == "transposed" else _n(s) for s in shapes]
    if layout == "broadcast":
        made[0] = np.broadcast_to(_n((shapes[0][-1],)), shapes[0])
    return Case(layout, lambda *xs: np.linalg.multi_dot(xs), tuple(made))


#: functions made of operations, by the NumPy function's name with its module: "vstack", "linalg.norm"
COMPOSED: dict[str, list[Case]] = {
    "inner": INNER,
    "outer": pairs(np.outer, *ANY_SIZE),
    "vdot": pairs(np.vdot, *SAME_SIZE, ("contiguous", (2, 3), (3, 2))),
    "vecdot": pairs(np.vecdot, *VECTORS),
    "tensordot": tensordots(np.tensordot),
    "kron": pairs(np.kron, *ANY_SIZE),
    "cross": crosses(np.cross)
    + pairs(
        lambda a, b: np.cross(a, b, axisa=0, axisb=1, axisc=0),
        ("contiguous", (3, 2), (2, 3)),
        ("size-0", (3, 0), (0, 3)),
    ),
    "trace": squares(np.trace)
    + squares(lambda a: np.trace(a, 1, -1, 0))
    + squares(lambda a: np.trace(a, offset=-1, axis1=-2, axis2=-1)),
    "linalg.outer": pairs(
        np.linalg.outer,
        ("contiguous", (2,), (3,)),
        ("transposed", (2,), (3,)),
        ("stretched", (2,), (3,)),
        ("size-0", (0,), (3,)),
        ("size-1", (1,), (1,)),
    ),
    "linalg.vecdot": pairs(np.linalg.vecdot, *VECTORS)
    + pairs(lambda a, b: np.linalg.vecdot(a, b, axis=0), ("contiguous", (3, 2), (3, 2))),
    "linalg.tensordot": tensordots(np.linalg.tensordot),
    "linalg.cross": crosses(np.linalg.cross),
    "linalg.matmul": matrices(np.linalg.matmul),
    "linalg.trace": squares(np.linalg.trace) + squares(lambda a: np.linalg.trace(a, offset=2)),
    "linalg.diagonal": squares(np.linalg.diagonal)
    + squares(lambda a: np.linalg.diagonal(a, offset=1))
    + squares(lambda a: np.linalg.diagonal(a, offset=-4)),
    "linalg.matrix_transpose": squares(np.linalg.matrix_transpose),
    "matrix_transpose": squares(np.matrix_transpose),
    "linalg.multi_dot": [
        chains((2, 3), (3, 4), (4, 2)),
        chains((4,), (4, 2), (2, 3), (3,)),
        chains((2, 3), (3, 4), (4, 1), (1, 5), (5,)),
        chains((3,), (3,)),
        chains((2, 3), (3, 2), (2, 2), layout="transposed"),
        chains((2, 3), (3, 2), layout="broadcast"),
        chains((2, 0), (0, 3), (3, 2), layout="size-0"),
        chains((1, 1), (1, 1), (1, 1), layout="size-1"),
    ],
}
if hasattr(np, "matvec"):
    COMPOSED["matvec"] = pairs(
        np.matvec,
        ("contiguous", (2, 3), (3,)),
        ("contiguous", (2, 2, 3), (2, 3)),
        ("transposed", (2, 3), (3,)),
        ("broadcast", (2, 1, 2, 3), (3, 3)),
        ("stretched", (2, 3), (3,)),
        ("size-0", (2, 0), (0,)),
        ("size-1", (1, 1), (1,)),
    )
    COMPOSED["vecmat"] = pairs(
        np.vecmat,
        ("contiguous", (3,), (3, 2)),
        ("contiguous", (2, 3), (2, 3, 2)),
        ("transposed", (3,), (3, 2)),
        ("broadcast", (3, 3), (2, 1, 3, 2)),
        ("stretched", (3, 3), (3, 2)),
        ("size-0", (0,), (0, 2)),
        ("size-1", (1,), (1, 1)),
    )

#: operations without a gradient: each a function of one tensor
CONSTANT: dict[str, Callable[..., Any]] = {}
