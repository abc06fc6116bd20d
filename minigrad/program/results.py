"""What a step returns: the tree of its results, with a program's values in the place of its arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from minigrad.backend import as_0d_array
from minigrad.program.instructions import Value, mapped
from minigrad.records import Version
from minigrad.tensor import Tensor, wrap


class InTensor:
    """A result that is handed back in a new tensor."""

    __slots__ = ("name", "value")

    def __init__(self, value: Value, name: str | None) -> None:
        self.value, self.name = value, name


def named(array: Any, name: str | None) -> Tensor:
    """Return a new tensor around an array."""
    tensor = wrap(array if type(array) is np.ndarray else as_0d_array(array), None, Version())
    tensor.name = name
    return tensor


def filled(tree: Any, arrays: Mapping[Value, Any]) -> Any:
    """Return the tree of results with the arrays of this step."""
    if tree.__class__ is InTensor:  # a loss, most often
        return named(arrays[tree.value], tree.name)

    def leaf(x: Any) -> Any:
        if isinstance(x, InTensor):
            return named(arrays[x.value], x.name)
        return arrays[x] if isinstance(x, Value) else x

    return mapped(tree, leaf)
