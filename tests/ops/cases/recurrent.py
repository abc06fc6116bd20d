"""Cases of the family ``recurrent``: each layer in both directions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad import ops
from tests.ops.cases.core import Case, between


def layer(name: str, gates: int, shift: float = 0.0) -> list[Case]:
    """The operation on every kind of input; ``shift`` keeps what is before a ReLU away from 0."""
    operation: Callable[..., Any] = getattr(ops.recurrent, name)
    a, behind = between(-1 + shift, 1 + shift), between(-0.5 + shift / 10, 0.5)

    def inputs(times: int, n: int, width: int) -> list[np.ndarray]:
        biases = [behind((gates * width,))] if gates == 3 else []
        states = [behind((n, width)) for _ in range(2 if gates == 4 else 1)]
        return [a((times, n, gates * width)), behind((gates * width, width)), *biases, *states]

    def turned(array: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(array.T).T

    stretched = inputs(2, 1, 2)
    stretched[0] = np.broadcast_to(stretched[0], (2, 3, gates * 2))
    for k in range(3 if gates == 3 else 2, len(stretched)):
        stretched[k] = np.broadcast_to(stretched[k], (3, 2))
    return [
        Case("contiguous", operation, tuple(inputs(3, 2, 2))),
        Case("transposed", operation, tuple(turned(each) for each in inputs(2, 2, 3))),
        Case("broadcast", operation, tuple(stretched)),
        Case("size-0", operation, tuple(inputs(2, 0, 2))),
        Case("size-1", operation, tuple(inputs(1, 1, 1))),
    ]


#: operations by their names
CASES: dict[str, list[Case]] = {
    f"{name}{direction}": layer(f"{name}{direction}", gates, shift)
    for name, gates, shift in (("rnn_tanh", 1, 0.0), ("rnn_relu", 1, 3.0), ("gru", 3, 0.0), ("lstm", 4, 0.0))
    for direction in ("", "_reverse")
}

#: functions made of operations
COMPOSED: dict[str, list[Case]] = {}

#: operations without a gradient: each a function of one tensor
CONSTANT: dict[str, Callable[..., Any]] = {}
