"""Products by tiles against NumPy's in float64: every shape of edge, layouts, values that are no numbers, threads."""

from __future__ import annotations

import os
import subprocess
import sys

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from minigrad_kernels import launch, products, tiles, work_queue

EPS = np.finfo(np.float32).eps
fitting = tiles.size()
pytestmark = pytest.mark.skipif(fitting is None, reason="there are no tiles for this processor")
ROWS, COLUMNS = (fitting.rows, fitting.columns) if fitting else (1, 1)


@pytest.fixture(autouse=True)
def any_size(monkeypatch):
    monkeypatch.setattr(products, "SMALLEST", 0)
    monkeypatch.setattr(products, "PARALLEL_FROM", 0)
    monkeypatch.setattr(products, "MOST_WASTE", 10**9)
    products.fits.cache_clear()  # which depends on all of them
    yield
    products.fits.cache_clear()


def matrix(rng, *shape):
    return rng.standard_normal(shape, dtype=np.float32)


def close(got, wanted, terms, size):
    """A sum of so many terms is as near as every order of summation brings it."""
    assert got.dtype == np.float32
    apart = np.abs(got - wanted)
    assert (apart <= (terms + 2) * EPS * size + 1e-30).all(), apart.max()


def check_forward(x, w, b, relu):
    y = np.full((len(x), len(w)), np.nan, np.float32)
    assert products.fits(len(w), *x.shape, x.dtype)
    products.forward(x, w, b, relu, y)
    wanted = x.astype(float) @ w.astype(float).T + (0 if b is None else b)
    size = np.abs(x).astype(float) @ np.abs(w).T + (0 if b is None else np.abs(b))
    close(y, np.maximum(wanted, 0) if relu else wanted, x.shape[1], size)
    return y


def check_dot(a, b, by_rows):
    out = np.full((len(a), b.shape[1]), np.nan, np.float32)
    products.dot(a, b, out, by_rows=by_rows)
    close(out, a.astype(float) @ b.astype(float), len(b), np.abs(a).astype(float) @ np.abs(b))
    return out


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(1, 3 * COLUMNS + 1),
    m=st.integers(1, 5 * ROWS + 1),
    depth=st.integers(1, 300),
    seed=st.integers(0, 99),
)
def test_forward_on_every_edge(n, m, depth, seed):
    rng = np.random.default_rng(seed)
    x, w, b = matrix(rng, n, depth), matrix(rng, m, depth), matrix(rng, m)
    for bias in (b, None):
        plain = check_forward(x, w, bias, relu=False)
        np.testing.assert_array_equal(check_forward(x, w, bias, relu=True), np.maximum(plain, 0))


@settings(max_examples=60, deadline=None)
@given(
    m=st.integers(1, 90),
    n=st.integers(1, 3 * COLUMNS + 1),
    depth=st.integers(1, 300),
    seed=st.integers(0, 99),
)
def test_dot_on_every_edge_and_layout(m, n, depth, seed):
    rng = np.random.default_rng(seed)
    a, b = matrix(rng, m, depth), matrix(rng, depth, n)
    out = check_dot(a, b, by_rows=True)
    for left in (a, np.asfortranarray(a), matrix(rng, 2 * m, depth)[::2]):
        check_dot(left, b, by_rows=False)
    np.testing.assert_array_equal(check_dot(a, b, by_rows=False), out)  # who does what does not matter


@pytest.mark.parametrize("by_rows", [True, False])
@pytest.mark.parametrize("n", [1024, 2048])
def test_rows_that_lie_pages_apart_are_copied_first(n, by_rows):
    rng = np.random.default_rng(0)
    check_dot(matrix(rng, 70, 130), matrix(rng, 130, n), by_rows)


def test_nan_and_infinity_stay():
    rng = np.random.default_rng(0)
    x, w = matrix(rng, COLUMNS, 20), matrix(rng, ROWS, 20)
    x[1, 3], x[2, 4] = np.nan, np.inf
    w[:, 4] = np.abs(w[:, 4])
    y = np.empty((len(x), len(w)), np.float32)
    products.forward(x, w, None, True, y)
    assert np.isnan(y[1]).all()
    assert np.isposinf(y[2]).all()
    assert np.isfinite(y[3:]).all()


def test_the_bits_do_not_depend_on_the_threads(monkeypatch):
    rng = np.random.default_rng(0)
    x, w, b = matrix(rng, 130, 784), matrix(rng, 128, 784), matrix(rng, 128)
    g = matrix(rng, 130, 128)

    def run():
        y, d, dw = np.empty((130, 128), np.float32), np.empty_like(x), np.empty_like(w)
        products.forward(x, w, b, True, y)
        products.dot(g, w, d, by_rows=False)
        products.dot(g.T, x, dw, by_rows=True)
        return y, d, dw

    threads = numba.get_num_threads()
    many = run()
    numba.set_num_threads(1)
    try:
        one = run()
    finally:
        numba.set_num_threads(threads)
    monkeypatch.setattr(products, "PARALLEL_FROM", products.LARGEST)
    for a, b_, c in zip(many, one, run(), strict=True):
        np.testing.assert_array_equal(a, b_)
        np.testing.assert_array_equal(a, c)


def test_a_tile_does_what_its_python_says():
    rng = np.random.default_rng(0)
    x, w, b = matrix(rng, 2 * COLUMNS + 3, 40), matrix(rng, 2 * ROWS + 1, 40), matrix(rng, 2 * ROWS + 1)
    forward, product, turn = products._loops(True)
    y, z = (np.empty((len(x), len(w)), np.float32) for _ in range(2))
    blocks = -(-len(x) // COLUMNS) * -(-len(w) // ROWS)
    forward(work_queue.shared_out(blocks, 2), x, w, b, True, y)
    forward.plain(work_queue.shared_out(blocks, 3), x, w, b, True, z)
    np.testing.assert_allclose(y, z, rtol=1e-4, atol=1e-5)
    g = matrix(rng, 70, len(x))
    c, d = (np.empty((70, 1024), np.float32) for _ in range(2))
    wide = matrix(rng, len(x), 1024)
    height, pieces = products._pieces(c.shape, wide.strides[0], False)
    for bias, relu in ((matrix(rng, 0), False), (matrix(rng, 1024), False), (matrix(rng, 1024), True)):
        product(work_queue.shared_out(pieces, 2), g, wide, False, height, bias, relu, c)
        product.plain(work_queue.shared_out(pieces, 3), g, wide, False, height, bias, relu, d)
        np.testing.assert_allclose(c, d, rtol=1e-4, atol=1e-4)
        assert (c >= 0).all() == relu
    for shape in [(70, 130), (ROWS - 1, 130), (70, 3), (ROWS, COLUMNS)]:
        a = matrix(rng, *shape)
        for way in (turn, turn.plain):
            t = np.full(shape[::-1], np.nan, np.float32)
            way(a, t)
            np.testing.assert_array_equal(t, a.T)


def test_a_factor_that_is_transposed_first_gives_the_same_bits(monkeypatch):
    rng = np.random.default_rng(0)
    g, x = matrix(rng, 600, 40), matrix(rng, 600, 70)
    for left in (g.T, g.T.copy(), matrix(rng, 80, 600)[::2], matrix(rng, 600, 80)[:, ::2].T):
        found = []
        for fewest in (1, 601):
            monkeypatch.setattr(products, "TURNED", dict.fromkeys(products.TURNED, (1, fewest)))
            found.append(check_dot(left, x, by_rows=True))
        np.testing.assert_array_equal(*found)


@pytest.mark.parametrize("samples", [COLUMNS, 70, 259])
@pytest.mark.parametrize("outputs", [COLUMNS, 61, 200])
def test_weights_that_are_transposed_first_give_the_same_bits(outputs, samples, monkeypatch):
    rng = np.random.default_rng(0)
    x, w = matrix(rng, samples, 50), matrix(rng, outputs, 50)
    for b, relu in ((matrix(rng, outputs), False), (matrix(rng, outputs), True), (None, False), (None, True)):
        found = []
        for fewest in (1, samples + 1):
            monkeypatch.setattr(products, "UPRIGHT", dict.fromkeys(products.UPRIGHT, (fewest, 50)))
            found.append(check_forward(x, w, b, relu))
        np.testing.assert_array_equal(*found)


@pytest.mark.parametrize("spoilt", ["dtype", "few rows", "few samples", "small", "large"])
def test_what_the_tiles_are_not_for_goes_to_blas(spoilt, monkeypatch):
    rng = np.random.default_rng(0)
    monkeypatch.setattr(products, "MOST_WASTE", 3)
    n = COLUMNS // 4 - 1 if spoilt == "few samples" else 40
    m = ROWS // 4 - 1 if spoilt == "few rows" else 40
    x, w = matrix(rng, n, 30), matrix(rng, max(1, m), 30)
    m = len(w)
    if spoilt == "small":
        monkeypatch.setattr(products, "SMALLEST", 40 * 40 * 30 + 1)
    if spoilt == "dtype":
        x, w = x.astype(float), w.astype(float)
    if spoilt == "large":
        monkeypatch.setattr(products, "LARGEST", 40 * 40 * 30 - 1)
    products.fits.cache_clear()
    monkeypatch.setattr(products, "_loops", lambda _: pytest.fail("tiles were used"))
    assert not products.fits(m, n, 30, x.dtype)
    out = np.empty((m, n), x.dtype)
    products.dot(w, x.T.copy(), out, by_rows=True)
    np.testing.assert_array_equal(out, np.dot(w, x.T.copy()))


@pytest.mark.parametrize("several", [True, False])
def test_it_is_noted_who_wrote_a_product(several, monkeypatch):
    rng = np.random.default_rng(0)
    monkeypatch.setattr(launch, "threads", lambda: 2)
    monkeypatch.setattr(products, "PARALLEL_FROM", 0 if several else products.LARGEST)
    out = np.empty((50, 60), np.float32)
    products.dot(matrix(rng, 50, 20), matrix(rng, 20, 60), out, by_rows=True)
    assert launch.is_shared_out(out) == several


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_computes_too():
    rng = np.random.default_rng(0)
    x, w = matrix(rng, 64, 784), matrix(rng, 64, 784)
    y = check_forward(x, w, None, relu=False)
    child = os.fork()
    if child == 0:
        z = np.empty_like(y)
        products.forward(x, w, None, False, z)
        os._exit(0 if np.allclose(y, z, atol=1e-3) else 1)
    assert os.waitpid(child, 0)[1] == 0


SEVERAL_THREADS = """
import threading
import numpy as np
from minigrad_kernels import products

x, w = np.ones((128, 784), np.float32), np.ones((128, 784), np.float32)

def multiply():
    y = np.empty((128, 128), np.float32)
    for _ in range(200):
        products.forward(x, w, None, True, y)
        assert (y == 784).all()

others = [threading.Thread(target=multiply) for _ in range(3)]
for thread in others:
    thread.start()
multiply()
for thread in others:
    thread.join()
print("done")
"""


@pytest.mark.parametrize("layer", ["workqueue", "default"])
def test_several_python_threads_may_multiply_at_once(layer):
    environment = {**os.environ, "NUMBA_THREADING_LAYER": layer}
    ran = subprocess.run(
        [sys.executable, "-c", SEVERAL_THREADS], env=environment, capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stdout) == (0, "done\n"), ran.stderr
