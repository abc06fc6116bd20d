"""Switches that hold inside a ``with`` block: recording, hooks, gradient accumulation, checking for changes.

Each is a context variable, so threads and coroutines do not see each other's. Blocks may be left in any order, as
those of two generators are that take turns: what holds is what the blocks that are still open say.

Around a ``yield`` a block holds for whoever is handed the value too, for as long as the generator waits there: Python
tells nobody that a generator is being left. As a decorator a mode holds while the function's own code runs and at
no other time, for a generator or a coroutine as well.
"""

from __future__ import annotations

import inspect
import types
import warnings
from collections.abc import AsyncIterator, Callable, Generator
from contextvars import ContextVar
from functools import wraps
from operator import index
from typing import Any, NamedTuple, Self, TypeVar, cast

from minigrad.errors import ConfigError

_F = TypeVar("_F", bound=Callable[..., Any])


class Hooks(NamedTuple):
    """Who is told of what happens; see ``hooks``."""

    forward: tuple[Callable[..., None], ...] = ()
    backward: tuple[Callable[..., None], ...] = ()
    accumulate_grad: tuple[Callable[..., None], ...] = ()
    update: tuple[Callable[..., None], ...] = ()


recording: ContextVar[bool] = ContextVar("recording", default=True)
hooked: ContextVar[Hooks] = ContextVar("hooked", default=Hooks())  # noqa: B039
fusing: ContextVar[bool] = ContextVar("fusing", default=True)
checksumming: ContextVar[bool] = ContextVar("checksumming", default=False)
accumulated_passes: ContextVar[int] = ContextVar("accumulated_passes", default=1)

_DEFAULTS: dict[ContextVar[Any], Any] = {
    switch: switch.get() for switch in (recording, hooked, fusing, checksumming, accumulated_passes)
}
_open: ContextVar[tuple[Any, ...]] = ContextVar("open", default=())
"""The switched modes whose blocks are open, in the order in which they were entered, and who put some aside."""


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


@with_or_without_parentheses
def no_grad() -> Mode:
    """Record nothing inside the block: results need no gradient and keep no graph alive.

    Also a decorator, ``@mg.no_grad()``, of functions, generators and coroutines.
    """
    return switched(recording, False)


@with_or_without_parentheses
def enable_grad() -> Mode:
    """Record again inside a ``no_grad`` block; also a decorator."""
    return switched(recording, True)


def is_grad_enabled() -> bool:
    """Tell whether operations are being recorded."""
    return recording.get()


@with_or_without_parentheses
def unfused() -> Mode:
    """Let every layer and loss record operations of its own inside the block; also a decorator.

    Outside, neighbours may run as one operation, with the same bits: a ``Linear`` and the ``ReLU`` behind it in a
    ``Sequential`` as ``linear_relu``, the mean cross-entropy as ``mean_cross_entropy``. While somebody watches
    (``hooks`` on operations, ``mg.record``, ``mg.debug``) they never do.
    """
    return switched(fusing, False)


def may_fuse() -> bool:
    """Tell whether neighbouring operations may run as one here and now; see ``unfused``."""
    watchers = hooked.get()
    return fusing.get() and not (watchers.forward or watchers.backward or checksumming.get())


def hooks(
    forward: Callable[..., None] | None = None,
    backward: Callable[..., None] | None = None,
    accumulate_grad: Callable[..., None] | None = None,
    update: Callable[..., None] | None = None,
    *,
    deposit: Callable[..., None] | None = None,
) -> Mode:
    """Call a function at every event of one kind; it is the one place from which all that happens can be seen.

    - ``forward(record, output)`` as each record is made
    - ``backward(step)`` as each contribution is walked; a walk takes the hooks that hold when it starts
    - ``accumulate_grad(tensor, before)`` as a walk has added to a ``.grad``, which was ``before`` (an array or None)
    - ``update(update)`` as ``optimizer.step()`` has changed each parameter, with an ``optim.Update``

    Also a decorator. Raises ConfigError MG-802 where a hook cannot be called.
    """
    if deposit is not None:
        warnings.warn("hooks(deposit=…) is called accumulate_grad= now", DeprecationWarning, stacklevel=2)
        accumulate_grad = deposit
    added = (forward, backward, accumulate_grad, update)
    for event, hook in zip(Hooks._fields, added, strict=True):
        if hook is not None and not callable(hook):
            raise ConfigError("MG-802", f"hooks({event}=…) needs a function, not {hook!r}.")

    def with_ours(outside: Hooks) -> Hooks:
        return Hooks(*(old + ((new,) if new else ()) for old, new in zip(outside, added, strict=True)))

    return Switched(hooked, with_ours)


def accumulate(passes: int) -> Mode:
    """Average the gradients of ``passes`` backward passes: large batches in small pieces.

    Each ``backward()`` in the block adds 1/passes of its gradient, so that ``passes`` micro-batches of equal
    size, each with a mean loss, give exactly the gradient of the one large batch. Also a decorator.

    Raises ConfigError MG-802 where ``passes`` is no whole number from 1.
    """
    try:
        whole = 0 if isinstance(passes, bool) else index(passes)
    except TypeError:
        whole = 0
    if whole < 1:
        raise ConfigError(
            "MG-802", f"accumulate needs 1 or more backward passes, a whole number, not {passes!r}."
        )
    return switched(accumulated_passes, whole)
