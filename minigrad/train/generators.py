"""The generators that a training draws from: those it was given by name, and those that its parts hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from minigrad.data import DataLoader, generator_state, load_generator_state
from minigrad.errors import warn
from minigrad.train.training import Training

Generators = dict[str, np.random.Generator]


def generators_of(trainer: Training, loader: DataLoader | None) -> Generators:
    """Return every generator once: by the name it was given, else by its place, as in ``model.2.rng``."""
    found: Generators = {}
    for name, rng in (*trainer.generators.items(), *_held(trainer, loader)):
        if not any(rng is other for other in found.values()):
            found[name] = rng
    return found


def states(generators: Generators) -> dict[str, dict[str, Any]]:
    """Return the generators' states as plain data for JSON."""
    return {name: generator_state(rng) for name, rng in generators.items()}


def load_states(generators: Generators, saved: Mapping[str, Any], *, complete: bool) -> None:
    """Put the generators into their saved states; LookupError where one of them, or of the saved, has none.

    A file that is not ``complete``, as those of before, may lack some: then a warning says which go on from where
    they are (MG-714).
    """
    gone, new = saved.keys() - generators.keys(), generators.keys() - saved.keys()
    if gone or (new and complete):
        which = (
            f"the generator {min(gone)!r}, which is not" if gone else f"no generator {min(new)!r}, which is"
        )
        raise LookupError(f"it holds {which} in this training")
    if new:
        warn(
            "MG-714",
            f"the checkpoint does not hold {', '.join(sorted(new))}: what is drawn from there goes on as it is now, "
            "and the training does not end with the bits that it would have had.",
        )
    for name, state in saved.items():
        load_generator_state(generators[name], state)


def _held(trainer: Training, loader: DataLoader | None) -> Iterator[tuple[str, np.random.Generator]]:
    parts: dict[str, Any] = {}
    for name, module in trainer.model.named_modules().items():
        parts[f"model.{name}" if name else "model"] = module
    parts |= {
        "loss": trainer.loss,
        "penalty": trainer.penalty,
        "optimizer": trainer.optimizer,
        "loader": loader,
    }
    parts |= {f"callback.{number}": callback for number, callback in enumerate(trainer.callbacks)}
    for place, part in parts.items():
        for name, value in getattr(part, "__dict__", {}).items():
            if isinstance(value, np.random.Generator):
                yield f"{place}.{name}", value
