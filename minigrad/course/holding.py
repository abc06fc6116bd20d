"""What keeps students' code in on this machine, tried out: a probe goes where students' code goes, and tries."""

from __future__ import annotations

import socket
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from minigrad.course.cells import Cell
from minigrad.course.remote import Forks, possible
from minigrad.errors import ConfigError

_PROBE = """
import ctypes, os, socket

def can(attempt, *arguments):
    try:
        return attempt(*arguments) is not False
    except Exception:
        return False

def read(path):
    open(path, "rb").read()

def write(folder):
    path = os.path.join(folder, ".probe-%d" % os.getpid())
    with open(path, "w"):
        pass
    os.unlink(path)

def connect(port):
    socket.create_connection(("127.0.0.1", port), 2).close()

def send(port):
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", port))

def whisper(name):
    socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"x", "\\0" + name)

def fork():
    if os.fork() == 0:
        os._exit(0)

def probe(path, folders, results, tcp, udp, name, process):
    return {
        "reads": can(read, path),
        "writes": any([can(write, folder) for folder in folders]),
        "forges": can(write, results),
        "network": any([can(connect, tcp), can(send, udp)]),
        "signals": any([can(whisper, name), can(os.kill, process, 0)]),
        "exceeds": any([can(bytearray, 5 << 28), can(fork)]),
    }

def file(folder, key, make):
    path = os.path.join(folder, "probe-%d" % key)
    if make:
        open(path, "w").close()
    else:
        os.unlink(path)

def memory(key, make):
    return ctypes.CDLL(None).shmget(key, 1, 0o600 | (make and 0o1000)) >= 0

def queue(key, make):
    return ctypes.CDLL(None).msgget(key, 0o600 | (make and 0o1000)) >= 0

def posix_queue(key, make):
    name = b"/probe-%d" % key
    libc = ctypes.CDLL(None)
    return libc.mq_open(name, 0o102, 0o600, None) >= 0 if make else libc.mq_unlink(name) == 0

def keyring(key, make):
    libc, name = ctypes.CDLL(None), b"probe-%d" % key
    numbers = {"x86_64": (248, 249), "aarch64": (217, 218)}[os.uname().machine]
    if make:
        return libc.syscall(numbers[0], b"user", name, b"x", ctypes.c_size_t(1), -4) >= 0
    return libc.syscall(numbers[1], b"user", name, None, -4) >= 0

def kept(folders, key, make):
    ways = [can(way, key, make) for way in (memory, queue, posix_queue, keyring)]
    return any([*ways, *[can(file, folder, key, make) for folder in folders]])
"""


class Holding(NamedTuple):
    """What a student's code can do here: each is False where it is kept from it."""

    reads: bool
    """read the assignment's source, with its solutions, and other students' files"""
    writes: bool
    """write outside its own folder, into /tmp say"""
    forges: bool
    """change results that are stored already"""
    network: bool
    """reach the network"""
    signals: bool
    """signal other processes, or send them messages"""
    exceeds: bool
    """take more memory than it may, or start processes"""
    leaves: bool
    """leave something, a test's program say, where another submission's code finds it"""

    @classmethod
    def stored(cls, found: Mapping[str, bool]) -> Holding | None:
        """Return what a result says was found as it was graded (``_asdict``); None where nobody looked."""
        return cls(**found) if set(found) == set(cls._fields) else None

    def sentences(self, where: str = "On this machine") -> list[str]:
        """Say what holds, and what does not, in two sentences at the most."""
        kept = [words for can, words in zip(self, _WORDS, strict=True) if not can]
        can = [words for can, words in zip(self, _WORDS, strict=True) if can]
        sentences = [f"{where} a student's code cannot {_listed(kept, 'or')}."] if kept else []
        if can:
            sentences.append(
                f"It CAN {_listed(can, 'and')}: grade strangers' code in a container, as the guide shows."
            )
        return sentences


_WORDS = (
    "read solutions or other submissions",
    "write outside its own folder",
    "change results that are stored",
    "reach the network",
    "signal or message other processes",
    "take more memory than it may or start processes",
    "leave anything for other students' code",
)


def _listed(words: Sequence[str], last: str) -> str:
    return ", ".join(words[:-1]) + (f" {last} " if words[1:] else "") + words[-1]


def holding(results: Path) -> Holding:
    """Try what students' code can do here; ``results`` is the folder that results are stored in.

    Raises Problem where the probe cannot run at all, ConfigError MG-951 where no student's code can.
    """
    if not possible():
        raise ConfigError(
            "MG-951",
            f"this system ({sys.platform}) cannot fork processes, and each test of a student's code needs one. Grade "
            "on Linux: in a container, in a virtual machine, or in WSL on Windows. `minigrad course check` works here.",
        )
    results.mkdir(parents=True, exist_ok=True)
    forks = Forks(seconds=20, memory=1 << 30)
    tcp, udp = (socket.socket(socket.AF_INET, kind) for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM))
    unix = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    with tempfile.TemporaryDirectory() as folder, tcp, udp, unix:
        public = Path(folder, "solutions.py")
        public.write_text("secret", encoding="ascii")
        public.chmod(0o644)
        Path(folder).chmod(0o755)
        name = f"minigrad-course-{public.stat().st_ino}"
        for one in (tcp, udp):
            one.bind(("127.0.0.1", 0))
        tcp.listen()
        unix.bind("\0" + name)
        places = [tempfile.gettempdir(), "/tmp", "/var/tmp", "/dev/shm"]
        try:
            with forks.session([Cell("code", _PROBE)], []) as student:
                found: dict[str, Any] = student.probe(
                    str(public),
                    places,
                    str(results.resolve()),
                    tcp.getsockname()[1],
                    udp.getsockname()[1],
                    name,
                    forks.process,
                )
            key = 1 + public.stat().st_ino % (1 << 30)
            with forks.session([Cell("code", _PROBE)], []) as student:
                student.kept(places, key, 1)
            with forks.session([Cell("code", _PROBE)], []) as another:
                found["leaves"] = (
                    another.kept(places, key, 0) or found["writes"]
                )  # to one that runs beside it
        finally:
            forks.close()
    return Holding(**{key: bool(found[key]) for key in Holding._fields})
