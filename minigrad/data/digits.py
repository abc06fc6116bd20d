"""The embedded default dataset: scikit-learn's real handwritten digits."""

from __future__ import annotations

import numpy as np

from minigrad.data.dataset import Dataset


def load_digits() -> Dataset:
    """Return the 1797 handwritten digits of 8x8 pixels that scikit-learn ships; no network is needed.

    ``x`` is float32 of shape (1797, 64): the raw pixel values 0..16 divided by 16, so 0..1. ``y`` is int64
    of shape (1797,), the digit.

    Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning
    Repository, 1998 (its test set).
    """
    from sklearn.datasets import load_digits as load

    pixels, digits = load(return_X_y=True)
    return Dataset(
        x=np.divide(pixels, 16, dtype=np.float32),
        y=digits.astype(np.int64),
        classes=tuple("0123456789"),
        name="digits",
        image_shape=(8, 8),
    )
