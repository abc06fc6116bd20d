"""The record of one operation that ran, and how it is sure that what it needs is still what it was."""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Iterable
from typing import Any
from weakref import ref

import numpy as np

from minigrad import backend, messages, switches
from minigrad.backend import Array
from minigrad.errors import GradientError
from minigrad.rules import Primitive
from minigrad.source import SourceLocation, here

_serial = itertools.count(1)
_writes = itertools.count(1)


def next_serial() -> int:
    """Return a serial number between those of the records so far and those to come."""
    return next(_serial)


class Version:
    """How often a piece of memory was written in place, where last and how; all Tensors on it share one."""

    number = 0
    location: SourceLocation | None = None
    how: str = ""
    whole: ref[Array] | None = None

    def written(self, location: SourceLocation, how: str) -> None:
        """Note a write, where and how (``messages.WRITES``); no two writes anywhere have one number."""
        self.number = next(_writes)
        self.location, self.how = location, how


class Record:
    """One operation that ran: its serial number, inputs, result, and where in the user's program.

    Beside each input stand the array that it was (``arrays``), the number of its version (``versions``; None for a bare
    array, and the result's own behind the last), and whether it required a gradient (``tracked``).
    """

    __slots__ = (
        "arrays",
        "checksums",
        "consumed",
        "inputs",
        "location",
        "operation",
        "params",
        "saved",
        "serial",
        "tracked",
        "value",
        "version",
        "versions",
    )

    operation: Primitive
    inputs: tuple[Any, ...]
    arrays: tuple[Any, ...]
    saved: tuple[Array, ...]
    params: dict[str, Any]
    value: Array

    def __init__(
        self,
        operation: Primitive,
        inputs: tuple[Any, ...],
        arrays: tuple[Any, ...],
        params: dict[str, Any],
        value: Array,
        version: Version,
        versions: list[int | None],
        saved: tuple[Array, ...],
        checksums: dict[int, int] | None,
        tracked: list[bool],
    ) -> None:
        self.serial = next(_serial)
        self.operation = operation
        self.inputs = inputs
        self.arrays = arrays
        self.saved = saved
        self.params = params
        self.value = value
        self.location = here(4)  # past this, apply, and the operation's call
        self.consumed: SourceLocation | None = None
        self.version = version
        self.versions = versions
        self.checksums, self.tracked = checksums, tracked
        if switches.checksumming.get():
            self.checksums = dict(enumerate(map(checksum, arrays))) | {-1: checksum(value)}

    def __repr__(self) -> str:
        inputs = ", ".join(getattr(x, "label", None) or str(np.shape(x)) for x in self.inputs)
        return (
            f"<record {self.serial}: {self.operation.name}({inputs}) -> {self.value.shape}, {self.location}>"
        )

    def release(self, walker: SourceLocation) -> None:
        """Let go of everything that only a backward walk needs, and remember who walked."""
        self.consumed = walker
        self.inputs = self.arrays = self.saved = ()
        self.versions, self.tracked = [], []
        self.value = None

    def contributions(self, incoming: Any, output: Any = None) -> list[tuple[int, Any]]:
        """Return dL/d(input) through this record alone, for each input that asks for it: (position, gradient).

        ``incoming`` is dL/d(output): a bare array; or a Tensor, and ``output`` is given, where what is computed here
        shall itself be recorded. Raises MG-205 where a value that is needed was written in place meanwhile.
        """
        operation, versions, kept, tracked = self.operation, self.versions, self.arrays, self.tracked
        rules = {}
        look_closer = self.version.number != versions[-1] or self.checksums is not None
        for i, x in enumerate(self.inputs):
            if (version := versions[i]) is not None:
                look_closer = look_closer or x.version.number != version or x._data is not kept[i]
                if tracked[i] and x.requires_grad:
                    rule = operation.rules[0 if operation.variadic else i]
                    if rule is not None:
                        rules[i] = rule
        if look_closer:
            for rule in rules.values():
                self._check_unchanged(rule.needs(len(self.inputs)))
            if output is not None and operation.saves:
                self._check_unchanged(range(len(self.inputs)))
        value: Any = self.value
        arrays: tuple[Any, ...] = (*kept, *self.saved)
        found = []  # no comprehensions: each is a call, and this runs for every record
        if output is not None and not operation.joint_only:
            value, arrays = output, (*self.recorded_inputs(), *self.saved_again())
        elif operation.joint_vjp is not None:
            if output is not None:
                value, arrays = output, tuple(self.recorded_inputs())
            gradients = operation.joint_vjp(rules, incoming, value, *arrays, **self.params)
            for i in rules:
                found.append((i, gradients[i]))  # noqa: PERF401
            return found
        for i, rule in rules.items():
            part = rule(i, incoming, value, arrays, self.params)
            found.append((i, part if part.__class__ is np.ndarray else backend.as_0d_array(part)))
        return found

    def check_unchanged(self, i: int) -> None:
        """Raise MG-205 where a value that the rule for input ``i`` needs was written in place meanwhile."""
        rule = self.operation.rule(i)
        if rule is not None:
            self._check_unchanged(rule.needs(len(self.inputs)))

    def saved_again(self) -> list[Any]:
        """Compute what ``forward`` saved once more, from the inputs and recorded like anything else."""
        return [again(*self.recorded_inputs(), **self.params) for again in self.operation.saves.values()]

    def recorded_inputs(self) -> list[Any]:
        """Return the inputs as they were: Tensors, whose versions tell, and what was kept of bare arrays."""
        beside = zip(self.inputs, self.arrays, self.versions, strict=False)
        return [array if version is None else x for x, array, version in beside]

    def _check_unchanged(self, positions: Iterable[int]) -> None:
        """Raise MG-205 where the input at one of these positions, or the result at -1, is not what it was."""
        for i in positions:
            x: Any = self if i < 0 else self.inputs[i]
            version = self.versions[i]
            changed = version is not None and (
                x.version.number != version or (i >= 0 and x._data is not self.arrays[i])
            )
            if not changed and self.checksums is not None and i in self.checksums:
                changed = checksum((*self.arrays, self.value)[i]) != self.checksums[i]
            if changed:
                raise GradientError("MG-205", messages.changed(self, i, version is not None))


def checksum(array: Any) -> int:
    """Return a checksum of all bytes; 0 for what is no NumPy array."""
    if not isinstance(array, np.ndarray):
        return 0
    in_order = np.ascontiguousarray(array.T if array.flags.f_contiguous else array)
    return zlib.crc32(in_order.reshape(-1).view(np.uint8).data)
