from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from minigrad.errors import ConfigError
from minigrad.train.build import build
from minigrad.train.callbacks import Callback
from minigrad.train.config import Config
from minigrad.train.prepare import prepare


class Rates(Callback):
    def __init__(self) -> None:
        self.seen: list[set[float]] = []

    def on_epoch_begin(self, trainer) -> None:
        self.seen.append(set())

    def on_step_end(self, trainer) -> None:
        self.seen[-1].add(trainer.rate)


@pytest.mark.filterwarnings("ignore:MG-405")  # the rate is for telling it by, not for learning
@pytest.mark.parametrize(("grow", "accumulate"), [(0, 1), (2, 1), (1, 3)])
def test_a_schedule_goes_by_the_epoch_whatever_the_batch(grow: int, accumulate: int) -> None:
    config = Config(
        recipe="mlp-sgd", data="line", optimizer="sgd", epochs=9, batch_size=8, grow_batch=grow,
        accumulate=accumulate, lr=1.0, schedule="step", validation=0.0,
    )  # fmt: skip
    session = build(config)
    rates = Rates()
    session.trainer.callbacks.append(rates)
    session.trainer.fit(session.loader, None, 9)
    assert [len(rates) for rates in rates.seen] == [1] * 9
    assert [rates.pop() for rates in rates.seen] == pytest.approx([1.0] * 3 + [0.1] * 3 + [0.01] * 3)


def test_the_test_part_is_the_same_for_every_seed() -> None:
    first, second = (prepare("digits", 0.1, np.random.default_rng(seed)) for seed in (0, 1))
    assert np.array_equal(first.test.x, second.test.x)
    assert not np.array_equal(first.validation.x, second.validation.x)
    assert [len(part) for part in (first.train, first.validation, first.test)] == [1294, 144, 359]


def test_pictures_of_ones_own_come_to_0_to_1(tmp_path: Path) -> None:
    chance = np.random.default_rng(0)
    x = chance.integers(0, 200, (60, 4, 5), dtype=np.uint8)
    x[:, 0, 0] = 255
    np.savez(tmp_path / "own.npz", x=x, y=np.arange(60) % 3)
    data = prepare(str(tmp_path / "own.npz"), 0.2, chance)
    assert data.scaling is None
    assert data.train.image_shape == (4, 5)
    every = np.concatenate([data.train.x, data.validation.x, data.test.x])
    assert np.array_equal(np.unique(np.round(every * 255)), np.unique(x))


def test_a_table_is_standardised_by_its_training_part(tmp_path: Path) -> None:
    chance = np.random.default_rng(0)
    np.savez(tmp_path / "own.npz", x=chance.normal(50, 9, (200, 3)), y=chance.normal(size=200))
    data = prepare(str(tmp_path / "own.npz"), 0.1, chance)
    assert data.train.x.mean(axis=0) == pytest.approx([0, 0, 0], abs=1e-5)
    assert data.train.x.std(axis=0) == pytest.approx([1, 1, 1], abs=1e-5)
    assert abs(data.test.x.mean()) > 1e-4
    assert data.train.y.shape == (144, 1)
    assert data.notes[0] == "200 of 200 rows kept"


def test_names_that_are_nearly_right_are_guessed() -> None:
    with pytest.raises(
        ConfigError, match=r"MG-802 optimizer is 'SDG'; it can be gd, sgd.*Did you mean sgd\?"
    ):
        Config(optimizer="SDG")
    with pytest.raises(ConfigError, match=r"MG-802 data is 'dights'.*Did you mean digits"):
        prepare("dights", 0.1, np.random.default_rng(0))


def test_a_whole_number_is_a_number() -> None:
    assert repr(Config(lr=1, l2=0)) == repr(Config(lr=1.0, l2=0.0))
    with pytest.raises(ConfigError, match="MG-802 lr"):
        Config(lr=10**400)
