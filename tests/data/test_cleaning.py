from __future__ import annotations

import numpy as np
import pytest

from minigrad.data import Dataset, clean
from minigrad.errors import DataError

NAN, INF = np.nan, np.inf


def test_a_table_worked_by_hand():
    x = np.array(
        [
            [1, 5, 2],  # 0 kept
            [NAN, 5, 3],  # 1 missing
            [1, 5, 2],  # 2 a copy of 0
            [INF, 5, 2],  # 3 infinite
            [-INF, NAN, 2],  # 4 missing and infinite counts as missing
            [1, 5, 2],  # 5 as 0 but with another class: kept
            [4, 5, 6],  # 6 kept
            [4, 5, 6],  # 7 a copy of 6
            [-0.0, 5, 6],  # 8 kept
            [0.0, 5, 6],  # 9 a copy of 8, for -0.0 == 0.0
            [NAN, 5, 3],  # 10 missing, and not a copy of 1
        ],
        dtype=np.float32,
    )
    y = np.array([0, 1, 0, 1, 0, 1, 2, 2, 0, 0, 1])
    data, report = clean(Dataset(x, y, name="table", classes=("a", "b", "c")))
    assert np.array_equal(data.x, x[[0, 5, 6, 8]])
    assert data.y.tolist() == [0, 1, 2, 0]
    assert data.classes == ("a", "b", "c")
    assert report.missing.tolist() == [1, 4, 10]
    assert report.infinite.tolist() == [3]
    assert report.duplicate.tolist() == [2, 7, 9]
    assert report.constant.tolist() == [1]
    assert (report.rows, report.kept) == (11, 4)
    assert str(report) == (
        "table: 4 of 11 rows kept\n"
        "  rows with a missing value         3  dropped: 1, 4, 10\n"
        "  rows with an infinite value       1  dropped: 3\n"
        "  copies of an earlier row          3  dropped: 2, 7, 9\n"
        "  constant columns                  1  kept: 1"
    )


def test_clean_data_stays_as_it_is():
    data = Dataset(np.arange(6.0).reshape(3, 2), np.arange(3))
    cleaned, report = clean(data)
    assert np.array_equal(cleaned.x, data.x)
    assert report.kept == 3
    assert "dropped:" not in str(report)


def test_targets_count_too():
    data, report = clean(Dataset(np.arange(4.0).reshape(4, 1), np.array([0.5, NAN, INF, 1.0])))
    assert report.missing.tolist() == [1]
    assert report.infinite.tolist() == [2]
    assert data.y.tolist() == [0.5, 1.0]


def test_pictures_and_whole_numbers():
    pictures = np.zeros((3, 2, 2), np.uint8)
    pictures[1, 0, 1] = 7
    data, report = clean(Dataset(pictures, np.zeros(3, np.int64), image_shape=(2, 2)))
    assert data.x.shape == (2, 2, 2)
    assert report.duplicate.tolist() == [2]
    assert report.constant.tolist() == [0, 2, 3]


def test_many_positions_are_cut_short():
    _, report = clean(Dataset(np.ones((100, 1)), np.zeros(100)))
    assert "99  dropped: 1, 2, 3, 4, 5, 6, 7, 8, ..." in str(report)


def test_nothing_left():
    with pytest.raises(DataError, match=r"'d': cleaning leaves no row.\nd: 0 of 2 rows kept") as raised:
        clean(Dataset(np.full((2, 2), NAN), np.arange(2), name="d"))
    assert raised.value.code == "MG-701"


def test_a_column_that_is_empty_is_named_where_nothing_is_left():
    x = np.arange(12.0).reshape(3, 4)
    x[:, 2] = NAN
    with pytest.raises(DataError, match="no value at all in column 2: leave it out"):
        clean(Dataset(x, np.arange(3)))


def test_duplicates_are_numpys_unique_rows():
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 3, (500, 3)).astype(np.float32), rng.integers(0, 2, 500)
    first = np.sort(np.unique(np.column_stack([x, y]), axis=0, return_index=True)[1])
    data, report = clean(Dataset(x, y))
    assert np.array_equal(data.x, x[first])
    assert np.array_equal(report.duplicate, np.setdiff1d(np.arange(500), first))
