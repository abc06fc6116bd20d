"""Namespaces: a process that sees no other processes, no network and nobody's shared memory, and has mounts of its own.

Root may have them anywhere; others where the system lets them have a namespace of users first. See namespaces(7).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import struct
from collections.abc import Callable
from typing import NoReturn

_USERS, _PROCESSES, _NETWORK, _SHARED_MEMORY = 0x10000000, 0x20000000, 0x40000000, 0x08000000  # of unshare(2)
_MOUNTS = 0x00020000
_STATUS = struct.Struct("=i")


def available() -> bool:
    """Tell whether this process can have namespaces; it tries in a child."""
    trial = os.fork()
    if trial == 0:
        with contextlib.suppress(BaseException):
            unshare()
            os._exit(0)
        os._exit(1)
    return os.waitpid(trial, 0)[1] == 0


def enter(guard: Callable[[], None], keep: int) -> None:
    """Return in a new process, which is alone in its namespaces; this one waits for it and ends as it does.

    Between the two stands the namespace's first process, with whose end everything in it ends, and which cannot be
    killed from within. ``guard`` runs in all of them and ties each to its parent's life. This process holds the file
    descriptor ``keep``, so that who waits for its end hears of it when the way it ended is known. OSError where it
    cannot be.
    """
    unshare()
    reading, writing = os.pipe()
    first = os.fork()
    if first:
        guard()
        _end_as(_status_from(reading, writing, keep))
    guard()
    os.close(reading)
    student = os.fork()
    if student == 0:
        os.close(writing)
        guard()
        return
    os.closerange(0, writing)
    os.closerange(writing + 1, 4096)
    while True:
        ended, status = os.wait()
        if ended == student:
            os.write(writing, _STATUS.pack(status))
            os._exit(0)


def unshare() -> None:
    """Get namespaces of its own, of which that of processes is its children's; OSError where it cannot be."""
    user, group = os.geteuid(), os.getegid()
    flags = _PROCESSES | _NETWORK | _SHARED_MEMORY | _MOUNTS | (0 if user == 0 else _USERS)
    try:
        if ctypes.CDLL(None, use_errno=True).unshare(flags):
            raise OSError(ctypes.get_errno(), "unshare")
    except (AttributeError, TypeError) as error:  # not on Linux
        raise OSError(str(error)) from error
    if user != 0:  # without a number there, nobody can make a file
        for name, text in (
            ("setgroups", "deny"),
            ("uid_map", f"{user} {user} 1"),
            ("gid_map", f"{group} {group} 1"),
        ):
            with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
                file.write(text)


def _status_from(reading: int, writing: int, keep: int) -> int:
    os.close(writing)
    for descriptor in range(4096):
        if descriptor not in (reading, keep):
            with contextlib.suppress(OSError):
                os.close(descriptor)
    status = os.read(reading, _STATUS.size)
    os.wait()
    return int(_STATUS.unpack(status)[0]) if status else signal.SIGKILL


def _end_as(status: int) -> NoReturn:
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        with contextlib.suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        signal.pause()
    os._exit(os.WEXITSTATUS(status))
