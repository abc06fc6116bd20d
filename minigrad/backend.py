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


def as_0d_array(value: Any) -> Any:
    """Make an array again of the scalar that NumPy turns a 0-dimensional result into, and that cannot be added into."""
    return np.asarray(value) if isinstance(value, np.generic) else value


def one_like(array: Array) -> Array:
    """Return ones where ``array`` lives; NumPy's ones_like takes twice as long for its own arrays."""
    if type(array) is not np.ndarray:
        return np.ones_like(array)
    one = np.empty(array.shape, array.dtype)
    one.fill(1)
    return one


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


_NUMBERS = frozenset(
    np.dtype(name)
    for name in (
        *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
        *("float16", "float32", "float64"),
    )
)
"""What a tensor may hold, all in this machine's order of bytes."""

_MEANINGS = ("__array_ufunc__", "__array_function__", "__mul__", "__matmul__", "__pow__", "__eq__", "mean")
"""What a subclass of NumPy's arrays changes that gives its entries another meaning, in which no rule would hold."""


def as_array(data: Any, dtype: DTypeLike | None = None) -> Array:
    """Turn numbers, nested lists and arrays into one array of a known library.

    Arrays keep their dtype and are used as they are; what says only where they lie (``np.memmap``) is dropped, and
    the memory stays shared. Numbers in the other order of bytes (``>f4``) are copied into this machine's. Python
    floats become the default dtype (float32), Python integers stay integers.

    Raises DtypeError MG-212, and says what to write, where the entries are no real numbers (complex numbers, text,
    dates, objects, records, ragged lists), are wider than float64, or where the array means something else by its
    arithmetic: masked arrays, ``np.matrix``, arrays with units, in a list too.
    """
    if type(data) is np.ndarray and dtype is None and data.dtype in _NUMBERS:
        return data  # which nearly all are
    backend = backend_of(data)
    if backend is None:
        _refuse_in_lists(data)
        try:
            array = np.asarray(data)
        except (ValueError, TypeError) as error:
            raise DtypeError(
                "MG-212", f"this is not an array of numbers: {str(error).rstrip('.')}."
            ) from error
        if array.dtype == np.float64 and dtype is None and not isinstance(data, np.generic):
            return array.astype(_default_dtype)
    elif backend is _numpy and type(data) is not np.ndarray:
        array = _without_subclass(data)
    else:
        array = data
    if array.dtype not in _NUMBERS:
        array = _as_numbers(array)
    return array if dtype is None else array.astype(real(dtype), copy=False)


def operand(value: Any) -> Any:
    """Return what may stand beside a Tensor: None and single numbers as they are, and what can be an array as one.

    What cannot (a text, a function, an array of a library that is not known here) stays as it is, for the operation to
    say so. Raises DtypeError MG-212 as ``as_array`` does.
    """
    if type(value) is np.ndarray:
        return as_array(value)
    if value is None or isinstance(value, (int, float, str)) or callable(value):
        return value
    if backend_of(value) is None and hasattr(value, "__array__") and not isinstance(value, np.generic):
        return value
    return as_array(value)


def real(dtype: DTypeLike) -> np.dtype[Any]:
    """Return ``dtype`` as one of those that a tensor may have, in this machine's order of bytes; else MG-212."""
    wanted = _native(np.dtype(dtype))
    if wanted not in _NUMBERS:
        raise _no_numbers(wanted, "asked for")
    return wanted


def _without_subclass(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the plain array on the same memory, where the subclass changes nothing but where that lies."""
    kind = type(array)
    if array.dtype not in _NUMBERS:
        array = _as_numbers(array)  # which says more of text and records than their classes do
    if isinstance(array, np.ma.MaskedArray):
        raise DtypeError(
            "MG-212",
            f"this is a masked array of shape {array.shape}, and a tensor has no mask: a mean would divide by all "
            f"{array.size} entries. Fill it, x = m.filled(0), and count what is there by hand: "
            "keep = ~np.ma.getmaskarray(m); loss = (keep * losses).sum() / keep.sum().",
        )
    if any(getattr(kind, name) is not getattr(np.ndarray, name) for name in _MEANINGS):
        raise DtypeError(
            "MG-212",
            f"this is a {kind.__module__.partition('.')[0]}.{kind.__name__} of shape {array.shape}, whose arithmetic "
            "is not that of arrays, so that gradients would be wrong. Write np.asarray(x) for its bare numbers.",
        )
    return array.view(np.ndarray)


def _as_numbers(array: Array) -> Array:
    """Return an array of another dtype as one of ``_NUMBERS``: other byte orders are converted, the rest is refused."""
    native = _native(array.dtype)
    if native not in _NUMBERS:
        raise _no_numbers(native, "given")
    return array.astype(native)


def _native(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return dtype.newbyteorder("=") if dtype.kind in "iuf" else dtype


def _refuse_in_lists(data: Any) -> None:
    """Raise MG-212 for masked arrays and the like in a list, where ``np.asarray`` would drop what they mean."""
    if isinstance(data, (list, tuple)):
        for part in data:
            if part.__class__ is not float and part.__class__ is not int:
                _refuse_in_lists(part)
    elif isinstance(data, np.ndarray) and type(data) is not np.ndarray and backend_of(data) is _numpy:
        _without_subclass(data)


_TEXT = (
    "Numbers in text: x.astype('float32'); names of classes: classes, y = np.unique(x, return_inverse=True)"
)
_INSTEAD = {
    "c": "For its real part write np.real(z), or make two numbers of each: np.stack([z.real, z.imag], axis=-1)",
    "U": _TEXT,
    "T": _TEXT,
    "S": _TEXT,
    "M": "Count from a first date: (x - x.min()) / np.timedelta64(1, 'D')",
    "m": "Count in a unit: x / np.timedelta64(1, 's')",
    "f": "Its digits depend on the machine, and no compiled loop knows it: write x.astype('float64')",
    "O": "Where all of them are numbers write np.array(x, dtype='float32'); a sparse matrix has x.toarray()",
    "V": "Where it is a kind of float write x.astype('float32'); for raw bytes x.view('float32')",
}


def _no_numbers(dtype: np.dtype[Any], how: str) -> DtypeError:
    if dtype.names:
        instead = f"Take one field, x['{dtype.names[0]}'], or np.stack([x[name] for name in x.dtype.names], axis=-1)"
    else:
        instead = _INSTEAD.get(dtype.kind, _INSTEAD["V"])
    return DtypeError(
        "MG-212",
        f"a tensor holds booleans, integers and float16, float32 or float64; {dtype} was {how}. {instead}.",
    )


def generator(seed: int | np.random.Generator) -> np.random.Generator:
    """Return a seeded PCG64 generator; one that is given already is handed back."""
    return seed if isinstance(seed, np.random.Generator) else np.random.default_rng(seed)
