"""The arrays below the tensors: numbers and lists made into one, the default dtype, seeded generators.

Which library and device an array belongs to is found out in ``libraries.py``, and offered here too.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike

from minigrad.errors import DtypeError
from minigrad.libraries import Array as Array
from minigrad.libraries import Backend as Backend
from minigrad.libraries import backend_of as backend_of
from minigrad.libraries import device_of as device_of
from minigrad.libraries import is_numpy
from minigrad.libraries import register as register
from minigrad.libraries import special as special
from minigrad.libraries import to_device as to_device
from minigrad.libraries import to_numpy as to_numpy
from minigrad.numeric import NUMBERS, as_numbers, refuse_in_lists, without_subclass
from minigrad.numeric import real as real

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


def as_array(data: Any, dtype: DTypeLike | None = None) -> Array:
    """Turn numbers, nested lists and arrays into one array of a known library.

    Arrays keep their dtype and are used as they are; what says only where they lie (``np.memmap``) is dropped, and
    the memory stays shared. Numbers in the other order of bytes (``>f4``) are copied into this machine's. Python
    floats become the default dtype (float32), Python integers stay integers.

    Raises DtypeError MG-212, and says what to write, where the entries are no real numbers (complex numbers, text,
    dates, objects, records, ragged lists), are wider than float64, or where the array means something else by its
    arithmetic: masked arrays, ``np.matrix``, arrays with units, in a list too.
    """
    if type(data) is np.ndarray and dtype is None and data.dtype in NUMBERS:
        return data  # which nearly all are
    backend = backend_of(data)
    if backend is None:
        refuse_in_lists(data)
        try:
            array = np.asarray(data)
        except (ValueError, TypeError) as error:
            raise DtypeError(
                "MG-212", f"this is not an array of numbers: {str(error).rstrip('.')}."
            ) from error
        if array.dtype == np.float64 and dtype is None and not isinstance(data, np.generic):
            return array.astype(_default_dtype)
    elif is_numpy(data) and type(data) is not np.ndarray:
        array = without_subclass(data)
    else:
        array = data
    if array.dtype not in NUMBERS:
        array = as_numbers(array)
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


def generator(seed: int | np.random.Generator) -> np.random.Generator:
    """Return a seeded PCG64 generator; one that is given already is handed back."""
    return seed if isinstance(seed, np.random.Generator) else np.random.default_rng(seed)
