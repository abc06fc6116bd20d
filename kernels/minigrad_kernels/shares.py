"""How threads share work so that none waits for long: who is done with its own share goes on with another's.

Two halves take equally long only where both processors are equally fast. They are not where some of them are meant to
save power, and where other programs, or other virtual machines, run on them too.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad_kernels.launch import Loop, numba

PLACE = 16  # numbers that a share has room for: threads that write the same cache line wait for each other


def share_out_loop(tasks: int, workers: int) -> Any:
    """Return the workers' shares of the tasks 0, 1 …: for each its next task, and the one behind its last."""
    shares = np.empty((workers, PLACE), np.int64)
    for worker in range(workers):
        shares[worker, 0] = tasks * worker // workers
        shares[worker, 1] = tasks * (worker + 1) // workers
    return shares


def take(shares: Any, worker: int) -> int:
    """Return the next task of this worker's share and go on to the one behind it, undisturbed by other threads."""
    task: int = shares[worker, 0]
    shares[worker, 0] += 1
    return task


def next_task_loop(shares: Any, worker: int) -> int:
    """Return a task that nobody has taken, of the worker's own share or else of another's; -1 where none is left."""
    workers = shares.shape[0]
    for k in range(workers):
        share = (worker + k) % workers
        if shares[share, 0] < shares[share, 1]:
            task: int = taken(shares, share)
            if task < shares[share, 1]:
                return task
    return -1


class _Take(Loop):
    """``take``, as the one instruction that a loop in Python cannot ask Numba for."""

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
            next_task = builder.gep(array.data, [builder.mul(values[1], ir.Constant(number, PLACE))])
            return builder.atomic_rmw("add", next_task, ir.Constant(number, 1), "monotonic")

        def typed(context: Any, shares: Any, worker: Any) -> Any:
            return types.int64(shares, types.int64), generate

        return intrinsic(typed)


taken = _Take(take)
share_out = Loop(share_out_loop)
next_task = Loop(next_task_loop)
