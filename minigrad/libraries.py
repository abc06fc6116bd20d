"""Which array library and device an array belongs to.

NumPy is always here. CuPy is imported only when somebody asks for a CUDA device. Everything else in
minigrad writes plain NumPy: NumPy's protocols hand the work to the library that owns the array.
"""

from __future__ import annotations

import sys
from typing import Any, Protocol

import numpy as np

from minigrad.errors import DeviceError

Array = Any
"""A NumPy array, a CuPy array, or another array type made known through ``register``."""


class Backend(Protocol):
    """What minigrad needs to know of an array library."""

    def device(self, array: Array) -> str:
        """Name of the device that holds ``array``: ``"cpu"``, ``"cuda:0"`` …"""

    def from_numpy(self, array: np.ndarray[Any, Any], device: str) -> Array:
        """Copy a host array to ``device``."""

    def to_numpy(self, array: Array) -> np.ndarray[Any, Any]:
        """Copy to the host."""

    def special(self) -> Any:
        """The library's module of special functions: ``ndtr``, ``erf``."""

    # what a backend may have beside: ``uniform``, ``seed``, ``found``, ``in_order`` and ``to_device``, in the place of
    # the functions below that go by these names


class _Numpy:
    def device(self, array: Array) -> str:
        return "cpu"

    def from_numpy(self, array: np.ndarray[Any, Any], device: str) -> Array:
        return array

    def to_numpy(self, array: Array) -> np.ndarray[Any, Any]:
        return np.asarray(array)

    def special(self) -> Any:
        import scipy.special

        return scipy.special


class _Cupy:
    def device(self, array: Array) -> str:
        return f"cuda:{array.device.id}"

    def from_numpy(self, array: np.ndarray[Any, Any], device: str) -> Array:
        cupy = _import_cupy(device)
        number = device.partition(":")[2] or "0"
        count = cupy.cuda.runtime.getDeviceCount()
        if not number.isdecimal() or int(number) >= count:
            raise DeviceError(
                "MG-302", f"there is no device {device!r}: this machine has cuda:0..{count - 1}."
            )
        with cupy.cuda.Device(int(number)):
            return cupy.asarray(array)

    def to_numpy(self, array: Array) -> np.ndarray[Any, Any]:
        return np.asarray(array.get())

    def special(self) -> Any:
        import cupyx.scipy.special

        return cupyx.scipy.special


def _import_cupy(device: str) -> Any:
    try:
        import cupy
    except ImportError as error:
        raise DeviceError(
            "MG-302",
            f"device {device!r} needs CuPy, which is not installed. "
            "Install it with: pip install 'minigrad-engine[gpu]', or use device 'cpu'.",
        ) from error
    if not cupy.cuda.is_available():
        raise DeviceError(
            "MG-302",
            f"device {device!r} was asked for, but CuPy finds no CUDA GPU or driver on this machine. "
            "Use device 'cpu'.",
        )
    return cupy


_numpy, _cupy = _Numpy(), _Cupy()
_array_types: dict[type, Backend] = {np.ndarray: _numpy}
_devices: dict[str, Backend] = {"cpu": _numpy, "cuda": _cupy}


def register(array_type: type, device: str, backend: Backend) -> None:
    """Make another array type known, reachable as ``device``."""
    register_type(array_type, backend)
    _devices[device] = backend


def register_type(array_type: type, backend: Backend) -> None:
    """Make another array type known, which is made of others and belongs to no device of its own."""
    _array_types[array_type] = backend


def backend_of(array: Array) -> Backend | None:
    """Return the backend that owns ``array``, or None where it is no array of a known library."""
    found = _array_types.get(type(array))
    if found is None:
        cupy = sys.modules.get("cupy")
        if cupy is not None and isinstance(array, cupy.ndarray):
            _array_types[type(array)] = found = _cupy
        elif isinstance(array, np.ndarray):
            found = _numpy
    return found


def is_numpy(array: Array) -> bool:
    """Whether ``array`` is NumPy's, or of a class that is made from NumPy's."""
    return backend_of(array) is _numpy


def device_of(array: Array) -> str:
    """Name of the device that holds ``array``; a Python number counts as the host's."""
    backend = backend_of(array)
    return "cpu" if backend is None else backend.device(array)


def to_numpy(array: Array) -> np.ndarray[Any, Any]:
    """Return ``array`` on the host; a NumPy array comes back as it is, without a copy."""
    backend = backend_of(array)
    return np.asarray(array) if backend is None else backend.to_numpy(array)


def special(array: Array) -> Any:
    """Return the module of special functions for ``array``: ``scipy.special``, or CuPy's copy of it."""
    return (backend_of(array) or _numpy).special()


def uniform(rng: np.random.Generator, like: Array) -> Array:
    """Draw numbers of float32 in [0, 1), one for each entry of ``like``, to where that lives."""
    draw = getattr(backend_of(like), "uniform", None)
    if draw is not None:
        return draw(rng, like)
    random = rng.random(like.shape, dtype=np.float32)
    return random if type(like) is np.ndarray else to_device(random, device_of(like))


def seed(rng: np.random.Generator, like: Array) -> Array:
    """Draw a whole number from 0 to 2⁶³ - 1, as an array of no axes, to where ``like`` lives."""
    draw = getattr(backend_of(like), "seed", None)
    if draw is not None:
        return draw(rng, like)
    return to_device(np.array(rng.integers(1 << 63), np.int64), device_of(like))


def found(wrong: Array, what: str) -> bool:
    """Tell whether a mask holds anywhere, where ``what`` is wrong then; on a GPU, which it would stall, nobody looks.

    A step that is traced looks again in every replay: so a check by numbers belongs here.
    """
    if isinstance(wrong, (np.ndarray, np.generic)):
        return bool(wrong.any())
    look = getattr(backend_of(wrong), "found", None)
    return look is not None and bool(look(wrong, what))


def in_order(array: Array) -> Array:
    """Return an array of the host's C-contiguous, as loops take it; any other as it is."""
    if type(array) is np.ndarray:
        return np.ascontiguousarray(array)
    make = getattr(backend_of(array), "in_order", None)
    return array if make is None else make(array)


def to_device(array: Array, device: str) -> Array:
    """Return ``array`` on ``device`` (``"cpu"``, ``"cuda"``, ``"cuda:1"``); a copy only where it must move.

    Raises DeviceError MG-302 where there is no such device.
    """
    backend = _devices.get(device.partition(":")[0])
    if backend is None:
        raise DeviceError(
            "MG-302", f"unknown device {device!r}. Known devices: {', '.join(sorted(_devices))}."
        )
    if device_of(array) in (device, f"{device}:0"):
        return array
    move = getattr(backend_of(array), "to_device", None)
    if move is not None:
        return move(array, device)
    return backend.from_numpy(to_numpy(array), device)
