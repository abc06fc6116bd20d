"""Which array library and device an array belongs to, the default dtype, and seeded generators.

NumPy is always here. CuPy is imported only when somebody asks for a CUDA device. Everything else in
minigrad writes plain NumPy: NumPy's protocols hand the work to the library that owns the array.
"""

from __future__ import annotations

import sys
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import DTypeLike

from minigrad.errors import DeviceError, DtypeError

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
    _array_types[array_type] = backend
    _devices[device] = backend


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
    return backend.from_numpy(to_numpy(array), device)


_default_dtype: np.dtype[Any] = np.dtype(np.float32)


def default_dtype() -> np.dtype[Any]:
    """Return the dtype that Python floats become: float32 unless ``set_default_dtype`` changed it."""
    return _default_dtype


def set_default_dtype(dtype: DTypeLike) -> None:
    """Set the dtype that Python floats become: float32 or float64; MG-212 on any other."""
    global _default_dtype
    chosen = np.dtype(dtype)
    if chosen not in (np.float32, np.float64):
        raise DtypeError("MG-212", f"the default dtype must be float32 or float64, not {chosen}.")
    _default_dtype = chosen


def unscalar(value: Any) -> Any:
    """Make an array again of the scalar that NumPy turns a 0-dimensional result into, and that cannot be added into."""
    return np.asarray(value) if isinstance(value, np.generic) else value


class Size(int):
    """The number of an array's entries. PyTorch writes its shape as a call of the same name: ``t.size()``."""

    shape: tuple[int, ...]

    def __new__(cls, array: Array) -> Self:
        """Take the size and the shape of an array."""
        size = super().__new__(cls, array.size)
        size.shape = array.shape
        return size

    def __call__(self, dim: int | None = None) -> Any:
        """Return the shape, or one length of it."""
        return self.shape if dim is None else self.shape[dim]

    def __reduce__(self) -> Any:
        return int, (int(self),)


def as_array(data: Any, dtype: DTypeLike | None = None) -> Array:
    """Turn numbers, nested lists and arrays into one array of a known library.

    Arrays keep their dtype. Python floats become the default dtype (float32), Python integers stay integers.
    Raises DtypeError MG-212 where the entries are no numbers (text, objects, ragged lists).
    """
    if backend_of(data) is not None:
        return data if dtype is None else data.astype(dtype, copy=False)
    try:
        array = np.asarray(data, dtype=dtype)
    except (ValueError, TypeError) as error:
        raise DtypeError("MG-212", f"this is not an array of numbers: {str(error).rstrip('.')}.") from error
    if array.dtype.kind not in "biuf":
        raise DtypeError("MG-212", f"a tensor holds real numbers; this data has dtype {array.dtype}.")
    if dtype is None and array.dtype == np.float64 and not isinstance(data, np.generic):
        array = array.astype(_default_dtype)
    return array


def generator(seed: int | np.random.Generator) -> np.random.Generator:
    """Return a seeded PCG64 generator; one that is given already is handed back."""
    return seed if isinstance(seed, np.random.Generator) else np.random.default_rng(seed)
