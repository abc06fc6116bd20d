"""Names that users give (parameters, schedules' memories) and names of our own do not get into each other's way."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import Tensor, nn
from minigrad.errors import ConfigError
from minigrad.files import load_arrays, save_arrays
from minigrad.optim import SGD, Adam, Optimizer, PerEpoch, ReduceLROnPlateau, Schedule, Warmup

NAMES = [
    "schedule", "optimizer", "t", "lr", "rate", "state", "m", "v", "b", "model", "callback", "settings", "version",
    "schedule.best", "schedule.rate", "optimizer.t", "a.m", "__metadata__", "metadata", "callback/0", "optimizer/w",
    "", ".", "m.", ".m", "history", "epoch", "step",
]  # fmt: skip


class Remembering(Schedule):
    """A schedule whose memory has the names of Adam's state."""

    def __init__(self) -> None:
        self.memory = {"m": 1, "v": 2.5, "best": None, "weight.m": 3}

    def __call__(self, step: int) -> float:
        return 0.1

    def state(self) -> dict[str, Any]:
        return dict(self.memory)

    def load_state(self, state: Mapping[str, Any]) -> None:
        super().load_state(state)
        self.memory = dict(state)


RATES = {
    "number": lambda: 0.1,
    "plateau": lambda: ReduceLROnPlateau(0.1, patience=0),
    "nested": lambda: Warmup(PerEpoch(ReduceLROnPlateau(0.1, patience=0), 2), 3),
    "own": Remembering,
}


def build(names: list[str], rate: str) -> tuple[Optimizer, list[Tensor]]:
    tensors = {name: Tensor([1.0, float(i)], requires_grad=True) for i, name in enumerate(names)}
    for i, tensor in enumerate(tensors.values()):
        tensor.grad = Tensor([0.5, 1.0 + i])
    return Adam(tensors, lr=RATES[rate]()), list(tensors.values())


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("names", [NAMES, *([name] for name in NAMES)], ids=str)
def test_an_optimizer_takes_up_its_own_state_whatever_its_parameters_are_called(
    names: list[str], rate: str
) -> None:
    opt, _ = build(names, rate)
    for metric in (1.0, 2.0):
        opt.step()
        if isinstance(opt.lr, Schedule):
            opt.lr.observe(metric)
    saved = opt.state_dict()
    plain = {key: value for key, value in saved.items() if not isinstance(value, np.ndarray)}
    arrays = {key: value for key, value in saved.items() if isinstance(value, np.ndarray)}
    assert len(arrays) == 2 * len(names)
    other, _ = build(names, rate)
    other.load_state_dict({**json.loads(json.dumps(plain)), **arrays})
    assert (other.t, other.rate) == (opt.t, opt.rate)
    for name, state in opt.state.items():
        for key, array in state.items():
            np.testing.assert_array_equal(other.state[name][key], array)


def test_a_model_with_an_attribute_called_schedule_resumes_with_the_same_bits() -> None:
    def make() -> tuple[nn.Module, Adam]:
        class Net(nn.Module):
            def __init__(self) -> None:
                rng = np.random.default_rng(0)
                self.schedule = nn.Linear(2, 3, rng=rng)
                self.lr = nn.Linear(3, 1, rng=rng)

            def forward(self, x: Any) -> Any:
                return self.lr(self.schedule(x))

        model = Net()
        return model, Adam(model, lr=ReduceLROnPlateau(0.1, patience=0))

    def train(model: nn.Module, opt: Adam, steps: int) -> None:
        for _ in range(steps):
            opt.zero_grad()
            loss = (model(mg.Tensor([[1.0, 2.0]])) ** 2).mean()
            loss.backward()
            opt.step()
            opt.lr.observe(loss.item())

    model, opt = make()
    train(model, opt, 3)
    weights, state = model.state_dict(), opt.state_dict()
    train(model, opt, 3)
    again, other = make()
    again.load_state_dict(weights)
    other.load_state_dict(state)
    train(again, other, 3)
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(again.state_dict()[name], array)


def test_a_state_saved_with_the_schedule_among_the_parameters_is_still_read() -> None:
    opt, _ = build(["schedule"], "plateau")
    opt.step()
    opt.lr.observe(1.0)
    saved = opt.state_dict()
    old = {f"schedule.{key}": value for key, value in saved.pop("schedule").items()} | saved
    other, _ = build(["schedule"], "plateau")
    other.load_state_dict(old)
    assert other.lr.state() == {"rate": 0.1, "best": 1.0, "waited": 0}
    np.testing.assert_array_equal(other.state["schedule"]["m"], opt.state["schedule"]["m"])


def test_no_tensor_of_a_list_takes_the_place_of_another() -> None:
    for names in itertools.product([None, "w", "param0", "param1", "param2"], repeat=3):
        tensors = [Tensor([1.0], requires_grad=True, name=name) for name in names]
        opt = SGD(tensors, lr=1.0)
        assert len(opt.state) == 3, names
        for tensor in tensors:
            tensor.grad = Tensor([0.25])
        opt.step()
        assert [tensor.item() for tensor in tensors] == [0.75] * 3


@pytest.mark.parametrize("name", NAMES)
def test_a_file_takes_arrays_and_metadata_of_any_name(name: str, tmp_path: Path) -> None:
    arrays = {name: np.arange(3.0), "other": np.zeros(2)}
    metadata = {name: "text", "minigrad": "1"}
    if name == "__metadata__":  # the format's own word
        with pytest.raises(ConfigError, match="MG-802 an array cannot be called '__metadata__'"):
            save_arrays(tmp_path / "a.safetensors", arrays, metadata)
        assert not list(tmp_path.iterdir())
        return
    save_arrays(tmp_path / "a.safetensors", arrays, metadata)
    read, texts = load_arrays(tmp_path / "a.safetensors")
    assert texts == metadata
    assert read.keys() == arrays.keys()
    np.testing.assert_array_equal(read[name], arrays[name])


def test_the_table_of_a_search_has_no_two_columns_of_one_name() -> None:
    from minigrad.train.config import Config
    from minigrad.train.search.report import _csv

    names = list(Config.__dataclass_fields__)
    header = _csv(names, []).strip().split(",")
    assert len(set(header)) == len(header)
