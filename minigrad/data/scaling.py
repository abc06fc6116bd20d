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
        """Return (x - offset) / scale for x of shape (n, columns), computed in float64.

        The result has x's float dtype, and is float32 where x holds integers: cast after scaling, not before, for
        float32 cannot tell large numbers with small differences apart. Raises DataError MG-709 where x has another
        number of columns than the training part.
        """
        if x.ndim != 2 or x.shape[1] != len(self.offset):
            raise DataError(
                "MG-709",
                f"{type(self).__name__} was fitted on {len(self.offset)} columns; got x {x.shape}. "
                "Every part of the data must have the training part's columns.",
            )
        dtype = x.dtype if x.dtype.kind == "f" else np.dtype(np.float32)
        with np.errstate(over="ignore"):
            result = np.subtract(x, self.offset, dtype=np.float64)
            return np.divide(result, self.scale, out=result).astype(dtype, copy=False)

    @property
    def input_dtype(self) -> np.dtype[Any]:
        """float32 where it keeps numbers like the training part's to a thousandth of their scale; else float64."""
        rounding = np.spacing(np.abs(self.offset).astype(np.float32)) / 2
        return np.dtype(np.float64 if (rounding > 1e-3 * self.scale).any() else np.float32)

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
        unit = _power_of_two(x)
        values = np.divide(x, unit, dtype=np.float64)
        mean = values.mean(axis=0)
        values -= mean
        width = _power_of_two(values)
        deviation = np.sqrt(np.square(values / width).mean(axis=0))
        return cls(mean * unit, _or_one(x, deviation * width * unit))


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


def _power_of_two(x: Array) -> NDArray[np.float64]:
    """One above each column's largest size: divided by it, no sum or square overflows or vanishes, and none rounds."""
    _, exponent = np.frexp(np.maximum(x.max(axis=0), -x.min(axis=0).astype(np.float64)))
    power: NDArray[np.float64] = np.ldexp(1.0, np.clip(exponent, -1000, 1000))
    return power


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
