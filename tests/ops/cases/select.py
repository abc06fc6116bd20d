"""Cases of the family ``select``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.ops.cases.core import Case, between, binary, layouts, unary

#: operations by their names
CASES: dict[str, list[Case]] = {}

_PLACES = {
    "contiguous": np.array([[0, 2], [1, 1]]),
    "transposed": np.array([[0, 2], [1, 1]]).T,
    "broadcast": np.broadcast_to(np.array(1), (2, 2)),
    "size-0": np.zeros((0, 2), int),
    "size-1": np.array([0]),
}
_CHOICE = {
    "contiguous": np.array([[0, 1, 0], [1, 1, 0]]),
    "transposed": np.array([[0, 1], [1, 1], [0, 0]]).T,
    "broadcast": np.array([[1], [0]]),
    "size-0": np.zeros((0, 3), int),
    "size-1": np.array([[1]]),
}


def taken() -> list[Case]:
    arrays = layouts(between(-2, 2))
    columns = {kind: _PLACES[kind] % max(a.shape[1], 1) for kind, a in arrays.items()}
    return [
        *(Case(kind, lambda a, i: np.take(a, i, axis=1), (a, columns[kind])) for kind, a in arrays.items()),
        *(Case(kind, np.take, (a, columns[kind])) for kind, a in arrays.items()),
        *unary(lambda a: np.take(a, [5, -1], axis=1, mode="wrap")),
        *unary(lambda a: np.take(a, 7, axis=1, mode="clip")),
    ]


#: functions made of operations, by the NumPy function's name with its module: "vstack", "linalg.norm"
COMPOSED: dict[str, list[Case]] = {
    "take": taken(),
    "choose": [
        Case(kind, lambda i, a, b: np.choose(i, [a, b]), (_CHOICE[kind], a, b))
        for (kind, a), b in zip(
            layouts(between(-2, 2)).items(), layouts(between(-2, 2)).values(), strict=True
        )
    ],
    "select": binary(lambda a, b: np.select([a > 1, b > 0], [a * a, b], 0.5))
    + binary(lambda a, b: np.select([a > 1, b > 9], [a, b * 2], a * b)),
    "compress": [
        *unary(lambda a: np.compress([True], a, axis=0) if len(a) else np.compress([], a, axis=0)),
        *unary(lambda a: np.compress([True] * min(a.size, 1), a)),
    ],
    "extract": unary(lambda a: np.extract(a > -3, a) * 2),
    "piecewise": unary(lambda a: np.piecewise(a, [a < 0, a > 1], [lambda x: x * x, 5.0, lambda x: -x * x])),
}


def written(write: Callable[[Any], None]) -> Callable[[Any], Any]:
    """What a function leaves in a new array that it writes into."""

    def result(t: Any) -> Any:
        target = np.zeros_like(t)
        write(target)
        return target

    return result


#: operations without a gradient: each a function of one tensor
CONSTANT: dict[str, Callable[..., Any]] = {
    "copyto": written(lambda t: np.copyto(t, 2.5, where=t == 0)),
    "fill_diagonal": written(lambda t: np.fill_diagonal(t, 7.0)),
    "place": written(lambda t: np.place(t, t == 0, [1.0, 2.0])),
    "put": written(lambda t: np.put(t, [0, -1], [3.0, 4.0])),
    "put_along_axis": written(lambda t: np.put_along_axis(t, np.argmax(t, 1, keepdims=True), 5.0, 1)),
    "putmask": written(lambda t: np.putmask(t, t == 0, [1.0, 2.0])),
}
