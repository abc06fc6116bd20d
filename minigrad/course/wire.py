"""Messages over a socket, each with its two lengths in front; neither side waits for ever, or for too much."""

from __future__ import annotations

import socket
import struct
import time

from minigrad.course.values import LARGEST_BODY, LARGEST_HEADER, NotPlain

_LENGTHS = struct.Struct("!QQ")


class Ended(Exception):
    """The other side is gone."""


def send(to: socket.socket, header: bytes, body: bytes, deadline: float | None = None) -> None:
    """Send one message; TimeoutError after ``deadline`` (of ``time.monotonic()``), Ended where nobody reads."""
    try:
        for part in (_LENGTHS.pack(len(header), len(body)) + header, body):
            _limit(to, deadline)
            to.sendall(part)
    except (BrokenPipeError, ConnectionError) as error:
        raise Ended from error


def receive(source: socket.socket, deadline: float | None = None) -> tuple[bytes, bytes]:
    """Receive one message; NotPlain where it says that it is larger than a message can be."""
    header, body = _LENGTHS.unpack(_exactly(source, _LENGTHS.size, deadline))
    if header > LARGEST_HEADER or body > LARGEST_BODY:
        raise NotPlain("it is larger than a message can be")
    return _exactly(source, header, deadline), _exactly(source, body, deadline)


def _exactly(source: socket.socket, count: int, deadline: float | None) -> bytes:
    parts = bytearray()
    while len(parts) < count:
        _limit(source, deadline)
        try:
            part = source.recv(min(count - len(parts), 1 << 20))
        except ConnectionError as error:
            raise Ended from error
        if not part:
            raise Ended
        parts += part
    return bytes(parts)


def _limit(one: socket.socket, deadline: float | None) -> None:
    if deadline is not None:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        one.settimeout(left)
