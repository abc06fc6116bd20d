"""The embedded default dataset: real handwritten digits. Their file and its licence lie beside this module."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from minigrad.data.dataset import Dataset

_FILE = Path(__file__).with_name("digits.npz")


def load_digits() -> Dataset:
    """Return 1797 handwritten digits of 8x8 pixels, those of scikit-learn's ``load_digits``; no network is needed.

    ``x`` is float32 of shape (1797, 64): the raw pixel values 0..16 divided by 16, so 0..1. ``y`` is int64
    of shape (1797,), the digit.

    Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning
    Repository, 1998 (its test set), CC BY 4.0.
    """
    with np.load(_FILE) as arrays:
        pixels, digits = arrays["x"], arrays["y"]
    return Dataset(
        x=pixels.astype(np.float32) / 16,
        y=digits.astype(np.int64),
        classes=tuple("0123456789"),
        name="digits",
        image_shape=(8, 8),
    )
