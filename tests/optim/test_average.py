"""Averages of weights: against PyTorch, swapped in and out, saved and resumed, and kept by the Trainer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from minigrad import Tensor, nn, optim
from minigrad.data import DataLoader, Dataset
from minigrad.errors import MinigradError, OptimizerError
from minigrad.optim import EMA
from minigrad.train.callbacks import AverageWeights
from minigrad.train.checkpoint import load_checkpoint, save_checkpoint
from minigrad.train.trainer import Trainer, evaluate
from minigrad.train.training import Callback, Training


def layer(dtype: str = "float64") -> nn.Linear:
    model = nn.Linear(3, 2, rng=np.random.default_rng(0))
    model.to(dtype)
    return model


def move(model: nn.Module, rng: np.random.Generator) -> None:
    for tensor in model.parameters():
        tensor.data = (tensor.data + rng.normal(size=tensor.shape)).astype(tensor.dtype)


@pytest.mark.parametrize("decay", [None, 0.0, 0.5, 0.9, 0.999])
def test_averages_are_those_of_pytorch(decay: float | None) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    swa = torch.optim.swa_utils
    model, twin = layer(), torch.nn.Linear(3, 2).double()
    average = None if decay is None else swa.get_ema_multi_avg_fn(decay)
    ema, other = EMA(model, decay), swa.AveragedModel(twin, multi_avg_fn=average)
    rng = np.random.default_rng(1)
    for _ in range(30):
        move(model, rng)
        twin.load_state_dict({name: torch.from_numpy(a) for name, a in model.state_dict().items()})
        ema.update()
        other.update_parameters(twin)
        for name, theirs in other.module.state_dict().items():
            np.testing.assert_allclose(ema.averages[name], theirs.numpy(), rtol=1e-12, atol=1e-14)


def test_the_mean_by_hand() -> None:
    w = Tensor([0.0], requires_grad=True, name="w")
    ema = EMA([w], decay=None)
    for value in (1.0, 2.0, 6.0):
        w.data = np.array([value], "float32")
        ema.update()
    assert ema.averages["w"].tolist() == [3.0]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_the_weights_come_back_even_after_an_error(dtype: str) -> None:
    model, rng = layer(dtype), np.random.default_rng(1)
    ema = EMA(model, 0.9)
    for _ in range(3):
        move(model, rng)
        ema.update()
    weights = model.state_dict()
    for fails in (False, True):
        try:
            with ema.swapped():
                for name, tensor in model.named_parameters().items():
                    np.testing.assert_array_equal(tensor.data, ema.averages[name].astype(dtype))
                if fails:
                    raise RuntimeError
        except RuntimeError:
            assert fails
        for name, array in model.state_dict().items():
            np.testing.assert_array_equal(array, weights[name])
            assert ema.averages[name].dtype == ("float32" if dtype == "float16" else dtype)


def test_a_graph_of_before_the_swap_is_not_walked_with_other_weights() -> None:
    model = layer()
    ema = EMA(model)
    ema.update()
    x = Tensor(np.ones((2, 3)), requires_grad=True)
    loss = model(x).sum()
    with ema.swapped(), pytest.raises(MinigradError, match="MG-205"):
        loss.backward()


def test_it_is_resumed_exactly_and_refuses_another_state() -> None:
    rng, model = np.random.default_rng(1), layer()
    ema = EMA(model, 0.9)
    for _ in range(3):
        move(model, rng)
        ema.update()
    kept = ema.state_dict()
    kept |= json.loads(json.dumps({"updates": kept["updates"]}))
    other = layer()
    resumed = EMA(other, 0.9)
    for wrong in (
        {**kept, "updates": -1},
        {**kept, "weight": kept["weight"].T},
        {"updates": 1},
        {**kept, "more": kept["weight"]},
        {k: v for k, v in kept.items() if k != "updates"},
    ):
        with pytest.raises(OptimizerError, match="MG-506"):
            resumed.load_state_dict(wrong)
        assert resumed.updates == 0
        assert not resumed.averages["weight"].any()
    resumed.load_state_dict(kept)
    move(model, rng)
    other.load_state_dict(model.state_dict())
    ema.update()
    resumed.update()
    for name, average in ema.averages.items():
        np.testing.assert_array_equal(average, resumed.averages[name])


@pytest.mark.parametrize(
    ("misuse", "code"),
    [
        (lambda ema: ema.copy_to_model(), "MG-519"),
        (lambda ema: ema.swapped().__enter__(), "MG-519"),
        (lambda ema: (ema.update(), within(ema, ema.update)), "MG-519"),
        (lambda ema: (ema.update(), within(ema, lambda: within(ema, ema.update))), "MG-519"),
        (lambda ema: EMA([Tensor([1.0])], 1.0), "MG-507"),
        (lambda ema: EMA([Tensor([1.0])], "no"), "MG-507"),
        (lambda ema: EMA([]), "MG-501"),
    ],
)
def test_misuse_is_told(misuse: Any, code: str) -> None:
    with pytest.raises(MinigradError) as caught:
        misuse(EMA(layer()))
    assert caught.value.code == code


def within(ema: EMA, call: Any) -> None:
    with ema.swapped():
        call()


class SaveAfter(Callback):
    def __init__(self, epoch: int, path: Path) -> None:
        self.epoch, self.path = epoch, path

    def on_epoch_end(self, trainer: Training) -> None:
        if trainer.epoch == self.epoch:
            save_checkpoint(trainer, self.path)


def training() -> tuple[Trainer, DataLoader, Dataset]:
    model = nn.Sequential(nn.Linear(3, 4, rng=np.random.default_rng(0)), nn.Tanh())
    x = np.random.default_rng(1).normal(size=(24, 3)).astype("float32")
    data = Dataset(x, np.tanh(x @ np.ones((3, 4), "float32")))
    loader = DataLoader(data, 8, rng=np.random.default_rng(2))
    opt = optim.Adam(model, lr=0.05)
    callbacks = [AverageWeights(0.8)]
    return Trainer(model, nn.MSELoss(), opt, callbacks=callbacks, compile=False), loader, data


def test_the_trainer_ends_with_the_average_of_what_it_went_through(tmp_path: Path) -> None:
    whole, loader, data = training()
    seen: list[np.ndarray] = []
    step = whole.optimizer.step

    def noted() -> None:
        step()
        seen.append(whole.model.layers[0].weight.numpy().copy())

    whole.optimizer.step = noted  # type: ignore[method-assign]
    whole.fit(loader, data, 4)
    expected = seen[0].astype("float64")
    for weights in seen[1:]:
        expected = 0.8 * expected + 0.2 * weights
    np.testing.assert_allclose(whole.model.layers[0].weight.numpy(), expected, rtol=1e-5)
    now = evaluate(whole.model, data, whole.loss, "cpu").loss
    assert whole.history["average_val_loss"][-1] == pytest.approx(now, rel=1e-6)
    assert whole.history["val_loss"][-1] != whole.history["average_val_loss"][-1]

    half, loader, data = training()
    saved = tmp_path / "checkpoint"
    half.callbacks.append(SaveAfter(2, saved))
    half.fit(loader, data, 2)
    rest, loader, data = training()
    rest.callbacks.append(SaveAfter(0, saved))
    load_checkpoint(rest, saved, loader)
    rest.fit(loader, data, 4)
    for name, array in whole.model.state_dict().items():
        np.testing.assert_array_equal(array, rest.model.state_dict()[name])
