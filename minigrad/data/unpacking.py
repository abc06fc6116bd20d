"""How much a packed file may unpack to, asked before anything is unpacked."""

from __future__ import annotations

import os

_ALWAYS_FINE = 1 << 30
_MOST_PACKED = 100  # real samples are packed into a tenth; zeros, into a thousandth
_COPIES = 3  # of the samples, until they are cleaned and scaled


def too_large(unpacked: int, packed: int) -> str:
    """Say why ``packed`` bytes should not be unpacked to so many; nothing where they may.

    That is what three times would fill this machine's memory, or what is above 1 GiB and a hundred times the packed
    bytes: a file made to fill a memory, or one number repeated, and nothing to learn from.
    """
    size = f"{unpacked / 1e9:.1f} GB"
    memory = _memory()
    if memory and unpacked * _COPIES > memory:
        return (
            f"it unpacks to {size}, of which {_COPIES} copies do not fit into {memory / 1e9:.1f} GB of memory"
        )
    if unpacked > _ALWAYS_FINE and unpacked > _MOST_PACKED * packed:
        return f"it unpacks to {size}, {unpacked // max(packed, 1):,} times its size, so it is nearly all one number"
    return ""


def _memory() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not on every system
        return 0
