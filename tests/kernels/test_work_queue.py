"""Every task is done once, whoever is how fast; a thread begins with its own share."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from minigrad_kernels import launch
from minigrad_kernels.launch import Loop
from minigrad_kernels.work_queue import PADDING, next_task, share_out

prange = range
several = pytest.mark.skipif(
    launch.numba() is None or launch.threads() < 2, reason="this needs Numba and two threads"
)


def work_loop(tasks, workers, slow, done, by):
    """Count each task in ``done``, and note who did it; one worker takes very long for each of its tasks."""
    queue = np.empty((workers, PADDING), np.int64)
    share_out(queue, tasks)
    for worker in prange(workers):
        task = next_task(queue, worker)
        while task >= 0:
            done[task] += 1
            by[task] = worker
            if worker == slow:
                x = 1.0
                for _ in range(1_000_000):
                    x = x * 1.0000001 + 1e-9
                done[task] += x < 0  # never; but x has to be worked out
            task = next_task(queue, worker)


def rush_loop(done):
    """Let two workers take tasks of one share as fast as they can."""
    queue = np.empty((1, PADDING), np.int64)
    share_out(queue, done.size)
    for _ in prange(2):
        task = next_task(queue, 0)
        while task >= 0:
            done[task] += 1
            task = next_task(queue, 0)


ways = [Loop(work_loop).plain]
if launch.numba() is not None:
    ways += [work_loop, Loop(work_loop), Loop(work_loop, parallel=True)]


@pytest.mark.parametrize("way", ways)
@given(tasks=st.integers(0, 50), workers=st.integers(1, 9))
def test_every_task_is_done_once(way, tasks, workers):
    done, by = np.zeros(tasks, np.int64), np.zeros(tasks, np.int64)
    way(tasks, workers, -1, done, by)
    assert (done == 1).all()


def test_workers_begin_with_their_own_shares_of_equal_size():
    queue = np.empty((3, PADDING), np.int64)
    share_out.plain(queue, 10)
    assert [tuple(share[:2]) for share in queue] == [(0, 3), (3, 6), (6, 10)]
    assert [next_task.plain(queue, worker) for worker in (2, 0, 1, 2)] == [6, 0, 3, 7]


def test_who_is_done_takes_the_tasks_of_others():
    queue = np.empty((3, PADDING), np.int64)
    share_out.plain(queue, 6)
    found = [next_task.plain(queue, 1) for _ in range(8)]
    assert found == [2, 3, 4, 5, 0, 1, -1, -1]


@several
def test_two_threads_never_take_the_same_task():
    done = np.zeros(1_000_000, np.int64)
    Loop(rush_loop, parallel=True)(done)
    assert (done == 1).all()


@several
def test_a_slow_thread_is_helped_and_nothing_is_done_twice():
    work = Loop(work_loop, parallel=True)
    done, by = np.zeros(400, np.int64), np.zeros(400, np.int64)
    work(0, 2, 0, done, by)  # compile
    work(400, 2, 0, done, by)
    assert (done == 1).all()
    assert (by == 0).sum() < 100
