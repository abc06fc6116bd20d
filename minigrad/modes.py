"""Switches that hold inside a ``with`` block: recording, hooks, gradient accumulation, checking for changes."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from operator import index

from minigrad.blocks import Mode as Mode
from minigrad.blocks import Switched
from minigrad.blocks import switched as switched
from minigrad.blocks import with_or_without_parentheses as with_or_without_parentheses
from minigrad.errors import ConfigError
from minigrad.switches import Hooks as Hooks
from minigrad.switches import accumulated_passes as accumulated_passes
from minigrad.switches import checksumming as checksumming
from minigrad.switches import fusing as fusing
from minigrad.switches import hooked as hooked
from minigrad.switches import may_fuse as may_fuse
from minigrad.switches import recording as recording


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
