from __future__ import annotations

from itertools import islice

import numpy as np

from minigrad.bench.data import batches, initial_weights
from minigrad.bench.grid import Row

ROW = Row((40, 8, 10), 300, "sgd")


def test_everybody_gets_the_same() -> None:
    for (x, y), (other_x, other_y) in islice(zip(batches(ROW), batches(ROW), strict=True), 3):
        np.testing.assert_array_equal(x, other_x)
        np.testing.assert_array_equal(y, other_y)
    for (w, b), (other_w, other_b) in zip(initial_weights(ROW), initial_weights(ROW), strict=True):
        np.testing.assert_array_equal(w, other_w)
        np.testing.assert_array_equal(b, other_b)
        assert w.dtype == b.dtype == np.float32


def test_no_batch_comes_twice() -> None:
    sums = [float(x.sum(dtype=np.float64)) for x, _ in islice(batches(ROW), 50)]
    assert len(set(sums)) == 50


def test_labels_follow_the_largest_stretch_save_for_the_noise() -> None:
    x, y = next(batches(ROW))
    largest = np.argmax([x[:, 4 * k : 4 * k + 4].sum(axis=1) for k in range(10)], axis=0)
    assert 0.8 < np.mean(y == largest) < 0.97  # a tenth is drawn anew, of which a tenth is right
    assert y.min() == 0
    assert y.max() == 9
