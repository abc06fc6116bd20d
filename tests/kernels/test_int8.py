"""The product of 8-bit integers at the ends of what 32 bits hold; tests/kernels/test_registry.py has the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from minigrad_kernels import gpu, int8
from minigrad_kernels.launch import numba

from tests.kernels.emulation.device import MISSING, Emulated


def emulated(a: Any, b: Any) -> Any:
    if MISSING:
        pytest.skip(MISSING)
    with gpu.using(Emulated()):
        return int8.matmul_gpu(a, b)


def compiled(a: Any, b: Any) -> Any:
    if numba() is None:
        pytest.skip("Numba is not installed")
    return int8.matmul_cpu(a, b)


WAYS = pytest.mark.parametrize("way", [int8.matmul_reference, compiled, emulated])


@pytest.mark.parametrize("way", [int8.matmul_reference, compiled])
def test_the_longest_rows_do_not_overflow(way: Callable[..., Any]) -> None:
    a = np.full((2, int8.MOST_TERMS), -128, "int8")
    assert (way(a, np.tile(a, (2, 1))) == 2**31 - 2**14).all()


@WAYS
def test_longer_rows_are_refused(way: Callable[..., Any]) -> None:
    a = np.zeros((1, int8.MOST_TERMS + 1), "int8")
    with pytest.raises(ValueError, match="could overflow 32 bits"):
        way(a, a)


@WAYS
def test_by_hand(way: Callable[..., Any]) -> None:
    a, b = np.array([[1, -2, 3]], "int8"), np.array([[4, 5, -6], [127, 0, -128]], "int8")
    assert way(a, b).tolist() == [[4 - 10 - 18, 127 - 384]]


@pytest.mark.parametrize("wrong", [np.ones((2, 3), "float32"), np.ones((2, 4), "int8"), np.ones(3, "int8")])
def test_what_does_not_fit_goes_to_the_reference_which_refuses_it_or_not(wrong: Any) -> None:
    a = np.ones((2, 3), "int8")
    try:
        wanted = int8.matmul_reference(a, wrong)
    except (TypeError, ValueError) as error:
        with pytest.raises(type(error)):
            int8.matmul(a, wrong)
    else:
        np.testing.assert_array_equal(int8.matmul(a, wrong), wanted)
