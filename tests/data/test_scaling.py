from __future__ import annotations

import json

import numpy as np
import pytest

from minigrad.data import MinMax, Standardize, scaler_from_state
from minigrad.errors import DataError

BOTH = pytest.mark.parametrize("kind", [Standardize, MinMax])


def table(dtype=np.float64):
    x = np.random.default_rng(0).normal(3, 5, (200, 4))
    x[:, 2] = 0.1
    return x.astype(dtype)


def test_standardize_by_hand():
    scaler = Standardize.fit(np.array([[1.0, 5], [3, 5]]))
    assert scaler.offset.tolist() == [2, 5]
    assert scaler.scale.tolist() == [1, 1]
    assert scaler.apply(np.array([[1.0, 5], [3, 5], [5, 6]])).tolist() == [[-1, 0], [1, 0], [3, 1]]


def test_min_max_by_hand():
    scaler = MinMax.fit(np.array([[1.0, 5], [3, 5], [2, 5]]))
    assert scaler.apply(np.array([[1.0, 5], [3, 5], [2, 6], [5, 4]])).tolist() == [
        [0, 0],
        [1, 0],
        [0.5, 1],
        [2, -1],
    ]


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-12), (np.float32, 2e-6)])
def test_equal_to_scikit_learn(dtype, tolerance):
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    x, new = table(dtype), table(dtype)[::-1] * 2
    for ours, theirs in (
        (Standardize, preprocessing.StandardScaler()),
        (MinMax, preprocessing.MinMaxScaler()),
    ):
        expected = theirs.fit(x).transform(new)
        result = ours.fit(x).apply(new)
        assert result.dtype == dtype
        np.testing.assert_allclose(result, expected, rtol=tolerance, atol=tolerance)


@BOTH
@pytest.mark.parametrize("value", [0.0, 0.1, 1e-30, 1e9 + 0.1])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_constant_column_becomes_zero(kind, value, dtype):
    x = np.full((1000, 1), value, dtype)
    result = kind.fit(x).apply(x)
    assert np.abs(result).max() <= abs(value) * 1e-6


@BOTH
def test_whole_numbers_become_float32_and_the_input_stays(kind):
    x = np.array([[0], [255]], np.uint8)
    result = kind.fit(x).apply(x)
    assert result.dtype == np.float32
    assert result[0, 0] == (-1 if kind is Standardize else 0)
    assert x.tolist() == [[0], [255]]


@BOTH
def test_the_state_survives_json_to_the_last_bit(kind):
    scaler = kind.fit(table())
    restored = scaler_from_state(json.loads(json.dumps(scaler.state())))
    assert type(restored) is kind
    assert np.array_equal(restored.apply(table()), scaler.apply(table()))


@BOTH
def test_mistakes(kind):
    for bad in (np.nan, np.inf):
        x = table()
        x[7, 3] = bad
        with pytest.raises(DataError, match=rf"MG-709.*x\[7, 3\] is {bad}, and 0 more"):
            kind.fit(x)
    for shape in ((4,), (0, 4)):
        with pytest.raises(DataError, match=r"MG-709.*\(samples, columns\)"):
            kind.fit(np.zeros(shape))
    for shape in ((3, 5), (4,)):
        with pytest.raises(DataError, match=r"MG-709.*fitted on 4 columns"):
            kind.fit(table()).apply(np.zeros(shape))


@pytest.mark.parametrize(
    "state",
    [
        {},
        [],
        None,
        {"kind": "Scaler", "offset": [0], "scale": [1]},
        {"kind": "MinMax", "offset": ["a"], "scale": [1]},
        {"kind": "MinMax", "offset": [0, 1], "scale": [1]},
        {"kind": ["MinMax"], "offset": [0], "scale": [1]},
    ],
)
def test_what_is_no_state(state):
    with pytest.raises(DataError, match="MG-709"):
        scaler_from_state(state)


@BOTH
@pytest.mark.parametrize("dtype", [np.int64, np.float64])
def test_large_numbers_with_small_differences_are_told_apart(kind, dtype):
    """A minute of Unix times: worked out from 0 .. 59, which float32 holds exactly."""
    x = (1_700_000_000 + np.arange(60)).reshape(-1, 1).astype(dtype)
    small = np.arange(60.0)
    expected = (small - 29.5) / small.std() if kind is Standardize else small / 59
    result = kind.fit(x).apply(x)
    assert result.dtype == (np.float32 if dtype is np.int64 else np.float64)
    np.testing.assert_allclose(result[:, 0], expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("size", [1e-320, 1e-300, 1e-170, 1e-30, 1.0, 1e30, 1e170, 1e300, 1e307])
def test_no_square_overflows_or_vanishes(size):
    x = np.array([[1.0], [2], [4]]) * size
    result = Standardize.fit(x).apply(x)
    tolerance = 1e-2 if size < 1e-307 else 1e-12  # numbers that small have few digits
    np.testing.assert_allclose(result[:, 0], np.array([-4, -1, 5]) / np.sqrt(14), rtol=tolerance)


@BOTH
def test_float32_is_scaled_in_float64(kind):
    x = np.array([[16777215], [16777216]], np.float32)
    new = np.array([[16777214]], np.float32)
    assert kind.fit(x).apply(new).tolist() == [[-3.0 if kind is Standardize else -1.0]]
