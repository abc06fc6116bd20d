"""Sums over two processes of arrays on stand-ins for GPUs: python -m tests.parallel.on_standin_gpus."""

from __future__ import annotations

import numpy as np
from mpi4py import MPI

from tests.parallel import standin_cupy


def main() -> None:
    rank = MPI.COMM_WORLD.Get_rank()
    # NCCL with a GPU each; both on one GPU, so that it is staged; and no NCCL
    for with_nccl, device in ((True, f"cuda:{rank}"), (True, "cuda:0"), (False, f"cuda:{rank}")):
        standin_cupy.install(with_nccl)
        from minigrad.parallel.nccl import GpuCommunicator

        communicator = GpuCommunicator(MPI.COMM_WORLD, 20.0, device)
        by_nccl = with_nccl and device == f"cuda:{rank}" and communicator.nccl is not None
        for dtype in ("float32", "float64"):
            array = (np.arange(1000, dtype=dtype) + rank).view(standin_cupy.DeviceArray)
            host = np.array([1.0 + rank])
            tickets = [communicator.start_sum(array), communicator.start_sum(host)]
            assert array[3] == 3 + rank, "nothing is summed before it is waited for"
            communicator.wait(tickets, "the sums")
            assert (np.asarray(array) == 2 * np.arange(1000) + 1).all()
            assert host == 3.0
        communicator.barrier("the end")
        if rank == 0:
            print("NCCL" if by_nccl else "staged", len(standin_cupy.CALLS), flush=True)


if __name__ == "__main__":
    main()
