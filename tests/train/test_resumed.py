"""A resumed training is in every respect the one that was never interrupted: weights, history, warnings, callbacks."""

from __future__ import annotations

import dataclasses
import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from minigrad.errors import MinigradWarning
from minigrad.files import load_arrays, save_arrays
from minigrad.train.build import Session, build, load_data
from minigrad.train.callbacks import Callback
from minigrad.train.checkpoint import load_checkpoint, save_checkpoint
from minigrad.train.config import Config
from minigrad.train.prepare import Prepared

EPOCHS = 6
SETTINGS: dict[str, dict[str, Any]] = {
    "a small loss that is noisy": {"recipe": "mlp-sgd", "lr": 0.2, "batch_size": 4, "epochs": 20},
    "a loss that grows": {"recipe": "mlp-sgd", "optimizer": "gd", "batch_size": 0, "lr": 20.0, "epochs": 40},
    "stopping early": {"patience": 2, "lr": 0.05},
    "patience that outlasts": {"patience": 5, "lr": 0.02},
    "plateau": {"schedule": "plateau", "lr": 0.05, "epochs": 16},
    "growing batches": {"grow_batch": 2, "warmup": 2, "schedule": "cosine"},
    "augmented, accumulated": {"augment": True, "accumulate": 3, "clip_value": 0.1},
    "penalties": {"l2": 0.1, "optimizer": "sgd", "momentum": 0.9, "clip_norm": 0.5},
    "a suspicious start": {"recipe": "deep-adam", "lr": 0.1, "l1": 5000.0},
}


@pytest.fixture(autouse=True)
def _anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("minigrad.errors._warned", set())


@pytest.fixture(scope="module")
def data() -> Prepared:
    """A few digits, since 6 epochs of all take a second each time."""
    whole = load_data(Config(**{"data": "digits", "validation": 0.1}))
    return dataclasses.replace(whole, train=whole.train.take(np.arange(200)))


class Kept(Callback):
    """Saves a checkpoint after each epoch, as the trainer's last callback, so that every one can be gone on from."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def on_epoch_end(self, trainer: Any) -> None:
        save_checkpoint(trainer, self.folder / f"{trainer.epoch}.safetensors")


def session_of(settings: dict[str, Any], data: Prepared) -> Session:
    return build(Config.from_dict({"epochs": EPOCHS, "batch_size": 16, "validation": 0.1, **settings}), data)


def fit(session: Session, told: list[str], folder: Path) -> None:
    session.trainer.callbacks.append(Kept(folder))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        session.trainer.fit(session.loader, session.data.validation, session.config.epochs)
    told += [str(w.message) for w in caught if issubclass(w.category, MinigradWarning)]


def knowledge(session: Session) -> dict[str, Any]:
    """All that the trainer and its callbacks know, by attribute, but for what they are built of and the time."""
    built = {
        "model",
        "loss",
        "optimizer",
        "callbacks",
        "penalty",
        "generators",
        "loader",
        "seconds_before",
        "began",
        "strategy",
        "compiling",
    }
    found = {name: value for name, value in vars(session.trainer).items() if name not in built}
    found["divergence"] = vars(session.trainer.divergence)
    for callback in session.trainer.callbacks[:-1]:
        found[type(callback).__name__] = vars(callback)
    return found


def same(a: Any, b: Any) -> bool:
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return np.array_equal(a, b) if isinstance(a, np.ndarray) else bool(a == b)


def differences(a: dict[str, Any], b: dict[str, Any]) -> Iterator[str]:
    for name in a.keys() | b.keys():
        if not same(a.get(name), b.get(name)):
            yield f"{name}: {a.get(name)} and {b.get(name)}"


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_wherever_it_is_gone_on_from(
    settings: dict[str, Any], data: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, told = session_of(settings, data), []
    fit(whole, told, tmp_path)
    ended = whole.trainer.epoch
    for epoch in sorted({1, ended // 2, ended - 1}):
        monkeypatch.setattr("minigrad.errors._warned", set())  # as in another process
        again, told_again = session_of(settings, data), []
        load_checkpoint(again.trainer, tmp_path / f"{epoch}.safetensors", again.loader)
        before = [text for text in told if _step_of(text) <= again.trainer.step]
        fit(again, told_again, tmp_path)
        assert before + told_again == told
        assert again.trainer.history == whole.trainer.history
        assert list(differences(knowledge(again), knowledge(whole))) == []
        assert again.loader.batch_size == whole.loader.batch_size
        assert same(again.trainer.optimizer.state_dict(), whole.trainer.optimizer.state_dict())
        assert same(again.model.state_dict(), whole.model.state_dict())
    expected = {"a loss that grows": ["MG-405"], "a suspicious start": ["MG-404"]}
    name = next(name for name, each in SETTINGS.items() if each is settings)
    assert [text[:6] for text in told] == expected.get(name, [])


def _step_of(text: str) -> int:
    return int(text.partition(" after ")[2].partition(" ")[0]) if text.startswith("MG-405") else 1


def test_the_seconds_go_on_and_an_older_checkpoint_is_read(data: Prepared, tmp_path: Path) -> None:
    first = session_of({}, data)
    fit(first, [], tmp_path)
    again = session_of({"epochs": 8}, data)
    load_checkpoint(again.trainer, tmp_path / "6.safetensors", again.loader)
    before = again.trainer.seconds()
    assert 0 < before <= first.trainer.seconds()
    fit(again, [], tmp_path)
    assert before < again.trainer.seconds() < before + 60
    arrays, texts = load_arrays(tmp_path / "6.safetensors")
    state = json.loads(texts["state"])
    for name in ("rate", "seconds", "divergence"):
        del state[name]
    save_arrays(tmp_path / "old.safetensors", arrays, {"state": json.dumps({**state, "version": 1})})
    old = session_of({}, data)
    load_checkpoint(old.trainer, tmp_path / "old.safetensors", old.loader)
    assert old.trainer.epoch == 6
