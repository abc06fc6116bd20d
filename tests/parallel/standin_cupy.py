"""Stand-ins for the parts of CuPy that ``nccl.py`` calls: arrays, streams, events, NCCL. They compute on the host.

Nothing that was asked of a stream has happened before the stream's event is asked for, so that code which forgets to
wait reads old numbers.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np


class DeviceArray(np.ndarray):
    """An array "on the device": of its own type, with a pointer, copied by ``get`` and ``set`` alone."""

    @property
    def data(self) -> Any:
        return SimpleNamespace(ptr=self.__array_interface__["data"][0])

    def get(self, stream: Stream, out: np.ndarray, blocking: bool) -> None:
        assert not blocking
        stream.later(lambda: np.copyto(out, np.asarray(self)))

    def set(self, host: np.ndarray, stream: Stream) -> None:
        assert type(host) is np.ndarray
        stream.later(lambda: np.copyto(np.asarray(self), host))


class Event:
    def __init__(self, work: list[Callable[[], None]]) -> None:
        self.work, self.asked = work, 0

    @property
    def done(self) -> bool:
        self.asked += 1
        if self.asked < 3:  # a device takes its time
            return False
        while self.work:
            self.work.pop(0)()
        return True


class Stream:
    ptr = 42

    def __init__(self, non_blocking: bool = False) -> None:
        self.work: list[Callable[[], None]] = []

    def later(self, work: Callable[[], None]) -> None:
        self.work.append(work)

    def record(self) -> Event:
        return Event(self.work)

    def wait_event(self, event: Event) -> None:
        pass

    def synchronize(self) -> None:
        while self.work:
            self.work.pop(0)()


class Device:
    def __init__(self, number: int) -> None:
        assert number in (0, 1)

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


STREAMS: list[Stream] = []
CALLS: list[str] = []


class NcclCommunicator:
    def __init__(self, size: int, unique: tuple[int, ...], rank: int) -> None:
        from mpi4py import MPI

        assert unique == tuple(range(-64, 64)), "rank 0's unique id has come to every rank"
        self.world = MPI.COMM_WORLD.Dup()
        assert (self.world.size, self.world.rank) == (size, rank)

    def allReduce(self, source: int, target: int, count: int, kind: int, operation: int, stream: int) -> None:
        from mpi4py import MPI

        assert source == target
        assert (operation, stream) == (0, 42)
        CALLS.append("allReduce")
        ctype = {7: ctypes.c_float, 8: ctypes.c_double}[kind]
        array = np.ctypeslib.as_array(ctypes.cast(source, ctypes.POINTER(ctype)), (count,))
        STREAMS[-1].later(lambda: self.world.Allreduce(MPI.IN_PLACE, array, op=MPI.SUM))


def install(with_nccl: bool) -> None:
    """Put the stand-ins where ``import cupy`` finds them."""

    def stream(non_blocking: bool = False) -> Stream:
        STREAMS.append(Stream(non_blocking))
        return STREAMS[-1]

    nccl = SimpleNamespace(
        available=with_nccl, NCCL_FLOAT32=7, NCCL_FLOAT64=8, NCCL_SUM=0,
        get_unique_id=lambda: tuple(range(-64, 64)), NcclCommunicator=NcclCommunicator,
    )  # fmt: skip
    cupy, cupyx = ModuleType("cupy"), ModuleType("cupyx")
    cupy.ndarray = DeviceArray
    cupy.cuda = SimpleNamespace(Stream=stream, Device=Device, nccl=nccl, get_current_stream=Stream)
    cupyx.empty_pinned = np.empty
    sys.modules |= {"cupy": cupy, "cupyx": cupyx}
