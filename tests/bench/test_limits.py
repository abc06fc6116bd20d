from __future__ import annotations

import pytest

from minigrad.bench.grid import Row
from minigrad.bench.limits import bound, measure

ROW = Row((4, 3, 2), 5, "sgd")


def test_the_bound_adds_products_and_bytes() -> None:
    """420 operations at 0.42 Gflop/s are 1 µs, 656 bytes at 0.328 GB/s are 2 µs."""
    assert bound(ROW, 0.42, 0.328) == pytest.approx(3e-6)


@pytest.mark.parametrize("batch", [1, 5])
def test_it_is_measured(batch: int) -> None:
    row = Row((4, 3, 2), batch, "adam")
    limit = measure(row, "cpu", threads=2)
    assert limit["gflops"] > 0
    assert limit["bandwidth"] > 0
    assert limit["median"] == pytest.approx(1e6 * bound(row, limit["gflops"], limit["bandwidth"]))
