from __future__ import annotations

import numpy as np
import pytest

from minigrad.parallel import ALONE
from minigrad.parallel.costs import Link, all_reduce_seconds, fit, measure, network, predict


def test_the_model_by_hand() -> None:
    link = Link(alpha=1e-5, beta=1e-9)
    assert all_reduce_seconds(link, 1, 1e6) == 0
    assert all_reduce_seconds(link, 2, 1e6) == pytest.approx(2e-5 + 1e-3)  # 2 messages, a megabyte in all
    assert all_reduce_seconds(link, 4, 1e6) == pytest.approx(4e-5 + 1.5e-3)
    assert all_reduce_seconds(link, 5, 1e6) == pytest.approx(6e-5 + 1.6e-3)  # three rounds each way
    assert all_reduce_seconds(link, 1024, 0) == pytest.approx(20e-5)
    assert network(10, 20).bits_per_second == pytest.approx(10e9)


def test_the_fit_finds_the_link_that_made_the_times() -> None:
    sizes = [64, 1024, 65_536, 4_194_304]
    for link, processes in ((Link(5e-6, 2e-10), 2), (Link(5e-5, 8e-9), 8)):
        times = [all_reduce_seconds(link, processes, size) for size in sizes]
        assert fit(sizes, times, processes) == pytest.approx(link)
        noisy = np.array(times) * [1.1, 0.9, 1.1, 0.9]
        assert fit(sizes, noisy, processes) == pytest.approx(link, rel=0.25)


def test_an_alpha_below_zero_is_zero() -> None:
    found = fit([1e3, 1e6], [1e-7, 1e-3], 2)
    assert found.alpha == 0
    assert found.beta > 0


def test_predictions_name_what_is_waited_for() -> None:
    slow = network(1, 50)
    small, large = predict(slow, 64, 4e3, 1e-3), predict(slow, 64, 4e7, 1e-3)
    assert (small.bottleneck, large.bottleneck) == ("latency", "bandwidth")
    assert small.seconds == pytest.approx(1e-3 + 12 * 50e-6 + 2 * 63 / 64 * 4e3 * 8e-9)
    assert small.efficiency == pytest.approx(1e-3 / small.seconds)
    assert predict(slow, 64, 4e3, 1.0) == (
        pytest.approx(1.000663),
        pytest.approx(0.99934, rel=1e-5),
        "computing",
    )
    assert predict(slow, 64, 4e7, 1.0, overlap=1.0).seconds == 1.0


def test_measuring_alone_takes_no_time() -> None:
    assert max(measure(ALONE, [4, 4096], repeats=3)) < 0.01
