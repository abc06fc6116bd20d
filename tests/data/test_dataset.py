from __future__ import annotations

import numpy as np
import pytest

from minigrad.data import Dataset
from minigrad.errors import DataError


def make(**changes):
    fields = {"x": np.arange(8, dtype=np.float32).reshape(4, 2), "y": np.array([0, 1, 1, 2])}
    return Dataset(**{**fields, **changes})


def test_length_classes_and_description():
    data = make(classes=("ant", "bee", "cat"), name="pets")
    assert len(data) == 4
    assert data.is_classification
    assert data.class_count == 3
    assert data.class_name(2) == "cat"
    assert repr(data) == "Dataset 'pets': 4 samples, x (4, 2) float32, 3 classes"


def test_without_names_the_ids_name_the_classes():
    data = make()
    assert data.class_count == 3
    assert data.class_name(1) == "1"


def test_float_targets_are_regression():
    data = make(y=np.array([0.5, 1.0, 2.0, 3.0]))
    assert not data.is_classification
    assert "regression" in repr(data)
    with pytest.raises(DataError, match=r"MG-701.*no classes"):
        _ = data.class_count


def test_take_keeps_the_order_and_the_rest():
    data = make(classes=("a", "b", "c"), name="n", image_shape=(1, 2))
    part = data.take(np.array([3, 0]))
    assert part.x.tolist() == [[6, 7], [0, 1]]
    assert part.y.tolist() == [2, 0]
    assert (part.classes, part.name, part.image_shape) == (("a", "b", "c"), "n", (1, 2))
    part.x[0] = -1
    assert data.x[3].tolist() == [6, 7]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"y": np.array([0, 1])}, r"x \(4, 2\) and y \(2,\) must have the same length"),
        ({"y": np.array(1)}, "same length"),
        ({"x": np.zeros((0, 2)), "y": np.zeros(0)}, r"x is \(0, 2\): there is no sample"),
        ({"x": np.zeros((4, 0))}, "no feature"),
        ({"x": np.zeros(4)}, r"x is \(4,\).*reshape\(-1, 1\)"),
        ({"x": [[1.0, 2.0]] * 4}, "NumPy array of numbers; got a list"),
        ({"x": np.array([["a", "b"]] * 4)}, "array of <U1"),
        ({"y": np.array(["a", "b", "a", "b"])}, "return_inverse"),
        ({"y": np.array([True, False, True, False])}, "bool"),
        ({"y": np.eye(4, dtype=int)}, r"int64 of shape \(4, 4\).*argmax"),
        ({"y": np.zeros((4, 1), dtype=int)}, r"int64 of shape \(4, 1\).*y\.ravel\(\)"),
        ({"y": np.array([0, -1, 1, -2])}, "must be 0; found -1 at index 1 and 1 more"),
        ({"y": np.array([1, 2, 3, 2]), "classes": ("a", "b", "c")}, r"0\.\.2; found 3 at index 2 and 0 more"),
        ({"image_shape": (2, 2)}, r"2x2 means 4 values a sample, but x is \(4, 2\): 2 values"),
    ],
)
def test_what_does_not_belong_together_is_refused(changes, message):
    with pytest.raises(DataError, match=message) as raised:
        make(**changes)
    assert raised.value.code == "MG-701"
    assert "dataset 'data'" in str(raised.value)


def test_several_regression_outputs_are_allowed():
    assert make(y=np.zeros((4, 3))).y.shape == (4, 3)
