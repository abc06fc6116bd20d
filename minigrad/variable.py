"""A variable: an array, its place on the tape, and its gradient. It is all of a Tensor that the tape works with."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad import backend, messages, switches
from minigrad.backend import Array
from minigrad.errors import GradientError
from minigrad.records import Record, Version
from minigrad.source import here
from minigrad.versions import publish, version_of


class Variable:
    """What backpropagation knows of a Tensor, which adds to it what one does with one."""

    __slots__ = (
        "__weakref__",
        "_data",
        "_grad",
        "grad_passes",
        "name",
        "record",
        "requires_grad",
        "retains_grad",
        "stepped_passes",
        "version",
    )

    _data: Array
    _grad: Any  # None, a bare array where a walk has left one, or a Tensor
    name: str | None
    record: Record | None
    requires_grad: bool
    retains_grad: bool
    version: Version
    grad_passes: int
    stepped_passes: int  # of grad_passes, those with which an optimizer has made a step

    def _fill(self, data: Array, record: Record | None, version: Version) -> None:
        self._data = data
        self.record = record
        self.requires_grad = record is not None
        self.version = version
        self.name = self._grad = None
        self.retains_grad = False
        self.grad_passes = 0
        self.stepped_passes = 0

    @property
    def data(self) -> Array:
        """The array itself, without a copy and without recording."""
        publish(self._data, self.version)
        return self._data

    @data.setter
    def data(self, value: Any) -> None:
        array = backend.as_array(value.data if isinstance(value, Variable) else value)
        if array is self._data:  # t.data += 1 has written into it
            self.bump_version(how="data")
        else:
            self._data, self.version = array, version_of(array)
            self.version.location, self.version.how = here(), "data"

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes."""
        shape: tuple[int, ...] = self._data.shape
        return shape

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return int(self._data.ndim)

    @property
    def dtype(self) -> np.dtype[Any]:
        """NumPy dtype of the entries."""
        dtype: np.dtype[Any] = self._data.dtype
        return dtype

    @property
    def device(self) -> str:
        """Where the array lives: ``"cpu"``, ``"cuda:0"`` …"""
        return backend.device_of(self._data)

    @property
    def is_leaf(self) -> bool:
        """Whether this was made by the user and not by an operation."""
        return self.record is None

    @property
    def label(self) -> str:
        """The name in quotes, or a description, for messages."""
        if self.name:
            return f"'{self.name}'"
        return "this tensor" if self.record is None else f"the result of {self.record.operation.name}"

    def bump_version(self, how: str = "in place") -> None:
        """Note that the entries were written in place, so that a stale graph can say so (MG-205).

        ``how`` is a key of ``messages.WRITES``, which knows what to do instead.
        """
        self.version.written(here(), how)

    def rebinds(self, other: Any) -> bool:
        """Tell whether ``t += other`` makes a new tensor, since the graph has to see it.

        A weight is not meant to become another tensor, and a view would leave what it is a view of as it was: both
        are written into, or refused.
        """
        record = self.record
        if not switches.recording.get():
            return False
        if record is None:
            joins = not self.requires_grad and isinstance(other, Variable) and other.requires_grad
            return joins and self._data.base is None and self._data.dtype.kind == "f"
        return not any(isinstance(x, Variable) and x.version is self.version for x in record.inputs)

    def check_writable(self, *sources: Any) -> None:
        """Raise MG-207 where writing ``sources`` into this tensor would go unnoticed by the graph."""
        if switches.recording.get() and any(
            isinstance(t, Variable) and t.requires_grad for t in (self, *sources)
        ):
            leaf = self.requires_grad and self.record is None
            raise GradientError("MG-207", messages.unseen_write(self.label, self.name, leaf))

    def accumulate_grad(self, total: Any, owned: bool) -> None:
        """Add one walk's gradient to ``.grad``, never into memory that somebody else may hold."""
        before = self._grad
        if before is not None:
            if isinstance(before, Variable) and _is_zero(before):
                self.grad_passes = self.stepped_passes = 0  # forgotten by hand: x.grad.zero_()
            if before.shape != total.shape:
                raise GradientError("MG-505", messages.another_shape(self.label, self.shape, before.shape))
            if isinstance(before, Variable) and not isinstance(total, Variable):
                before = before._data
            total = backend.as_0d_array(before + total)
            total = total if total.dtype == self._data.dtype else total.astype(self._data.dtype)
        elif not owned and not isinstance(total, Variable):
            total = total.copy()
        self._grad = total
        self.grad_passes += 1
        for hook in switches.hooked.get().accumulate_grad:
            hook(self, before._data if isinstance(before, Variable) else before)


def _is_zero(gradient: Variable) -> bool:
    """Whether somebody has made it zero; a GPU's array, which takes waiting, is looked at only once written into."""
    array = gradient._data
    return (type(array) is np.ndarray or gradient.version.number > 0) and not array.any()
