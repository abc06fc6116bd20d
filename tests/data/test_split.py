from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigrad.data import Dataset, divide, load_digits, split
from minigrad.errors import DataError


def numbered(y):
    """A dataset whose samples say which they are."""
    y = np.asarray(y)
    return Dataset(np.arange(len(y), dtype=np.float64).reshape(-1, 1), y)


def members(part):
    return part.x[:, 0].astype(int)


def rng(seed=0):
    return np.random.default_rng(seed)


def test_counts_by_hand():
    # Class 0: 10 samples in shares 0.8, 0.1, 0.1 are 8, 1, 1. Class 1: 15 samples are 12, 1.5, 1.5.
    parts = split(numbered([0] * 10 + [1] * 15), 0.1, 0.1, rng=rng())
    assert [np.bincount(part.y).tolist() for part in parts] == [[8, 12], [1, 2], [1, 1]]
    # The first class of 15 gives its spare sample to one part, the second to the other.
    parts = split(numbered([0] * 15 + [1] * 15), 0.1, 0.1, rng=rng())
    assert [np.bincount(part.y).tolist() for part in parts] == [[12, 12], [2, 1], [1, 2]]


@given(
    sizes=st.lists(st.integers(8, 60), min_size=1, max_size=6),
    weights=st.lists(st.integers(3, 20), min_size=2, max_size=4),
    seed=st.integers(0, 2**32),
)
def test_stratified_parts_are_disjoint_exhaustive_and_proportional(sizes, weights, seed):
    shares = np.array(weights) / sum(weights)
    y = rng(seed).permutation(np.repeat(np.arange(len(sizes)) * 3, sizes))
    data = numbered(y)
    try:
        parts = divide(data, tuple(shares), rng=rng(seed))
    except DataError as error:
        assert error.code == "MG-708"  # noqa: PT017 (a class may be too small for a share)
        assert min(sizes) * shares.min() < 1
        return
    everything = np.concatenate([members(part) for part in parts])
    assert sorted(everything) == list(range(len(y)))
    for part, share in zip(parts, shares, strict=True):
        assert np.array_equal(part.y, y[members(part)])
        assert np.all(np.diff(members(part)) > 0)
        counts = np.bincount(part.y, minlength=3 * len(sizes))[::3]
        assert np.abs(counts - np.array(sizes) * share).max() <= 1 + 1e-9
        assert abs(len(part) - len(y) * share) <= len(parts)


def test_the_seed_decides():
    first, again = (split(load_digits(), rng=rng(5)) for _ in range(2))
    other = split(load_digits(), rng=rng(6))
    for part, same, different in zip(first, again, other, strict=True):
        assert np.array_equal(part.x, same.x)
        assert len(part) == len(different)
        assert not np.array_equal(part.x, different.x)


def test_each_sample_is_equally_likely_to_be_tested():
    data = numbered([0] * 10 + [1] * 20)
    generator = rng()
    drawn = np.zeros(30)
    for _ in range(2000):
        drawn[members(split(data, 0.2, 0.1, rng=generator).test)] += 1
    # 2000 draws of share 0.1: mean 200, standard deviation 13.4.
    assert np.abs(drawn - 200).max() < 5 * 13.4


def test_digits_keep_their_proportions():
    data = load_digits()
    parts = split(data, 0.15, 0.15, rng=rng())
    for part, share in zip(parts, (0.7, 0.15, 0.15), strict=True):
        assert np.abs(np.bincount(part.y) - np.bincount(data.y) * share).max() <= 1
        assert part.classes == data.classes
        assert part.image_shape == (8, 8)


@pytest.mark.parametrize("y", [np.arange(100) / 7, np.arange(100) % 4])
def test_without_classes_the_draw_is_free(y):
    parts = split(numbered(y), 0.25, 0.05, rng=rng(), stratify=y.dtype.kind == "f")
    assert [len(part) for part in parts] == [70, 25, 5]
    assert sorted(np.concatenate([members(part) for part in parts])) == list(range(100))


def test_two_parts():
    train, held = divide(numbered([0, 1] * 50), (0.9, 0.1), rng=rng())
    assert (len(train), np.bincount(held.y).tolist()) == (90, [5, 5])


def test_a_class_too_small_is_named():
    data = Dataset(np.zeros((103, 1)), np.array([0] * 100 + [1] * 3), classes=("cat", "yeti"))
    with pytest.raises(DataError) as raised:
        split(data, rng=rng())
    assert str(raised.value) == (
        "MG-708 class 'yeti' has 3 samples, too few for the shares 0.8, 0.1, 0.1: the part of 0.1 would get "
        "none of them. Collect more, give that part a larger share, or pass stratify=False."
    )
    assert [len(part) for part in split(data, rng=rng(), stratify=False)] == [83, 10, 10]


def test_a_dataset_too_small_is_named():
    with pytest.raises(DataError, match="dataset 'data' has 2 samples, too few"):
        split(numbered([0.5, 1.5]), rng=rng())


@pytest.mark.parametrize("shares", [(0, 0.1), (0.1, 0), (0.6, 0.4), (0.7, 0.7), (-0.1, 0.1), (np.nan, 0.1)])
def test_impossible_shares(shares):
    with pytest.raises(DataError, match=r"MG-708 shares must each lie above 0 and sum to 1"):
        split(numbered([0, 1] * 20), *shares, rng=rng())


@pytest.mark.parametrize("shares", [(), (1.0,), (0.5, 0.4)])
def test_impossible_shares_of_divide(shares):
    with pytest.raises(DataError, match="MG-708"):
        divide(numbered([0, 1] * 20), shares, rng=rng())
