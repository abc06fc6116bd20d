"""Entries of operations that only move entries: where each comes from is found by moving the numbers 0, 1, 2 …"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.viz.entries import Case, Index, Pair, written
from minigrad.viz.numbers import entry, show
from minigrad.viz.trace import Backward, Host

MOVES = frozenset(
    (
        *("reshape", "transpose", "swapaxes", "moveaxis", "broadcast_to", "squeeze", "expand_dims", "flip"),
        *("getitem", "take_along_axis", "concatenate", "stack", "pad", "embedding"),
    )
)


def forward(case: Case, index: Index) -> Pair | None:
    """Return which entry of which input the result's entry is, None where the operation does more than move."""
    if case.node.operation not in MOVES or case.operation is None:
        return None
    for place, origin in enumerate(_origins(case)):
        source = int(origin[index])
        if source >= 0:
            array = case.arrays[place]
            at = tuple(int(k) for k in np.unravel_index(source, array.shape))
            return Pair(entry(case.names[place], at), show(array[at]))
    value = show(case.node.params.get("value", 0.0))
    return Pair(value, value)


def backward(case: Case, event: Backward, index: Index) -> Pair | None:
    """Return the gradients of the places that the entry was moved to, None where the operation does more."""
    if case.node.operation not in MOVES or case.operation is None:
        return None
    origin = _origins(case)[event.position]
    source = int(np.ravel_multi_index(index, event.contribution.shape)) if index else 0
    name = f"dL/d{case.node.name}"
    places = [tuple(int(k) for k in place) for place in np.argwhere(origin == source)]
    if not places:
        return Pair(f"0, as it is not in {case.node.name}", "0")
    return written((name, place, event.incoming[place]) for place in places)


def _origins(case: Case) -> list[Host]:
    """For each input an array like the result: the flat place in that input that an entry comes from, or -1."""
    assert case.operation is not None
    name, params = case.node.operation, dict(case.node.params)
    numbered = [np.arange(array.size).reshape(array.shape) for array in case.arrays]
    if name in ("concatenate", "stack"):
        nowhere = [np.full_like(array, -1) for array in numbered]
        return [
            case.operation.forward(*(a if k == i else nowhere[k] for k, a in enumerate(numbered)), **params)
            for i in range(len(numbered))
        ]
    if name == "pad":
        params["value"] = -1
    if name == "embedding":
        return [np.asarray(numbered[0][case.arrays[1]])]
    others: list[Any] = case.arrays[1:]
    return [np.asarray(case.operation.forward(numbered[0], *others, **params))]
