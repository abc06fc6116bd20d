"""A stand-in for CuPy in a stream that captures, with the CUDA kernels of g++ (``tests.kernels.emulation``).

While a stream captures nothing is worked out: what is done is noted down and runs when the graph is launched, and new
arrays hold rubbish until then. Refused is what CuPy refuses: cuBLAS, copies to and from the host, whatever waits. A
launch goes to addresses: where an array's memory is gone by then (and no pool that is there has it), it raises. What is
not shown: streams take turns here by themselves, so a missing wait is not found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from weakref import ref

import numpy as np

from minigrad import backend
from tests import strict_array
from tests.kernels.emulation.device import Emulated
from tests.strict_array import StrictArray, _flat, _host


class DeviceArray(StrictArray):
    """An array of the stand-in's; its class says that it is CuPy's."""

    def __init__(self, host: Any, base: Any = None) -> None:
        super().__init__(host, base)
        self.pool = _pools[-1] and ref(_pools[-1])

    def get(self) -> Any:
        _refuse_to_wait()
        return super().get()

    def item(self) -> Any:
        return self.get().item()

    def set(self, host: np.ndarray) -> None:
        _refuse_to_wait()
        assert type(host) is np.ndarray
        assert (host.shape, host.dtype) == (self.shape, self.dtype)
        strict_array.copies["host to device"] += 1
        self._host[...] = host

    def _work(self, function: Any, args: Any, options: Any = None) -> Any:
        nodes = _streams[-1].nodes
        return (
            super()._work(function, args, options)
            if nodes is None
            else self._noted(nodes, function, args, options)
        )

    def _noted(self, nodes: list[_Node], function: Any, args: Any, options: Any) -> Any:
        """Find out what comes of something, and leave no trace of it but a node."""
        if function in _CUBLAS:
            raise NotImplementedError("calling cuBLAS API during stream capture is currently unsupported")
        given = [
            x for x in (*_flat(args), *_flat(tuple((options or {}).values()))) if isinstance(x, StrictArray)
        ]
        if function in _WAITING or any(x.dtype == bool and function is _GETITEM for x in given[1:]):
            _refuse_to_wait()
        before = [(x._host, x._host.copy()) for x in given if x._host.flags.writeable]
        result = super()._work(function, args, options)
        for host, numbers in before:
            host[...] = numbers
        found = [x for x in _flat(result) if isinstance(x, StrictArray)]
        made = [x for x in found if not any(np.may_share_memory(x._host, y._host) for y in given)]
        for x in made:
            x._host[...] = _RUBBISH[x.dtype.kind]
        if made or not found or "out" in (options or {}):
            places = [k for k, x in enumerate(found) if any(x is y for y in made)]
            work = _again(function, _host(args), _host(options or {}), places, [x._host for x in made])
            nodes.append(_Node(work, [*given, *made]))
        return result


DeviceArray.__module__ = "cupy"
backend.register(DeviceArray, "emulated", strict_array.Library(DeviceArray, "emulated"))

_GETITEM = StrictArray.__getitem__.__globals__["operator"].getitem
_CUBLAS = {np.matmul.__call__, np.dot, np.einsum, np.tensordot, np.inner, np.vdot}
_WAITING = {np.nonzero, np.unique, np.argwhere, np.flatnonzero}
_RUBBISH = {"f": np.nan, "i": -77, "u": 77, "b": True}


def _again(function: Any, args: Any, options: Any, places: list[int], hosts: list[Any]) -> Callable[[], None]:
    def work() -> None:
        result = function(*args, **options)
        parts = [x for x in _flat(result) if isinstance(x, (np.ndarray, np.generic))]
        for k, host in zip(places, hosts, strict=True):
            host[...] = parts[k]

    return work


def _refuse_to_wait() -> None:
    if _streams[-1].nodes is not None:
        raise RuntimeError("the current stream is capturing, so synchronous API calls are disallowed")


class _Node:
    """Something that was noted down, and whose memory it goes to."""

    def __init__(self, work: Callable[[], None], arrays: list[Any]) -> None:
        self.work = work
        whole = [x if x.base is None else x.base for x in arrays]
        self.memory = [(ref(x), x.pool) for x in whole]


class Graph:
    def __init__(self, nodes: list[_Node]) -> None:
        self.nodes = nodes
        launches.append(self)

    def launch(self, stream: Any = None) -> None:
        _refuse_to_wait()
        for node in self.nodes:
            for array, pool in node.memory:
                if array() is None and (pool is None or pool() is None):
                    raise RuntimeError("an illegal memory access: the graph goes to memory that is not held")
            node.work()


launches: list[Graph] = []
"""Every graph that was made."""


class Stream:
    def __init__(self, non_blocking: bool = False) -> None:
        self.non_blocking, self.nodes = non_blocking, None

    def __enter__(self) -> Stream:
        _streams.append(self)
        return self

    def __exit__(self, *error: Any) -> None:
        _streams.pop()

    def begin_capture(self) -> None:
        assert self.non_blocking, "a stream that waits for the default stream is no good for capturing"
        self.nodes = []

    def end_capture(self) -> Graph:
        nodes, self.nodes = self.nodes, None
        return Graph(nodes)

    def record(self) -> Any:
        return SimpleNamespace(stream=self)

    def wait_event(self, event: Any) -> None:
        assert isinstance(event.stream, Stream)


_streams = [Stream()]


class MemoryPool:
    def malloc(self, size: int) -> Any:
        raise AssertionError("the stand-in's memory is NumPy's")


_pools: list[Any] = [None]


@contextmanager
def using_allocator(allocator: Any) -> Iterator[None]:
    _pools.append(allocator.__self__)
    try:
        yield
    finally:
        _pools.pop()


def _empty(shape: Any, dtype: Any = float) -> DeviceArray:
    dtype = np.dtype(dtype)
    return DeviceArray(np.full(shape, _RUBBISH[dtype.kind], dtype))


def _asarray(array: Any) -> DeviceArray:
    if isinstance(array, DeviceArray):
        return array
    _refuse_to_wait()
    strict_array.copies["host to device"] += 1
    return DeviceArray(np.array(array))


class StandIn(Emulated):
    """The device: the kernels of g++ on the stand-in's memory, and the functions of CuPy's that the kernels need."""

    xp = SimpleNamespace(
        empty=_empty,
        empty_like=lambda array: DeviceArray(np.empty_like(array._host)),
        asarray=_asarray,
        ascontiguousarray=lambda array: array.copy(),
        maximum=np.maximum,
        broadcast_to=np.broadcast_to,
        sum=np.sum,
        argsort=np.argsort,
        cuda=SimpleNamespace(
            Stream=Stream,
            MemoryPool=MemoryPool,
            using_allocator=using_allocator,
            get_current_stream=lambda: _streams[-1],
        ),
    )

    def launch(self, source: str, name: str, real: str, grid: Any, block: Any, args: Any) -> None:
        hosts = [x._host if isinstance(x, DeviceArray) else x for x in args]
        assert not any(isinstance(x, np.ndarray) for x in args), "a kernel was given an array of the host's"

        def work() -> None:
            if source == "matmul":  # which has tests of its own, and takes a while
                self.launches.append(f"{source}.{name}")
                np.matmul(hosts[0], hosts[1], out=hosts[2])
            else:
                Emulated.launch(self, source, name, real, grid, block, hosts)

        nodes = _streams[-1].nodes
        if nodes is None:
            work()
        else:
            nodes.append(_Node(work, [x for x in args if isinstance(x, DeviceArray)]))

    def matmul(self, a: Any, b: Any, out: Any) -> None:
        if _streams[-1].nodes is not None:
            raise NotImplementedError("calling cuBLAS API during stream capture is currently unsupported")
        np.matmul(a._host, b._host, out=out._host)

    def address(self, array: Any) -> int:
        return int(array._host.ctypes.data)
