"""Which weights to keep: those of the largest magnitude. Plain NumPy.

Han et al. 2015, "Learning both weights and connections for efficient neural networks", section 3: what matters least
is what is nearest to 0. One threshold for the whole network ("global") lets each layer keep what it needs; one for
each layer keeps every layer alive.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minigrad.errors import ConfigError

Kept = dict[str, NDArray[np.bool_]]
"""Booleans by the name of the weight, in its shape; True where an entry is kept."""


def kept_by_magnitude(
    weights: Mapping[str, Any], sparsity: float, *, per_layer: bool = False, before: Kept | None = None
) -> Kept:
    """Drop the share ``sparsity`` of all entries, those of the smallest magnitude, and say which are left.

    Exactly round(sparsity · n) entries are dropped, of all n together or, with ``per_layer``, of each weight's n. What
    ``before`` has dropped already is dropped first; of equal magnitudes the earlier entry goes first. Raises
    ConfigError MG-802 where the sparsity is not from 0 to 1.
    """
    check_share("sparsity", sparsity)
    magnitudes = {name: np.abs(np.asarray(weight, dtype=np.float64)) for name, weight in weights.items()}
    for name, dropped in (before or {}).items():
        magnitudes[name] = np.where(dropped, magnitudes[name], -1.0)
    if per_layer:
        return {
            name: _largest(each.ravel(), sparsity).reshape(each.shape) for name, each in magnitudes.items()
        }
    together = _largest(np.concatenate([each.ravel() for each in magnitudes.values()]), sparsity)
    ends = np.cumsum([each.size for each in magnitudes.values()])[:-1]
    parts = np.split(together, ends)
    return {
        name: part.reshape(each.shape) for (name, each), part in zip(magnitudes.items(), parts, strict=True)
    }


def _largest(magnitudes: NDArray[np.float64], sparsity: float) -> NDArray[np.bool_]:
    """True for all but the round(sparsity · n) smallest."""
    drop = round(sparsity * magnitudes.size)
    if drop == 0:
        return np.ones(magnitudes.size, bool)
    threshold = np.partition(magnitudes, drop - 1)[drop - 1]
    kept: NDArray[np.bool_] = magnitudes > threshold
    ties = np.flatnonzero(magnitudes == threshold)
    kept[ties[drop - int(np.sum(magnitudes < threshold)) :]] = True
    return kept


def check_share(name: str, value: float) -> None:
    """Raise ConfigError MG-802 unless ``value`` is a share from 0 to 1."""
    if not 0 <= value <= 1:
        raise ConfigError("MG-802", f"{name} is {value!r}; it must be a share from 0 to 1, such as 0.9.")
