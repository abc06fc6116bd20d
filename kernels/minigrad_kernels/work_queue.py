"""Work queues with stealing: a thread that is done with its own share of the tasks goes on with another's.

Two halves take equally long only where both processors are equally fast. They are not where some of them are meant to
save power, and where other programs, or other virtual machines, run on them too.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad_kernels.launch import Loop, numba
from minigrad_kernels.loops import scratch

PADDING = 16  # numbers that a share has room for: threads that write the same cache line wait for each other


def share_out_loop(queue: Any, tasks: int) -> None:
    """Begin anew: let the workers' shares be those of the tasks 0, 1 …"""
    workers = len(queue)
    for worker in range(workers):
        queue[worker, 0] = tasks * worker // workers
        queue[worker, 1] = tasks * (worker + 1) // workers


def fetch_add_loop(queue: Any, worker: int) -> int:
    """Return the next task of this worker's share and go on to the one behind it, undisturbed by other threads."""
    task: int = queue[worker, 0]
    queue[worker, 0] += 1
    return task


def next_task_loop(queue: Any, worker: int) -> int:
    """Return a task that nobody has taken, of the worker's own share or else of another's; -1 where none is left."""
    workers = queue.shape[0]
    for k in range(workers):
        share = (worker + k) % workers
        if queue[share, 0] < queue[share, 1]:
            task: int = fetch_add(queue, share)
            if task < queue[share, 1]:
                return task
    return -1


class _FetchAdd(Loop):
    """Fetch-and-add, as the one instruction that a loop in Python cannot ask Numba for."""

    def _compile(self) -> Any:
        module = numba()
        if module is None or module.config.DISABLE_JIT:
            return self.function
        from llvmlite import ir
        from numba import types
        from numba.extending import intrinsic

        def generate(context: Any, builder: Any, call: Any, values: Any) -> Any:
            array = context.make_array(call.args[0])(context, builder, values[0])
            number = ir.IntType(64)
            next_task = builder.gep(array.data, [builder.mul(values[1], ir.Constant(number, PADDING))])
            return builder.atomic_rmw("add", next_task, ir.Constant(number, 1), "monotonic")

        def typed(context: Any, queue: Any, worker: Any) -> Any:
            return types.int64(queue, types.int64), generate

        return intrinsic(typed)


fetch_add = _FetchAdd(fetch_add_loop)
share_out = Loop(share_out_loop)
next_task = Loop(next_task_loop)


def shared_out(tasks: int, workers: int) -> Any:
    """Return a new queue whose shares are those of the tasks 0, 1 …"""
    queue = scratch((workers, PADDING), np.dtype(np.int64))
    share_out.compiled(queue, tasks)
    return queue
