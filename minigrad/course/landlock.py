"""Landlock: a Linux process gives up, for good, the right to all files but the few that it names (since Linux 5.13).

It needs no rights of its own to do so, and what it has given up its children do not get back. Newer kernels add TCP
(6.7) and signals to processes outside (6.12). See landlock(7).
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
import sys
from collections.abc import Iterable

_CREATE, _ADD_RULE, _RESTRICT = 444, 445, 446  # system calls, of one number on all processors
_NO_NEW_PRIVILEGES = 38  # of prctl(2)
_ONLY_THE_VERSION = 1

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_FOLDER, _TRUNCATE = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 14
_OF_A_FILE = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE
_FILES = {
    1: (1 << 13) - 1,
    2: 1 << 13,
    3: 1 << 14,
    5: 1 << 15,
}  # rights to files, by the version that added them
_TCP, _SIGNALS_AND_SOCKETS = (4, 3), (6, 3)


def version() -> int:
    """Return the version of Landlock that this kernel has; 0 where it has none, or hides it."""
    if not sys.platform.startswith("linux"):  # there, the number is another call's
        return 0
    try:
        found = int(_libc().syscall(_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(_ONLY_THE_VERSION)))
    except (OSError, AttributeError, TypeError):
        return 0
    return max(0, found)


def restrict(folder: str, readable: Iterable[str], devices: Iterable[str]) -> None:
    """Give up all files but ``folder`` (everything), ``readable`` (reading) and ``devices`` (reading and writing).

    With a kernel that can, also TCP, signals to other processes and their abstract sockets. What is not there is
    passed over. Raises OSError where the kernel refuses.
    """
    has = version()
    files = sum(rights for since, rights in _FILES.items() if has >= since)
    tcp, scoped = (rights if has >= since else 0 for since, rights in (_TCP, _SIGNALS_AND_SOCKETS))
    attributes = struct.pack("=QQQ", files, tcp, scoped)[: 24 if has >= 6 else 16 if has >= 4 else 8]
    ruleset = _called(_CREATE, attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint32(0))
    reading = _EXECUTE | _READ_FILE | _READ_FOLDER
    allowed = [(folder, files)]
    allowed += [(path, reading) for path in readable]
    allowed += [(path, _READ_FILE | _WRITE_FILE) for path in devices]
    for path, rights in allowed:
        _allow(ruleset, path, rights & files)
    if _libc().prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")
    _called(_RESTRICT, ctypes.c_int(ruleset), ctypes.c_uint32(0))
    os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        below = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(below).st_mode):
            rights &= _OF_A_FILE
        rule = struct.pack("=Qi", rights, below)
        _called(_ADD_RULE, ctypes.c_int(ruleset), ctypes.c_int(1), rule, ctypes.c_uint32(0))
    finally:
        os.close(below)


def _called(number: int, *arguments: object) -> int:
    found = int(_libc().syscall(number, *arguments))
    if found < 0:
        raise OSError(ctypes.get_errno(), "landlock")
    return found


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
