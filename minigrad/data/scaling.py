"""Normalisation (D2 section 2): scalers that are fitted on the training part and applied to every part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from minigrad.data.dataset import Array
from minigrad.errors import DataError


@dataclass(frozen=True, eq=False)
class Scaler:
    """x -> (x - offset) / scale, one offset and one scale per column, kept in float64.

    Made by ``Standardize.fit`` or ``MinMax.fit``. A column that is constant in the training part has the
    scale 1, so that it becomes 0 and nothing is divided by zero.
    """

    offset: NDArray[np.float64]
    scale: NDArray[np.float64]

    def apply(self, x: Array) -> Array:
        """Return (x - offset) / scale for x of shape (n, columns).

        The result has x's float dtype, and is float32 where x holds integers. Raises DataError MG-709 where x
        has another number of columns than the training part.
        """
        if x.ndim != 2 or x.shape[1] != len(self.offset):
            raise DataError(
                "MG-709",
                f"{type(self).__name__} was fitted on {len(self.offset)} columns; got x {x.shape}. "
                "Every part of the data must have the training part's columns.",
            )
        dtype = x.dtype if x.dtype.kind == "f" else np.dtype(np.float32)
        result = np.subtract(x, self.offset.astype(dtype), dtype=dtype)
        return np.divide(result, self.scale.astype(dtype), out=result)

    def state(self) -> dict[str, Any]:
        """Return the scaler as plain data for JSON, exact to the last bit."""
        return {
            "kind": type(self).__name__,
            "offset": self.offset.tolist(),
            "scale": self.scale.tolist(),
        }


class Standardize(Scaler):
    """x -> (x - mean) / standard deviation: columns of mean 0 and variance 1 (divided by n)."""

    @classmethod
    def fit(cls, x: Array) -> Self:
        """Measure the training part x, shape (n, columns). Raises DataError MG-709 on a NaN or infinity."""
        _check_finite(x, cls.__name__)
        return cls(x.mean(axis=0, dtype=np.float64), _or_one(x, x.std(axis=0, dtype=np.float64)))


class MinMax(Scaler):
    """x -> (x - min) / (max - min): columns of the training part span 0..1; later values may lie outside."""

    @classmethod
    def fit(cls, x: Array) -> Self:
        """Measure the training part x, shape (n, columns). Raises DataError MG-709 on a NaN or infinity."""
        _check_finite(x, cls.__name__)
        low, high = x.min(axis=0).astype(np.float64), x.max(axis=0).astype(np.float64)
        return cls(low, _or_one(x, high - low))


def scaler_from_state(state: dict[str, Any]) -> Scaler:
    """Restore what ``state()`` returned. Raises DataError MG-709 where it is no such thing."""
    kinds: dict[str, type[Scaler]] = {kind.__name__: kind for kind in (Standardize, MinMax)}
    try:
        kind = kinds[state["kind"]]
        offset, scale = np.array(state["offset"], np.float64), np.array(state["scale"], np.float64)
    except (KeyError, TypeError, ValueError) as error:
        raise DataError("MG-709", f"not the state of a scaler ({error!r}): {str(state)[:80]}.") from error
    if offset.ndim != 1 or offset.shape != scale.shape:
        raise DataError(
            "MG-709", f"a scaler's offset {offset.shape} and scale {scale.shape} must be equally long."
        )
    return kind(offset, scale)


def _or_one(x: Array, scale: NDArray[np.float64]) -> NDArray[np.float64]:
    # Compared exactly: the standard deviation of a constant column is often 1e-17 and not 0.
    return np.where(x.min(axis=0) == x.max(axis=0), 1.0, scale)


def _check_finite(x: Array, name: str) -> None:
    if x.ndim != 2 or len(x) == 0:
        raise DataError("MG-709", f"{name} needs x of shape (samples, columns); got {x.shape}.")
    wrong = np.argwhere(~np.isfinite(x))
    if len(wrong):
        row, column = wrong[0]
        raise DataError(
            "MG-709",
            f"{name} cannot measure a column with NaN or infinity: x[{row}, {column}] is {x[row, column]}, "
            f"and {len(wrong) - 1} more. First write: dataset, report = clean(dataset).",
        )
