"""Cases of the family ``normalization``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.ops.normalization import batch_norm, group_norm, layer_norm, rms_norm
from tests.ops.cases.core import Case, between


def _layers() -> list[Case]:
    n = between(-2, 2)

    def two(x: Any, weight: Any, bias: Any) -> Any:
        return layer_norm(x, weight, bias, axes=2, eps=0.1)

    return [
        Case("contiguous", layer_norm, (n((2, 4)), n((4,)), n((4,)))),
        Case("contiguous", lambda x, w: layer_norm(x, w, None), (n((2, 2, 3)), n((3,)))),
        Case("contiguous", layer_norm, (n((3,)),)),
        Case("contiguous", two, (n((2, 2, 3)), n((2, 3)), n((2, 3)))),
        Case("transposed", two, (n((3, 2, 2)).T, n((3, 2)).T, n((3, 2)).T)),
        Case(
            "broadcast",
            layer_norm,
            (np.broadcast_to(n((1, 4)), (2, 4)), np.broadcast_to(n(()), (4,)), n((4,))),
        ),
        Case("size-0", layer_norm, (n((0, 3)), n((3,)), n((3,)))),
        Case("size-1", layer_norm, (n((1, 1)), n((1,)), n((1,)))),
    ]


def _roots() -> list[Case]:
    n = between(-2, 2)
    return [
        Case("contiguous", rms_norm, (n((2, 4)), n((4,)))),
        Case("contiguous", lambda x: rms_norm(x, eps=0.2), (n((2, 2, 3)),)),
        Case("contiguous", lambda x, w: rms_norm(x, w, axes=2), (n((2, 2, 3)), n((2, 3)))),
        Case("transposed", rms_norm, (n((4, 2)).T, n((8,))[::2])),
        Case("broadcast", rms_norm, (np.broadcast_to(n((1, 4)), (2, 4)), np.broadcast_to(n(()), (4,)))),
        Case("size-0", rms_norm, (n((0, 3)), n((3,)))),
        Case("size-1", lambda x, w: rms_norm(x, w, eps=0.5), (n((1, 1)), n((1,)))),
    ]


def _grouped() -> list[Case]:
    n = between(-2, 2)

    def two(*inputs: Any) -> Any:
        return group_norm(*inputs, groups=2, eps=0.1)

    return [
        Case("contiguous", two, (n((2, 4, 2)), n((4,)), n((4,)))),
        Case("contiguous", two, (n((2, 6)), n((6,)))),
        Case("contiguous", lambda x: group_norm(x, groups=1, eps=0.1), (n((1, 2, 2, 2)),)),
        Case("transposed", two, (n((3, 4, 2)).T, n((8,))[::2], n((8,))[::2])),
        Case(
            "broadcast", two, (np.broadcast_to(n((2, 3)), (2, 2, 3)), n((2,)), np.broadcast_to(n(()), (2,)))
        ),
        Case("size-0", two, (n((0, 4, 3)), n((4,)), n((4,)))),
        Case("size-1", group_norm, (n((1, 1)), n((1,)), n((1,)))),
    ]


def _batches() -> list[Case]:
    n = between(-2, 2)

    def over_batch(*inputs: Any) -> Any:
        return batch_norm(*inputs, eps=0.1)

    return [
        Case("contiguous", over_batch, (n((4, 3)), n((3,)), n((3,)))),
        Case("contiguous", lambda x, w: batch_norm(x, w, None, eps=0.1), (n((2, 3, 2)), n((3,)))),
        Case("contiguous", batch_norm, (n((2, 2, 2, 2)),)),
        Case("transposed", over_batch, (n((3, 4)).T, n((6,))[::2], n((6,))[::2])),
        Case(
            "broadcast",
            over_batch,
            (np.broadcast_to(n((4, 1)), (4, 2)), np.broadcast_to(n(()), (2,)), n((2,))),
        ),
        Case("size-0", batch_norm, (n((0, 3)), n((3,)), n((3,)))),
        Case("size-1", batch_norm, (n((1, 1)), n((1,)), n((1,)))),
    ]


CASES: dict[str, list[Case]] = {
    "layer_norm": _layers(),
    "rms_norm": _roots(),
    "group_norm": _grouped(),
    "batch_norm": _batches(),
}

COMPOSED: dict[str, list[Case]] = {}

CONSTANT: dict[str, Callable[..., Any]] = {}
