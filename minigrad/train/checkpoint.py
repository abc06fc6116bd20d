"""The whole state of a training in one file, so that a resumed run ends with the same bits.

The file is safetensors: arrays under ``model/``, ``optimizer/`` and ``callback/N/``; everything else (epoch, step,
history, generator states) as JSON in its metadata. One file can be replaced in one go, so there is never a
checkpoint whose parts are of different epochs.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from minigrad.data import DataLoader
from minigrad.errors import ConfigError, DataError, MinigradError
from minigrad.files import load_arrays, save_arrays
from minigrad.train.callbacks import Callback
from minigrad.train.generators import generators_of, load_states, states
from minigrad.train.training import Training

_VERSION = 3
_NAMED_ALONE = (
    2  # the last version that held no other generators than those that the trainer was given by name
)


class Checkpoint(Callback):
    """Save everything that a resumed run needs after an epoch, at most every ``seconds`` seconds.

    ``settings`` are what the training was built from; a checkpoint fits no training with others.
    """

    def __init__(self, path: Path, seconds: float = 0.5, settings: Mapping[str, Any] | None = None) -> None:
        self.path, self.seconds, self.settings = path, seconds, settings
        self.saved = time.monotonic()

    def on_epoch_end(self, trainer: Training) -> None:
        """Save where the last save is long enough ago."""
        if time.monotonic() - self.saved >= self.seconds:
            save_checkpoint(trainer, self.path, self.settings)
            self.saved = time.monotonic()


def save_checkpoint(trainer: Training, path: Path, settings: Mapping[str, Any] | None = None) -> None:
    """Write the trainer's state to ``path``, whole or not at all; ``settings`` as in ``Checkpoint``.

    The states of all generators are in it that the trainer was given or that the loader, the model's layers, the loss
    or a callback hold as an attribute.
    """
    optimizer = trainer.optimizer.state_dict()
    loader: DataLoader | None = getattr(trainer, "loader", None)  # before fit() there is none
    arrays = _prefixed("model", trainer.model.state_dict())
    arrays |= _prefixed("optimizer", {k: v for k, v in optimizer.items() if isinstance(v, np.ndarray)})
    plain_callbacks = []
    for number, callback in enumerate(trainer.callbacks):
        plain, held = callback.state()
        plain_callbacks.append(plain)
        arrays |= _prefixed(f"callback/{number}", held)
    state = {
        "version": _VERSION,
        "settings": settings,
        "epoch": trainer.epoch,
        "step": trainer.step,
        "stopping": trainer.stopping,
        "last_loss": trainer.last_loss,
        "rate": trainer.rate,
        "seconds": trainer.seconds(),
        "divergence": trainer.divergence.state(),
        "batch_size": loader and loader.batch_size,
        "history": trainer.history,
        "optimizer": {k: v for k, v in optimizer.items() if not isinstance(v, np.ndarray)},
        "generators": states(generators_of(trainer, loader)),
        "callbacks": plain_callbacks,
    }
    save_arrays(path, arrays, {"state": json.dumps(state)})


def load_checkpoint(
    trainer: Training, path: Path, loader: DataLoader, settings: Mapping[str, Any] | None = None
) -> None:
    """Put a trainer, its model, optimizer, generators and loader into the saved state.

    Raises DataError MG-711 where the file is damaged, MG-714 where it belongs to another training.
    """
    arrays, metadata = load_arrays(path)
    try:
        state = json.loads(metadata["state"])
        if state["version"] not in range(1, _VERSION + 1):
            raise ValueError(f"version {state['version']}, this minigrad reads version {_VERSION}")
        _compare(state["settings"], settings)
        trainer.model.load_state_dict(_under("model", arrays))
        trainer.optimizer.load_state_dict({**state["optimizer"], **_under("optimizer", arrays)})
        used = (
            loader if state["batch_size"] else None
        )  # which a training has not had that was saved before fit()
        load_states(
            generators_of(trainer, used), state["generators"], complete=state["version"] > _NAMED_ALONE
        )
        for number, callback in enumerate(trainer.callbacks):
            callback.load_state(state["callbacks"][number], _under(f"callback/{number}", arrays))
        trainer.epoch, trainer.step = int(state["epoch"]), int(state["step"])
        trainer.history = _checked_history(state["history"], trainer.epoch)
        trainer.stopping, trainer.last_loss = bool(state["stopping"]), float(state["last_loss"])
        if used is not None:
            used.batch_size = state["batch_size"]
        if state["version"] > 1:  # before, these were forgotten
            trainer.rate, trainer.seconds_before = float(state["rate"]), float(state["seconds"])
            trainer.divergence.load_state(state["divergence"])
    except (LookupError, TypeError, ValueError, OverflowError, AttributeError, RuntimeError) as error:
        reason = error.message if isinstance(error, MinigradError) else f"{error!r}."
        raise DataError(
            "MG-714",
            f"{path} is not a checkpoint of this training: {reason} "
            "Resume with the settings it was started with, or train anew.",
        ) from error


def _compare(saved: Mapping[str, Any] | None, now: Mapping[str, Any] | None) -> None:
    if saved != now:
        saved, now = saved or {}, now or {}
        changed = [
            f"{name} was {saved.get(name)!r} and is {now.get(name)!r} now"
            for name in {**saved, **now}
            if saved.get(name) != now.get(name)
        ]
        raise ConfigError("MG-803", f"{'; '.join(changed)}.")


def _checked_history(history: Mapping[str, list[Any]], epochs: int) -> dict[str, list[Any]]:
    for name, values in history.items():
        if len(values) != epochs or not all(v is None or isinstance(v, (int, float)) for v in values):
            raise ValueError(f"the history's {name} is not one number for each of {epochs} epochs")
    return {name: list(values) for name, values in history.items()}


def _prefixed(prefix: str, arrays: dict[str, Any]) -> dict[str, Any]:
    return {f"{prefix}/{name}": array for name, array in arrays.items()}


def _under(prefix: str, arrays: dict[str, Any]) -> dict[str, Any]:
    start = prefix + "/"
    return {name.removeprefix(start): array for name, array in arrays.items() if name.startswith(start)}
