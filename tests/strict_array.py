"""A stand-in for an array on a GPU: it does what CuPy does, and refuses what CuPy refuses.

The numbers lie in a private host array. Nothing reaches them but ``get``; a bare NumPy array beside a StrictArray is
an error; reductions give 0-dimensional arrays, never host scalars; every transfer is counted.
"""

from __future__ import annotations

import operator
from collections import Counter
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from minigrad import backend

copies: Counter[str] = Counter()
_NUMBERS = (int, float, bool, np.number, np.bool_)


class StrictArray(NDArrayOperatorsMixin):
    def __init__(self, host: np.ndarray, base: StrictArray | None = None) -> None:
        self._host = np.asarray(host)
        self.base = base

    shape = property(lambda self: self._host.shape)
    ndim = property(lambda self: self._host.ndim)
    size = property(lambda self: self._host.size)
    dtype = property(lambda self: self._host.dtype)
    flags = property(lambda self: self._host.flags)
    strides = property(lambda self: self._host.strides)
    nbytes = property(lambda self: self._host.nbytes)
    itemsize = property(lambda self: self._host.itemsize)
    T = property(lambda self: _device(self._host.T, self))

    def get(self) -> np.ndarray:
        copies["device to host"] += 1
        return self._host.copy()

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        raise TypeError("Implicit conversion to a NumPy array is not allowed. Please use `.get()` to do it.")

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if getattr(np, ufunc.__name__, None) is not ufunc or method not in ("__call__", "at"):
            return NotImplemented
        if any(hasattr(x, "__array_ufunc__") and not isinstance(x, _KNOWN) for x in inputs):
            return NotImplemented  # another library's array, which may know what to do
        outs = kwargs.get("out", ())
        for x in (*_flat(inputs), *outs):
            _check_operand(x, index=method == "at")
        result = self._work(getattr(ufunc, method), inputs, kwargs)
        return outs[0] if outs else result

    def __array_function__(
        self, function: Any, types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        if not all(issubclass(t, (StrictArray, np.ndarray)) for t in types):
            return NotImplemented
        for x in (*_flat(args), *_flat(tuple(kwargs.values()))):
            _check_operand(x, index=True)
        out = kwargs.get("out")
        result = self._work(function, args, kwargs)
        return result if out is None else out

    def __getitem__(self, index: Any) -> StrictArray:
        for x in _flat(index):
            _check_operand(x, index=True)
        return self._work(operator.getitem, (self, index))

    def __setitem__(self, index: Any, value: Any) -> None:
        for x in (*_flat(index), value):
            _check_operand(x, index=True)
        self._work(operator.setitem, (self, index, value))

    def __bool__(self) -> bool:
        raise TypeError("this would wait for the device; use `.get()`")

    def __iter__(self) -> Any:
        raise TypeError("iterating would copy from the device, one number at a time")

    def __len__(self) -> int:
        return len(self._host)

    def astype(self, dtype: Any, copy: bool = True) -> StrictArray:
        return self if not copy and self.dtype == dtype else self._work(np.ndarray.astype, (self, dtype))

    def copy(self, order: str = "C") -> StrictArray:
        return self._work(np.ndarray.copy, (self, order))

    def reshape(self, *shape: Any) -> StrictArray:
        return self._work(np.ndarray.reshape, (self, *shape))

    def sum(self, axis: Any = None, keepdims: bool = False) -> StrictArray:
        return self._work(np.ndarray.sum, (self,), {"axis": axis, "keepdims": keepdims})

    def _work(self, function: Any, args: Any, options: Any = None) -> Any:
        """Do something on the numbers; everything that is done to them comes through here."""
        return _device(function(*_host(args), **_host(options or {})), self)


_KNOWN = (StrictArray, np.ndarray, np.generic)


def _flat(x: Any) -> list[Any]:
    return [leaf for part in x for leaf in _flat(part)] if isinstance(x, (tuple, list)) else [x]


def _check_operand(x: Any, index: bool) -> None:
    allowed = (StrictArray, *_NUMBERS)
    if index:  # what may stand in an index or among a function's options
        allowed += (slice, tuple, list, str, type, np.dtype, type(None), type(...))
    if not isinstance(x, allowed):
        raise TypeError(f"Unsupported type {type(x)}")


def _host(x: Any) -> Any:
    if isinstance(x, StrictArray):
        return x._host
    if isinstance(x, dict):
        return {name: _host(value) for name, value in x.items()}
    return type(x)(_host(part) for part in x) if isinstance(x, (tuple, list)) else x


def _device(x: Any, source: StrictArray) -> Any:
    if isinstance(x, (np.ndarray, np.generic)):
        owner = None if x.base is None else source if source.base is None else source.base
        return type(source)(x, owner)
    if hasattr(x, "_fields"):
        return type(x)(*(_device(part, source) for part in x))
    return type(x)(_device(part, source) for part in x) if isinstance(x, (tuple, list)) else x


class _Special:
    def __getattr__(self, name: str) -> Any:
        import scipy.special

        function = getattr(scipy.special, name)
        return lambda *arrays: next(x for x in arrays if isinstance(x, StrictArray))._work(function, arrays)


class Library:
    """The library of one kind of such arrays, as ``backend`` knows it."""

    def __init__(self, kind: type[StrictArray], name: str) -> None:
        self.kind, self.name = kind, name

    def device(self, array: StrictArray) -> str:
        return self.name

    def from_numpy(self, array: np.ndarray, device: str) -> StrictArray:
        copies["host to device"] += 1
        return self.kind(array.copy(order="K"))

    def to_numpy(self, array: StrictArray) -> np.ndarray:
        return array.get()

    def special(self) -> Any:
        return _Special()


backend.register(StrictArray, "strict", Library(StrictArray, "strict"))
