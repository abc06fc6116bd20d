"""Pooling on one thread and on several, with numbers that are none, and with places that are in no picture."""

from __future__ import annotations

import numpy as np
import pytest
from minigrad_kernels import launch, pool

pytestmark = pytest.mark.skipif(launch.numba() is None, reason="Numba is not installed")

UNPADDED = ((0, 0), (0, 0))
WINDOWS = {
    "halves": ((2, 2), (2, 2), UNPADDED, (1, 1)),
    "overlapping": ((3, 3), (2, 2), ((1, 1), (1, 1)), (1, 1)),
}


@pytest.fixture(params=[1, 2, 3])
def workers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(pool, "workers_for", lambda work, fewest: request.param)
    return int(request.param)


@pytest.mark.parametrize("windows", WINDOWS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_maxima_and_their_places_and_back(windows: str, dtype: str, workers: int) -> None:
    rng = np.random.default_rng(0)
    x = np.round(rng.standard_normal((3, 4, 9, 38)) * 2).astype(dtype)  # many are equal
    for k, number in enumerate((np.nan, np.inf, -np.inf, -0.0)):
        x[k % 3][rng.random(x.shape[1:]) < 0.2] = number
    x[2, 3] = -np.inf
    settings = WINDOWS[windows]
    y, places = pool.max_cpu(x, *settings)
    with np.errstate(all="ignore"):
        wanted, there = pool.max_reference(x, *settings)
    np.testing.assert_array_equal(y, wanted)
    np.testing.assert_array_equal(places, there)
    g = rng.standard_normal(y.shape).astype(dtype)
    np.testing.assert_array_equal(
        pool.unpool_cpu(g, places, (9, 38)), pool.unpool_reference(g, places, (9, 38))
    )


def test_means_and_back(workers: int) -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((3, 5, 4, 6))
    rows, columns = ((0, 2, 2), (1, 4, 3)), ((0, 3, 3), (3, 6, 3), (0, 6, 6))
    y = pool.mean_cpu(x, rows, columns)
    np.testing.assert_allclose(y, pool.mean_reference(x, rows, columns), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(
        pool.spread_cpu(y, rows, columns, (4, 6)), pool.spread_reference(y, rows, columns, (4, 6)), rtol=1e-12
    )


@pytest.mark.parametrize("place", [-1, 16])
def test_a_place_that_is_in_no_picture_is_refused(place: int, workers: int) -> None:
    places = np.zeros((2, 3, 2, 2), np.int64)
    places[1, 2, 1, 1] = place
    with pytest.raises(IndexError, match="outside the picture"):
        pool.unpool_cpu(np.ones((2, 3, 2, 2), "f"), places, (4, 4))
