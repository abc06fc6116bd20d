from __future__ import annotations

import numpy as np
import pytest

from minigrad.bench.grid import Row
from minigrad.bench.limits import bound, measure, scale_loop, sum_loop

ROW = Row((4, 3, 2), 5, "sgd")


def test_the_larger_time_is_the_limit() -> None:
    """356 bytes at 0.178 GB/s are 2 µs, beside 1 µs and 3 µs of products."""
    assert bound(ROW, 1e-6, 0.178) == pytest.approx(2e-6)
    assert bound(ROW, 3e-6, 0.178) == pytest.approx(3e-6)


def test_a_single_sample_is_moved_bytes_alone() -> None:
    row = Row((784, 128, 10), 1, "sgd")
    limit = measure(row, "cpu", threads=2)
    assert limit["products"] == limit["gflops"] == 0
    assert limit["median"] == limit["moving"] == pytest.approx(row.bytes / limit["bandwidth"] / 1e3)


def test_products_too_small_to_be_measured_count_at_the_rate_of_the_others() -> None:
    """Of 64 samples, 64–100–1: 2 · 100 multiplications a sample are small, 2 · 6,400 are not."""
    large, all_of_them = 2 * 2 * 64 * 6400, 2 * 64 * (2 * 6400 + 3 * 100)
    limit = measure(Row((64, 100, 1), 64, "sgd"), "cpu", threads=1)
    assert limit["products"] >= 0.99e-3 * all_of_them / limit["gflops"]
    assert limit["products"] <= 1.01e-3 * all_of_them / limit["gflops"]
    assert large < all_of_them
    assert measure(ROW, "cpu", threads=1)["products"] == 0


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_a_sweep_goes_over_every_entry(workers: int) -> None:
    a, totals = np.arange(10, dtype=np.float32), np.zeros(workers, np.float32)
    sum_loop(a, 3, workers, totals)
    assert totals.sum() == 3 * 45 + workers * (0 + 1 + 2)
    scale_loop(a, 3, workers, totals)
    np.testing.assert_array_equal(a, -np.arange(10))
