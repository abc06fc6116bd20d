"""What holds inside a ``with`` block: the blocks that are open say which value a switch has.

Each switch is a context variable, so threads and coroutines do not see each other's. Blocks may be left in any order,
as those of two generators are that take turns: what holds is what the blocks that are still open say.

Around a ``yield`` a block holds for whoever is handed the value too, for as long as the generator waits there: Python
tells nobody that a generator is being left. As a decorator a mode holds while the function's own code runs and at
no other time, for a generator or a coroutine as well.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import AsyncIterator, Callable, Generator
from contextvars import ContextVar
from functools import wraps
from typing import Any, Self, TypeVar, cast

from minigrad.errors import ConfigError

_F = TypeVar("_F", bound=Callable[..., Any])
_T = TypeVar("_T")

_DEFAULTS: dict[ContextVar[Any], Any] = {}
_open: ContextVar[tuple[Any, ...]] = ContextVar("open", default=())
"""The switched modes whose blocks are open, in the order in which they were entered, and who put some aside."""


def switch(name: str, default: _T) -> ContextVar[_T]:
    """Return a new context variable that blocks may give another value."""
    variable = ContextVar(name, default=default)
    _DEFAULTS[variable] = default
    return variable


class Mode:
    """What holds inside a ``with`` block or, as a decorator, inside a function; a subclass enters and leaves."""

    def __enter__(self) -> None:
        raise NotImplementedError

    def __exit__(self, *error: Any) -> None:
        raise NotImplementedError

    def fresh(self) -> Mode:
        """Return the mode for one more call of a decorated function."""
        return self

    def __call__(self, function: _F) -> _F:
        """Decorate a function, generator function, coroutine function or asynchronous generator function."""
        if isinstance(function, (staticmethod, classmethod)):
            return cast(_F, type(function)(self(function.__func__)))
        if not callable(function) or isinstance(function, type):
            raise ConfigError(
                "MG-802",
                f"{type(function).__name__} objects cannot run in a mode. Put the mode directly above a def, "
                "below @property, @staticmethod and the like.",
            )
        return cast(_F, _decorated(self, function))


class Switched(Mode):
    """Another value of one switch inside the block: ``change`` of the value outside."""

    def __init__(self, switch: ContextVar[Any], change: Callable[[Any], Any]) -> None:
        self.switch, self.change = switch, change

    def __enter__(self) -> None:
        _open.set((*_open.get(), self))
        self.switch.set(self.change(self.switch.get()))

    def __exit__(self, *error: Any) -> None:
        modes = list(_open.get())
        for i in range(len(modes) - 1, -1, -1):
            if modes[i] is self:
                del modes[i]
                _hold(tuple(modes))
                return


def _hold(modes: tuple[Any, ...]) -> None:
    """Let exactly these modes hold from now on."""
    values = dict(_DEFAULTS)
    for mode in modes:
        if isinstance(mode, Switched):
            values[mode.switch] = mode.change(values[mode.switch])
    for switch, value in values.items():
        switch.set(value)
    _open.set(modes)


def switched(switch: ContextVar[Any], value: Any) -> Mode:
    """Give ``switch`` another value inside the block."""
    return Switched(switch, lambda outside: value)


class _Apart:
    """A mode, and those that a function's body enters, which hold while a part of the body runs and not in between."""

    def __init__(self, mode: Mode) -> None:
        self.mode = mode.fresh()
        self.held: tuple[Any, ...] = ()

    def __enter__(self) -> Self:
        self.run(self.mode.__enter__)
        return self

    def __exit__(self, *error: Any) -> None:
        self.run(self.mode.__exit__, *error)

    def run(self, part: Callable[..., Any], *args: Any) -> Any:
        """Call ``part`` with the modes that are held, and afterwards hold those that it has left open."""
        _hold((*_open.get(), self, *self.held))
        try:
            return part(*args)
        finally:
            modes = _open.get()
            i = modes.index(self)
            self.held = modes[i + 1 :]
            _hold(modes[:i])


@types.coroutine
def _in_parts(apart: _Apart, body: Any) -> Generator[Any, Any, Any]:
    """Run a generator or a coroutine from one suspension to the next, each part with the modes that it holds."""
    resume, value = body.send, None
    while True:
        try:
            handed = apart.run(resume, value)
        except StopIteration as end:
            return end.value
        try:
            resume, value = body.send, (yield handed)
        except BaseException as error:
            resume, value = body.throw, error


def _decorated(mode: Mode, function: Callable[..., Any]) -> Callable[..., Any]:
    if inspect.isasyncgenfunction(function):

        @wraps(function)
        async def asynchronous_generator(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
            with _Apart(mode) as apart:
                body = function(*args, **kwargs)
                resume, value = body.asend, None
                while True:
                    try:
                        handed = await _in_parts(apart, resume(value))
                    except StopAsyncIteration:
                        return
                    try:
                        resume, value = body.asend, (yield handed)
                    except BaseException as error:
                        resume, value = body.athrow, error

        return asynchronous_generator

    if inspect.iscoroutinefunction(function):

        @wraps(function)
        async def coroutine(*args: Any, **kwargs: Any) -> Any:
            with _Apart(mode) as apart:
                return await _in_parts(apart, function(*args, **kwargs))

        return coroutine

    if inspect.isgeneratorfunction(function):

        @wraps(function)
        def generator(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
            with _Apart(mode) as apart:
                return (yield from _in_parts(apart, function(*args, **kwargs)))

        return generator

    @wraps(function)
    def plain(*args: Any, **kwargs: Any) -> Any:
        with mode.fresh():
            return function(*args, **kwargs)

    return plain


def with_or_without_parentheses(make: Callable[[], Mode]) -> Callable[..., Any]:
    """Let a mode decorate as ``@mg.no_grad`` too."""

    @wraps(make)
    def mode(function: Any = None) -> Any:
        return make() if function is None else make()(function)

    return mode
