"""What is moved in the driver's table is moved as NumPy does it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from minigrad_kernels import driver, moving


def drive(call: tuple[Any, tuple[Any, ...]]) -> None:
    """Run a loop as a line of the driver's table."""
    loop, arguments = call
    words = np.array([0, *(word for each in arguments for word in driver.words_of(each))], np.int64)
    address = driver.entry(loop, tuple(map(driver.kind_of, arguments))).address
    assert driver.run(np.array([(address, driver.address_of(words))], np.int64)) == -1


@st.composite
def views(draw: Any) -> tuple[np.ndarray, np.ndarray]:
    """A view into a larger array, its axes in any order, some of them in steps of 2, and what is copied into it."""
    shape = draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    arrays = []
    for _ in range(2):
        steps = [draw(st.sampled_from([1, 2])) for _ in shape]
        order = draw(st.permutations(range(len(shape))))
        whole = np.zeros([shape[k] * steps[k] for k in order], draw(st.just("float32")))
        whole = whole.transpose(np.argsort(order))
        arrays.append(whole[tuple(slice(None, None, step) for step in steps)])
    out, a = arrays
    a[...] = np.arange(a.size).reshape(a.shape) + 1
    if draw(st.booleans()):
        a = a[tuple(slice(0, 1) if draw(st.booleans()) else slice(None) for _ in shape)]
    return out, a


@settings(deadline=None, max_examples=100)
@given(views())
def test_copies_between_any_layouts(pair: tuple[np.ndarray, np.ndarray]) -> None:
    out, a = pair
    base = out if out.base is None else out.base
    expected = base.copy()
    call = moving.assign.as_loop(out, a)
    assert call is not None
    drive(call)
    np.testing.assert_array_equal(out, np.broadcast_to(a, out.shape))
    untouched = base.size - out.size
    assert np.count_nonzero(base == expected) >= untouched - out.size  # nothing else was written
    assert np.count_nonzero(base) == np.count_nonzero(out)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "int32", "int8", "bool"])
def test_every_dtype_that_a_loop_takes(dtype: str) -> None:
    a = np.array([[1, 0], [3, 1]], dtype)
    out = np.zeros((2, 2), dtype)
    drive(moving.assign.as_loop(out, a.T))
    np.testing.assert_array_equal(out, a.T)
    drive(moving.clear.as_loop(out))
    assert not out.any()


def test_sums_have_the_bits_of_numpy() -> None:
    rng = np.random.default_rng(0)
    a, total = rng.standard_normal((2, 5, 3)).astype("f")
    expected = total + a
    drive(moving.add.as_loop(total, a))
    np.testing.assert_array_equal(total, expected)
    moving.add(total, a)
    np.testing.assert_array_equal(total, expected + a)


def test_what_has_no_loop_is_left_to_numpy() -> None:
    out = np.zeros(3, "float32")
    assert moving.assign.as_loop(out, np.ones(3)) is None  # another dtype
    assert moving.assign.as_loop(out, 1.0) is None
    deep = np.zeros((2,) * (moving.AXES + 1))
    assert moving.assign.as_loop(deep, deep.copy().T) is None
    assert moving.add.as_loop(out, np.ones(1, "float32")) is None
    moving.assign(out, 2)
    assert out.tolist() == [2, 2, 2]
