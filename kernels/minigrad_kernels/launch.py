"""The registry of kernels, and the one place that picks an implementation.

A kernel is one function on bare arrays in up to three implementations with one signature: a NumPy reference, a loop
for Numba and a CUDA kernel. The array types of a call decide: NumPy arrays go to Numba, CuPy arrays to CUDA,
and whatever those cannot take (no Numba, a strided view, a Tensor, a tracer) goes to the reference.
``MINIGRAD_KERNELS=reference`` in the environment, or ``with reference_only():``, forces the reference.

Where a kernel returns arrays, ``out=`` may give the arrays to write into; without it they are made. An output
never overlaps an input unless the kernel says that it may.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from threading import get_ident, main_thread
from time import perf_counter
from types import FunctionType
from typing import Any, ClassVar

import numpy as np
from numpy import ndarray

Implementation = Callable[..., Any]

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
    # Where Numba's threads are libgomp's, they go on spinning after each loop, by default for so long that they and
    # BLAS's, which spin too, starve each other. Here it is for half a millisecond: the next loop, also that of the next
    # training step, finds them awake (2 µs rather than 10, on a busy virtual machine sometimes 1,000), and a longer
    # pause sets the processor free.
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")
    try:
        import numba as module
    except ImportError:
        return None
    _announce_slow_compilation()
    return module


_threads = 0  # none was set


def set_threads(n: int) -> None:
    """Let loops use n threads from now on, or as many as Numba has if that is less."""
    global _threads
    module = numba()
    if module is not None:
        _threads = min(n, module.config.NUMBA_NUM_THREADS)
        module.set_num_threads(_threads)


def threads() -> int:
    """Return among how many threads a loop should be shared out; asking Numba would take a microsecond."""
    return _threads or (1 if (module := numba()) is None else module.config.NUMBA_NUM_THREADS)


_forked = False


def may_use_threads() -> bool:
    """Tell whether a loop may run on several threads here and now.

    Not in a forked child, which GNU's OpenMP would end; and where Numba has no pool of threads but its own, which ends
    the process when two of Python's threads come at once, in the main thread alone.
    """
    return not _forked and (_several_may_come() or get_ident() == main_thread().ident)


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


def _announce_slow_compilation() -> None:
    """Let Numba say on one line when a loop of this package took longer than a second to compile.

    A notebook paints red what goes to stderr, so there it is said among the results, and only once.
    """
    from numba.core import event

    class Listener(event.Listener):  # type: ignore[misc]
        starts: ClassVar[list[float]] = []  # a loop's helpers are compiled while it is
        told = False

        def on_start(self, compilation: Any) -> None:
            self.starts.append(perf_counter())

        def on_end(self, compilation: Any) -> None:
            seconds = perf_counter() - self.starts.pop()
            function = compilation.data["dispatcher"].py_func
            if seconds > 1 and not self.starts and str(function.__module__).startswith(f"{__package__}."):
                text = f"compiled {function.__name__} in {seconds:.1f} s; it is kept on disk for the next run"
                notebook = type(sys.stderr).__module__.startswith("ipykernel.")
                if not (notebook and self.told):
                    print(text, file=sys.stdout if notebook else sys.stderr)
                self.told = True

    event.register("numba:compile", Listener())  # type: ignore[no-untyped-call]


class Loop:
    """A loop over arrays, written in Python, that Numba compiles when it is first needed.

    ``fastmath`` and ``parallel`` go to Numba. ``names`` gives values to global names of the function, so that one
    text can be compiled for float32 and for float64 with a helper of its own in each; a global name that stands
    for another Loop is compiled with it, and ``prange`` becomes Numba's where the loop is ``parallel``.
    """

    def __init__(
        self,
        function: Implementation,
        *,
        fastmath: frozenset[str] = frozenset(),
        parallel: bool = False,
        **names: Any,
    ) -> None:
        self.function = function
        self.names = names
        self.options: dict[str, Any] = {"error_model": "numpy"}
        if fastmath:
            self.options["fastmath"] = set(fastmath)
        if parallel:
            self.options["parallel"] = True
        self._compiled: Implementation | None = None

    def __call__(self, *arrays: Any) -> Any:
        """Run the compiled loop; RuntimeError where Numba is not installed."""
        return (self._compiled or self.compiled)(*arrays)

    @property
    def compiled(self) -> Implementation:
        """The loop as Numba compiled it, which is called with less ado than the Loop."""
        if self._compiled is None:
            self._compiled = self._compile()
        return self._compiled

    @property
    def plain(self) -> Implementation:
        """The loop as plain Python, its helpers too, for a debugger to step through."""
        return self._bound(lambda helper: helper.plain)

    def _compile(self) -> Implementation:
        module = numba()
        if module is None:
            raise RuntimeError(f"{self.function.__name__} is a loop for Numba, and Numba is not installed")
        function = self._bound(lambda helper: helper.compiled)
        try:
            compiled: Implementation = module.njit(cache=True, **self.options)(function)
        except RuntimeError:  # no folder that could hold the cache can be written
            compiled = module.njit(**self.options)(function)
        return compiled

    def _helpers(self) -> dict[str, Loop]:
        function: Any = self.function
        names = {name: function.__globals__.get(name) for name in function.__code__.co_names} | self.names
        return {name: value for name, value in names.items() if isinstance(value, Loop)}

    def _bound(self, resolve: Callable[[Loop], Implementation]) -> Implementation:
        function = self.function
        if not isinstance(function, FunctionType):
            return function
        helpers: dict[str, Any] = {name: resolve(loop) for name, loop in self._helpers().items()}
        if self.options.get("parallel") and (module := numba()) is not None:
            helpers["prange"] = module.prange
        if not helpers and not self.names:
            return function
        scope = function.__globals__ | self.names | helpers
        bound = FunctionType(function.__code__, scope, function.__name__, function.__defaults__)
        bound.__module__ = function.__module__
        # the name is also that of the file in the cache: one text with two sets of helpers has two
        parts = [function.__qualname__, *(loop.function.__name__ for loop in self._helpers().values())]
        bound.__qualname__ = "_".join(parts) + ("_parallel" if "prange" in helpers else "")
        return bound


@dataclass(slots=True)
class Kernel:
    """One function in its implementations; calling it runs the implementation that fits the arrays.

    The ``cpu`` implementation sees C-contiguous NumPy arrays only, whose floats are of one dtype. Where ``flat`` is set
    it sees them as 1-D views of one size, save the last, the vector of coefficients. ``parallel`` is the same loop for
    several threads, which runs where the first array has ``PARALLEL_FROM`` entries or more.
    """

    name: str
    reference: Implementation
    cpu: Implementation | None = None
    gpu: Implementation | None = None
    flat: bool = False
    parallel: Loop | None = None

    def __call__(self, *arrays: Any, **options: Any) -> Any:
        """Run on ``arrays``; what it returns and writes does not depend on the implementation."""
        implementation = self.pick(*arrays, out=options["out"]) if "out" in options else self.pick(*arrays)
        if self.flat and implementation is not self.reference and implementation is not self.gpu:
            return implementation(*_flattened(self.name, arrays))
        return implementation(*arrays, **options)

    def pick(self, *arrays: Any, out: Any = None) -> Implementation:
        """Return the implementation for ``arrays`` and for others of their types, dtypes, layouts and sizes.

        A caller that keeps it saves the picking, and must itself hand a ``flat`` kernel's loop 1-D views.
        """
        if not _reference_only.get():
            if out is not None:
                arrays = (*arrays, *out) if isinstance(out, tuple) else (*arrays, out)
            if self.cpu is not None and _fit_cpu(arrays) and numba() is not None:
                if self.parallel is not None and arrays[0].size >= PARALLEL_FROM and may_use_threads():
                    return self.parallel.compiled
                return self.cpu.compiled if isinstance(self.cpu, Loop) else self.cpu
            if self.gpu is not None and _fit_gpu(arrays):
                return self.gpu
        return self.reference

    def on_several_threads(self, picked: Implementation, size: int) -> Implementation:
        """Return what to run in the place of ``picked`` where several threads wrote the arrays of this size."""
        if self.parallel is None or picked in (self.reference, self.gpu) or size < SHARED_FROM:
            return picked
        return self.parallel.compiled if may_use_threads() else picked

    def __deepcopy__(self, memo: dict[int, Any]) -> Kernel:
        return self  # there is one of each, and what Numba compiled cannot be copied

    def __reduce__(self) -> tuple[Callable[[str], Kernel], tuple[str]]:
        return _registered, (self.name,)


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
) -> Kernel:
    """Enter a kernel's implementations in the registry and return the kernel; a name may be taken once."""
    if name in kernels:
        raise ValueError(f"a kernel named {name!r} is registered already")
    kernels[name] = Kernel(name, reference, cpu, gpu, flat, parallel)
    return kernels[name]


def _fit_cpu(arguments: tuple[Any, ...]) -> bool:
    floats = None
    fit = False  # numbers alone do not
    for array in arguments:
        if type(array) is ndarray and array.flags.c_contiguous:
            dtype = array.dtype
            if dtype is not floats:
                is_float = _COMPILED_DTYPES.get(dtype)
                if is_float is None:
                    return False
                if is_float:
                    if floats is not None and floats != dtype:
                        return False
                    floats = dtype
                fit = True
        elif array is not None and not isinstance(array, (int, float)):
            return False
    return fit


def _fit_gpu(arguments: tuple[Any, ...]) -> bool:
    fit = False
    for array in arguments:
        if _is_cupys(type(array).__module__):
            fit = True
        elif array is not None and not isinstance(array, (int, float)):
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
