"""Switches that hold inside a ``with`` block: recording, hooks, gradient accumulation, checking for changes.

All are decorators too, of any kind of function; how they hold in threads and generators is said in ``switches.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from minigrad.errors import ConfigError
from minigrad.switches import Switch, mode


class Hooks(NamedTuple):
    """Who is told of what happens; see ``hooks``."""

    forward: tuple[Callable[..., None], ...] = ()
    backward: tuple[Callable[..., None], ...] = ()
    deposit: tuple[Callable[..., None], ...] = ()
    update: tuple[Callable[..., None], ...] = ()


def _more(told: Hooks, added: tuple[Callable[..., None] | None, ...]) -> Hooks:
    return Hooks(*(old + ((new,) if new else ()) for old, new in zip(told, added, strict=True)))


recording: Switch[bool] = Switch("recording", True)
hooked: Switch[Hooks] = Switch("hooked", Hooks(), _more)
fusing: Switch[bool] = Switch("fusing", True)
fingerprinting: Switch[bool] = Switch("fingerprinting", False)
accumulated_passes: Switch[int] = Switch("accumulated_passes", 1)


@mode
def no_grad() -> Iterator[None]:
    """Record nothing inside the block: results need no gradient and keep no graph alive.

    Also a decorator, ``@mg.no_grad()``; of a generator or coroutine function, it holds while that one's own code runs.
    """
    with recording.switched(False):
        yield


@mode
def enable_grad() -> Iterator[None]:
    """Record again inside a ``no_grad`` block."""
    with recording.switched(True):
        yield


def is_grad_enabled() -> bool:
    """Tell whether operations are being recorded."""
    return recording.get()


@mode
def unfused() -> Iterator[None]:
    """Let every layer and loss record operations of its own inside the block.

    Outside, neighbours may run as one operation, with the same bits: a ``Linear`` and the ``ReLU`` behind it in a
    ``Sequential`` as ``linear_relu``, the mean cross-entropy as ``mean_cross_entropy``. While somebody watches
    (``hooks`` on operations, ``mg.record``, ``mg.debug``) they never do.
    """
    with fusing.switched(False):
        yield


def may_fuse() -> bool:
    """Tell whether neighbouring operations may run as one here and now; see ``unfused``."""
    watchers = hooked.get()
    return fusing.get() and not (watchers.forward or watchers.backward or fingerprinting.get())


@mode
def hooks(
    forward: Callable[..., None] | None = None,
    backward: Callable[..., None] | None = None,
    deposit: Callable[..., None] | None = None,
    update: Callable[..., None] | None = None,
) -> Iterator[None]:
    """Call a function at every event of one kind; it is the one place from which all that happens can be seen.

    - ``forward(record, output)`` as each record is made
    - ``backward(step)`` as each contribution is walked; a walk takes the hooks that hold when it starts
    - ``deposit(tensor, before)`` as a walk has added to a tensor's ``.grad``, which was ``before`` (an array or None)
    - ``update(update)`` as ``optimizer.step()`` has changed each parameter, with an ``optim.Update``
    """
    with hooked.switched((forward, backward, deposit, update)):
        yield


@mode
def accumulate(passes: int) -> Iterator[None]:
    """Average the gradients of ``passes`` backward passes: large batches in small pieces.

    Each ``backward()`` in the block adds 1/passes of its gradient, so that ``passes`` micro-batches of equal
    size, each with a mean loss, give exactly the gradient of the one large batch.
    """
    if passes < 1:
        raise ConfigError("MG-802", f"accumulate needs 1 or more backward passes, not {passes}.")
    with accumulated_passes.switched(passes):
        yield
