"""Switches that hold inside a ``with`` block: recording, hooks, gradient accumulation, checking for changes.

Each is a context variable, so threads and coroutines do not see each other's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from minigrad.errors import ConfigError

recording: ContextVar[bool] = ContextVar("recording", default=True)
forward_hooks: ContextVar[tuple[Callable[..., None], ...]] = ContextVar("forward_hooks", default=())
backward_hooks: ContextVar[tuple[Callable[..., None], ...]] = ContextVar("backward_hooks", default=())
fingerprinting: ContextVar[bool] = ContextVar("fingerprinting", default=False)
accumulated_passes: ContextVar[int] = ContextVar("accumulated_passes", default=1)


@contextmanager
def switched(switch: ContextVar[Any], value: Any) -> Iterator[None]:
    """Give ``switch`` another value inside the block."""
    token = switch.set(value)
    try:
        yield
    finally:
        switch.reset(token)


@contextmanager
def no_grad() -> Iterator[None]:
    """Record nothing inside the block: results need no gradient and keep no graph alive.

    Also a decorator: ``@mg.no_grad()``.
    """
    with switched(recording, False):
        yield


@contextmanager
def enable_grad() -> Iterator[None]:
    """Record again inside a ``no_grad`` block."""
    with switched(recording, True):
        yield


def is_grad_enabled() -> bool:
    """Tell whether operations are being recorded."""
    return recording.get()


@contextmanager
def hooks(
    forward: Callable[..., None] | None = None, backward: Callable[..., None] | None = None
) -> Iterator[None]:
    """Call ``forward(record, output)`` as each record is made and ``backward(step)`` as each is walked.

    This is the one place from which timing, printing, NaN checks and drawing can see every operation.
    """
    with (
        switched(forward_hooks, forward_hooks.get() + ((forward,) if forward else ())),
        switched(backward_hooks, backward_hooks.get() + ((backward,) if backward else ())),
    ):
        yield


@contextmanager
def accumulate(passes: int) -> Iterator[None]:
    """Average the gradients of ``passes`` backward passes: large batches in small pieces.

    Each ``backward()`` in the block adds 1/passes of its gradient, so that ``passes`` micro-batches of equal
    size, each with a mean loss, give exactly the gradient of the one large batch.
    """
    if passes < 1:
        raise ConfigError("MG-802", f"accumulate needs 1 or more backward passes, not {passes}.")
    with switched(accumulated_passes, passes):
        yield
