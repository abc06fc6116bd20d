from __future__ import annotations

import subprocess
import sys

import numpy as np

from minigrad.data import load_digits


def test_the_digits_are_scikit_learns_divided_by_16():
    from sklearn.datasets import load_digits as reference

    raw = reference()
    data = load_digits()
    assert data.x.shape == (1797, 64)
    assert data.x.dtype == np.float32
    assert data.y.dtype == np.int64
    assert np.array_equal(data.x * 16, raw.data)
    assert np.array_equal(data.y, raw.target)
    assert (data.x.min(), data.x.max()) == (0, 1)
    assert data.classes == tuple("0123456789")
    assert data.image_shape == (8, 8)


def test_scikit_learn_and_pooch_are_imported_only_when_needed():
    code = (
        "import sys, minigrad.data; print([m for m in ('sklearn', 'pooch', 'requests') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
