"""The whole state of a training in one file, so that a resumed run ends with the same bits.

The file is safetensors: arrays under ``model/``, ``optimizer/`` and ``callback/N/``; everything else (epoch, step,
history, generator states) as JSON in its metadata. One file can be replaced in one go, so there is never a
checkpoint whose parts are of different epochs.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from minigrad.data import generator_state, load_generator_state
from minigrad.errors import DataError, MinigradError
from minigrad.files import load_arrays, save_arrays
from minigrad.train.callbacks import Callback
from minigrad.train.trainer import Trainer

_VERSION = 1


class Checkpoint(Callback):
    """Save everything that a resumed run needs after an epoch, at most every ``seconds`` seconds."""

    def __init__(self, path: Path, seconds: float = 2.0) -> None:
        self.path, self.seconds = path, seconds
        self.saved = time.monotonic()

    def on_epoch_end(self, trainer: Trainer) -> None:
        """Save where the last save is long enough ago."""
        if time.monotonic() - self.saved >= self.seconds:
            save_checkpoint(trainer, self.path)
            self.saved = time.monotonic()


def save_checkpoint(trainer: Trainer, path: Path) -> None:
    """Write the trainer's state to ``path``, whole or not at all."""
    optimizer = trainer.optimizer.state_dict()
    arrays = _prefixed("model", trainer.model.state_dict())
    arrays |= _prefixed("optimizer", {k: v for k, v in optimizer.items() if isinstance(v, np.ndarray)})
    plain_callbacks = []
    for number, callback in enumerate(trainer.callbacks):
        plain, held = callback.state()
        plain_callbacks.append(plain)
        arrays |= _prefixed(f"callback/{number}", held)
    state = {
        "version": _VERSION,
        "epoch": trainer.epoch,
        "step": trainer.step,
        "stopping": trainer.stopping,
        "last_loss": trainer.last_loss,
        "batch_size": trainer.loader.batch_size,
        "history": trainer.history,
        "optimizer": {k: v for k, v in optimizer.items() if not isinstance(v, np.ndarray)},
        "generators": {name: generator_state(rng) for name, rng in trainer.generators.items()},
        "callbacks": plain_callbacks,
    }
    save_arrays(path, arrays, {"state": json.dumps(state)})


def load_checkpoint(trainer: Trainer, path: Path, loader: Any) -> None:
    """Put a trainer, its model, optimizer, generators and loader into the saved state.

    Raises DataError MG-711 where the file is damaged, MG-714 where it belongs to another training.
    """
    arrays, metadata = load_arrays(path)
    try:
        state = json.loads(metadata["state"])
        if state["version"] != _VERSION:
            raise ValueError(f"version {state['version']}, this minigrad reads version {_VERSION}")
        trainer.model.load_state_dict(_under("model", arrays))
        trainer.optimizer.load_state_dict({**state["optimizer"], **_under("optimizer", arrays)})
        for name, rng in trainer.generators.items():
            load_generator_state(rng, state["generators"][name])
        for number, callback in enumerate(trainer.callbacks):
            callback.load_state(state["callbacks"][number], _under(f"callback/{number}", arrays))
        trainer.history = {str(name): list(values) for name, values in state["history"].items()}
        trainer.epoch, trainer.step = int(state["epoch"]), int(state["step"])
        trainer.stopping, trainer.last_loss = bool(state["stopping"]), float(state["last_loss"])
        loader.batch_size = state["batch_size"]
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        reason = error.message if isinstance(error, MinigradError) else repr(error)
        raise DataError(
            "MG-714",
            f"{path} is not a checkpoint of this training: {reason} "
            "Resume with the settings it was started with, or train anew.",
        ) from error


def _prefixed(prefix: str, arrays: dict[str, Any]) -> dict[str, Any]:
    return {f"{prefix}/{name}": array for name, array in arrays.items()}


def _under(prefix: str, arrays: dict[str, Any]) -> dict[str, Any]:
    start = prefix + "/"
    return {name.removeprefix(start): array for name, array in arrays.items() if name.startswith(start)}
