"""The registry of kernels, and the one place that picks an implementation (``Kernel.pick``).

A kernel is one function on bare arrays in up to three implementations with one signature: a NumPy reference, a loop
for Numba and a CUDA kernel. The array types of a call decide: NumPy arrays go to Numba, CuPy arrays to CUDA,
and whatever those cannot take (no Numba, a strided view, a Tensor, a tracer) goes to the reference.
``MINIGRAD_KERNELS=reference`` in the environment, or ``with reference_only():``, forces the reference.

Where a kernel returns arrays, ``out=`` may give the arrays to write into; without it they are made. An output
never overlaps an input unless the kernel says that it may.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from threading import get_ident, main_thread
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray

from minigrad_kernels import runtime
from minigrad_kernels.loops import Host, Implementation, Loop, noted, numba
from minigrad_kernels.objects import has_numba

__all__ = [
    "Host", "Implementation", "Kernel", "Loop", "Way", "has_numba", "is_cupys", "is_shared_out", "kernels",
    "may_use_threads", "note_shared_out", "noted", "numba", "output", "reference_is_forced", "reference_only",
    "register", "set_threads", "threads", "workers_for", "written",
]  # fmt: skip

kernels: dict[str, Kernel] = {}
"""Every registered kernel by name."""

PARALLEL_FROM = 1 << 17
"""Entries from which waking the other threads pays, measured on two cores."""

SHARED_FROM = 1 << 15
"""The same where other threads hold parts of the arrays already."""

_COMPILED_DTYPES = {
    np.dtype(name): name[0] == "f" for name in ("float32", "float64", "int8", "int32", "int64")
}
"""The dtypes that the loops are compiled for, and whether they are floats."""


_SETTINGS = frozenset({type(None), bool, int, float, str, tuple})
"""What may stand among a call's arrays."""


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


_threads = 0  # none was set


def set_threads(n: int) -> None:
    """Let loops use n threads from now on, or as many as Numba has if that is less."""
    global _threads
    if not has_numba():
        return
    _threads = min(n, _all_threads())
    if _threads < _all_threads() or not runtime.goes_without():
        numba().set_num_threads(_threads)  # type: ignore[union-attr]


def threads() -> int:
    """Return among how many threads a loop should be shared out; asking Numba would take a microsecond."""
    return _threads or _all_threads()


@cache
def _all_threads() -> int:
    if not has_numba():
        return 1
    return runtime.thread_count() if runtime.goes_without() else int(numba().config.NUMBA_NUM_THREADS)  # type: ignore[union-attr]


_forked = False


def may_use_threads() -> bool:
    """Tell whether a loop may run on several threads here and now.

    Not in a forked child, which GNU's OpenMP would end; and where Numba has no pool of threads but its own, which ends
    the process when two of Python's threads come at once, in the main thread alone.
    """
    return not _forked and (_several_may_come() or get_ident() == main_thread().ident)


def workers_for(work: int, fewest: int) -> int:
    """Return among how many threads so much work is shared out: all that may run where it is ``fewest`` or more."""
    return threads() if work >= fewest and may_use_threads() else 1


_shared_out: set[int] = set()


def note_shared_out(array: Any, several: bool) -> None:
    """Remember whether several threads wrote ``array``, each its part."""
    if not several:
        _shared_out.discard(id(array))
    elif len(_shared_out) < 10_000:
        _shared_out.add(id(array))


def is_shared_out(array: Any) -> bool:
    """Tell whether several threads wrote ``array``, so that its parts lie in the caches of several processors.

    Whoever goes on with it does well to use the same threads: one thread would have to fetch the others' parts, which
    takes longer than its work. An array that was made otherwise in the place of an old one may be taken for it: only
    the speed depends on the answer.
    """
    return id(array) in _shared_out


@cache
def _several_may_come() -> bool:
    if runtime.has_threads():
        return True
    module = numba()
    if module is None or module.config.THREADING_LAYER == "workqueue":
        return False
    for pool in ("omppool", "tbbpool"):
        try:
            import_module(f"numba.np.ufunc.{pool}")
        except ImportError:
            continue
        return True
    return False


def _note_fork() -> None:
    global _forked
    _forked = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_note_fork)


class Way(NamedTuple):
    """An implementation for some of what a kernel's loops take; ``when(*arrays, **options)`` says for which."""

    run: Implementation
    when: Callable[..., bool]


@dataclass(slots=True)
class Kernel:
    """One function in its implementations; calling it runs the one that ``pick`` picks.

    ``fits(*arrays, **options)`` says what the ``cpu`` implementation takes, of C-contiguous NumPy arrays whose floats
    are of one dtype; all of them where it is None. ``ways`` are faster ones for some of what fits, such as by size.
    ``gpu_fits`` says the same of the ``gpu`` implementation and CuPy arrays. ``strided`` loops take any layout.
    Where ``flat`` is set the ``cpu`` implementation sees the arrays as 1-D views of one size, save the last, the vector
    of coefficients. ``parallel`` is the same loop for several threads, which runs where the first array has
    ``PARALLEL_FROM`` entries or more.
    """

    name: str
    reference: Implementation
    cpu: Implementation | None = None
    gpu: Implementation | None = None
    flat: bool = False
    parallel: Loop | None = None
    fits: Callable[..., bool] | None = None
    ways: tuple[Way, ...] = ()
    gpu_fits: Callable[..., bool] | None = None
    strided: bool = False

    def __call__(self, *arrays: Any, **options: Any) -> Any:
        """Run on ``arrays``; what it returns and writes does not depend on the implementation."""
        implementation = self.pick(*arrays, **options)
        if implementation is self.reference and (tracer := _tracer(arrays)) is not None:
            return tracer.__kernel__(self, arrays, options)
        if self.flat and implementation is not self.reference and implementation is not self.gpu:
            return implementation(*_flattened(self.name, arrays))
        return implementation(*arrays, **options)

    def pick(self, *arrays: Any, **options: Any) -> Implementation:
        """Return the implementation for ``arrays`` and for others of their types, dtypes, layouts and sizes.

        This is the one place where an implementation is chosen. A caller that keeps it saves the picking, and must
        itself hand a ``flat`` kernel's loop 1-D views.
        """
        if _reference_only.get():
            return self.reference
        seen = arrays
        if options and (out := options.get("out")) is not None:
            seen += out if isinstance(out, tuple) else (out,)
        found, floats, strided = False, None, self.strided  # numbers alone are not for loops
        for array in seen:
            if type(array) is ndarray and (strided or array.flags.c_contiguous):
                dtype = array.dtype
                if dtype is not floats:
                    is_float = _COMPILED_DTYPES.get(dtype)
                    if is_float is None or (is_float and floats is not None and floats != dtype):
                        return self.reference
                    floats = dtype if is_float else floats
                    found = True
            elif type(array) not in _SETTINGS and not isinstance(array, (int, float)):
                if self.gpu is None or not _are_for_gpu(seen):
                    return self.reference
                return self.gpu if not self.gpu_fits or self.gpu_fits(*arrays, **options) else self.reference
        if not found or self.cpu is None or not has_numba():
            return self.reference
        if self.fits is not None and not self.fits(*arrays, **options):
            return self.reference
        for run, when in self.ways:
            if when(*arrays, **options):
                return run
        if self.parallel is not None and arrays[0].size >= PARALLEL_FROM and may_use_threads():
            return self.parallel.compiled
        return self.cpu.compiled if isinstance(self.cpu, Loop) else self.cpu

    def on_several_threads(self, picked: Implementation, size: int) -> Implementation:
        """Return what to run in the place of ``picked`` where several threads wrote the arrays of this size."""
        if self.parallel is None or picked in (self.reference, self.gpu) or size < SHARED_FROM:
            return picked
        return self.parallel.compiled if may_use_threads() else picked

    def __deepcopy__(self, memo: dict[int, Any]) -> Kernel:
        return self  # there is one of each, and what Numba compiled cannot be copied

    def __reduce__(self) -> tuple[Callable[[str], Kernel], tuple[str]]:
        return _registered, (self.name,)


def _tracer(arrays: tuple[Any, ...]) -> Any:
    """Return the first array of a type that notes kernels down by itself (``__kernel__``), or None."""
    for array in arrays:
        if hasattr(type(array), "__kernel__"):
            return array
    return None


def _registered(name: str) -> Kernel:
    return kernels[name]


def register(
    name: str,
    *,
    reference: Implementation,
    cpu: Implementation | None = None,
    gpu: Implementation | None = None,
    flat: bool = False,
    parallel: Loop | None = None,
    fits: Callable[..., bool] | None = None,
    ways: Sequence[Way] = (),
    gpu_fits: Callable[..., bool] | None = None,
    strided: bool = False,
) -> Kernel:
    """Enter a kernel's implementations in the registry and return the kernel; a name may be taken once."""
    if name in kernels:
        raise ValueError(f"a kernel named {name!r} is registered already")
    kernels[name] = Kernel(name, reference, cpu, gpu, flat, parallel, fits, tuple(ways), gpu_fits, strided)
    return kernels[name]


def is_cupys(array: Any) -> bool:
    """Tell whether an array is one of CuPy's, which is not imported for it."""
    return _is_cupys(type(array).__module__)


def _are_for_gpu(arguments: tuple[Any, ...]) -> bool:
    fit = False
    for array in arguments:
        if _is_cupys(type(array).__module__):
            fit = True
        elif type(array) not in _SETTINGS and not isinstance(array, (int, float)):
            return False
    return fit


@cache
def _is_cupys(module: str) -> bool:
    return module.partition(".")[0] == "cupy"


def written(value: Any, out: Any) -> Any:
    """Return ``value``, in ``out`` where that is given; arrays, or tuples of arrays."""
    if out is None:
        return value
    if isinstance(out, tuple):
        return tuple(written(each, into) for each, into in zip(value, out, strict=True))
    out[...] = value
    return out


def output(out: Any, shape: tuple[int, ...], like: Any) -> Any:
    """Return ``out`` once its shape and dtype are checked, or a new array like ``like`` where it is None."""
    if out is None:
        return np.empty(shape, like.dtype)
    if out.shape != shape or out.dtype != like.dtype:
        raise ValueError(f"out is {out.dtype} of shape {out.shape}; {like.dtype} of shape {shape} is needed")
    return out


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
