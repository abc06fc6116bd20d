"""The old names of what is in ``transport.py`` and ``shared.py`` now."""

from __future__ import annotations

from minigrad.parallel.transport import LINE, MessageTransport, Transport, offsets
from minigrad.renamed import renamed

__getattr__ = renamed(
    __name__,
    {
        "Carrier": ("minigrad.parallel.transport.Transport", Transport),
        "Messages": ("minigrad.parallel.transport.MessageTransport", MessageTransport),
        "places": ("minigrad.parallel.transport.offsets", offsets),
        "LINE": ("minigrad.parallel.transport.LINE", LINE),
    },
)
