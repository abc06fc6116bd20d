"""What Python asks of a tensor: its length, its truth, a copy, a pickle, how it prints."""

from __future__ import annotations

from operator import index
from typing import Any, Self

import numpy as np

from minigrad import backend, messages
from minigrad.array_protocols import unwrap
from minigrad.backend import Array
from minigrad.errors import GradientError, ShapeError
from minigrad.records import Version
from minigrad.variable import Variable


class ObjectProtocols(Variable):
    """Python's own protocols."""

    __slots__ = ()

    def __setitem__(self, index: Any, value: Any) -> None:
        self.check_writable(value)
        self._data[unwrap(index)] = backend.operand(unwrap(value))
        self.bump_version(how="entry")

    def __len__(self) -> int:
        if self.ndim == 0:
            raise TypeError("a 0-dimensional tensor has no length")
        return self.shape[0]

    def __bool__(self) -> bool:
        if self._data.size != 1:
            raise ShapeError("MG-104", messages.many_truths(self.label, self.shape))
        return bool(self.item())

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        number: Any = self.item()
        return index(number)

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else str(self)

    __hash__ = object.__hash__  # == compares entries, so identity has to be asked for by name

    def __copy__(self) -> Self:
        return self._twin(self._data, self.version)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self._twin(self._data.copy(), Version())

    def _twin(self, data: Array, version: Version) -> Self:
        self._check_outside_graphs("copied", "copy .detach() instead")
        twin = type(self).__new__(type(self))
        twin._fill(data, None, version)
        twin.name, twin.requires_grad = self.name, self.requires_grad
        return twin

    def __reduce__(self) -> tuple[Any, ...]:
        self._check_outside_graphs("pickled", "pickle .detach(), or better save .numpy() with np.save")
        return type(self), (self._data, self.requires_grad, None, None, self.name)

    def _check_outside_graphs(self, done: str, instead: str) -> None:
        if self.record is not None:
            raise GradientError(
                "MG-206", f"{self.label} is part of a graph and cannot be {done} without it: {instead}."
            )

    def __repr__(self) -> str:
        entries = np.array2string(backend.to_numpy(self._data), separator=", ", precision=4, prefix="Tensor(")
        parts = [entries]
        if self.dtype != backend.default_dtype():
            parts.append(f"dtype={self.dtype}")
        if self.device != "cpu":
            parts.append(f"device='{self.device}'")
        if self.name:
            parts.append(f"name='{self.name}'")
        if self.record is not None:
            parts.append(f"from {self.record.operation.name}")
        elif self.requires_grad:
            parts.append("requires_grad=True")
        return f"Tensor({', '.join(parts)})"
