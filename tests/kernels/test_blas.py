"""Small products run on one thread, and the number of threads is what it was afterwards."""

from __future__ import annotations

import numpy as np
import pytest
from minigrad_kernels import blas

needs_openblas = pytest.mark.skipif(
    blas.threads() is None or blas.threads().get() < 2,
    reason="NumPy's BLAS is no OpenBLAS with several threads",
)


def factors(m: int, k: int, n: int):
    rng = np.random.default_rng(0)
    return rng.standard_normal((m, k), dtype=np.float32), rng.standard_normal((k, n), dtype=np.float32)


@pytest.mark.parametrize(
    "shape", [(2, 3, 4), (64, 70, 80), (256, 260, 270), (0, 3, 2), (3, 0, 2), (300, 300, 300)]
)
def test_the_product_is_numpys(shape):
    a, b = factors(*shape)
    for left, right in [(a, b), (np.asfortranarray(a), b), (a, np.asfortranarray(b))]:
        out = np.full((shape[0], shape[2]), 7, np.float32)
        blas.dot(left, right, out)
        np.testing.assert_allclose(out, left.astype(float) @ right.astype(float), rtol=0, atol=1e-3)


@needs_openblas
@pytest.mark.parametrize(("shape", "expected"), [((64, 70, 80), 1), ((300, 300, 300), None)])
def test_how_many_threads_a_product_gets(shape, expected, monkeypatch):
    threads = blas.threads()
    assert threads is not None
    before = threads.get()
    seen = []
    a, b = factors(*shape)
    monkeypatch.setattr(blas.np, "dot", lambda *_, out: seen.append(threads.get()))
    blas.dot(a, b, np.empty((shape[0], shape[2]), np.float32))
    assert seen == [expected or before]
    assert threads.get() == before


@needs_openblas
def test_an_error_leaves_the_threads_as_they_were():
    threads = blas.threads()
    assert threads is not None
    before = threads.get()
    a, b = factors(64, 70, 80)
    with pytest.raises(ValueError, match="output array"):
        blas.dot(a, b, np.empty((64, 80), np.float64))
    assert threads.get() == before


def test_without_openblas_numpy_computes(monkeypatch):
    monkeypatch.setattr(blas, "threads", lambda: None)
    a, b = factors(64, 70, 80)
    out = np.empty((64, 80), np.float32)
    blas.dot(a, b, out)
    np.testing.assert_array_equal(out, np.dot(a, b))
