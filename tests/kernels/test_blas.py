"""Products of BLAS's in the driver's table: np.dot's bits, whatever the shapes and layouts."""

from __future__ import annotations

import numpy as np
import pytest
from minigrad_kernels import blas, driver

pytest.importorskip("numba")
rng = np.random.default_rng(0)
SHAPES = [(4, 2, 4), (1, 5, 3), (3, 5, 1), (1, 1, 1), (32, 128, 10), (10, 32, 128), (1, 7, 1), (64, 300, 65)]


def matrix(shape, dtype, turned):
    found = rng.standard_normal(shape[::-1] if turned else shape).astype(dtype)
    return found.T if turned else found


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("turned", [(0, 0), (0, 1), (1, 0), (1, 1)], ids=str)
def test_products_are_those_of_np_dot(dtype, shape, turned):
    m, k, n = shape
    a, b = matrix((m, k), dtype, turned[0]), matrix((k, n), dtype, turned[1])
    out = np.full((m, n), np.nan, dtype)
    product = blas.find(a, b, out)
    assert product is not None
    words = np.array(product.words(a, b, out), np.int64)
    assert driver.run(np.array([(product.address, driver.address_of(words))], np.int64)) == -1
    assert out.tobytes() == np.dot(a, b).tobytes()


def test_what_is_none_for_the_table_is_not_taken():
    a = np.ones((4, 4), "f")
    assert blas.find(a.astype(int), a.astype(int), a.astype(int)) is None
    assert blas.find(a, a.astype(float), a) is None
    assert blas.find(a, a[0], a[0]) is None
    assert blas.find(a[:, ::2], a[::2], a) is None  # with gaps
    assert blas.find(np.ones((4, 0), "f"), np.ones((0, 4), "f"), a) is None
