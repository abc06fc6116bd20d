"""No wait without an end: every wait for another process has a deadline, and says what did not come."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from minigrad.errors import ConfigError, ParallelError

DEADLINE = 60.0
"""Seconds that a wait lasts at most, unless ``MINIGRAD_DEADLINE`` says otherwise."""

EAGER = 0.05
"""Seconds of polling at full speed; a longer wait is for a slower process, which needs the core more."""
_PAUSE = 0.0002  # seconds between two polls after that

_give_way: Callable[[], object] = getattr(os, "sched_yield", lambda: time.sleep(0))


def wait_until(
    done: Callable[[], bool], seconds: float, what: str, who: str = "this process", eager: float = EAGER
) -> None:
    """Poll ``done`` until it holds; ParallelError MG-873 after so many seconds.

    ``what`` completes "waited for", ``who`` names the one that waits. Polling is also what moves the data: an MPI
    library makes progress while it is called. After ``eager`` seconds at full speed it polls a few thousand times
    a second.
    """
    if done():
        return
    began = time.monotonic()
    while not done():
        waited = time.monotonic() - began
        if waited > seconds:
            raise ParallelError(
                "MG-873",
                f"{who} waited {seconds:g} s for {what}, and it did not come. Another process is stuck, lost or "
                "that much slower. Look at what it printed; where it is only slow, allow more time: "
                "MINIGRAD_DEADLINE=600, or minigrad launch --deadline 600.",
            )
        if waited < eager:
            _give_way()
        else:
            time.sleep(_PAUSE)


def deadline() -> float:
    """Return the seconds that a wait lasts at most: ``MINIGRAD_DEADLINE``, or 60.

    Raises ConfigError MG-802 where the variable holds no number above 0.
    """
    text = os.environ.get("MINIGRAD_DEADLINE", "")
    try:
        seconds = float(text or DEADLINE)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 1e9:
        raise ConfigError(
            "MG-802", f"MINIGRAD_DEADLINE is {text!r}; it takes a number of seconds above 0, such as 60."
        )
    return seconds
