"""Switches that hold inside a ``with`` block, in any order of leaving, and as decorators of any kind of function.

Each is a context variable, so threads and coroutines do not see each other's. A generator that is suspended inside a
``with`` block has its consumer run inside it too; a *decorated* generator or coroutine function holds the mode while
its own code runs, and not while its consumer's does.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from functools import reduce, wraps
from typing import Any, Generic, ParamSpec, TypeVar, cast

P = ParamSpec("P")
T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


class Switch(Generic[T]):
    """A value that blocks change: ``get()`` gives what all blocks that are open now make of the default.

    ``combine(value, given)`` is the value inside a block that gives ``given`` where it was ``value``.
    """

    def __init__(
        self, name: str, default: T, combine: Callable[[T, Any], T] = lambda value, given: given
    ) -> None:
        self._default, self._combine = default, combine
        self._value: ContextVar[T] = ContextVar(name, default=default)
        self._open: ContextVar[tuple[list[Any], ...]] = ContextVar(f"{name}_open", default=())
        self.get: Callable[[], T] = self._value.get  # itself, since this is asked for every operation

    @contextmanager
    def switched(self, given: Any) -> Iterator[None]:
        """Hold ``given`` inside the block. What other blocks hold stays, whichever of them is left first."""
        block = [given]  # told from all others by its identity
        self._now((*self._open.get(), block))
        try:
            yield
        finally:
            self._now(tuple(other for other in self._open.get() if other is not block))

    def _now(self, blocks: tuple[list[Any], ...]) -> None:
        self._open.set(blocks)
        self._value.set(reduce(self._combine, (given for (given,) in blocks), self._default))


class Mode:
    """What the function of a mode returns: something for ``with``, and a decorator.

    It may be entered more than once, and within itself.
    """

    def __init__(self, make: Callable[[], AbstractContextManager[Any]]) -> None:
        self._make = make
        self._entered: list[AbstractContextManager[Any]] = []

    def __enter__(self) -> Any:
        entered = self._make()
        value = entered.__enter__()
        self._entered.append(entered)
        return value

    def __exit__(self, *raised: Any) -> bool | None:
        return self._entered.pop().__exit__(*raised)

    def __call__(self, function: F) -> F:
        """Return ``function`` with the mode on whenever its code runs."""
        make, run = self._make, function
        wrapper: Any
        if inspect.isasyncgenfunction(function):

            @wraps(function)
            def wrapper(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
                return _async_generator(make, run(*args, **kwargs))

        elif inspect.iscoroutinefunction(function):

            @wraps(function)
            async def wrapper(*args: Any, **kwargs: Any) -> Any:
                return await _driven(make, run(*args, **kwargs))

        elif inspect.isgeneratorfunction(function):

            @wraps(function)
            def wrapper(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
                return (yield from _generator(make, run(*args, **kwargs)))

        else:

            @wraps(function)
            def wrapper(*args: Any, **kwargs: Any) -> Any:
                with make():
                    return run(*args, **kwargs)

        return cast(F, wrapper)


def mode(block: Callable[P, Iterator[None]]) -> Callable[P, Mode]:
    """Make a mode of a generator function with one ``yield``: as ``contextmanager``, and a decorator of any function.

    A mode without arguments may decorate without parentheses, too.
    """
    make: Callable[..., AbstractContextManager[Any]] = contextmanager(block)
    bare = not inspect.signature(block).parameters

    @wraps(block)
    def begin(*args: Any, **kwargs: Any) -> Any:
        if bare and len(args) == 1 and callable(args[0]) and not kwargs:
            return Mode(make)(args[0])
        inspect.signature(block).bind(
            *args, **kwargs
        )  # a wrong argument is told here, and not where it is entered
        return Mode(lambda: make(*args, **kwargs))

    return cast(Callable[P, Mode], begin)


def _generator(make: Callable[[], AbstractContextManager[Any]], inner: Any) -> Generator[Any, Any, Any]:
    """Run a generator, or anything with ``send`` and ``throw``, with the mode on only while its own code runs."""
    resume, given = inner.send, None
    try:
        while True:
            with make():
                produced = resume(given)
            try:
                resume, given = inner.send, (yield produced)
            except GeneratorExit:
                with make():
                    inner.close()
                raise
            except BaseException as error:
                resume, given = inner.throw, error
    except StopIteration as end:
        return end.value


@types.coroutine
def _driven(make: Callable[[], AbstractContextManager[Any]], awaited: Any) -> Generator[Any, Any, Any]:
    return (yield from _generator(make, awaited))


async def _async_generator(
    make: Callable[[], AbstractContextManager[Any]], inner: AsyncGenerator[Any, Any]
) -> AsyncGenerator[Any, Any]:
    step: Awaitable[Any] = inner.__anext__()
    try:
        while True:
            produced = await _driven(make, step)
            try:
                step = inner.asend((yield produced))
            except GeneratorExit:
                await _driven(make, inner.aclose())
                raise
            except BaseException as error:
                step = inner.athrow(error)
    except StopAsyncIteration:
        return
