"""A recorded step that shows itself: as a page, in a notebook, and the thread through it that is explained first."""

from __future__ import annotations

import os
from typing import Any

from minigrad.viz.trace import Trace


class Recording(Trace):
    """What ``mg.record`` has recorded."""

    @property
    def thread(self) -> dict[int, tuple[int, ...]]:
        """For every node the entry that is explained first; see ``minigrad.viz.thread``."""
        from minigrad.viz.thread import thread

        return thread(self)

    def html(self, **options: Any) -> str:
        """Return the stepper as a self-contained piece of HTML; for the options see ``minigrad.viz.page``."""
        from minigrad.viz import page

        text: str = page.html(self, **options)
        return text

    def save(self, path: str | os.PathLike[str], **options: Any) -> None:
        """Write the stepper as a page of its own, whole or not at all."""
        from minigrad.viz import page

        page.save(self, path, **options)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self.html()}
