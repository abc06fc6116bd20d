"""Which memory a Tensor lies on, and what is kept of a bare array, so that a stale gradient is noticed.

Every write through a Tensor raises the ``Version`` of its memory, which all Tensors on that memory share. A bare array
has none: what is small is copied when the operation is recorded, and of what is large a checksum is taken.
"""

from __future__ import annotations

import array as arrays
from collections.abc import Collection, Iterable
from typing import Any
from weakref import ref

import numpy as np

from minigrad import backend
from minigrad.backend import Array
from minigrad.records import Version as Version
from minigrad.records import checksum as checksum

COPIED = 16 << 20
"""Bytes up to which a bare array is copied; of what is larger a checksum is taken, which is slower and no memory."""

_by_memory: dict[int, ref[Version]] = {}  # a WeakValueDictionary is five times as slow: this runs every step
_borrowed: list[ref[Version]] = []  # of a file's or another library's memory: arrays may share it
_crowded = 1000  # so many entries are gone through for those of memory that is gone


def version_of(array: Array) -> Version:
    """Return the version of the memory that ``array`` lies on, a new one where no Tensor is known to lie there."""
    whole = _whole(array)
    known = _by_memory.get(id(whole))
    version = None if known is None else known()
    if version is None:
        version = _overlapping(whole) or Version()
        _remember(whole, version)
    return version


def publish(array: Array, version: Version) -> None:
    """Make known whose memory it is that is handed out, in case that a Tensor is made of it."""
    _remember(_whole(array), version)


def forget(arrays: Iterable[Any]) -> None:
    """Forget what stood for arrays and is gone: another array may have its id."""
    for array in arrays:
        _by_memory.pop(id(array), None)


def _whole(array: Array) -> Any:
    """Return the array on which a view lies: its base, its base's base, and what is behind a memoryview.

    It lives as long as a Tensor on it does, and so as long as a version that counts for anything.
    """
    whole = below = array
    while (below := below.obj if isinstance(below, memoryview) else getattr(below, "base", None)) is not None:
        if backend.backend_of(below) is not None:  # a GPU's arrays have bases too
            whole = below
    return whole


def _overlapping(whole: Any) -> Version | None:
    """Look among arrays for one on the same memory, where there may be one."""
    if not isinstance(whole, np.ndarray):
        return None
    for known in _borrowed if whole.flags.owndata else list(_by_memory.values()):
        version = known()
        other = None if version is None or version.whole is None else version.whole()
        if other is not None and np.may_share_memory(whole, other):
            return version
    return None


def _remember(whole: Any, version: Version) -> None:
    global _crowded
    if len(_by_memory) > _crowded:
        for other, known in list(_by_memory.items()):
            if known() is None:
                _by_memory.pop(other, None)
        _crowded = 1000 + 2 * len(_by_memory)
    known = _by_memory[id(whole)] = ref(version)
    if isinstance(whole, np.ndarray) and version.whole is None:
        version.whole = ref(whole)
        if not whole.flags.owndata:
            _borrowed[:] = [each for each in _borrowed if each() is not None]
            _borrowed.append(known)


def settle(arrays: list[Any], bare: list[int], needed: Collection[int] | None) -> dict[int, int] | None:
    """Copy the bare arrays that a rule will need; return checksums of those that are too large for that."""
    checksums = {}
    for i in bare:
        if needed is None or i in needed:
            array = arrays[i]
            if isinstance(array, np.ndarray) and array.nbytes > COPIED:
                checksums[i] = checksum(array)
            elif isinstance(array, np.ndarray) or backend.backend_of(array) is not None:
                arrays[i] = array.copy()
    return checksums or None


CONSTANTS = frozenset({int, float, bool, str, type(None)})
"""Types of parameters in which nothing can change."""


def settled_parameters(params: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters of an operation with everything in them copied that can change."""
    for param in params.values():
        if param.__class__ not in CONSTANTS:
            return {name: settled_parameter(param) for name, param in params.items()}
    return params


def settled_parameter(value: Any) -> Any:
    """Return a parameter of an operation (an index, a list of axes) with everything in it copied that can change.

    Whatever its size: an operation allocates as much as it is given to index with.
    """
    kind = type(value)
    if kind is tuple or kind is list:
        if CONSTANTS.issuperset(map(type, value)):
            return kind(value)
        return kind([settled_parameter(part) for part in value])
    if kind is dict:
        return {key: settled_parameter(part) for key, part in value.items()}
    if kind is slice:
        return slice(*map(settled_parameter, (value.start, value.stop, value.step)))
    if backend.backend_of(value) is not None:
        return value.copy()
    changeable = isinstance(value, (memoryview, bytearray, arrays.array)) or hasattr(value, "__array__")
    return np.array(value) if changeable and not isinstance(value, np.generic) else value
