from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigrad import nn
from minigrad.errors import ConfigError
from minigrad.parallel.launching import launch_environment
from minigrad.parallel.staleness import Parcel, StalenessBound, staleness
from tests.parallel.launched import needs_mpi, on


@given(st.data(), st.integers(1, 5), st.integers(0, 4))
def test_no_gradient_is_staler_than_the_bound_and_nobody_waits_for_ever(
    data, workers: int, more: int
) -> None:
    order = StalenessBound(workers, workers - 1 + more)
    read: dict[int, int] = {}
    updates = 0

    def hand_out(worker: int) -> None:
        order.hand_out(worker)
        read[worker] = updates

    for worker in range(workers):
        hand_out(worker)
    for _ in range(20):
        working = sorted(set(range(workers)) - order.arrived)
        order.arrive(data.draw(st.sampled_from(working)))
        while (worker := order.next()) is not None:
            measured = updates - read[worker]
            assert order.apply(worker) == measured <= order.bound
            updates += 1
            hand_out(worker)
        assert len(order.arrived) < workers, "all gradients are here and none may be applied"


def test_a_fast_worker_is_held_back_for_a_slow_one() -> None:
    order = StalenessBound(2, 3)
    order.hand_out(0)
    order.hand_out(1)
    for expected in (0, 0, 0):
        order.arrive(1)
        assert order.next() == 1
        assert order.apply(1) == expected
        order.hand_out(1)
    order.arrive(1)
    assert order.next() is None  # a fourth update would make the slow one's gradient four updates old
    order.arrive(0)
    assert order.next() == 0
    assert order.apply(0) == 3
    assert order.next() == 1


def test_a_bound_below_the_number_of_the_others_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"MG-802 staleness is 1; with 3 workers .* less than 2"):
        StalenessBound(3, 1)
    with pytest.raises(ConfigError, match="MG-802"):
        launch_environment(4, staleness=1)
    assert launch_environment(4, staleness=2)["MINIGRAD_STALENESS"] == "2"


@pytest.mark.parametrize("wrong", ["-1", "two", "1.5", "٤", "9" * 12])
def test_a_bound_that_is_no_number_is_refused(monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    monkeypatch.setenv("MINIGRAD_STALENESS", wrong)
    with pytest.raises(ConfigError, match="MG-802"):
        staleness()
    monkeypatch.setenv("MINIGRAD_STALENESS", "4")
    assert staleness() == 4


def test_a_parcel_holds_every_array_and_its_header() -> None:
    model = nn.Sequential(
        nn.Linear(3, 5, rng=np.random.default_rng(0)), nn.Linear(5, 2, rng=np.random.default_rng(1))
    )
    params = dict(model.named_parameters())
    sent, received = Parcel(params), Parcel(params)
    sent.fill({name: tensor.data for name, tensor in params.items()}, 7.0, 0.25)
    received.bytes[...] = sent.bytes
    assert received.header[:2].tolist() == [7.0, 0.25]
    for name, tensor in params.items():
        assert received.arrays[name].tobytes() == tensor.numpy().tobytes()
    sent.fill(dict.fromkeys(params))
    assert not any(array.any() for array in sent.arrays.values())


@needs_mpi
def test_asynchronous_training_learns_with_a_slow_worker_within_the_bound(tmp_path: Path) -> None:
    ended = on(3, "tests.parallel.unhurried", tmp_path / "run", cwd=tmp_path, MINIGRAD_STALENESS="3")
    assert ended.code == 0, ended.err
    history = json.loads((tmp_path / "run" / "history.json").read_text())
    assert history["val_accuracy"][-1] > 0.85
    assert max(history["max_staleness"]) == 3, "the slow worker's gradients come as late as they may"
    assert len(history["epoch"]) == 5
    computed = dict(re.findall(r"worker (\d) computed (\d+)", ended.out))
    slow, fast = int(computed["1"]), int(computed["2"])
    assert slow + fast == 5 * -(-1294 // 32), "every batch was worked on once"
    assert fast > 2 * slow


@needs_mpi
def test_accumulation_is_refused(tmp_path: Path) -> None:
    ended = on(3, "tests.parallel.unhurried", tmp_path / "run", 2, cwd=tmp_path, MINIGRAD_STALENESS="3")
    assert ended.code == 2
    assert ended.err.count("MG-803 asynchronous training applies each batch's gradient by itself") == 1
