"""What a student's process may do: how much memory, how many processes, which files; and how it is ended.

What holds depends on the machine (``holding.py`` tries it out): see docs/guide/course.md.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import itertools
import os
import random
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import minigrad_kernels
import numpy as np

import minigrad
from minigrad.course import landlock, mounts, seccomp
from minigrad.errors import ConfigError

try:
    import resource
except ImportError:  # not on Windows
    resource = None  # type: ignore[assignment]

_USERS = range(61184, 65520)  # what Linux systems keep for users that exist for a moment only
_SUBREAPER, _DIE_WITH_PARENT, _KEEP_CAPABILITIES = 36, 1, 8  # of prctl(2)
_CAPABILITIES_V3, _READ_ALL = 0x20080522, 1 << 2  # of capset(2): CAP_DAC_READ_SEARCH

LARGEST_FOLDER, MOST_FILES = 64 << 20, 500  # bytes, and how many files, that a test may write
_SYSTEM = (
    "/usr",
    "/lib",
    "/lib64",
    "/bin",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/proc/self",
    "/sys/devices/system/cpu",
)
DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random")


class User(NamedTuple):
    """A user who owns nothing, for a student's process that root starts.

    ``reads_all``: it may read every file, like root, because Python itself is where nobody else can read it; Landlock
    then leaves it nothing but Python.
    """

    number: int
    reads_all: bool

    def become(self) -> None:
        """Make this process that user's; OSError where that is not possible."""
        libc = ctypes.CDLL(None, use_errno=True)
        os.setgroups([])
        os.setgid(self.number)
        libc.prctl(_KEEP_CAPABILITIES, int(self.reads_all), 0, 0, 0)
        os.setuid(self.number)
        if self.reads_all:
            _keep_capabilities(_READ_ALL)


def _keep_capabilities(kept: int) -> None:
    header, sets = (ctypes.c_uint32 * 2)(_CAPABILITIES_V3, 0), (ctypes.c_uint32 * 6)(kept, kept)
    if ctypes.CDLL(None, use_errno=True).capset(header, sets):
        raise OSError(ctypes.get_errno(), "capset")


def confine(
    keep: int, folder: str, *, memory: int, seconds: float, user: User | None, own_root: bool = False
) -> None:
    """Confine this process, for good; ``keep`` is the one file descriptor that stays open, as number 3.

    ``memory`` is in bytes, beyond what the process has now; ``user`` is the user to become, None to stay the same.
    ``own_root``: it gets a root of its own, which takes namespaces (``mounts``).
    """
    address_space = _address_space() + memory
    os.setsid()
    # Where a container's memory is full, the system ends this process and not the grader.
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as first_to_go:
        first_to_go.write("1000")
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    os.dup2(keep, 3)
    os.closerange(4, max(256, keep + 1, nothing + 1))
    if own_root:
        mounts.enter(folder, readable(), DEVICES)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(HOME=folder, TMPDIR=folder, PATH="/usr/bin:/bin", LANG="C.UTF-8", MPLBACKEND="agg")
    if user is not None:
        user.become()
    elif os.geteuid() != 0:
        _keep_capabilities(0)  # those that it has in a namespace of its own
    die_with_parent()
    if landlock.version():
        landlock.restrict(folder, readable(), DEVICES)
    _limit("RLIMIT_AS", address_space)
    _limit("RLIMIT_CPU", int(seconds) + 2)
    _limit("RLIMIT_FSIZE", 16 << 20)
    _limit("RLIMIT_NOFILE", 64)
    _limit("RLIMIT_NPROC", 1)
    _limit("RLIMIT_CORE", 0)
    _limit("RLIMIT_MSGQUEUE", 0)
    seccomp.restrict()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    sys.setrecursionlimit(1000)
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002 (what a student's code draws from NumPy's global state shall be the same each time)


def readable() -> list[str]:
    """Where Python and its packages are; of the project the packages alone, and none of what lies beside them."""
    ours = [str(Path(str(module.__file__)).resolve().parent) for module in (minigrad, minigrad_kernels)]
    packages = [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
    return [*_SYSTEM, sys.prefix, sys.base_prefix, *ours, *packages]


def is_full(folder: str, user: User | None = None) -> bool:
    """Tell whether more was written into ``folder``, or to where everybody can write, than a test may write.

    The latter is found out where students' code has a ``user`` of its own.
    """
    size = 0
    paths = itertools.chain(
        _below(folder), *(itertools.chain((path,), _below(path)) for path in _left_by(user))
    )
    for number, path in enumerate(paths, 1):
        with contextlib.suppress(OSError):
            size += os.lstat(path).st_blocks * 512
        if size > LARGEST_FOLDER or number > MOST_FILES:
            return True
    return False


def _below(folder: str) -> Iterator[str]:
    for place, folders, names in os.walk(folder):
        for name in (*folders, *names):
            yield os.path.join(place, name)


def remove(folder: str) -> None:
    """Remove a folder with whatever is in it, however deep: what lies in its folders is moved up until none is left.

    ``shutil.rmtree`` calls itself for every level, and ends in a RecursionError where a student made a thousand.
    """
    fresh = itertools.count()
    with contextlib.suppress(OSError):
        while entries := list(os.scandir(folder)):
            for entry in entries:
                if not entry.is_dir(follow_symlinks=False):
                    os.unlink(entry.path)
                    continue
                os.chmod(entry.path, 0o700)
                for inner in list(os.scandir(entry.path)):
                    if inner.is_dir(follow_symlinks=False):
                        os.chmod(inner.path, 0o700)
                    os.rename(
                        inner.path, os.path.join(folder, f"{entry.inode()}-{os.getpid()}-{next(fresh)}")
                    )
                os.rmdir(entry.path)
        os.rmdir(folder)


_FOR_EVERYBODY = ("/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue", "/run/lock", "/run/shm", "/var/crash")


def sweep(user: User | None) -> None:
    """Remove what a user's process has left where everybody can write."""
    for path in _left_by(user):
        with contextlib.suppress(OSError):
            remove(path) if os.path.isdir(path) and not os.path.islink(path) else os.unlink(path)


def _left_by(user: User | None) -> Iterator[str]:
    if user is None:
        return
    for place in {*_FOR_EVERYBODY, tempfile.gettempdir()}:
        with contextlib.suppress(OSError), os.scandir(place) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    if entry.stat(follow_symlinks=False).st_uid == user.number:
                        yield entry.path


def _limit(name: str, value: int) -> None:
    number = getattr(resource, name, None)
    if number is not None:
        with contextlib.suppress(ValueError, OSError):  # a system may know the name and not the limit
            resource.setrlimit(number, (value, value))


def _address_space() -> int:
    try:
        with open("/proc/self/statm", encoding="ascii") as statm:
            return int(statm.read().split()[0]) * resource.getpagesize()
    except OSError:
        return 2 << 30


def adopt_orphans() -> None:
    """Become the parent of what a child leaves behind (on Linux)."""
    _prctl(_SUBREAPER, 1)


def die_with_parent() -> None:
    """End as soon as the parent has ended (on Linux)."""
    _prctl(_DIE_WITH_PARENT, int(signal.SIGKILL))


def _prctl(what: int, value: int) -> None:
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).prctl(what, value, 0, 0, 0)


def end(child: int, user: User | None) -> int:
    """Kill a child with everything that it has started, and return its wait status."""
    for kill in (os.kill, os.killpg):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            break  # nothing is left
        _kill_all_of(user)
        for left in _children():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(left, signal.SIGKILL)
        time.sleep(0.001)
    return status


def _kill_all_of(user: User | None) -> None:
    """Kill every process of a user at once: the one thing that nothing can outrun."""
    if user is None:
        return
    helper = os.fork()
    if helper == 0:
        with contextlib.suppress(OSError):
            user.become()
            os.kill(-1, signal.SIGKILL)
        os._exit(0)
    os.waitpid(helper, 0)


def _children() -> list[int]:
    try:
        with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as children:
            return [int(number) for number in children.read().split()]
    except OSError:
        return []


def other_user() -> User | None:
    """Return a user of this process's own for students' code, where it is root's; None where it is not.

    Raises ConfigError MG-931 where such a user could run Python only with the right to read every file.
    """
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return None
    number = _number_of_our_own()
    for reads_all in (False, True) if landlock.version() else (False,):
        user = User(number, reads_all)
        if _can_work(user):
            return user
    raise ConfigError(
        "MG-931",
        f"Python and minigrad lie where only root can read them ({sys.prefix}), and this system has no Landlock: "
        "students' code could run only as root, or with root's right to read every file. Put them where everybody "
        "can read, such as /opt, or grade as an ordinary user.",
    )


def _number_of_our_own() -> int:
    """Return the number of a user whom no other grader on this machine has: it ends all of that user's processes."""
    if not _ours:
        for k in range(len(_USERS)):
            number = _USERS[(os.getpid() + k) % len(_USERS)]
            mark = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            try:
                mark.bind(f"\0minigrad-course-user-{number}")  # nobody else's until this process ends
            except OSError as error:
                mark.close()
                if error.errno == errno.EADDRINUSE:
                    continue
            else:
                mark.detach()
            _ours.append(number)
            break
    return _ours[0] if _ours else _USERS[os.getpid() % len(_USERS)]


_ours: list[int] = []


def _can_work(user: User) -> bool:
    trial = os.fork()
    if trial == 0:
        try:
            user.become()
            for path in (os.__file__, np.__file__, __file__):
                with open(path, "rb"):
                    pass
        except (OSError, AttributeError):
            os._exit(1)
        os._exit(0)
    return os.waitpid(trial, 0)[1] == 0
