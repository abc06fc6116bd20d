"""NumPy's loops by their addresses: the bits of the functions themselves, in blocks of any size."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.special
from minigrad_kernels import chains, launch, ufuncs

UFUNCS = {
    f"{home.__name__}.{name}": function
    for home in (np, scipy.special)
    for name, function in sorted(vars(home).items())
    if isinstance(function, np.ufunc)
    and function.nout == 1
    and function.signature is None
    and function.nin < 4
}


@pytest.mark.parametrize("dtype", ["f", "d"])
@pytest.mark.parametrize("block", [1, 7, 64])
@pytest.mark.filterwarnings("ignore")
def test_every_function_in_blocks(dtype: str, block: int, monkeypatch: pytest.MonkeyPatch):
    """Wherever an entry lies in a block, vector of the processor or rest, it is rounded as in the whole array."""
    monkeypatch.setattr(chains, "BLOCK", block)
    rng = np.random.default_rng(0)
    numbers = rng.standard_normal((4, 70)).astype(dtype) * 3
    numbers[:, :6] = [0.0, -0.0, np.inf, -np.inf, np.nan, 1e-40]
    tried = set()
    for name, ufunc in UFUNCS.items():
        found = ufuncs.inner(ufunc, (np.dtype(dtype),) * ufunc.nin)
        if found is None:
            continue
        tried.add(name)
        operands = numbers[: ufunc.nin]
        with np.errstate(all="ignore"):
            wanted = ufunc(*operands)
        out = np.zeros(70, found.dtypes[-1])
        places = tuple(range(ufunc.nin))
        chain = chains.Chain(name, [chains.Link(found, places, ufunc.nin)], (70,))
        chain(*operands, out)
        assert out.dtype == wanted.dtype, name
        np.testing.assert_array_equal(out, wanted, err_msg=name)
    assert {"numpy.exp", "numpy.tanh", "numpy.add", "numpy.greater", "scipy.special.ndtr"} <= tried
    assert len(tried) > 150


def test_what_has_no_loop():
    single, double, whole = map(np.dtype, ("f", "d", "l"))
    assert ufuncs.inner(np.add, (single, double)) is None  # NumPy converts first
    assert ufuncs.inner(np.exp, (whole,)) is None
    assert ufuncs.inner(np.matmul, (single, single)) is None
    assert ufuncs.inner(np.divmod, (single, single)) is None
    assert ufuncs.inner(np.frompyfunc(abs, 1, 1), (single,)) is None


def test_where_scipy_is_to_warn_it_does_so_itself():
    single = (np.dtype("f"),)
    assert ufuncs.inner(scipy.special.gammaln, single) is not None
    with scipy.special.errstate(singular="warn"):
        assert ufuncs.inner(scipy.special.gammaln, single) is None
        assert ufuncs.inner(np.exp, single) is not None


@pytest.mark.parametrize("dtype", ["f", "d"])
def test_where(dtype: str):
    found = ufuncs.inner_where(np.dtype(dtype))
    rng = np.random.default_rng(0)
    condition, a, b = rng.random(33) < 0.5, *rng.standard_normal((2, 33)).astype(dtype)
    for x in (a, a[:1].reshape(())):
        for y in (b, b[:1].reshape(())):
            out = np.empty(33, dtype)
            chains.Chain("where", [chains.Link(found, (0, 1, 2), 3)], (33,))(condition, x, y, out)
            np.testing.assert_array_equal(out, np.where(condition, x, y))


@pytest.mark.parametrize("workers", [1, 3])
def test_numbers_rows_and_columns(workers: int, monkeypatch: pytest.MonkeyPatch):
    """(whole + row) · column - number, whose middles lie in a block: buffers are each worker's own."""
    monkeypatch.setattr(chains, "PARALLEL_FROM", 0)
    monkeypatch.setattr(launch, "threads", lambda: workers)
    add, multiply, subtract = (
        ufuncs.inner(each, (np.dtype("d"),) * 2) for each in (np.add, np.multiply, np.subtract)
    )
    links = [
        chains.Link(add, (0, 1), -1),
        chains.Link(multiply, (-1, 2), -2),
        chains.Link(subtract, (-2, 3), 4),
    ]
    for shape in ((4, 3000), (100, 7), (2, 3, 5), (1, 1)):
        rng = np.random.default_rng(0)
        whole, row, column = (rng.random(s) for s in (shape, shape[-1:], (*shape[:-1], 1)))
        number, out = np.array(0.5), np.empty(shape)
        chains.Chain("chain", links, shape)(whole, row, column, number, out)
        np.testing.assert_array_equal(out, (whole + row) * column - number)
