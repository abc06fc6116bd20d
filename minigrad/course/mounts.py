"""A root of its own: the process sees its folder, Python and what Python needs, and nothing else of the file system.

It needs a namespace of mounts, as ``namespaces`` gives it. See pivot_root(2) and mount_namespaces(7).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import tempfile
from collections.abc import Iterable

from minigrad.course import namespaces

_READ_ONLY, _REMOUNT, _BIND, _EVERYTHING_BELOW, _PRIVATE = 1, 1 << 5, 1 << 12, 1 << 14, 1 << 18  # of mount(2)
_NOSUID, _NODEV, _NOEXEC = 1 << 1, 1 << 2, 1 << 3
_KEPT = {  # what a mount had must be asked for again as it is made read-only
    "nosuid": _NOSUID,
    "nodev": _NODEV,
    "noexec": _NOEXEC,
    "noatime": 1 << 10,
    "nodiratime": 1 << 11,
    "relatime": 1 << 21,
}
_DETACH = 2  # of umount2(2)
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41, "riscv64": 41, "ppc64le": 203, "s390x": 217}


def available(readable: Iterable[str], devices: Iterable[str]) -> bool:
    """Tell whether this process can have a root of its own; it tries in a child."""
    with tempfile.TemporaryDirectory() as folder:
        trial = os.fork()
        if trial == 0:
            with contextlib.suppress(BaseException):
                namespaces.unshare()
                enter(folder, readable, devices)
                os._exit(0)
            os._exit(1)
        return os.waitpid(trial, 0)[1] == 0


def enter(folder: str, readable: Iterable[str], devices: Iterable[str]) -> None:
    """Leave all files but ``folder`` (everything), ``readable`` (reading) and ``devices`` (reading and writing).

    All of them keep their paths; what is not there is passed over. OSError where it cannot be.
    """
    mask = os.umask(0o022)  # another user is to pass through what is made here
    try:
        _enter(os.path.realpath(folder), readable, devices)
    finally:
        os.umask(mask)


def _enter(folder: str, readable: Iterable[str], devices: Iterable[str]) -> None:
    below = os.open(folder, os.O_PATH)
    _mount("none", "/", "", _EVERYTHING_BELOW | _PRIVATE)
    _mount("root", folder, "tmpfs", _NOSUID | _NODEV, "mode=755,size=1m")
    for path in sorted({*readable} - {"/proc/self"}):
        _show(path, folder)
    for path in devices:
        _show(path, folder)
    os.makedirs(folder + "/proc", exist_ok=True)
    with contextlib.suppress(OSError):  # in most containers: part of it is hidden there, and so it stays away
        _mount("proc", folder + "/proc", "proc", _NOSUID | _NODEV | _NOEXEC)
    os.makedirs(folder + folder, exist_ok=True)
    writable = {folder + path for path in (folder, *devices)}
    _mount(f"/proc/self/fd/{below}", folder + folder, "", _BIND)
    for place, options in _mounted():
        if (place + "/").startswith(folder + "/") and place not in writable:
            kept = sum(flag for name, flag in _KEPT.items() if name in options)
            _mount("", place, "", _REMOUNT | _BIND | _READ_ONLY | kept)
    os.close(below)
    os.chdir(folder)
    _checked(_libc().syscall(_PIVOT_ROOT[os.uname().machine], b".", b"."), "pivot_root")
    _checked(_libc().umount2(b".", _DETACH), "umount2")
    os.chdir("/")


def _show(path: str, root: str) -> None:
    """Have a path below ``root`` as well: a link where it is one, or passes through one."""
    real = os.path.realpath(path)
    if not os.path.exists(real):
        return
    if real != path and not os.path.lexists(root + path):
        os.makedirs(os.path.dirname(root + path), exist_ok=True)
        os.symlink(real, root + path)
    if os.path.lexists(root + real):  # it lies in what is shown already
        return
    if os.path.isdir(real):
        os.makedirs(root + real)
    else:
        os.makedirs(os.path.dirname(root + real), exist_ok=True)
        os.close(os.open(root + real, os.O_CREAT | os.O_WRONLY, 0o644))
    _mount(real, root + real, "", _BIND | _EVERYTHING_BELOW)


def _mounted() -> list[tuple[str, list[str]]]:
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as lines:
        fields = [line.split(" ") for line in lines]
    return [
        (re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), each[4]), each[5].split(","))
        for each in fields
    ]


def _mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    texts = [os.fsencode(text) or None for text in (source, target, kind)]
    _checked(_libc().mount(*texts, ctypes.c_ulong(flags), options.encode() or None), f"mount on {target}")


def _checked(result: int, what: str) -> None:
    if result:
        raise OSError(ctypes.get_errno(), what)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
