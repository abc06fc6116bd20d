"""The registry of kernels, and the one place that picks a dialect.

A kernel is one function on bare arrays in up to three dialects with one signature: a NumPy reference, a loop
for Numba and a CUDA kernel. The array types of a call decide: NumPy arrays go to Numba, CuPy arrays to CUDA,
and whatever those cannot take (no Numba, a strided view, a Tensor, a tracer) goes to the reference.
``MINIGRAD_KERNELS=reference`` in the environment, or ``with reference_only():``, forces the reference.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

Dialect = Callable[..., Any]

kernels: dict[str, Kernel] = {}
"""Every registered kernel by name."""

_COMPILED_DTYPES = frozenset(np.dtype(name) for name in ("float32", "float64", "int32", "int64"))


def _reference_in_environment() -> bool:
    choice = os.environ.get("MINIGRAD_KERNELS", "auto")
    if choice not in ("auto", "reference"):
        raise ValueError(f"MINIGRAD_KERNELS is {choice!r}; it must be 'auto' (the default) or 'reference'")
    return choice == "reference"


_reference_only: ContextVar[bool] = ContextVar("reference_only", default=_reference_in_environment())  # noqa: B039


def reference_is_forced() -> bool:
    """Tell whether every kernel runs its reference here and now."""
    return _reference_only.get()


@contextmanager
def reference_only() -> Iterator[None]:
    """Run every kernel's NumPy reference inside the ``with`` block."""
    token = _reference_only.set(True)
    try:
        yield
    finally:
        _reference_only.reset(token)


@cache
def numba() -> Any | None:
    """Return the numba module, imported at the first call, or None where it cannot be imported."""
    try:
        import numba as module
    except ImportError:
        return None
    return module


class Loop:
    """A loop over arrays, written in Python, that Numba compiles when it is first needed."""

    def __init__(self, function: Dialect) -> None:
        self.function = function
        self._compiled: Dialect | None = None

    def __call__(self, *arrays: Any) -> Any:
        """Run the compiled loop; RuntimeError where Numba is not installed."""
        return self.compiled(*arrays)

    @property
    def compiled(self) -> Dialect:
        """The loop as Numba compiled it, which is called with less ado than the Loop."""
        if self._compiled is None:
            self._compiled = _compile(self.function)
        return self._compiled


def _compile(function: Dialect) -> Dialect:
    module = numba()
    if module is None:
        raise RuntimeError(f"{function.__name__} is a loop for Numba, and Numba is not installed")
    try:
        compiled: Dialect = module.njit(error_model="numpy", cache=True)(function)
    except RuntimeError:  # no folder that could hold the cache can be written
        compiled = module.njit(error_model="numpy")(function)
    return compiled


@dataclass(slots=True)
class Kernel:
    """One function in its dialects; calling it runs the dialect that fits the arrays.

    The ``cpu`` dialect sees C-contiguous NumPy arrays only. Where ``flat`` is set it sees them as 1-D views of
    one size, save the last, the vector of coefficients.
    """

    name: str
    reference: Dialect
    cpu: Dialect | None = None
    gpu: Dialect | None = None
    flat: bool = False

    def __call__(self, *arrays: Any) -> Any:
        """Run on ``arrays``; what it returns and writes does not depend on the dialect."""
        dialect = self.pick(*arrays)
        if self.flat and dialect is not self.reference and dialect is not self.gpu:
            return dialect(*_flattened(self.name, arrays))
        return dialect(*arrays)

    def pick(self, *arrays: Any) -> Dialect:
        """Return the dialect for ``arrays`` and for others of their types, dtypes, layouts and sizes.

        A caller that keeps it saves the picking, and must itself hand a ``flat`` kernel's loop 1-D views.
        """
        if not _reference_only.get():
            if self.cpu is not None and _fit_cpu(arrays) and numba() is not None:
                return self.cpu.compiled if isinstance(self.cpu, Loop) else self.cpu
            if self.gpu is not None and _fit_gpu(arrays):
                return self.gpu
        return self.reference

    def __deepcopy__(self, memo: dict[int, Any]) -> Kernel:
        return self  # there is one of each, and what Numba compiled cannot be copied


def register(
    name: str,
    *,
    reference: Dialect,
    cpu: Dialect | None = None,
    gpu: Dialect | None = None,
    flat: bool = False,
) -> Kernel:
    """Enter a kernel's dialects in the registry and return the kernel; a name may be taken once."""
    if name in kernels:
        raise ValueError(f"a kernel named {name!r} is registered already")
    kernels[name] = Kernel(name, reference, cpu, gpu, flat)
    return kernels[name]


def _fit_cpu(arrays: tuple[Any, ...]) -> bool:
    for array in arrays:
        if (
            type(array) is not np.ndarray
            or array.dtype not in _COMPILED_DTYPES
            or not array.flags.c_contiguous
        ):
            return False
    return True


def _fit_gpu(arrays: tuple[Any, ...]) -> bool:
    return all(type(array).__module__.partition(".")[0] == "cupy" for array in arrays)


def _flattened(name: str, arrays: tuple[Any, ...]) -> list[Any]:
    size = arrays[0].size
    flat = []
    for array in arrays[:-1]:
        if array.size != size:  # a compiled loop would write past the end
            shapes = ", ".join(str(each.shape) for each in arrays[:-1])
            raise ValueError(f"kernel {name!r}: arrays of different shapes: {shapes}")
        flat.append(array if array.ndim == 1 else array.reshape(-1))
    flat.append(arrays[-1])
    return flat
