"""What the machine itself could do: a step's matrix products as fast as the matrix library runs them, and everything
else as fast as its memory moves bytes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from minigrad import backend
from minigrad.bench.grid import Product, Row
from minigrad.bench.results import Limit

_SECONDS = 0.03  # for one measurement
_FEWEST = 5
_GPU_GROUP = 20

Work = Callable[[], object]


def bound(row: Row, gflops: float, bandwidth: float) -> float:
    """Return the least time of a step in s, of its matrix products at ``gflops`` and its bytes at ``bandwidth`` (GB/s).

    .. math:: t = F / R + B / W

    F: ``row.flops``, R: the rate of the matrix library at these very shapes, B: ``row.bytes``, W: the bandwidth of a
    copy of as many bytes, so of the cache where they fit there.
    """
    return row.flops / (1e9 * gflops) + row.bytes / (1e9 * bandwidth)


def measure(row: Row, device: str, threads: int) -> Limit:
    """Measure the machine's limit on a row, its ``median`` in µs."""
    bandwidth = row.bytes / _copy_seconds(row.bytes, device, threads) / 1e9
    gflops = row.flops / sum(_product_seconds(product, device) for product in row.products) / 1e9
    return {"gflops": gflops, "bandwidth": bandwidth, "median": 1e6 * bound(row, gflops, bandwidth)}


def _product_seconds(product: Product, device: str) -> float:
    return min(_seconds(way, out, device) for way, out in _ways(product, device))


def _ways(product: Product, device: str) -> Iterator[tuple[Work, Any]]:
    """The ways in which NumPy can compute a product, each with the array that it writes."""
    left = _random(product.m, product.k, device, product.transposed == "left")
    right = _random(product.k, product.n, device, product.transposed == "right")
    out = left @ right
    yield lambda: np.matmul(left, right, out=out), out
    if product.m == 1:
        yield lambda: np.matmul(left[0], right, out=out[0]), out
    if product.k == 1:
        yield lambda: np.multiply(left, right, out=out), out


def _random(rows: int, columns: int, device: str, transposed: bool) -> Any:
    shape = (columns, rows) if transposed else (rows, columns)
    array = backend.to_device(np.random.default_rng(0).random(shape, dtype=np.float32), device)
    return array.T if transposed else array


def _copy_seconds(size: int, device: str, threads: int) -> float:
    """The time in which ``size`` bytes are moved: half of them read and half of them written."""
    source = backend.to_device(np.ones(max(1, size // 8), np.float32), device)
    target = np.empty_like(source)
    found = [_seconds(lambda: np.copyto(target, source), target, device)]
    if device == "cpu" and threads > 1:
        parts = list(zip(np.array_split(target, threads), np.array_split(source, threads), strict=True))
        with ThreadPoolExecutor(threads) as pool:
            found.append(
                _seconds(lambda: list(pool.map(lambda pair: np.copyto(*pair), parts)), target, device)
            )
    return min(found)


def _seconds(work: Work, written: Any, device: str) -> float:
    """The least time of ``work`` in s: a limit is what the machine can do. Reading what was written waits for a GPU."""
    group = 1 if device == "cpu" else _GPU_GROUP
    times: list[float] = []
    work()
    while len(times) < _FEWEST or sum(times) * group < _SECONDS:
        began = time.perf_counter()
        for _ in range(group):
            work()
        if device != "cpu":
            backend.to_numpy(written.ravel()[:1])
        times.append((time.perf_counter() - began) / group)
    return min(times)
