"""A thread that keeps communication going while the main thread is in a long matrix product.

An MPI library moves data while it is called. The walk's hooks call it between operations; a product of large matrices
takes as long as sending a whole bucket, and lets go of Python meanwhile, so that this thread can call it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

_EVERY = 0.0005  # seconds


class Pacer:
    """Calls ``move`` about a thousand times a second between ``start`` and ``stop``."""

    def __init__(self, move: Callable[[], object]) -> None:
        self._move = move
        self._awake = threading.Event()
        threading.Thread(target=self._run, name="minigrad-pacer", daemon=True).start()

    def start(self) -> None:
        """Begin to call."""
        self._awake.set()

    def stop(self) -> None:
        """Call no more, once a call under way has ended."""
        self._awake.clear()

    def _run(self) -> None:
        while True:
            self._awake.wait()
            self._move()
            time.sleep(_EVERY)
