"""The processes of an MPI job (mpi4py), for arrays in the host's memory."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.backend import Array
from minigrad.errors import ParallelError
from minigrad.parallel.communicator import Communicator
from minigrad.parallel.shared import MOST, share_slots
from minigrad.parallel.transport import Transport, Work
from minigrad.parallel.waiting import deadline, wait_until
from minigrad.renamed import renamed

_LAUNCHED = ("PMI_SIZE", "PMIX_RANK", "OMPI_COMM_WORLD_SIZE", "MPI_LOCALNRANKS")
"""Variables that the starters of MPI jobs set: Hydra and Slurm (PMI), PMIx, Open MPI, MVAPICH."""


class MpiWork:
    """Something that MPI is working on."""

    def __init__(self, request: Any, array: Array) -> None:
        self.request, self.array = request, array  # MPI writes into the array: it has to live so long

    def done(self) -> bool:
        """Tell whether it is done."""
        return bool(self.request.Test())


class MpiCommunicator(Communicator):
    """A process of an MPI job: sums are ``Iallreduce``, progress is ``Testall``.

    It talks through a duplicate of the job's communicator, so that a user's own messages cannot get between.
    """

    def __init__(self, world: Any, deadline: float) -> None:
        super().__init__(deadline)
        from mpi4py import MPI

        self.mpi: Any = MPI
        self.world = world.Dup()
        self.rank, self.size = self.world.Get_rank(), self.world.Get_size()
        neighbours = self.world.Split_type(MPI.COMM_TYPE_SHARED)
        self.shares_memory = neighbours.Get_size() == self.size
        neighbours.Free()

    def transports(
        self, groups: Sequence[Sequence[Array]], what: str
    ) -> tuple[Sequence[Transport], Callable[[], None]]:
        """Return transports through shared memory, if all processes can see one; see ``Communicator.transports``."""
        on_host = all(type(example) is np.ndarray for group in groups for example in group)
        if (
            self.shares_memory
            and on_host
            and self.size <= MOST
            and (shared := share_slots(self, self.mpi, self.world, groups, what))
        ):
            memory, slots = shared
            return slots, memory.close
        return super().transports(groups, what)

    def start_sum(self, array: Array) -> Work:
        """Begin an in-place all-reduce; see ``Communicator.start_sum``."""
        return MpiWork(self.world.Iallreduce(self.mpi.IN_PLACE, array, op=self.mpi.SUM), array)

    def test(self, under_way: Sequence[Work]) -> bool:
        """Move all sums on, those that MPI works on with one ``Testall``."""
        requests = [work.request for work in under_way if isinstance(work, MpiWork)]
        others = [work for work in under_way if not isinstance(work, MpiWork)]
        done = not requests or bool(self.mpi.Request.Testall(requests))
        return super().test(others) and done

    def send(self, array: Array, to: int) -> Work:
        """Begin to send an array to one process; nobody touches it until the work is done."""
        return MpiWork(self.world.Isend(array, dest=to), array)

    def receive(self, array: Array, source: int) -> Work:
        """Begin to fill ``array`` with the next one that ``source`` sends."""
        return MpiWork(self.world.Irecv(array, source=source), array)

    def gather(self, text: str, what: str) -> list[str]:
        """Return the texts of all processes, by rank; as UTF-8, nothing is pickled."""
        own = np.frombuffer(os.fsencode(text), np.uint8)
        lengths = np.zeros(self.size, np.int64)
        self._finish(self.world.Iallgather(np.array([own.size], np.int64), lengths), what)
        everything = np.empty(int(lengths.sum()), np.uint8)
        counts = [int(n) for n in lengths]
        self._finish(self.world.Iallgatherv(own, [everything, counts]), what)
        ends = np.cumsum(lengths)
        return [os.fsdecode(everything[end - n : end].tobytes()) for n, end in zip(counts, ends, strict=True)]

    def _finish(self, request: Any, what: str) -> None:
        wait_until(request.Test, self.deadline, what, self.name)

    def abort(self, code: int) -> None:
        """End the whole job at once."""
        sys.stdout.flush()
        sys.stderr.flush()
        self.world.Abort(code)


def is_launched() -> bool:
    """Tell whether this process was started as part of an MPI job, without importing anything."""
    return "mpi4py.MPI" in sys.modules or any(name in os.environ for name in _LAUNCHED)


def connect() -> Communicator:
    """Return the communicator of the MPI job that this process belongs to; a job of one is the single process.

    Raises ParallelError MG-871 where mpi4py, or an MPI library for it, is missing.
    """
    try:
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:
        raise missing(str(error)) from error
    if MPI.COMM_WORLD.Get_size() == 1:
        return Communicator(deadline())
    return MpiCommunicator(MPI.COMM_WORLD, deadline())


def missing(reason: str) -> ParallelError:
    """Return the error of an MPI that is not there."""
    return ParallelError(
        "MG-871",
        f"training on several processes needs MPI, and it is not to be had here ({reason}). Install mpi4py with "
        "an MPI library: pip install 'minigrad-engine[mpi]'. On a cluster, pip install mpi4py beside its own MPI.",
    )


__getattr__ = renamed(__name__, {"MpiTicket": ("MpiWork", MpiWork)})
