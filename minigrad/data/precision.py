"""float32, which networks compute in, for data that float32 can hold; float64 for what it would blur."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from minigrad.data.dataset import Array

_TOLERANCE = 1e-5


def narrowed(x: Array, exact: bool = False) -> Array:
    """Return x of shape (n, ...) as float32, or as float64 where float32 would round away what tells samples apart.

    That is where it rounds some column by more than 1e-5 of what the column spans, or cannot hold it at all: Unix
    times, for instance, of which float32 keeps every 128th second. With ``exact``, where it rounds anything.
    """
    wide: NDArray[np.float64] = x.astype(np.float64, copy=False)
    with np.errstate(over="ignore", invalid="ignore"):
        narrow = wide.astype(np.float32)
        if np.array_equal(narrow, wide, equal_nan=True):
            return narrow
        known = np.isfinite(wide)
        error = np.where(known, np.abs(narrow - wide), 0).max(axis=0)
        low, high = np.where(known, wide, np.inf).min(axis=0), np.where(known, wide, -np.inf).max(axis=0)
        blurred = (error > _TOLERANCE * (high - low)) & (high > low) | np.isinf(error)
    return wide if exact or blurred.any() else narrow
