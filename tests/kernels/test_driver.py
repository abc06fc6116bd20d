"""Loops called by address do what they do when they are called from Python."""

from __future__ import annotations

import numba
import numpy as np
import pytest
from minigrad_kernels import driver, teams
from minigrad_kernels.launch import Loop, noted
from minigrad_kernels.loops import called_by


def axpy_loop(x, a, times, turn, y):
    for _ in range(times):
        for i in range(x.shape[0]):
            for j in range(x.shape[1]):
                y[i, j] += -a * x[i, j] if turn else a * x[i, j]


def refuse_loop(x):
    if x[0] < 0:
        raise IndexError
    x[0] += 1


def twice_by_worker_loop(worker, a):
    for i in range(a.size):
        a[i] *= 2


def twice_loop(a):
    for i in range(a.size):
        a[i] *= 2


def pick_loop(a, place, factor, out):
    out[0] = factor * a[place[0], place[1], place[2]]


axpy, refuse, pick = Loop(axpy_loop), Loop(refuse_loop, raises=True), Loop(pick_loop)


def table(*calls):
    rows, kept = [], []
    for loop, arguments in calls:
        words = [0]
        for each in arguments:
            words += driver.words_of(each)
        kept.append(np.array(words, np.int64))
        entry = driver.entry(loop, tuple(map(driver.kind_of, arguments)))
        rows.append((entry.address, driver.address_of(kept[-1])))
    return np.array(rows, np.int64), kept


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("layout", ["C", "F"])
def test_arrays_and_numbers_arrive(dtype, layout):
    x = np.asarray(np.arange(6).reshape(2, 3), dtype, order=layout)
    y = np.ones((2, 3), dtype)
    calls, kept = table((axpy, (x, dtype(0.5), 2, False, y)), (axpy, (x, dtype(3), 1, True, y)))
    assert driver.run(calls) == -1
    np.testing.assert_array_equal(y, 1 + x - 3 * x)
    other = np.asarray(10 * x, order=layout)
    kept[0][1] = driver.address_of(other)  # the first call on another array
    assert driver.run(calls) == -1
    np.testing.assert_array_equal(y, 1 - 2 * x + 10 * x - 3 * x)


def test_a_call_that_raises_is_the_last():
    good, bad, never = np.ones(1), -np.ones(1), np.ones(1)
    calls, _ = table((refuse, (good,)), (refuse, (bad,)), (refuse, (never,)))
    assert driver.run(calls) == 1
    assert (good[0], bad[0], never[0]) == (2, -1, 1)
    bad[0] = 5
    assert driver.run(calls) == -1  # it forgets
    assert (good[0], bad[0], never[0]) == (3, 6, 2)


def test_arrays_of_any_layout_and_tuples_arrive():
    whole = np.arange(24.0).reshape(2, 3, 4)
    out = np.zeros(1)
    for view in (
        whole[:, ::2],
        whole[::-1],
        whole.transpose(2, 0, 1),
        np.broadcast_to(whole[0, 0], (3, 2, 4)),
    ):
        for picked in ((0, 0, 0), (1, 0, 1), tuple(n - 1 for n in view.shape)):
            calls, _ = table((pick, (view, picked, 0.5, out)))
            assert driver.run(calls) == -1
            assert out[0] == 0.5 * view[picked]


def test_what_has_no_words_says_so():
    for each in (np.ones(2, "float16"), "text", None, np.ones(()), (1, "a"), (1, 0.5)):
        assert driver.kind_of(each) is None


def test_what_kernels_run_is_noted():
    x, y = np.ones((2, 2)), np.zeros((2, 2))
    before = axpy.compiled
    with noted() as calls:
        axpy(x, 2.0, 1, False, y)
        axpy.compiled(x, 1.0, 1, False, y)
    assert [what for what, _ in calls] == [axpy, axpy]
    assert all(arguments[-1] is y for _, arguments in calls)
    assert (y == 3).all()
    assert axpy.compiled is before


def test_a_loop_that_is_made_meanwhile_is_noted_too():
    """As a program's are that comes from a file, and is the first to need them."""
    a = np.ones(3)
    with noted() as calls:
        fresh = Loop(twice_loop)
        team = teams.Team(Loop(twice_by_worker_loop))
        fresh.compiled(a)
        team(1, a)
    assert [what for what, _ in calls] == [fresh, team]
    assert (a == 4).all()
    fresh.compiled(a)
    team(1, a)
    assert len(calls) == 2
    assert (a == 16).all()


def test_a_loop_is_called_by_what_the_block_says_until_it_is_ready():
    fresh, asked = Loop(twice_loop), []

    def call(loop, arguments):
        asked.append(loop)
        return driver.call(loop, arguments)

    a = np.ones(3)
    with called_by(call):
        kept = fresh.compiled
        kept(a)
    assert asked == [fresh]
    kept(a)  # kept for longer than the block
    assert asked == [fresh]
    assert fresh.compiled is fresh.dispatcher
    with called_by(call):
        fresh.compiled(a)  # it is ready
    assert asked == [fresh]
    assert (a == 8).all()


def test_a_loop_that_raises_says_what_also_when_it_is_called_by_its_address():
    a = np.array([-1], np.int64)
    with pytest.raises(IndexError):
        driver.call(refuse, (a,))


@pytest.mark.parametrize("costs", [(40, 10), (10, 40)])
def test_calls_are_made_at_once_where_that_is_faster(costs, monkeypatch):
    """By a clock of its own: the faster way is taken nearly always, and found again when the other one gets faster."""
    time, way, made = 0, 0, []

    def begin_at_once(count):
        nonlocal way
        way = 1
        return range(count)

    def call_at(address, words):
        nonlocal time
        made.append((address, words))
        time += cost[way]

    monkeypatch.setattr(numba, "prange", begin_at_once)
    loop = Loop(teams.at_once_loop, parallel=True, call_at=call_at, now=lambda: time).plain
    calls, seen = teams.row_of(np.array([(1, 2), (3, 4)]))
    for cost in (costs, costs[::-1]):
        ways = []
        for _ in range(1000):
            way = 0
            loop(calls, seen)
            ways.append(way)
        assert ways[600:].count(cost.index(min(cost))) > 380
    assert made == [(1, 2), (3, 4)] * 2000


def test_both_ways_make_all_calls():
    x, y = np.zeros(1, "f"), np.zeros(1, "f")
    calls, kept = table((refuse, (x,)), (refuse, (y,)))
    of_both, seen = teams.row_of(calls)
    for k in range(1, 100):
        teams.at_once()(of_both, seen)
        assert x[0] == y[0] == k
    assert len(kept) == 2
