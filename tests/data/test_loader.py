from __future__ import annotations

import json
from math import ceil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigrad.data import DataLoader, Dataset, Noise, generator_state, load_generator_state
from minigrad.errors import DataError


def numbered(count=10):
    x = np.arange(count, dtype=np.float32)
    return Dataset(np.stack([x, -x], axis=1), np.arange(count))


def rng(seed=0):
    return np.random.default_rng(seed)


def epoch(loader):
    return [y.tolist() for _, y in loader]


def test_in_order():
    assert epoch(DataLoader(numbered(), 4)) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert epoch(DataLoader(numbered(), 4, drop_last=True)) == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert epoch(DataLoader(numbered(), 100)) == [list(range(10))]


def test_shuffling_is_numpys_permutation_and_another_one_each_epoch():
    loader, twin = DataLoader(numbered(), 4, rng(3)), rng(3)
    for _ in range(3):
        order = twin.permutation(10)
        assert epoch(loader) == [order[:4].tolist(), order[4:8].tolist(), order[8:].tolist()]


@given(
    count=st.integers(1, 50),
    size=st.integers(1, 60),
    shuffle=st.booleans(),
    drop_last=st.booleans(),
    seed=st.integers(0, 2**32),
)
def test_an_epoch_holds_each_sample_once(count, size, shuffle, drop_last, seed):
    loader = DataLoader(numbered(count), size, rng(seed) if shuffle else None, drop_last)
    if drop_last and size > count:
        with pytest.raises(DataError, match=rf"MG-709 an epoch has no batch: 'data' has {count} samples"):
            iter(loader)
        return
    batches = list(loader)
    assert len(batches) == len(loader) == (count // size if drop_last else ceil(count / size))
    assert all(len(x) == len(y) == size for x, y in batches[:-1])
    seen = np.concatenate([y for _, y in batches])
    assert len(set(seen)) == len(seen) == (count // size * size if drop_last else count)
    for x, y in batches:
        assert x.dtype == np.float32
        assert np.array_equal(x, np.stack([y, -y], axis=1))


@given(sizes=st.lists(st.integers(1, 20), min_size=60, max_size=60), shuffle=st.booleans())
def test_the_batch_size_may_change_during_an_epoch(sizes, shuffle):
    loader = DataLoader(numbered(60), sizes[0], rng() if shuffle else None)
    seen: list[int] = []
    for step, (_, y) in enumerate(loader):
        assert len(y) == min(sizes[step], 60 - len(seen))
        seen += y.tolist()
        loader.batch_size = sizes[step + 1] if step + 1 < 60 else 1
    assert sorted(seen) == list(range(60))


def test_the_length_follows_the_batch_size():
    loader = DataLoader(numbered(), 4)
    assert len(loader) == 3
    loader.batch_size = np.int64(5)
    assert len(loader) == 2
    assert type(loader.batch_size) is int


def test_shuffled_batches_are_copies_and_ordered_ones_views():
    data = numbered()
    assert not any(np.shares_memory(x, data.x) for x, _ in DataLoader(data, 4, rng()))
    assert all(np.shares_memory(x, data.x) for x, _ in DataLoader(data, 4))


def test_a_transform_draws_from_the_loaders_generator():
    data, twin = numbered(), rng(3)
    loader = DataLoader(data, 6, rng(3), transform=Noise(0.1))
    order = twin.permutation(10)
    for (x, y), chosen in zip(loader, (order[:6], order[6:]), strict=True):
        assert np.array_equal(x, Noise(0.1)(data.x[chosen], twin))
        assert np.array_equal(y, chosen)


@pytest.mark.parametrize(
    "bits", [np.random.PCG64, np.random.PCG64DXSM, np.random.MT19937, np.random.Philox, np.random.SFC64]
)
def test_a_state_saved_as_json_repeats_the_epoch(bits):
    def make(seed):
        generator = np.random.Generator(bits(seed))
        return DataLoader(numbered(50), 7, generator, transform=Noise(0.1))

    loader = make(1)
    list(loader)
    loader.batch_size = 9
    state = json.loads(json.dumps(loader.state()))
    other = make(2)
    other.load_state(state)
    assert other.batch_size == 9
    for _ in range(2):
        for (x, y), (other_x, other_y) in zip(loader, other, strict=True):
            assert np.array_equal(x, other_x)
            assert np.array_equal(y, other_y)


def test_generator_states_include_the_spare_32_bits():
    generator, other = rng(1), rng(2)
    generator.integers(0, 9, dtype=np.uint32)
    load_generator_state(other, json.loads(json.dumps(generator_state(generator))))
    assert np.array_equal(
        generator.integers(0, 99, 5, dtype=np.uint32), other.integers(0, 99, 5, dtype=np.uint32)
    )


def test_a_loader_without_shuffling_has_a_state_too():
    loader = DataLoader(numbered(), 3)
    assert loader.state() == {"batch_size": 3, "rng": None}
    loader.load_state({"batch_size": 4, "rng": None})
    assert loader.batch_size == 4


@pytest.mark.parametrize("size", [0, -1, 2.0, "8", True, None])
def test_a_batch_size_that_is_none(size):
    with pytest.raises(DataError, match="MG-709 batch_size must be a whole number above 0; got"):
        DataLoader(numbered(), size)
    loader = DataLoader(numbered(), 4)
    with pytest.raises(DataError, match="MG-709"):
        loader.batch_size = size
    assert loader.batch_size == 4


def test_a_transform_needs_a_generator():
    with pytest.raises(DataError, match=r"MG-709.*default_rng"):
        DataLoader(numbered(), 4, transform=Noise())


@pytest.mark.parametrize(
    "break_it",
    [
        dict.clear,
        lambda state: state.update(rng=None),
        lambda state: state.pop("rng"),
        lambda state: state.update(batch_size=0),
    ],
)
def test_states_of_something_else(break_it):
    loader = DataLoader(numbered(), 4, rng())
    state = loader.state()
    break_it(state)
    before = loader.state()
    with pytest.raises(DataError, match="MG-709"):
        loader.load_state(state)
    assert loader.state() == before


@pytest.mark.parametrize(
    "state",
    [
        generator_state(np.random.Generator(np.random.MT19937(0))),
        {**generator_state(rng()), "state": {"state": -1, "inc": 1}},
        {**generator_state(rng()), "state": {"state": "many", "inc": 1}},
        {"bit_generator": "PCG64"},
        [],
        7,
    ],
)
def test_a_damaged_state_leaves_the_generator_as_it_was(state):
    loader = DataLoader(numbered(), 4, rng())
    before = loader.state()
    with pytest.raises(DataError, match=r"MG-709 not the saved state of a PCG64 generator"):
        loader.load_state({"batch_size": 5, "rng": state})
    assert loader.state() == before
