from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigrad.parallel import Shard, ShardedGenerator, shard


@given(st.integers(1, 9), st.integers(1, 60))
def test_the_shards_are_the_batch(size: int, total: int) -> None:
    parts = [shard(rank, size, total) for rank in range(size)]
    rows = [row for part in parts if part.weight for row in range(total)[part.rows]]
    assert rows == list(range(total))
    lengths = [part.stop - part.start for part in parts if part.weight]
    assert max(lengths) - min(lengths) <= 1
    assert sum(part.weight for part in parts) == pytest.approx(1, abs=1e-15)
    for part in parts:
        assert part.weight in (0.0, (part.stop - part.start) / total)


@given(
    st.integers(1, 5),
    st.lists(
        st.tuples(st.integers(1, 7), st.integers(1, 5), st.sampled_from(["f", "d"])), min_size=1, max_size=6
    ),
)
def test_together_they_draw_what_one_draws(size: int, draws: list[tuple[int, int, str]]) -> None:
    seed = np.random.SeedSequence(1)
    whole = np.random.default_rng(seed)
    parts = [ShardedGenerator(seed) for _ in range(size)]
    for total, width, kind in draws:
        expected = whole.random((total, width), dtype=np.dtype(kind))
        for rank, rng in enumerate(parts):
            rng.shard = shard(rank, size, total)
            own = rng.random((rng.shard.stop - rng.shard.start, width), dtype=np.dtype(kind))
            np.testing.assert_array_equal(own, expected[rng.shard.rows])
    after = [rng.bit_generator.state for rng in (whole, *parts)]
    assert (
        len({(s["state"]["state"], s["has_uint32"], s["has_uint32"] and s["uinteger"]) for s in after}) == 1
    )


def test_without_a_shard_it_is_numpys_own() -> None:
    seed = np.random.SeedSequence(7)
    ours, numpys = ShardedGenerator(seed), np.random.default_rng(seed)
    assert ours.random() == numpys.random()
    assert (ours.permutation(9) == numpys.permutation(9)).all()
    assert (ours.random((2, 3), dtype=np.float32) == numpys.random((2, 3), dtype=np.float32)).all()


def test_another_number_of_rows_is_refused() -> None:
    rng = ShardedGenerator(np.random.SeedSequence(0))
    rng.shard = Shard(2, 4, 8, 0.25)
    with pytest.raises(ValueError, match="a shard of 2 rows cannot draw numbers of shape"):
        rng.random((3, 5))
