"""An operation of a trace run again on the host, as it was recorded or with other numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from minigrad.viz.trace import Host, Node, Trace


def arguments(trace: Trace, node: Node, values: Mapping[int, Host]) -> list[Any]:
    """Return what the operation that made ``node`` was given; ``values`` replaces those of some nodes."""
    return [
        _weak(node, constant) if i is None else values.get(i, trace.nodes[i].value)
        for i, constant in zip(node.inputs, node.constants, strict=True)
    ]


def _weak(node: Node, constant: Host | None) -> Any:
    """A number of the program as one of Python's, which makes no single precision double."""
    if constant is None or constant.ndim or constant.dtype.itemsize <= np.dtype(node.dtype).itemsize:
        return constant
    return constant.item()


def run(node: Node, given: list[Any]) -> tuple[Host, tuple[Any, ...]]:
    """Return the result of the operation that made ``node`` on other arguments, and what its rules need beside it.

    Raises whatever the operation does.
    """
    operation = node.definition
    with np.errstate(all="ignore"):
        made = operation.forward(*given, **node.params)
    value, *saved = made if operation.saves else (made,)
    return np.asarray(value), tuple(saved)


def double(value: Host) -> Host:
    """Return floats in double precision, anything else as it is."""
    return value.astype(np.float64) if value.dtype.kind == "f" else value


def with_new(trace: Trace, wanted: int, new: Mapping[int, Host]) -> Host | None:
    """Return what the node ``wanted`` would have been with other values for some nodes, all else as recorded.

    The recorded operations run once more on copies, so nothing in the program changes and random numbers stay as they
    were. None where ``wanted`` does not depend on those nodes, or depends on what cannot be run again.
    """
    leading = {wanted}
    for node in reversed(trace.nodes[: wanted + 1]):
        if node.index in leading:
            leading.update(i for i in node.inputs if i is not None)
    values = dict(new)
    for node in trace.nodes[: wanted + 1]:
        if node.index not in leading or not any(i in values for i in node.inputs):
            if node.index in leading and node.role == "result" and node.operation is None:
                return None  # a result that was written in place: how is not known
            continue
        try:
            values[node.index] = run(node, arguments(trace, node, values))[0]
        except Exception:  # an operation of the program's own may do anything
            return None
    return values.get(wanted)
