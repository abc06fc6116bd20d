"""The settings of a run: one flat record, checked when it is made, kept as ``config.json`` in the run's folder."""

from __future__ import annotations

import dataclasses
import difflib
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minigrad.errors import ConfigError, DataError
from minigrad.files import read_json

OPTIMIZERS = ("gd", "sgd", "adagrad", "rmsprop", "adam", "adamw", "adam-as-printed")
SCHEDULES = (
    *("constant", "exponential", "exponential-as-printed", "step", "step-as-printed"),
    *("cosine", "plateau"),
)


@dataclass(frozen=True)
class Config:
    """All that decides how a run goes; two runs of one config end with the same bits.

    data : ``digits``, ``mnist``, ``glyphs``, ``line``, or the path of a .csv or .npz file; of recipes that read text
        ``python``, ``shakespeare``, ``names``, or the path of a .txt file.
    hidden, dropout : width of the hidden layers, share of their units dropped; of the recipes that have such layers.
    layers : recurrent layers on top of each other, residual blocks in a stage; context : characters in a window of
        text, of the recipes for text.
    start_from : a finished run's folder or a safetensors file that the first weights come from; empty for none.
    fresh : the parameters that are not taken from there, as names or patterns (``4.*``) separated by commas.
    freeze : the parameters that training leaves as they are, likewise.
    batch_size : samples per batch; 0 for the whole training set at once (gradient descent).
    grow_batch : double the batch size every so many epochs; 0 for never.
    schedule : how ``lr`` changes from epoch to epoch; ``warmup`` epochs of linear growth come first.
    l1, l2 : λ of D1 3.1's penalties, (λ/2m)Σ|w| and (λ/2m)Σw², m the number of training samples.
    elastic, rho : λ and ρ of scikit-learn's ElasticNet penalty.
    weight_decay, momentum, nesterov : settings of the optimizers that know them.
    clip_norm, clip_value : clip the gradient by its global norm, or entry by entry; 0 for not at all.
    accumulate : batches per update.
    patience : end early after so many epochs without a better validation loss, and keep the best; 0 for never.
    validation : share of the training data held out to validate on.
    augment : shift, rotate and blur pictures with noise as they are trained on.
    """

    recipe: str = "mlp-dropout"
    data: str = "digits"
    hidden: int = 128
    dropout: float = 0.2
    layers: int = 1
    context: int = 64
    start_from: str = ""
    fresh: str = ""
    freeze: str = ""
    epochs: int = 1
    batch_size: int = 32
    grow_batch: int = 0
    optimizer: str = "adam"
    lr: float = 0.001
    schedule: str = "constant"
    warmup: int = 0
    l1: float = 0.0
    l2: float = 0.0
    elastic: float = 0.0
    rho: float = 0.5
    weight_decay: float = 0.0
    momentum: float = 0.0
    nesterov: bool = False
    clip_norm: float = 0.0
    clip_value: float = 0.0
    accumulate: int = 1
    patience: int = 0
    validation: float = 0.1
    augment: bool = False
    seed: int = 0
    device: str = "cpu"

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            kind: Any = {"str": str, "int": int, "float": (int, float), "bool": bool}[str(field.type)]
            if not isinstance(value, kind) or (isinstance(value, bool) and field.type != "bool"):
                raise ConfigError(
                    "MG-802", f"{field.name} must be of type {field.type}; got {str(value)[:80]!r}."
                )
            if field.type == "float" and abs(value) < sys.float_info.max:
                object.__setattr__(self, field.name, float(value))  # so that 1 and 1.0 are one config
        for name, allowed in _CHOICES.items():
            check_choice(name, getattr(self, name), allowed)
        for name, (fits, meaning) in _RANGES.items():
            if not fits(getattr(self, name)):
                raise ConfigError("MG-802", f"{name} is {getattr(self, name)!r}; it must be {meaning}.")

    @classmethod
    def names(cls) -> list[str]:
        """Return the names of all settings."""
        return [field.name for field in dataclasses.fields(cls)]

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain data."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any]) -> Config:
        """Make a config of plain data; ConfigError MG-802 names every unknown setting and wrong value."""
        if not isinstance(settings, Mapping):
            raise ConfigError("MG-802", f"a config is a table of settings, not {type(settings).__name__}.")
        known = cls.names()
        unknown = [str(name) for name in settings if name not in known]
        if unknown:
            raise ConfigError("MG-802", f"unknown settings {', '.join(unknown)}. Known: {', '.join(known)}.")
        return cls(**settings)

    @classmethod
    def load(cls, path: Path) -> Config:
        """Read ``config.json``; DataError MG-712 where the file is damaged."""
        try:
            return cls.from_dict(read_json(path))
        except ConfigError as error:
            raise DataError("MG-712", f"{path} is not a run's config: {error.message}") from error


def check_choice(name: str, value: str, allowed: Iterable[str]) -> None:
    """Raise ConfigError MG-802, with every allowed value and the one that was perhaps meant, unless it is one."""
    allowed = list(allowed)
    if value not in allowed:
        near = difflib.get_close_matches(value.lower(), allowed, n=1)
        guess = f" Did you mean {near[0]}?" if near else ""
        raise ConfigError("MG-802", f"{name} is {value[:80]!r}; it can be {', '.join(allowed)}.{guess}")


def _at_least(least: float) -> tuple[Callable[[Any], bool], str]:
    return lambda value: least <= value < 2**31, f"{least:g} or more"


_CHOICES = {"optimizer": OPTIMIZERS, "schedule": SCHEDULES}
_RANGES: dict[str, tuple[Callable[[Any], bool], str]] = {
    **dict.fromkeys(("epochs", "accumulate", "hidden", "layers", "context"), _at_least(1)),
    **dict.fromkeys(("batch_size", "grow_batch", "warmup", "patience", "seed"), _at_least(0)),
    **dict.fromkeys(("l1", "l2", "elastic", "weight_decay", "clip_norm", "clip_value"), _at_least(0)),
    "lr": (lambda value: 0 < value < 1e6, "above 0"),
    **dict.fromkeys(("rho", "momentum"), (lambda value: 0 <= value <= 1, "from 0 to 1")),
    **dict.fromkeys(("validation", "dropout"), (lambda value: 0 <= value < 1, "a share from 0 to below 1")),
}
