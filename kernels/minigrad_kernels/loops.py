"""Loops over arrays that Numba compiles when they are first needed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, cached_property
from threading import get_ident
from time import perf_counter
from types import FunctionType
from typing import Any, ClassVar
from weakref import WeakSet

import numpy as np

from minigrad_kernels import runtime

Implementation = Callable[..., Any]


@cache
def numba() -> Any | None:
    """Return the numba module, imported at the first call, or None where it cannot be imported."""
    runtime.spin_shortly()
    try:
        import numba as module
    except ImportError:
        return None
    if runtime.has_started():
        start_threads()
    _announce_slow_compilation()
    return module


def start_threads() -> None:
    """Start Numba's threads, as it does itself for functions that Python calls, but not for those of an address."""
    if runtime.start_threads():
        return
    from numba.np.ufunc.parallel import _launch_threads

    _launch_threads()  # type: ignore[no-untyped-call]


def features() -> frozenset[str]:
    """Return what Numba may use of the processor's instructions, by LLVM's names; none where it compiles nothing."""
    if (known := runtime.features()) is not None:
        return known
    module = numba()
    if module is None or module.config.DISABLE_JIT or module.config.CPU_NAME == "generic":
        return frozenset()
    from llvmlite import binding

    text = module.config.CPU_FEATURES or binding.get_host_cpu_features().flatten()
    return frozenset(each[1:] for each in text.split(",") if each.startswith("+"))


def _announce_slow_compilation() -> None:
    """Let Numba say on one line when a loop of this package took longer than a second to compile.

    A notebook paints red what goes to stderr, so there it is said among the results, and only once.
    """
    from numba.core import event

    class Listener(event.Listener):  # type: ignore[misc]
        starts: ClassVar[list[float]] = []  # a loop's helpers are compiled while it is
        announced = False

        def on_start(self, compilation: Any) -> None:
            self.starts.append(perf_counter())

        def on_end(self, compilation: Any) -> None:
            seconds = perf_counter() - self.starts.pop()
            function = compilation.data["dispatcher"].py_func
            if seconds > 1 and not self.starts and str(function.__module__).startswith(f"{__package__}."):
                text = f"compiled {function.__name__} in {seconds:.1f} s; it is kept on disk for the next run"
                notebook = type(sys.stderr).__module__.startswith("ipykernel.")
                if not (notebook and self.announced):
                    print(text, file=sys.stdout if notebook else sys.stderr)
                self.announced = True

    event.register("numba:compile", Listener())  # type: ignore[no-untyped-call]


class Loop:
    """A loop over arrays, written in Python, that Numba compiles when it is first needed.

    ``fastmath`` and ``parallel`` go to Numba. ``names`` gives values to global names of the function, so that one
    text can be compiled for float32 and for float64 with a helper of its own in each; a global name that stands
    for another Loop is compiled with it, and ``prange`` becomes Numba's where the loop is ``parallel``. ``raises``
    says that it may raise an exception. ``inlined`` puts it in the place of its calls. ``signature``, given Numba's
    types, says for which arguments it is compiled, all others being converted; without it that is done for each layout
    of the arrays anew.
    """

    all: ClassVar[WeakSet[Loop]] = WeakSet()

    def __init__(
        self,
        function: Implementation,
        *,
        fastmath: frozenset[str] = frozenset(),
        parallel: bool = False,
        raises: bool = False,
        inlined: bool = False,
        signature: Callable[[Any], Any] | None = None,
        **names: Any,
    ) -> None:
        Loop.all.add(self)
        self.function, self.raises, self.signature = function, raises, signature
        self.names = names
        self.options: dict[str, Any] = {"error_model": "numpy"}
        if fastmath:
            self.options["fastmath"] = set(fastmath)
        if parallel:
            self.options["parallel"] = True
        if inlined:
            self.options["forceinline"] = True

    def __call__(self, *arrays: Any) -> Any:
        """Run the compiled loop; RuntimeError where Numba is not installed."""
        return self.compiled(*arrays)

    @cached_property
    def compiled(self) -> Implementation:
        """The loop as Numba compiled it, which is called with less ado than the Loop; see also ``called_by``."""
        return self.unnoted

    @property
    def unnoted(self) -> Implementation:
        """The same, also where ``noted`` looks at all calls of ``compiled``."""
        return self.dispatcher if _caller.get() is None else _late(self)

    @cached_property
    def dispatcher(self) -> Implementation:
        """The same, also where ``noted`` looks at all calls of ``compiled``: what other loops are compiled with."""
        return self._compile()

    @property
    def plain(self) -> Implementation:
        """The loop as plain Python, its helpers too, for a debugger to step through."""
        return self._bound(lambda helper: helper.plain)

    def _compile(self) -> Implementation:
        module = numba()
        if module is None:
            raise RuntimeError(f"{self.function.__name__} is a loop for Numba, and Numba is not installed")
        function = self._bound(lambda helper: helper.dispatcher)
        given = () if self.signature is None else (self.signature(module.types),)
        try:
            compiled: Implementation = module.njit(*given, cache=True, **self.options)(function)
        except RuntimeError:  # no folder that could hold the cache can be written
            compiled = module.njit(*given, **self.options)(function)
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
        inlined = "forceinline" in self.options
        if not helpers and not self.names and not inlined:
            return function
        scope = function.__globals__ | self.names | helpers
        bound = FunctionType(function.__code__, scope, function.__name__, function.__defaults__)
        bound.__module__ = function.__module__
        # the name is also that of the file in the cache: one text with two sets of helpers, or of numbers, has two
        parts = [function.__qualname__, *(loop.function.__name__ for loop in self._helpers().values())]
        parts += [str(number) for number in self.names.values() if isinstance(number, int)]
        bound.__qualname__ = "_".join(parts) + "_parallel" * ("prange" in helpers) + "_inlined" * inlined
        return bound


class Intrinsic(Loop):
    """Something that Numba lets loops call, and that is no loop itself: ``make()`` makes it when one is compiled."""

    def __init__(self, make: Callable[[], Any]) -> None:
        super().__init__(make)

    def _compile(self) -> Any:
        return self.function()


class Host:
    """A function of NumPy's among a kernel's loops: it writes into an array that it is given, and returns nothing.

    ``as_loop``, given the same arguments, returns a loop that does the same to the bit, with its arguments, so that
    nobody has to come back to Python for it; or None where there is none.
    """

    all: ClassVar[list[Host]] = []

    def __init__(
        self,
        name: str,
        run: Implementation,
        as_loop: Callable[..., tuple[Loop, tuple[Any, ...]] | None] = lambda *arguments: None,
    ) -> None:
        Host.all.append(self)
        self.name, self.run, self.plain, self.as_loop = name, run, run, as_loop

    def __call__(self, *arrays: Any) -> None:
        """Run it."""
        self.run(*arrays)


_Caller = Callable[["Loop", tuple[Any, ...]], Any]
_caller: ContextVar[_Caller | None] = ContextVar("caller", default=None)


@contextmanager
def called_by(call: _Caller) -> Iterator[None]:
    """Run by ``call``, inside the block, each loop that Numba has not made ready yet."""
    token = _caller.set(call)
    try:
        yield
    finally:
        _caller.reset(token)


def _late(loop: Loop) -> Implementation:
    """Return a loop that is made ready when it is called outside of ``called_by``."""

    def run(*arguments: Any) -> Any:
        if (call := _caller.get()) is not None:
            return call(loop, arguments)
        if loop.__dict__.get("compiled") is run:
            loop.__dict__["compiled"] = loop.dispatcher
        return loop.dispatcher(*arguments)

    return run


@contextmanager
def noted() -> Iterator[list[tuple[Loop | Host, tuple[Any, ...]]]]:
    """Yield a list of what this thread's kernels run inside the block: each loop, and each Host, with its arguments."""
    calls: list[tuple[Loop | Host, tuple[Any, ...]]] = []
    thread = get_ident()

    def noting(what: Loop | Host, run: Implementation) -> Implementation:
        def run_and_note(*arguments: Any) -> Any:
            if get_ident() == thread:
                calls.append((what, arguments))
            return run(*arguments)

        return run_and_note

    hosts = [(host, host.run) for host in Host.all]
    loops = [(loop, loop.__dict__.get("compiled")) for loop in Loop.all]
    try:
        for host, run in hosts:
            host.run = noting(host, run)
        for loop, compiled in loops:
            loop.__dict__["compiled"] = noting(loop, compiled or _late(loop))
        yield calls
    finally:
        for host, run in hosts:
            host.run = run
        for loop, compiled in loops:
            loop.__dict__.pop("compiled", None)  # Ctrl-C may have come before it was there
            if compiled is not None:
                loop.__dict__["compiled"] = compiled


_scratch: ContextVar[list[Any] | None] = ContextVar("scratch", default=None)


def scratch(shape: tuple[int, ...], dtype: Any) -> Any:
    """Return an array for what a kernel needs in between: it writes all that it reads of it, and returns none of it."""
    array = np.empty(shape, dtype)
    if (known := _scratch.get()) is not None:
        known.append(array)
    return array


@contextmanager
def scratch_noted() -> Iterator[list[Any]]:
    """Yield a list of the arrays that ``scratch`` has given inside the block."""
    known: list[Any] = []
    token = _scratch.set(known)
    try:
        yield known
    finally:
        _scratch.reset(token)
