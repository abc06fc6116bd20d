"""n processes do what one does, to rounding, and to the same bits for the same n."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from minigrad import nn, optim
from minigrad.parallel import ALONE
from minigrad.parallel.transport import MessageTransport
from minigrad.train.parallel import ParallelTrainer
from minigrad.train.synchronous import Synchronous
from minigrad.train.trainer import Trainer
from tests.long import first, long
from tests.parallel.launched import needs_mpi, on
from tests.parallel.trainings import TRAININGS

pytestmark = needs_mpi
FLOAT64, FLOAT32 = 1e-12, 2e-5
"""How far an array may be from a single process's, relative to the array's largest entry, after 100 steps."""

WAYS = ["memory", "messages"]
Launch = Callable[..., Path]


@pytest.fixture(scope="module")
def launch(tmp_path_factory: pytest.TempPathFactory) -> Launch:
    @cache
    def started(n: int, way: str, again: bool = False) -> Path:
        folder = tmp_path_factory.mktemp(f"on-{n}-by-{way}")
        names = ["dropout_adam_float32"] if again else []
        ended = on(n, "tests.parallel.trainings", folder, way, *names, cwd=folder)
        assert ended.code == 0, ended.err
        return folder

    return started


@cache
def alone(name: str) -> Trainer:
    return TRAININGS[name](ALONE)


def found(folder: Path, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    with np.load(folder / f"{name}.npz") as arrays:
        return dict(arrays), json.loads((folder / f"{name}.json").read_text())


@pytest.mark.parametrize("n", first([2, 3, 4], 2))
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", TRAININGS)
def test_the_weights_are_those_of_one_process(launch: Launch, name: str, way: str, n: int) -> None:
    weights, about = found(launch(n, way), name)
    expected = alone(name)
    assert about["steps"] == expected.step
    assert expected.step >= 100 or name in ("stopped_early", "wide")
    bound = FLOAT32 if name.endswith("float32") else FLOAT64
    for key, array in expected.model.state_dict().items():
        assert array.dtype == weights[key].dtype
        assert np.abs(weights[key] - array).max() <= bound * np.abs(array).max(), key
    assert len(set(about["digests"])) == 1, "every process ends with the same bits"


@pytest.mark.parametrize("n", first([2, 3, 4], 2))
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["dropout_adam", "stopped_early"])
def test_the_figures_are_those_of_one_process(launch: Launch, name: str, way: str, n: int) -> None:
    _, about = found(launch(n, way), name)
    expected = alone(name).history
    assert about["history"].keys() == expected.keys()
    for key, values in expected.items():
        if values[0] is not None:
            np.testing.assert_allclose(about["history"][key], values, rtol=1e-10, err_msg=key)


def test_early_stopping_really_stopped(launch: Launch) -> None:
    assert len(alone("stopped_early").history["epoch"]) < 60


@pytest.mark.parametrize(
    ("n", "way"),
    [(2, "messages"), pytest.param(3, "memory", marks=long), pytest.param(2, "memory", marks=long)],
)
def test_the_same_number_of_processes_gives_the_same_bits(launch: Launch, n: int, way: str) -> None:
    first, second = (found(launch(n, way, again), "dropout_adam_float32")[0] for again in (False, True))
    for key in first:
        assert first[key].tobytes() == second[key].tobytes()


@pytest.mark.parametrize("name", TRAININGS)
def test_two_processes_get_the_same_bits_either_way(launch: Launch, name: str) -> None:
    """a + b = b + a: a sum of two leaves no choice, whatever carries it."""
    first, second = (found(launch(2, way), name)[0] for way in WAYS)
    for key in first:
        assert first[key].tobytes() == second[key].tobytes()


def test_the_old_names_of_the_trainers_are_a_trainer_with_a_strategy() -> None:
    model = nn.Linear(2, 1)
    arguments = (model, nn.MSELoss(), optim.SGD(model, lr=0.1))
    with pytest.warns(DeprecationWarning, match=r"Trainer\(…, strategy=Synchronous\(…\)\) now"):
        old = ParallelTrainer(*arguments, communicator=ALONE, check_every=7)
    assert isinstance(old.strategy, Synchronous)
    assert (old.strategy.communicator, old.strategy.check_every) == (ALONE, 7)


@pytest.mark.parametrize(
    ("module", "name", "new"),
    [
        ("carriers", "Carrier", "transport.Transport"),
        ("carriers", "Messages", "transport.MessageTransport"),
        ("communicator", "Ticket", "transport.Work"),
        ("mpi", "MpiTicket", "mpi.MpiWork"),
        ("nccl", "StreamTicket", "nccl.StreamWork"),
        ("nccl", "StagedTicket", "nccl.StagedWork"),
    ],
)
def test_old_names_say_the_new_ones(module: str, name: str, new: str) -> None:
    home, _, called = new.partition(".")
    with pytest.warns(DeprecationWarning, match=rf"{module}\.{name} is called .*{called} now"):
        found = getattr(importlib.import_module(f"minigrad.parallel.{module}"), name)
    assert found is getattr(importlib.import_module(f"minigrad.parallel.{home}"), called)
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        importlib.import_module(f"minigrad.parallel.{module}").Nothing  # noqa: B018


def test_a_communicator_still_has_carriers() -> None:
    with pytest.warns(DeprecationWarning, match="carriers is called transports now"):
        transports, close = ALONE.carriers([[np.zeros(3)]], "nobody")
    assert [type(each) for each in transports] == [MessageTransport]
    close()
