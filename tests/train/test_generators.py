"""A checkpoint holds the generators that nobody named; what a model returns beside its outputs does not matter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad.data import DataLoader, Dataset
from minigrad.errors import ConfigError, DataError, MinigradWarning
from minigrad.files import load_arrays, save_arrays
from minigrad.train.callbacks import Callback
from minigrad.train.checkpoint import load_checkpoint, save_checkpoint
from minigrad.train.evaluation import evaluate
from minigrad.train.trainer import Trainer


class Noise(nn.Module):
    """Adds noise from a generator of its own, under a name of its own."""

    def __init__(self) -> None:
        self.source = np.random.default_rng(5)

    def forward(self, x: Any) -> Any:
        return x + self.source.normal(size=x.shape).astype("float32") if self.training else x


class Shaken(Callback):
    """Draws from a generator after each epoch, and moves a weight by it."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(6)

    def on_epoch_end(self, trainer: Any) -> None:
        with mg.no_grad():
            next(iter(trainer.model.parameters()))[0] += self.rng.normal()


def data() -> Dataset:
    rng = np.random.default_rng(1)
    return Dataset(rng.normal(size=(24, 4)).astype("float32"), rng.integers(3, size=24))


def training(**options: Any) -> tuple[Trainer, DataLoader]:
    model = nn.Sequential(
        nn.Linear(4, 8, rng=np.random.default_rng(0)),
        Noise(),
        nn.Dropout(0.3, rng=np.random.default_rng(2)),
        nn.Linear(8, 3, rng=np.random.default_rng(3)),
    )
    loader = DataLoader(data(), 5, rng=np.random.default_rng(4))
    optimizer = optim.Adam(model, lr=0.01)
    return Trainer(
        model, nn.CrossEntropyLoss(), optimizer, callbacks=[Shaken()], compile=False, **options
    ), loader


def weights(trainer: Trainer) -> bytes:
    return b"".join(array.tobytes() for array in trainer.model.state_dict().values())


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("fresh", [False, True])
def test_a_resumed_training_ends_with_the_same_bits(tmp_path: Path, named: bool, fresh: bool) -> None:
    def made() -> tuple[Trainer, DataLoader]:
        trainer, loader = training()
        if named:  # one of them by name: the others are found all the same
            trainer.generators = {"batches": loader.rng}
        return trainer, loader

    whole, loader = made()
    whole.fit(loader, None, 4)
    first, loader = made()
    if not fresh:
        first.fit(loader, None, 2)
    save_checkpoint(first, tmp_path / "c.safetensors")  # before fit() too
    again, loader = made()
    if not fresh:
        again.model(mg.Tensor(np.ones((2, 4), "float32")))  # which draws
    load_checkpoint(again, tmp_path / "c.safetensors", loader)
    again.fit(loader, None, 4)
    assert weights(again) == weights(whole)


def test_a_generator_more_or_less_is_another_training(tmp_path: Path) -> None:
    trainer, loader = training()
    trainer.fit(loader, None, 1)
    save_checkpoint(trainer, tmp_path / "c.safetensors")
    other, loader = training(generators={"own": np.random.default_rng(0)})
    with pytest.raises(DataError, match=r"MG-714 .*no generator 'own'"):
        load_checkpoint(other, tmp_path / "c.safetensors", loader)
    other, loader = training()
    other.callbacks[0].rng = None
    with pytest.raises(DataError, match=r"MG-714 .*the generator 'callback\.0\.rng', which is not"):
        load_checkpoint(other, tmp_path / "c.safetensors", loader)


def test_a_checkpoint_of_before_is_read_and_what_it_lacks_is_told(tmp_path: Path) -> None:
    trainer, loader = training()
    trainer.fit(loader, None, 1)
    save_checkpoint(trainer, tmp_path / "c.safetensors")
    arrays, metadata = load_arrays(tmp_path / "c.safetensors")
    text = metadata["state"].replace('"version": 3', '"version": 2')
    start, end = text.index('"generators": {'), text.index('"callbacks"')
    save_arrays(
        tmp_path / "old.safetensors", arrays, {"state": text[:start] + '"generators": {}, ' + text[end:]}
    )
    other, loader = training()
    with pytest.warns(
        MinigradWarning, match=r"MG-714 .*callback\.0\.rng, loader\.rng, model\.1\.source, model\.2\.rng"
    ):
        load_checkpoint(other, tmp_path / "old.safetensors", loader)
    assert other.epoch == 1


class Two(nn.Module):
    """Returns its logits and something else, in a form of one's choice."""

    def __init__(self, form: Any) -> None:
        self.layer, self.form = nn.Linear(4, 3, rng=np.random.default_rng(0)), form

    def forward(self, x: Any) -> Any:
        return self.form(self.layer(x), x)


FORMS = {
    "tuple": (lambda y, x: (y, x), lambda out: out[0]),
    "list": (lambda y, x: [y, x], lambda out: out[0]),
    "dict": (lambda y, x: {"logits": y, "hidden": x}, lambda out: out["logits"]),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_first_of_several_results_is_a_models_output(form: str) -> None:
    make, pick = FORMS[form]
    loss = nn.CrossEntropyLoss()
    model = Two(make)
    trainer = Trainer(model, lambda out, y: loss(pick(out), y), optim.SGD(model, lr=0.1))
    history = trainer.fit(DataLoader(data(), 6), data(), 2)
    plain = nn.Sequential(nn.Linear(4, 3, rng=np.random.default_rng(0)))
    expected = Trainer(plain, loss, optim.SGD(plain, lr=0.1)).fit(DataLoader(data(), 6), data(), 2)
    assert history["val_accuracy"] == expected["val_accuracy"]
    assert history["val_loss"] == expected["val_loss"]


@pytest.mark.parametrize("make", [lambda y, x: ("logits", y), lambda y, x: (), lambda y, x: None])
def test_what_is_no_output_is_named(make: Any) -> None:
    with pytest.raises(ConfigError, match="MG-802 the model returned"):
        evaluate(Two(make), data(), lambda out, y: mg.Tensor(0.0))
