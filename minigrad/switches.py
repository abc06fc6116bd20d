"""What the engine asks wherever it runs: whether it records, who listens. ``modes.py`` switches it inside blocks."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

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


def may_fuse() -> bool:
    """Tell whether neighbouring operations may run as one here and now; see ``unfused``."""
    watchers = hooked.get()
    return fusing.get() and not (watchers.forward or watchers.backward or checksumming.get())
