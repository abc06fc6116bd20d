"""What the engine asks wherever it runs: whether it records, who listens. ``modes.py`` switches it inside blocks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any, NamedTuple, Protocol

from minigrad.blocks import switch


class Hooks(NamedTuple):
    """The functions that are called at each kind of event; see ``modes.hooks``."""

    forward: tuple[Callable[..., None], ...] = ()
    backward: tuple[Callable[..., None], ...] = ()
    accumulate_grad: tuple[Callable[..., None], ...] = ()
    update: tuple[Callable[..., None], ...] = ()


recording = switch("recording", True)
hooked = switch("hooked", Hooks())
fusing = switch("fusing", True)
checksumming = switch("checksumming", False)
accumulated_passes = switch("accumulated_passes", 1)


class Tracing(Protocol):
    """What follows a step while ``program`` traces it."""

    def enter(self, inputs: Sequence[Any]) -> None:
        """Follow the arrays of these tensors, which are the inputs of an operation."""

    def arrived(self, loss: Any, leaves: Sequence[Any]) -> None:
        """Take note of the loss of a walk, an array, and of the leaves that it reached."""

    def update(self, optimizer: Any, work: Sequence[Any], idle: Sequence[Any]) -> None:
        """Do, and note down, an optimizer's step: of each group with the parameters that are ready; others are idle."""


tracing: ContextVar[Tracing | None] = switch("tracing", None)


def may_fuse() -> bool:
    """Tell whether neighbouring operations may run as one here and now; see ``unfused``."""
    watchers = hooked.get()
    return fusing.get() and not (watchers.forward or watchers.backward or checksumming.get())


def is_watched() -> bool:
    """Tell whether somebody looks at every operation, or ``program`` traces what runs here."""
    return not fusing.get() or checksumming.get() or any(hooked.get()) or tracing.get() is not None
