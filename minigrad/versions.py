"""How a gradient rule can be sure that what it needs is still what it was in the forward pass.

A Tensor's memory has a ``Version``, which every write through a Tensor raises. A bare array has none: what is small is
copied when the operation is recorded, and of what is large a checksum is taken.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any
from weakref import ref

import numpy as np

from minigrad import backend
from minigrad.backend import Array

if TYPE_CHECKING:
    from minigrad.source import Place

COPIED = 1 << 20
"""Bytes up to which a bare array is copied; a checksum of more takes as long as a copy, and no memory."""

_LANES = 1024  # numbers of eight bytes that are summed side by side

_writes = itertools.count(1)
_by_memory: dict[
    int, ref[Version]
] = {}  # a WeakValueDictionary takes five times as long: this runs every step
_crowded = 1000  # so many entries are gone through for those of memory that is gone


class Version:
    """How often a piece of memory was written in place, where last and how; all Tensors on it share one."""

    number = 0
    place: Place | None = None
    how: str = ""

    def written(self, place: Place, how: str) -> None:
        """Note a write, where and how (``messages.WRITES``); no two writes anywhere have one number."""
        self.number = next(_writes)
        self.place, self.how = place, how


def version_of(array: Array) -> Version:
    """Return the version of the memory that ``array`` lies on, a new one where no Tensor is known to lie there."""
    number = id(_owner(array))
    known = _by_memory.get(number)
    version = None if known is None else known()
    if version is None:
        version = Version()
        _remember(number, version)
    return version


def publish(array: Array, version: Version) -> None:
    """Make known whose memory it is that is handed out, in case that a Tensor is made of it."""
    _remember(id(_owner(array)), version)


def _remember(number: int, version: Version) -> None:
    global _crowded
    if len(_by_memory) > _crowded:
        for other, known in list(_by_memory.items()):
            if known() is None:
                del _by_memory[other]
        _crowded = 1000 + 2 * len(_by_memory)
    _by_memory[number] = ref(version)


def _owner(array: Array) -> Any:
    """Whatever holds the memory: a view's base, its base's base, and what is behind a memoryview.

    It lives as long as a Tensor on it does, and so as long as a version that counts for anything.
    """
    owner = array
    below = getattr(array, "base", None)
    while below is not None:
        owner = below
        below = owner.obj if isinstance(owner, memoryview) else getattr(owner, "base", None)
    return owner


def settled(array: Any) -> tuple[Any, int | None]:
    """Return a bare array such that a change can do no harm: a copy; or, where it is large, itself and a checksum."""
    if not isinstance(array, np.ndarray):
        return (array if backend.backend_of(array) is None else array.copy()), None
    if array.base is None and not array.flags.writeable:
        return array, None  # nobody can change it
    return (array, fingerprint(array)) if array.nbytes > COPIED else (array.copy(), None)


CONSTANTS = frozenset({int, float, bool, str, type(None)})
"""Types of parameters in which nothing can change."""


def settled_parameter(value: Any) -> Any:
    """Return a parameter of an operation (an index, a list of axes) with everything in it copied that can change.

    Whatever its size: an operation allocates as much as it is given to index with.
    """
    kind = type(value)
    if kind is tuple or kind is list:
        return kind([settled_parameter(part) for part in value])
    if kind is dict:
        return {key: settled_parameter(part) for key, part in value.items()}
    if kind is slice:
        return slice(*map(settled_parameter, (value.start, value.stop, value.step)))
    return value if backend.backend_of(value) is None else value.copy()


def fingerprint(array: Any) -> int:
    """Return a checksum of all bytes: sums of neighbours and sums of what lies a block apart, so that order counts.

    Of 4 MB it takes a third of a millisecond, zlib's CRC-32 a whole one. 0 for what is no NumPy array.
    """
    if not isinstance(array, np.ndarray):
        return 0
    memory = np.ascontiguousarray(array.T if array.flags.f_contiguous else array).reshape(-1).view(np.uint8)
    whole = memory.size - memory.size % (8 * _LANES)
    blocks = memory[:whole].view(np.uint64).reshape(-1, _LANES)
    return hash((blocks.sum(axis=0).tobytes(), blocks.sum(axis=1).tobytes(), memory[whole:].tobytes()))
