"""What no step can undercut on this machine: its matrix products at the best rate that is reached at their shapes, and
the bytes that have to be moved at the bandwidth of the cache that they fit in.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from minigrad_kernels import products
from minigrad_kernels.launch import Loop, numba, set_threads

from minigrad import backend
from minigrad.bench.results import Limit
from minigrad.bench.rows import Product, Step

_SECONDS = 0.02  # for one measurement
_FEWEST = 5
_GPU_GROUP = 20
_SWEPT = 1 << 20  # entries in one measurement, so that what begins and ends it counts for nothing

prange = range  # Numba's, where a loop is compiled

Work = Callable[[], object]


def bound(row: Step, products_seconds: float, bandwidth: float) -> float:
    """Return the time of a step in s that cannot be undercut, from the time of its products and the bandwidth (GB/s).

    .. math:: t = max(P, B / W)

    P: the sum over the products of the least time that our tiles or the matrix library take at these very shapes. A
    product too small for that, whose call would be measured, counts at the best rate of the others; a single sample's
    are not products but moved bytes. B: ``row.bytes``. W: the bandwidth where
    ``row.lasting_bytes`` lie. The larger one counts and not the sum, for a step can move bytes while it multiplies.
    """
    return max(products_seconds, row.bytes / (1e9 * bandwidth))


def measure(row: Step, device: str, threads: int) -> Limit:
    """Measure the limit on a row, its ``median`` in µs."""
    set_threads(threads)
    bandwidth = _bandwidth(row.lasting_bytes, device, threads)
    seconds = _products_seconds(row, device)
    return {
        "gflops": row.flops / seconds / 1e9 if seconds else 0.0,
        "bandwidth": bandwidth,
        "products": 1e6 * seconds,
        "moving": 1e6 * bound(row, 0.0, bandwidth),
        "median": 1e6 * bound(row, seconds, bandwidth),
    }


# -- products -----------------------------------------------------------------------------------------------


def _products_seconds(row: Step, device: str) -> float:
    if row.batch == 1:
        return 0.0
    measured = {
        product: min(_seconds(way, out, device) for way, out in _ways(product, device))
        for product in set(row.products)
        if product.flops >= 2 * products.SMALLEST
    }
    if not measured:
        return 0.0
    best = max(product.flops / seconds for product, seconds in measured.items())
    return sum(measured.get(product, product.flops / best) for product in row.products)


def _ways(product: Product, device: str) -> Iterator[tuple[Work, Any]]:
    """The ways in which a product can be computed, each with the array that it writes."""
    left = _random(product.m, product.k, device, product.transposed == "left")
    right = _random(product.k, product.n, device, product.transposed == "right")
    out = left @ right
    yield lambda: np.matmul(left, right, out=out), out
    if device != "cpu":
        return
    yield lambda: np.dot(left, right, out=out), out
    if not products.fits(product.m, product.n, product.k, out.dtype) or numba() is None:
        return
    if product.transposed == "right":
        yield lambda: products.forward(left, right.T, None, False, out), out
    else:
        by_rows = product.transposed == "left"
        yield lambda: products.dot(left, right, out, by_rows), out


def _random(rows: int, columns: int, device: str, transposed: bool) -> Any:
    shape = (columns, rows) if transposed else (rows, columns)
    array = backend.to_device(np.random.default_rng(0).random(shape, dtype=np.float32), device)
    return array.T if transposed else array


# -- moving bytes -------------------------------------------------------------------------------------------


def sum_loop(a: Any, sweeps: int, workers: int, totals: Any) -> None:
    """Read all of a so many times, each worker its part: totals_w = the sum of what it read."""
    for worker in prange(workers):
        part = a[worker * a.size // workers : (worker + 1) * a.size // workers]
        total = a.dtype.type(0)
        for sweep in range(sweeps):
            for i in range(part.size):
                total += part[i]
            total += sweep  # so that no sweep is like the others
        totals[worker] = total


def scale_loop(a: Any, sweeps: int, workers: int, totals: Any) -> None:
    """Read and write all of a so many times, each worker its part: a <- -a."""
    for worker in prange(workers):
        part = a[worker * a.size // workers : (worker + 1) * a.size // workers]
        for sweep in range(sweeps):
            for i in range(part.size):
                part[i] = -part[i]
            totals[worker] = sweep


def _bandwidth(size: int, device: str, threads: int) -> float:
    """The rate in GB/s at which numbers of ``size`` bytes in all are read, or read and written; the higher one."""
    if device != "cpu" or numba() is None:
        return size / _copy_seconds(size, device, threads) / 1e9
    array = np.ones(max(1, size // 4), np.float32)
    sweeps = max(1, _SWEPT // array.size)
    rates = []
    for loop, moves in ((sum_loop, 1), (scale_loop, 2)):
        for workers in {1, threads}:
            compiled = _loop(loop, workers > 1)
            totals = np.empty(workers, np.float32)
            seconds = _seconds(lambda: compiled(array, sweeps, workers, totals), totals, device)  # noqa: B023
            rates.append(moves * array.nbytes * sweeps / seconds / 1e9)
    return max(rates)


_LOOPS = {
    (function, parallel): Loop(function, fastmath=frozenset({"reassoc"}), parallel=parallel)
    for function in (sum_loop, scale_loop)
    for parallel in (False, True)
}


def _loop(function: Callable[..., None], parallel: bool) -> Callable[..., object]:
    return _LOOPS[function, parallel].compiled


def _copy_seconds(size: int, device: str, threads: int) -> float:
    """The time in which ``size`` bytes are moved by copying: half of them read and half of them written."""
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
