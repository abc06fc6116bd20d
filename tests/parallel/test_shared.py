from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigrad.parallel.shared import Slots
from tests.parallel.launched import needs_mpi, on

SUMS = 6


def rank_at_work(slots: Slots, rank: int, size: int) -> Iterator[None]:
    """Take part in several sums; pause wherever another rank may get a word in."""
    for step in range(SUMS):
        for array in slots.buffers():
            for i in range(len(array)):
                array[i] = 10**rank * (step + 1)
                yield
        ticket = slots.start()
        yield
        while not ticket.done():
            yield
        for k in range(2):
            yield
            total = slots.result(k, np.zeros(2))
            assert total.tolist() == [(step + 1) * int("1" * size)] * 2


@given(st.integers(2, 4), st.data())
def test_nobody_overwrites_what_another_has_still_to_read(size: int, data: st.DataObject) -> None:
    counts = [memoryview(bytearray(8)).cast("q") for _ in range(size)]
    slots = [[[np.zeros(2) for _ in range(size)] for _ in range(2)] for _ in range(2)]
    ranks = [rank_at_work(Slots(r, counts, slots, lambda: None, lambda: None), r, size) for r in range(size)]
    order = data.draw(st.lists(st.integers(0, size - 1), max_size=200))
    strides = data.draw(st.lists(st.integers(1, 20), min_size=len(order), max_size=len(order)))
    for r, stride in zip(order, strides, strict=True):
        for _ in range(stride):
            next(ranks[r], None)
    for _ in range(SUMS * 20 * size):
        for each in ranks:
            next(each, None)
    assert [count[0] for count in counts] == [SUMS] * size
    assert all(next(each, "at its end") == "at its end" for each in ranks)


def test_slots_are_added_in_the_order_of_the_ranks() -> None:
    values = [1e16, 1.0, -1e16, 1.0]  # (1e16 + 1) - 1e16 = 0; any other order makes something else
    counts = [memoryview(bytearray(8)).cast("q") for _ in values]
    slots = [[[np.array([value]) for value in values]] for _ in range(2)]
    for rank in range(4):
        each = Slots(rank, counts, slots, lambda: None, lambda: None)
        each.start()
        assert each.result(0, np.zeros(1)) == 1.0


@needs_mpi
@pytest.mark.parametrize("n", [2, 3, 4])
def test_many_sums_of_odd_sizes_are_right(tmp_path: Path, n: int) -> None:
    ended = on(n, "tests.parallel.sums", "many", cwd=tmp_path)
    assert (ended.code, ended.out) == (0, "right\n"), ended.err


@needs_mpi
@pytest.mark.parametrize(
    "what", ["no_room_on_one", "no_window_on_one", "another_layout_on_one", "too_many", "messages_meanwhile"]
)
def test_all_go_the_same_way(tmp_path: Path, what: str) -> None:
    ended = on(2, "tests.parallel.sums", what, cwd=tmp_path)
    assert (ended.code, ended.out) == (0, "right\n"), ended.err


@needs_mpi
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_killed_process_leaves_no_memory_behind(tmp_path: Path) -> None:
    ended = on(3, "tests.parallel.sums", "unnamed", cwd=tmp_path)
    assert (ended.code, ended.out) == (0, "right\n"), ended.err
