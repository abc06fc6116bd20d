"""A dataset is two whole arrays, the samples ``x`` and their targets ``y``, and what is known of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from minigrad import backend, messages
from minigrad.errors import DataError, DtypeError

Array: TypeAlias = NDArray[Any]
"""A NumPy array of any number type."""


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Samples and targets that belong together, checked once when they are put together.

    Args:
        x: samples, shape (n, features) or (n, ...), any number type; training wants float32, once it is scaled.
        y: targets: class ids 0, 1, 2 ... of an integer type, shape (n,), or floats for regression, shape
            (n,) or (n, outputs).
        classes: the classes' names in the order of their ids, where they are known.
        name: what to call the dataset in messages and pictures.
        image_shape: (height, width), or (height, width, channels), where a sample is a picture, so that it can be drawn
            and augmented.
        unlabelled: how many more rows its file had, which were left out because they have no class.

    Raises:
        DataError: MG-701, the arrays do not fit each other, are empty, hold no numbers, or hold class ids
            that no class has.
    """

    x: Array
    y: Array
    classes: tuple[str, ...] | None = None
    name: str = "data"
    image_shape: tuple[int, ...] | None = None
    unlabelled: int = 0

    def __post_init__(self) -> None:
        self._check_kinds()
        self._check_x()
        self._check_y()
        if self.is_classification:
            self._check_class_ids()

    def __len__(self) -> int:
        return len(self.x)

    def __repr__(self) -> str:
        targets = f"{self.class_count} classes" if self.is_classification else "regression"
        return f"Dataset {self.name!r}: {len(self)} samples, x {self.x.shape} {self.x.dtype}, {targets}"

    @property
    def is_classification(self) -> bool:
        """True where ``y`` holds class ids, False where it holds floats."""
        return self.y.dtype.kind in "iu"

    @property
    def class_count(self) -> int:
        """Number of classes: of their names where they are known, else the highest id plus one."""
        if not self.is_classification:
            raise self._error(f"y is {self.y.dtype}: a regression target has no classes.")
        return int(self.y.max()) + 1 if self.classes is None else len(self.classes)

    def class_name(self, class_id: int) -> str:
        """Return the name of a class: the given one, or the id as text."""
        return str(class_id) if self.classes is None else self.classes[class_id]

    def take(self, indices: NDArray[np.integer[Any]]) -> Dataset:
        """Return the dataset of these samples, copied in this order; names and image shape are kept."""
        return replace(self, x=self.x.take(indices, axis=0), y=self.y.take(indices, axis=0))

    def _check_kinds(self) -> None:
        for field in ("x", "y"):
            given = getattr(self, field)
            if isinstance(given, np.ndarray) and given.dtype.kind in "fiu":
                try:
                    object.__setattr__(self, field, backend.as_array(given))
                except DtypeError as error:
                    raise self._error(f"{field}: {error.message}") from error

    def _check_x(self) -> None:
        if not isinstance(self.x, np.ndarray) or self.x.dtype.kind not in "fiu":
            raise self._error(f"x must be a NumPy array of numbers; got {_describe(self.x)}.")
        if self.x.ndim < 2:
            raise self._error(
                f"x is {self.x.shape}, but the first axis counts samples and the rest are a sample's "
                "features. For one feature write x.reshape(-1, 1)."
            )
        if self.x.size == 0:
            raise self._error(f"x is {self.x.shape}: there is no sample, or no feature, to learn from.")
        if self.image_shape is not None and prod(self.image_shape) != prod(self.x.shape[1:]):
            sides = "x".join(map(str, self.image_shape))
            raise self._error(
                f"image_shape {sides} means {prod(self.image_shape)} values a sample, "
                f"but x is {self.x.shape}: {prod(self.x.shape[1:])} values a sample."
            )

    def _check_y(self) -> None:
        if not isinstance(self.y, np.ndarray) or self.y.dtype.kind not in "fiu":
            raise self._error(
                f"y must be a NumPy array of class ids or floats; got {_describe(self.y)}. "
                "For labels as text: classes, y = np.unique(labels, return_inverse=True)."
            )
        if self.y.ndim == 0 or len(self.y) != len(self.x):
            raise self._error(
                f"x {self.x.shape} and y {self.y.shape} must have the same length: "
                "y[i] is the target of the sample x[i]."
            )

    def _check_class_ids(self) -> None:
        if self.y.ndim != 1:
            raise self._error(
                f"y is {self.y.dtype} of shape {self.y.shape}, but class ids are one number a sample. "
                f"Where they are, {messages.class_ids('y', self.y.shape)}; for a regression target write "
                "y.astype('float32')."
            )
        highest = np.iinfo(self.y.dtype).max if self.classes is None else len(self.classes) - 1
        wrong = np.flatnonzero((self.y < 0) | (self.y > highest))
        if len(wrong):
            upper = "" if self.classes is None else f"..{highest}"
            raise self._error(
                f"class ids must be 0{upper}; found {self.y[wrong[0]]} at index {wrong[0]}"
                f" and {len(wrong) - 1} more. Ids that start at 1? Use y - 1."
            )

    def _error(self, problem: str) -> DataError:
        return DataError("MG-701", f"dataset {self.name!r}: {problem}")


def _describe(value: object) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype} of shape {value.shape}"
    return f"a {type(value).__name__}"
