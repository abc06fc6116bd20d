"""Which library and device an array belongs to."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import minigrad as mg
from minigrad import backend
from minigrad.errors import DeviceError, DtypeError
from tests.strict_array import StrictArray


def test_numpy_arrays_are_on_the_cpu():
    a = np.ones(2)
    assert backend.device_of(a) == "cpu"
    assert backend.to_device(a, "cpu") is a
    assert backend.to_numpy(a) is a


def test_subclasses_of_numpy_arrays_and_numbers_are_too():
    assert backend.device_of(np.ma.array([1.0])) == "cpu"
    assert backend.device_of(2.0) == "cpu"
    np.testing.assert_array_equal(backend.to_numpy(2.0), 2.0)


def test_a_registered_type():
    there = backend.to_device(np.arange(3.0), "strict")
    assert type(there) is StrictArray
    assert backend.device_of(there) == "strict"
    assert backend.to_device(there, "strict") is there
    np.testing.assert_array_equal(backend.to_numpy(there), [0, 1, 2])
    t = mg.Tensor(there)
    assert t.data is there
    assert repr(t) == "Tensor([0., 1., 2.], dtype=float64, device='strict')"


@pytest.mark.parametrize("device", ["cuda", "cuda:3", "tpu"])
def test_a_device_that_is_not_there(device, monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)  # as if it were not installed
    with pytest.raises(DeviceError, match=f"MG-302 .*'{device}'") as caught:
        backend.to_device(np.ones(2), device)
    assert "cpu" in str(caught.value)


def test_cupy_is_not_imported_unasked():
    program = "import sys, minigrad; sys.exit('cupy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_as_array_keeps_and_converts():
    a = np.ones(2)
    assert backend.as_array(a) is a
    assert backend.as_array(a, "float64") is a
    assert backend.as_array(a, "float32").dtype == np.float32
    assert backend.as_array([1.0]).dtype == np.float32
    assert backend.as_array([1]).dtype == np.int64
    with pytest.raises(DtypeError, match="MG-212"):
        backend.as_array({"a": 1})


def test_generators():
    g = np.random.default_rng(3)
    assert mg.generator(g) is g
    assert mg.generator(3).integers(1000) == np.random.default_rng(3).integers(1000)
