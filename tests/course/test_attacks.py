"""The table of attacks in docs/guide/course.md: each row is tried in each column, and comes to what stands there."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import pytest

from minigrad.course import landlock, limits, mounts, namespaces, remote, seccomp
from minigrad.course.cells import Cell
from minigrad.course.student import Problem
from tests.course.test_walls import lacking

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the walls are Linux's")
ROOT = hasattr(os, "geteuid") and os.geteuid() == 0

COLUMNS = {
    "both": (),
    "Landlock alone": ("namespaces",),
    "namespaces alone": ("landlock",),
    "neither": ("landlock", "namespaces"),
}
REFUSED, POSSIBLE = "refused", "possible"
FILES = (REFUSED, REFUSED, REFUSED, POSSIBLE)
NEVER = (REFUSED,) * 4
BY_ORDINARY = NEVER if ROOT else FILES
FILLING = NEVER if ROOT else FILES
CALL = "import ctypes\nif ctypes.CDLL(None).{} < 0: raise OSError\nreturn 'done'"


class Row(NamedTuple):
    """A row of the guide's table, one way to try it, and what comes of it in each column."""

    row: str
    body: str
    comes: tuple[str, str, str, str]


READ = "read the solutions, hidden tests, the secret or other submissions"
WRITE = "write in `/tmp`, `/var/tmp`, `/dev/shm` or anywhere else outside its own folder"
FILE = "save a test's program in a file for another student's cell"
MEMORY = "save it in memory that outlives the process (System V, POSIX queues, keyrings, memfd)"
RESULTS = "change stored results, or the package (as an ordinary user)"
NETWORK = "reach the network, or a server on this machine (TCP, UDP, Unix sockets)"
KILL = "kill, stop, slow or trace the grader (as an ordinary user: `os.kill(-1, 9)`)"
ENVIRONMENT = "read the grader's environment variables"
DISK = "fill the disk"
PROCESSES = "start processes or threads"
ROOMS = "get namespaces, mounts or another root of its own"
PYTHON = (
    "read Python's own files and the package, whose formulas are answers (the grader's is no students' wheel)"
)
ENGINE = "call the engine's own rule in the place of writing one"

ROWS = [
    Row(READ, "return open('{shared}').read()", FILES),
    Row(READ, "return os.listdir('{folder}')", FILES),
    Row(READ, "os.symlink('{shared}', 'x')\nreturn open('x').read()", FILES),
    Row(READ, "return open('/proc/self/root{shared}').read()", FILES),
    *(
        Row(WRITE, f"open('{place}/probe-{os.getpid()}', 'w').close()\nreturn 'done'", FILES)
        for place in ("{tmp}", "/tmp", "/var/tmp", "/dev/shm")
    ),
    Row(WRITE, "os.mkdir('{tmp}/probe-{pid}')\nreturn 'done'", FILES),
    Row(FILE, "open('{tmp}/probe-{pid}', 'w').write('x')\nreturn open('{tmp}/probe-{pid}').read()", FILES),
    Row(MEMORY, CALL.format("shmget(4711, 10, 0o1600)"), NEVER),
    Row(MEMORY, CALL.format("msgget(4711, 0o1600)"), NEVER),
    Row(MEMORY, CALL.format("semget(4711, 1, 0o1600)"), NEVER),
    Row(MEMORY, CALL.format("mq_open(b'/probe', 0o102, 0o600, None)"), NEVER),
    Row(MEMORY, CALL.format("syscall({add_key}, b'user', b'probe', b'x', ctypes.c_size_t(1), -4)"), NEVER),
    Row(MEMORY, "os.memfd_create('x')\nreturn 'done'", NEVER),
    Row(RESULTS, "open('{results}', 'w').write('forged')\nreturn 'done'", BY_ORDINARY),
    Row(RESULTS, "os.rename('{results}', '{results}2')\nreturn 'done'", BY_ORDINARY),
    Row(NETWORK, "socket.create_connection(('127.0.0.1', {tcp}), 2)\nreturn 'done'", NEVER),
    Row(NETWORK, "return socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', {udp}))", NEVER),
    Row(NETWORK, "socket.socket(socket.AF_UNIX).connect('\\0{unix}')\nreturn 'done'", NEVER),
    Row(NETWORK, "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)\nreturn 'done'", NEVER),
    Row(KILL, "os.kill({pid}, 0)\nreturn 'done'", NEVER),
    Row(KILL, "os.kill(-1, 0)\nreturn 'done'", NEVER),
    Row(KILL, "os.kill(os.getppid(), 0)\nreturn 'done'", NEVER),
    Row(KILL, "os.setpriority(os.PRIO_PROCESS, {pid}, 0)\nreturn 'done'", NEVER),
    Row(KILL, "os.sched_setaffinity({pid}, os.sched_getaffinity(0))\nreturn 'done'", NEVER),
    Row(KILL, "import resource\nresource.prlimit({pid}, resource.RLIMIT_CPU)\nreturn 'done'", NEVER),
    Row(KILL, CALL.format("ptrace(16, {pid}, 0, 0)"), NEVER),
    Row(KILL, "import fcntl\nfcntl.fcntl(0, fcntl.F_SETOWN, {pid})\nreturn 'done'", NEVER),
    Row(ENVIRONMENT, "t = open('/proc/self/environ').read()\nassert 'SECRET' in t\nreturn 'done'", NEVER),
    Row(
        DISK,
        "for k in range(6): open(f'{tmp}/probe-{pid}-{k}', 'wb').write(bytes(15 << 20))\n"
        "import time; time.sleep(.5)\nreturn 'done'",
        FILLING,
    ),
    Row(DISK, "for k in range(6): open(str(k), 'wb').write(bytes(15 << 20))\nimport time; time.sleep(9)", NEVER),
    Row(PROCESSES, "os.fork()\nreturn 'done'", NEVER),
    Row(PROCESSES, "import threading\nthreading.Thread(target=print).start()\nreturn 'done'", NEVER),
    Row(ROOMS, CALL.format("unshare(0x10000000)"), NEVER),
    Row(ROOMS, CALL.format("mount(b'x', b'/tmp', b'tmpfs', 0, None)"), NEVER),
    Row(ROOMS, "os.chroot('.')\nreturn 'done'", NEVER),
    Row(PYTHON, "import minigrad\nreturn open(minigrad.__file__).read()[:3]", (POSSIBLE,) * 4),
    Row(ENGINE, "import minigrad as mg\nreturn mg.grad(lambda x: x.tanh())(0.5)", (POSSIBLE,) * 4),
]  # fmt: skip


@pytest.fixture(scope="module", params=COLUMNS)
def column(request):
    taken = COLUMNS[request.param]
    if not seccomp.available():
        pytest.skip("needs seccomp")
    if "landlock" not in taken and landlock.version() < 6:
        pytest.skip("needs Landlock 6")
    if "namespaces" not in taken and not (
        namespaces.available() and mounts.available(limits.readable(), limits.DEVICES)
    ):
        pytest.skip("needs namespaces")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(remote, "_PROGRAM", lacking(*taken))
        patch.setenv("SECRET", "SECRET")
        forks = remote.Forks(seconds=20)
        try:
            yield list(COLUMNS).index(request.param), forks
        finally:
            forks.close()


@pytest.fixture(scope="module")
def around():
    """What there is to attack, readable for everybody."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as servers:
        Path(folder).chmod(0o755)
        for name in ("solutions", "results"):
            Path(folder, name).write_text("secret")
            Path(folder, name).chmod(0o644)
        tcp, udp, unix = (
            servers.enter_context(socket.socket(family, kind))
            for family, kind in (
                (socket.AF_INET, socket.SOCK_STREAM),
                (socket.AF_INET, socket.SOCK_DGRAM),
                (socket.AF_UNIX, socket.SOCK_STREAM),
            )
        )
        for one in (tcp, udp):
            one.bind(("127.0.0.1", 0))
        unix.bind(f"\0probe-{os.getpid()}")
        tcp.listen()
        unix.listen()
        yield {
            "{shared}": f"{folder}/solutions",
            "{folder}": folder,
            "{results}": f"{folder}/results",
            "{tmp}": tempfile.gettempdir(),
            "{tcp}": tcp.getsockname()[1],
            "{udp}": udp.getsockname()[1],
            "{unix}": f"probe-{os.getpid()}",
            "{pid}": os.getpid(),
            "{add_key}": {"x86_64": 248, "aarch64": 217}.get(os.uname().machine, 0),
        }


@pytest.mark.parametrize("row", ROWS, ids=[f"{k} {row.row[:40]}" for k, row in enumerate(ROWS)])
def test_an_attack_comes_to_what_the_guide_says(row, column, around):
    number, forks = column
    body = row.body
    for name, value in around.items():
        body = body.replace(name, str(value))
    source = "import os, socket\n\ndef f():\n" + "".join(f"    {line}\n" for line in body.split("\n"))
    came, said = POSSIBLE, None
    try:
        with forks.session([Cell("code", source)], []) as student:
            said = student.f()
    except Problem as problem:
        came, said = REFUSED, problem.message
    finally:
        for place in {tempfile.gettempdir(), "/tmp", "/var/tmp", "/dev/shm"}:
            for path in Path(place).glob(f"probe-{os.getpid()}*"):
                path.rmdir() if path.is_dir() else path.unlink()
        Path(around["{results}"]).write_text("secret")
        Path(around["{results}"] + "2").unlink(missing_ok=True)
    assert came == row.comes[number], said


def test_the_guide_has_these_rows_and_says_what_comes_of_them():
    text = (Path(__file__).parents[2] / "docs" / "guide" / "course.md").read_text(encoding="utf-8")
    head = next(line for line in text.split("\n") if line.startswith("| what a cell tries"))
    assert [name.strip() for name in head.strip("| ").split("|")[1:]] == ["with both", *list(COLUMNS)[1:]]
    table = text.partition(head)[2].partition("\n\n")[0]
    said = {
        cells[0]: cells[1:]
        for line in table.strip().split("\n")[1:]
        for cells in [[cell.strip() for cell in re.split(r"\s\|\s", line.strip("| "))]]
    }
    assert set(said) == {row.row for row in ROWS}
    for name, told in said.items():
        for text, came in zip(
            told, zip(*(row.comes for row in ROWS if row.row == name), strict=True), strict=True
        ):
            if POSSIBLE in came:
                assert "possible" in text, name
            elif "possible" in text:  # for others than who runs this
                assert "root" in text or "ordinary user" in name, name
