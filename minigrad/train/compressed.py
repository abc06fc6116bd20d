"""Compressed runs: how a network was made smaller, kept beside its weights and inside their file; new runs."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from minigrad import nn
from minigrad.claims import LOCK
from minigrad.compress import quantized, units
from minigrad.errors import ConfigError, DataError
from minigrad.files import atomic_folder, read_json

COMPRESSION = "compression.json"
BEGUN = "begun.json"
"""What a run that is being made from another one goes on with; a run that is finished has none."""


@dataclass(frozen=True)
class Compression:
    """What became of a recipe's network; ``compression.json`` of a pruned or quantised run.

    units : the number of units left in each hidden layer from which some were removed, by its name.
    int8 : whether the dense layers are 8-bit integers (``compress.QuantizedLinear``).
    steps : what was done, in order, with its settings, for people to read.
    """

    units: dict[str, int] = field(default_factory=dict)
    int8: bool = False
    steps: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        fits = isinstance(self.units, dict) and isinstance(self.int8, bool) and isinstance(self.steps, list)
        if not fits or not all(isinstance(step, dict) for step in self.steps):
            raise TypeError("units has to be a table, int8 true or false, and steps a list of tables.")

    @classmethod
    def of(cls, folder: Path) -> Compression:
        """Read that of a run; of one that is not compressed, nothing was done."""
        path = folder / COMPRESSION
        if not path.exists():
            return cls()
        try:
            return cls(**read_json(path))
        except TypeError as error:
            raise _unreadable(path, str(error)) from error

    def then(self, **step: Any) -> Compression:
        """Return this with one step more; ``units`` and ``int8`` among its settings become the network's."""
        form = {name: step[name] for name in ("units", "int8") if name in step}
        return dataclasses.replace(self, steps=[*self.steps, step], **form)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return dataclasses.asdict(self)

    def form(self, model: nn.Module) -> nn.Module:
        """Return a copy of a recipe's network in this form, ready for its weights."""
        model = units.with_widths(model, self.units) if self.units else model
        return quantized.prepared(model) if self.int8 else model

    @property
    def is_pruned(self) -> bool:
        """Whether single weights were pruned on the way."""
        return any("sparsity" in step for step in self.steps)


def restored(model: nn.Module, folder: Path, texts: Mapping[str, str]) -> nn.Module:
    """Bring a recipe's network into the form of the run in ``folder``; ``texts`` stand in its weight file.

    Raises DataError MG-717 where ``compression.json`` is not what the weights were written with, MG-712 where it does
    not describe this network.
    """
    path = folder / COMPRESSION
    content = read_json(path) if path.exists() else None
    written = texts.get(COMPRESSION)
    if written != (None if content is None else json.dumps(content)):
        raise DataError(
            "MG-717",
            f"{path} is not what the weights beside it were written with: one of the two was changed, lost, or comes "
            "from another run. Restore it from a copy, or compress the original run again.",
        )
    if content is None:
        return model
    try:
        return Compression.of(folder).form(model)
    except ConfigError as error:
        raise _unreadable(path, error.message) from error


def _unreadable(path: Path, reason: str) -> DataError:
    return DataError(
        "MG-712", f"{path} does not describe a compressed network: {reason} Restore it from a copy."
    )


def refuse_begun(folder: Path) -> None:
    """Raise DataError MG-715 where the run in ``folder`` is being made from another one, and not finished."""
    if (folder / BEGUN).exists():
        raise DataError(
            "MG-715", f"the run {folder} is not finished. Continue it: minigrad prune --resume {folder}"
        )


def check_free(folder: Path) -> None:
    """Raise ConfigError MG-804 where ``folder``, which is claimed, holds something already."""
    if (folder / BEGUN).exists():
        raise ConfigError(
            "MG-804",
            f"{folder} holds a run already, which is not finished. Continue it with minigrad prune --resume {folder}, "
            "or choose another --out.",
        )
    if set(os.listdir(folder)) - {LOCK}:
        raise ConfigError(
            "MG-804", f"{folder} is not empty, and nothing in it is overwritten. Choose another --out."
        )


@contextmanager
def new_run(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder that becomes ``folder`` once all is in it; ConfigError MG-804 where it is taken."""
    with atomic_folder(folder) as temporary:
        check_free(folder)
        yield temporary
