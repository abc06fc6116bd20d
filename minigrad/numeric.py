"""Numbers, lists and arrays made into one array of numbers that a tensor may hold, or refused (MG-212)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from minigrad.errors import DtypeError
from minigrad.libraries import Array, backend_of, is_numpy

_NUMBERS = frozenset(
    np.dtype(name)
    for name in (
        *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
        *("float16", "float32", "float64"),
    )
)
"""What a tensor may hold, all in this machine's order of bytes."""

_DOUBLE = np.dtype(np.float64)

_MEANINGS = ("__array_ufunc__", "__array_function__", "__mul__", "__matmul__", "__pow__", "__eq__", "mean")
"""What a subclass of NumPy's arrays changes that gives its entries another meaning, in which no rule would hold."""


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
    if backend_of(data) is None:
        _refuse_in_lists(data)
        try:
            array = np.asarray(data)
        except (ValueError, TypeError) as error:
            raise DtypeError(
                "MG-212", f"this is not an array of numbers: {str(error).rstrip('.')}."
            ) from error
        if array.dtype == np.float64 and dtype is None and not isinstance(data, np.generic):
            return array.astype(_default_dtype)
    elif is_numpy(data) and type(data) is not np.ndarray:
        array = _without_subclass(data)
    else:
        array = data
    if array.dtype not in _NUMBERS:
        array = _as_numbers(array)
    return array if dtype is None else array.astype(real(dtype), copy=False)


def operand(value: Any) -> Any:
    """Return what may stand beside a Tensor: None and single numbers as they are, and what can be an array as one.

    A scalar of NumPy's is the Python number that it is, so that ``x / np.sqrt(d)`` stays float32 where x is.

    What cannot (a text, a function, an array of a library that is not known here) stays as it is, for the operation to
    say so. Raises DtypeError MG-212 as ``as_array`` does.
    """
    if type(value) is np.ndarray:
        return as_array(value)
    if isinstance(value, np.generic) and value.dtype in _NUMBERS:
        return value.item()
    if value is None or isinstance(value, (int, float, str)) or callable(value):
        return value
    if backend_of(value) is None and hasattr(value, "__array__") and not isinstance(value, np.generic):
        return value
    return as_array(value)


def narrow(arrays: Sequence[Array]) -> list[Array] | None:
    """Return arrays of which whole numbers alone made a result float64 with the whole numbers in the others' floats.

    NumPy holds that float32 is too narrow for int64; PyTorch, and training, that one integer must not make a network
    run in float64. None where a float64 is among them, or nothing but whole numbers.
    """
    floats, whole = [], False
    for a in arrays:
        dtype = getattr(a, "dtype", None)
        if dtype is _DOUBLE:  # soon, as this runs for every operation in float64
            return None
        if dtype is not None and dtype.kind == "f":
            floats.append(dtype)
        elif dtype is not None and dtype.kind in "iu":
            whole = True
    if not (floats and whole):
        return None
    widest = np.result_type(*floats)
    return [a.astype(widest) if getattr(a, "dtype", widest).kind in "iu" else a for a in arrays]


def real(dtype: DTypeLike) -> np.dtype[Any]:
    """Return ``dtype`` as one of those that a tensor may have, in this machine's order of bytes; else MG-212."""
    chosen = _native(np.dtype(dtype))
    if chosen not in _NUMBERS:
        raise _no_numbers(chosen, "asked for")
    return chosen


def holds(dtype: np.dtype[Any]) -> bool:
    """Whether a tensor can have this dtype."""
    return _native(dtype) in _NUMBERS


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
    elif isinstance(data, np.ndarray) and type(data) is not np.ndarray and is_numpy(data):
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
