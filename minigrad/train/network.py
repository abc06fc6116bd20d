"""What has to be known, beside the weights, to use a trained network on new samples."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from minigrad.data import scaler_from_state
from minigrad.data.text import Windows
from minigrad.errors import DataError
from minigrad.files import read_json
from minigrad.train.prepare import Prepared


@dataclass(frozen=True)
class Network:
    """A network's inputs and outputs and what they mean; kept as ``network.json`` in the run's folder.

    inputs, outputs : how many numbers go in and come out.
    classes : the name of each output, or None for a regression.
    image_shape : [height, width] or [height, width, channels] where the inputs are a picture's pixels from 0 to 1, or
        None.
    scaling : the state of the scaler that inputs go through, or None.
    """

    inputs: int
    outputs: int
    classes: list[str] | None
    image_shape: list[int] | None
    scaling: dict[str, Any] | None

    @classmethod
    def of(cls, data: Prepared) -> Network:
        """Read it off the training data."""
        train = data.train
        classes = None
        if train.is_classification:
            classes = [train.class_name(k) for k in range(train.class_count)]
        if classes and isinstance(train, Windows):
            return cls(len(classes), len(classes), classes, None, None)
        outputs = len(classes) if classes else prod(train.y.shape[1:])
        shape = None if train.image_shape is None else list(train.image_shape)
        return cls(prod(train.x.shape[1:]), outputs, classes, shape, data.scaling)

    @classmethod
    def load(cls, path: Path) -> Network:
        """Read ``network.json``; DataError MG-712 where it is damaged."""
        content = read_json(path)
        try:
            network = cls(**content)
            network._check()
        except (TypeError, ValueError, OverflowError) as error:
            reason = error.message if isinstance(error, DataError) else str(error)
            raise DataError(
                "MG-712",
                f"{path} does not describe a network: {reason} Restore it from a copy, or train again.",
            ) from error
        return network

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return dataclasses.asdict(self)

    def _check(self) -> None:
        wanted = {
            "inputs": _is_count(self.inputs),
            "outputs": _is_count(self.outputs),
            "classes": self.classes is None
            or (_is_list(self.classes, str) and len(self.classes) == self.outputs),
            "image_shape": self.image_shape is None
            or (_is_list(self.image_shape, int) and len(self.image_shape) in (2, 3) and min(self.image_shape) > 0
                and prod(self.image_shape) == self.inputs),
        }  # fmt: skip
        for name, fits in wanted.items():
            if not fits:
                raise ValueError(f"{name} is {str(getattr(self, name))[:80]!r}.")
        if self.scaling is not None and len(scaler_from_state(self.scaling).offset) != self.inputs:
            raise ValueError(f"scaling is not for {self.inputs} inputs.")


def _is_count(value: object) -> bool:
    return type(value) is int and value > 0


def _is_list(value: object, kind: type) -> bool:
    return isinstance(value, list) and all(type(item) is kind for item in value)
