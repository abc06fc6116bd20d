"""The processes of an MPI job, for arrays on GPUs too: NCCL sums them, or MPI does, through the host if need be.

**Not yet run on a GPU.** The tests run this file's code with stand-ins for CuPy's streams, events and NCCL.

Each process has a GPU of its own: ``cuda`` means the GPU with the process's number on its machine. MPI carries NCCL's
unique id, and everything that is in the host's memory. Where NCCL is missing or two processes share a GPU, which NCCL
refuses, MPI gets the device's arrays themselves if it says that it takes them (MPI 4.1, section 12.4:
``mpi_memory_alloc_kinds``), else copies in pinned host memory.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.backend import Array
from minigrad.parallel.communicator import Communicator
from minigrad.parallel.mpi import MpiCommunicator
from minigrad.parallel.transport import Work
from minigrad.renamed import renamed


class StreamWork:
    """A sum that the GPU works on, in a stream beside the one that computes."""

    def __init__(self, event: Any, *alive: Any) -> None:
        self.event, self.alive = event, alive

    def done(self) -> bool:
        """Tell whether the GPU has come so far."""
        return bool(self.event.done)


class StagedWork:
    """A sum in three stages: to pinned host memory, over MPI, and back."""

    def __init__(self, array: Array, stream: Any, cupy: Any, sum_on_host: Callable[[Any], Work]) -> None:
        from cupyx import empty_pinned

        self.array, self.stream, self.cupy, self.sum_on_host = array, stream, cupy, sum_on_host
        self.host = empty_pinned(array.shape, array.dtype)
        array.get(stream=stream, out=self.host, blocking=False)
        self.event = stream.record()
        self.sum: Work | None = None
        self.on_its_way_back = False

    def done(self) -> bool:
        """Go on to the next stage where one has ended; tell whether all have."""
        if self.sum is None:
            if not self.event.done:
                return False
            self.sum = self.sum_on_host(self.host)
        if not self.on_its_way_back:
            if not self.sum.done():
                return False
            self.array.set(self.host, stream=self.stream)
            self.event = self.stream.record()
            self.on_its_way_back = True
        return bool(self.event.done)


class GpuCommunicator(MpiCommunicator):
    """A process of an MPI job whose arrays may be CuPy's; ``device`` is its GPU."""

    def __init__(self, world: Any, deadline: float, device: str) -> None:
        super().__init__(world, deadline)
        import cupy

        self.cupy = cupy
        self.device = device
        with self._on_device():
            self.stream = cupy.cuda.Stream(non_blocking=True)
        self.takes_device_arrays = "cuda" in (world.Get_info().Get("mpi_memory_alloc_kinds") or "")
        self.nccl = self._join_nccl()

    def start_sum(self, array: Array) -> Work:
        """Begin the sum where the array is, after what the current stream has still to do on it."""
        if type(array) is np.ndarray:
            return super().start_sum(array)
        with self._on_device():
            self.stream.wait_event(self.cupy.cuda.get_current_stream().record())
            if self.nccl is not None:
                return self._sum_by_nccl(array)
            if self.takes_device_arrays:
                self.stream.synchronize()
                return super().start_sum(array)
            return StagedWork(array, self.stream, self.cupy, super().start_sum)

    def _sum_by_nccl(self, array: Array) -> Work:
        nccl = self.cupy.cuda.nccl
        kind = {"f": nccl.NCCL_FLOAT32, "d": nccl.NCCL_FLOAT64}[array.dtype.char]
        pointer = array.data.ptr
        self.nccl.allReduce(pointer, pointer, array.size, kind, nccl.NCCL_SUM, self.stream.ptr)
        return StreamWork(self.stream.record(), array)

    def _join_nccl(self) -> Any:
        """Return NCCL's communicator, or None where NCCL is missing somewhere or a GPU is shared."""
        nccl = self.cupy.cuda.nccl
        own = json.dumps([platform.node(), self.device, bool(nccl.available)])
        gpus = [json.loads(text) for text in self.gather(own, "the others' GPUs")]
        shared = len({(machine, device) for machine, device, _ in gpus}) < self.size
        if shared or not all(available for _, _, available in gpus):
            return None
        number = nccl.get_unique_id() if self.is_root else ()
        unique = tuple(json.loads(self.share(json.dumps(list(number)), "NCCL's unique id")))
        with self._on_device():
            return nccl.NcclCommunicator(self.size, unique, self.rank)

    def _on_device(self) -> Any:
        return self.cupy.cuda.Device(int(self.device.partition(":")[2]))


def on_device(communicator: Communicator, device: str) -> tuple[Communicator, str]:
    """Return the communicator for arrays on ``device``, and the device's full name on this process.

    ``cpu`` and the single process stay as they are. ``cuda`` becomes the GPU with the process's number among those of
    its machine, counted round where there are fewer GPUs than processes.
    """
    if device == "cpu" or not isinstance(communicator, MpiCommunicator):
        return communicator, device
    from minigrad import backend

    backend.to_device(np.zeros(0), device)  # raises MG-302 where there is no such device
    import cupy

    if ":" not in device:
        neighbours = communicator.world.Split_type(communicator.mpi.COMM_TYPE_SHARED)
        device = f"cuda:{neighbours.Get_rank() % cupy.cuda.runtime.getDeviceCount()}"
        neighbours.Free()
    return GpuCommunicator(communicator.world, communicator.deadline, device), device


__getattr__ = renamed(
    __name__, {"StreamTicket": ("StreamWork", StreamWork), "StagedTicket": ("StagedWork", StagedWork)}
)
