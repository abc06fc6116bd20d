"""What a pass has to say on what it did, and what it left."""

from __future__ import annotations

from collections.abc import Callable

Tell = Callable[[str], None]


def nobody(text: str) -> None:
    """Tell nobody."""
