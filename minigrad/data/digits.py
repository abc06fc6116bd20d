"""The embedded default dataset: scikit-learn's real handwritten digits."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np

from minigrad.data.dataset import Dataset
from minigrad.errors import DataError


def load_digits() -> Dataset:
    """Return the 1797 handwritten digits of 8x8 pixels that scikit-learn ships; no network is needed.

    ``x`` is float32 of shape (1797, 64): the raw pixel values 0..16 divided by 16, so 0..1. ``y`` is int64
    of shape (1797,), the digit.

    Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning
    Repository, 1998 (its test set).
    """
    table = np.loadtxt(_shipped_file(), delimiter=",", dtype=np.float32)
    return Dataset(
        x=table[:, :-1] / 16,
        y=table[:, -1].astype(np.int64),
        classes=tuple("0123456789"),
        name="digits",
        image_shape=(8, 8),
    )


def _shipped_file() -> Path:
    """Find scikit-learn's file without importing scikit-learn, which would take a second and more."""
    spec = find_spec("sklearn")
    if spec is None or spec.origin is None:
        raise DataError(
            "MG-703",
            "the digits are scikit-learn's, which is not installed. Install it: pip install scikit-learn",
        )
    return Path(spec.origin).parent / "datasets" / "data" / "digits.csv.gz"
