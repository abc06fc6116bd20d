"""Gradients of odd sizes, summed over and over in shared memory: python -m tests.parallel.sums WHAT."""

from __future__ import annotations

import sys
import time

import numpy as np
from mpi4py import MPI

from minigrad import Tensor
from minigrad.parallel import GradientAverager, join, mpi, shared
from minigrad.parallel.mpi import MpiCommunicator
from minigrad.parallel.shared import SharedMemory, Slots
from minigrad.parallel.transport import MessageTransport

COMMUNICATOR = join()
assert isinstance(COMMUNICATOR, MpiCommunicator)
RANK, SIZE = COMMUNICATOR.rank, COMMUNICATOR.size
KINDS = [
    ((3, 7), "d"),
    ((1,), "f"),
    ((), "d"),
    ((50_001,), "f"),
    ((0, 4), "f"),
    ((129, 3), "d"),
    ((13,), "f"),
]


def parameters() -> dict[str, Tensor]:
    return {
        f"p{k}": Tensor(np.zeros(shape, kind), requires_grad=True) for k, (shape, kind) in enumerate(KINDS)
    }


def right_sums(averager: GradientAverager, params: dict[str, Tensor], steps: int) -> None:
    """Whole numbers, so that sums are exact; kept gradients stay as they were."""
    chance = np.random.default_rng(RANK)
    kept = []
    for step in range(steps):
        for k, tensor in enumerate(params.values()):
            tensor.grad = Tensor(np.full(tensor.shape, 100.0 * step + k + 1000 * RANK, tensor.dtype))
        if step % 50 == RANK:
            time.sleep(chance.uniform(0, 0.002))
        averager.finish(f"step {step}")
        for k, tensor in enumerate(params.values()):
            kept.append((tensor.grad.data, SIZE * (100.0 * step + k) + 1000 * SIZE * (SIZE - 1) / 2))
            if step % 7:
                assert (kept[-1][0] == kept[-1][1]).all()
        del kept[: -3 * len(params)]
        assert all((array == expected).all() for array, expected in kept[:: max(1, step % 5)])


def many(*, way: type = Slots) -> None:
    """Several averagers at once, many steps, closed and opened again."""
    params = parameters()
    small, large = (GradientAverager(params, COMMUNICATOR, size) for size in (64, 1 << 20))
    for _ in range(3):
        for averager in (small, large, small):
            right_sums(averager, params, 200)
            assert {type(bucket.transport) for bucket in averager.buckets} == {way}
        small.close()
        large.close()
        large.close()
    assert len(small.buckets) > len(large.buckets) > 1


def unnamed() -> None:
    """The memory has no name that would outlive a killed process."""
    memory = SharedMemory(COMMUNICATOR.mpi, COMMUNICATOR.world, 100_000)
    places = {piece.__array_interface__["data"][0] for piece in memory.pieces}
    found = set()
    with open("/proc/self/maps") as maps:
        for line in maps:
            start, stop = (int(end, 16) for end in line.split()[0].split("-"))
            for place in places:
                if start <= place < stop:
                    found.add(place)
                    assert line.rstrip().endswith("(deleted)"), line
    assert found == places
    memory.close()


def no_room_on_one() -> None:
    if RANK == 1:
        shared._FOLDER = "/proc"  # no free bytes
    many(way=MessageTransport)


def no_window_on_one() -> None:
    class Refused(SharedMemory):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            if RANK == 1:
                raise MPI.Exception(MPI.ERR_NO_MEM)

    shared.SharedMemory = Refused
    many(way=MessageTransport)


def another_layout_on_one() -> None:
    """What is not the same on all does not share memory: one would read behind its end."""
    groups = [[np.zeros(10 + RANK)]]
    transports, _ = COMMUNICATOR.transports(groups, "the others")
    assert type(transports[0]) is MessageTransport


def too_many() -> None:
    for most, way in ((SIZE, Slots), (SIZE - 1, MessageTransport)):
        mpi.MOST = most
        transports, _ = COMMUNICATOR.transports([[np.zeros(10)]], "the others")
        assert type(transports[0]) is way


def messages_meanwhile() -> None:
    """Rank 1 sends its gradients once it has many messages from rank 0, which waits for the gradients."""
    params = parameters()
    averager = GradientAverager(params, COMMUNICATOR)
    right_sums(averager, params, 3)
    arrays = [np.full(1000, float(RANK)) for _ in range(2000)]
    tickets = [
        COMMUNICATOR.send(array, 1) if RANK == 0 else COMMUNICATOR.receive(array, 0) for array in arrays
    ]
    if RANK == 1:
        COMMUNICATOR.wait(tickets, "the messages")
        assert not any(array.any() for array in arrays)
    right_sums(averager, params, 3)
    COMMUNICATOR.wait(tickets, "the messages")


def main() -> None:
    globals()[sys.argv[1]]()
    COMMUNICATOR.barrier("the end")
    if RANK == 0:
        print("right", flush=True)


if __name__ == "__main__":
    main()
