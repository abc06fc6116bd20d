"""What a program takes for granted: it is looked at before every replay, and what no longer holds is said."""

from __future__ import annotations

from collections.abc import Sequence
from types import CellType, ModuleType
from typing import Any

import numpy as np
from minigrad_kernels.launch import reference_is_forced

from minigrad import backend, switches
from minigrad.program.instructions import Value
from minigrad.program.sources import AtPlace, OfTensor, Place, Source
from minigrad.program.surroundings import Surroundings
from minigrad.tensor import Tensor


class Guards:
    """The things that a step can reach, as they were when it was traced."""

    def __init__(self, around: Surroundings) -> None:
        self._expected = {place: place.get() for place in around.places if around.is_read(place)}
        self._modules = [(module, module.training) for module in around.modules]
        self._leaves = [(tensor, name, tensor.requires_grad) for tensor, name in around.tensors]
        self._optimizers = [
            (optimizer, optimizer.fast, optimizer.max_norm, optimizer.kernel)
            for optimizer in around.optimizers
        ]
        self._lists = [(holder, name, len(holder)) for holder, name in around.lists]
        self._gradients: list[tuple[Tensor, bool]] = []
        self._modes = _modes()
        self._specs: list[tuple[Source, str, Any, Any]] = []

    def free(self, place: Place) -> None:
        """What is at this place the program finds and puts there itself."""
        self._expected.pop(place, None)

    def expect(self, place: Place, value: Any) -> None:
        """At this place there is something else after the step, which stays."""
        if place in self._expected:
            self._expected[place] = value

    def expect_gradient(self, tensor: Tensor, there: bool) -> None:
        """Whether the tensor has a gradient before the step."""
        self._gradients.append((tensor, there))

    def of(self, given: Sequence[tuple[Value, Source]]) -> Guards:
        """Take in what the program reads at places and in tensors: shapes, dtypes and layouts have to stay."""
        for value, source in given:
            if isinstance(source, (OfTensor, AtPlace)):
                array = source.read(())
                self._specs.append((source, value.name, array, _spec(array)))
        self._lists = [(holder, name, len(holder)) for holder, name, _ in self._lists]
        self._cells: list[tuple[CellType, Any, Place]] = []
        self._entries: list[tuple[Any, Any, Any, Place]] = []
        for place, value in self._expected.items():
            if isinstance(value, ModuleType) or backend.backend_of(value) is not None:
                continue
            if type(place.holder) is CellType:
                self._cells.append((place.holder, value, place))
            else:
                self._entries.append((place.holder, place.key, value, place))
        return self

    def broken(self) -> str:
        """Return what does not hold any more, or nothing."""
        for holder, key, value, place in self._entries:
            try:
                now = holder[key]
            except LookupError:
                return f"{place.name} is gone"
            if now is not value and not _equal(now, value):
                return _changed(place.name, value, now)
        for cell, value, place in self._cells:
            now = cell.cell_contents
            if now is not value and not _equal(now, value):
                return _changed(place.name, value, now)
        for module, training in self._modules:
            if module.training is not training:
                return f"{type(module).__name__} is in {'eval' if training else 'train'} mode"
        for tensor, name, requires_grad in self._leaves:
            if tensor.requires_grad is not requires_grad:
                return f"{name}.requires_grad is {tensor.requires_grad}"
        return self._broken_beside()

    def _broken_beside(self) -> str:
        for optimizer, fast, max_norm, kernel in self._optimizers:
            if optimizer.fast != fast or optimizer.max_norm != max_norm or optimizer.kernel is not kernel:
                return (
                    f"{type(optimizer).__name__} has other settings (fast, max_norm or those of its formula)"
                )
        for tensor, there in self._gradients:
            if (tensor._grad is not None) is not there:
                return f"{tensor.label} has {'no' if there else 'a'} gradient before the step"
        for holder, name, length in self._lists:
            if len(holder) != length:
                return f"{name} has {len(holder)} items, not {length}"
        for k, (source, name, array, spec) in enumerate(self._specs):
            now = source.read(())
            if now is not array:
                if _spec(now) != spec:
                    return f"{name} is {_described(now)}, not {_described(array)}"
                self._specs[k] = source, name, now, spec
        modes = _modes()
        return "" if modes == self._modes else _other_mode(self._modes, modes)


_MODES = ("recording of gradients", "gradient accumulation", "default dtype", "kernels' references")


def _modes() -> tuple[Any, ...]:
    return (
        switches.recording.get(),
        switches.accumulated_passes.get(),
        backend.default_dtype(),
        reference_is_forced(),
    )


def _other_mode(before: tuple[Any, ...], now: tuple[Any, ...]) -> str:
    return ", ".join(
        f"{name}: {b}, not {a}" for name, a, b in zip(_MODES, before, now, strict=True) if a != b
    )


def _spec(array: Any) -> tuple[Any, ...]:
    if type(array) is np.ndarray:
        return array.shape, array.dtype, array.flags.c_contiguous or array.strides
    if isinstance(array, np.ndarray) or backend.backend_of(array) is None:
        return (type(array),)
    layout = array.flags.c_contiguous or array.strides
    return array.shape, array.dtype, layout, backend.device_of(array)


def _described(array: Any) -> str:
    if backend.backend_of(array) is None:
        return f"a {type(array).__name__}"
    where = backend.device_of(array)
    return f"{array.dtype} {array.shape}" + ("" if where == "cpu" else f" on {where}")


_NUMBERS = frozenset({int, float, bool, str, bytes, type(None), complex})


def _equal(now: Any, before: Any) -> bool:
    if now.__class__ is not before.__class__:
        return False
    if now.__class__ in _NUMBERS or isinstance(now, (np.generic, np.dtype)):
        return bool(now == before)
    return now.__class__ is tuple and len(now) == len(before) and all(map(_equal, now, before))


def _changed(name: str, before: Any, now: Any) -> str:
    if now.__class__ in _NUMBERS:
        return f"{name} is {now!r:.40}, not {before!r:.40}"
    return f"{name} is another {type(now).__name__}"
