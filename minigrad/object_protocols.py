"""What Python asks of a tensor: its length, its truth, a copy, a pickle, how it prints."""

from __future__ import annotations

import sys
from dis import opmap
from operator import index
from types import FrameType
from typing import Any, Self

import numpy as np

from minigrad import backend, messages
from minigrad.array_protocols import unwrap
from minigrad.backend import Array
from minigrad.errors import GradientError, ShapeError, warn
from minigrad.records import Version
from minigrad.variable import Variable

_STORE = opmap["STORE_SUBSCR"]


class Size(int):
    """The number of an array's entries. PyTorch writes its shape as a call of the same name: ``t.size()``."""

    shape: tuple[int, ...]

    def __new__(cls, array: Array) -> Self:
        """Take the size and the shape of an array."""
        size = super().__new__(cls, array.size)
        size.shape = array.shape
        return size

    def __call__(self, dim: int | None = None) -> Any:
        """Return the shape, or one length of it."""
        return self.shape if dim is None else self.shape[dim]

    def __reduce__(self) -> Any:
        return int, (int(self),)


class ObjectProtocols(Variable):
    """Python's own protocols."""

    __slots__ = ()

    @property
    def size(self) -> int:
        """Number of entries; called as in PyTorch, ``t.size()`` is the shape and ``t.size(0)`` one length of it."""
        return Size(self._data)

    def numpy(self) -> np.ndarray[Any, Any]:
        """Return the entries as a NumPy array on the host, sharing memory where it can."""
        return backend.to_numpy(self.data)

    def item(self) -> float | int | bool:
        """Return the single entry as a Python number; ShapeError MG-104 where there is not exactly one."""
        if self._data.size != 1:
            raise ShapeError(
                "MG-104",
                f"{self.label} has shape {self.shape}, which is {self.size} numbers, not one. "
                "Pick one, t[0], or bring them down to one: t.mean(), t.sum().",
            )
        number: float | int | bool = self._data.item()
        return number

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
        self._tell_stored(sys._getframe(1))
        return float(self.item())

    def __int__(self) -> int:
        self._tell_stored(sys._getframe(1))
        return int(self.item())

    def _tell_stored(self, caller: FrameType) -> None:
        """Warn (MG-208) where NumPy asks for the number in ``a[0] = t``, since the array has no graph.

        Whoever writes ``float(t)`` means the number.
        """
        if self.requires_grad and caller.f_code.co_code[caller.f_lasti] == _STORE:
            warn("MG-208", messages.stored(self.label))

    def __round__(self, ndigits: int | None = None) -> Any:
        return np.round(self, ndigits or 0)  # type: ignore[call-overload]

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
