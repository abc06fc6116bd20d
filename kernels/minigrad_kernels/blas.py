"""The matrix products that the other kernels hand to BLAS: small ones run on one thread.

OpenBLAS wakes its other threads for products from which they take next to nothing, (32, 784) x (784, 128) say; and
where another program keeps a processor busy, its threads wait for one another for whole slices of the scheduler's
time: a training step of half a millisecond then takes fifty.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from itertools import product
from typing import Any, NamedTuple

import numpy as np

OPENBLAS_FROM, THREADS_FROM = 1 << 18, 1 << 22
"""Multiplications from which OpenBLAS uses several threads, and from which they pay, measured on two cores."""


class Threads(NamedTuple):
    """How to ask OpenBLAS for the number of its threads, and to set it."""

    get: Callable[[], int]
    set: Callable[[int], None]


@cache
def threads() -> Threads | None:
    """Return NumPy's OpenBLAS' functions; None where its matrix library is another, or shares OpenMP's threads."""
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        return None
    for library in ThreadpoolController().lib_controllers:
        info = library.info()
        if info["internal_api"] == "openblas" and info["threading_layer"] == "pthreads":
            names = ctypes.CDLL(info["filepath"])
            for prefix, suffix in product(("", "scipy_"), ("", "64_", "_64")):
                get = getattr(names, f"{prefix}openblas_get_num_threads{suffix}", None)
                if get is not None:
                    return Threads(get, getattr(names, f"{prefix}openblas_set_num_threads{suffix}"))
    return None


def dot(a: Any, b: Any, out: Any) -> None:
    """Write a·b into ``out``: matrices (m, k) and (k, n) as ``np.dot`` takes them, in any layout."""
    blas = threads() if OPENBLAS_FROM < a.shape[0] * b.shape[0] * b.shape[1] < THREADS_FROM else None
    allowed = 1 if blas is None else blas.get()
    if blas is None or allowed == 1:
        np.dot(a, b, out=out)
        return
    blas.set(1)
    try:
        np.dot(a, b, out=out)
    finally:
        blas.set(allowed)
