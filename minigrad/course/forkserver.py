"""A warm process that has imported everything, runs no student's code itself, and forks for every test.

It speaks with one grader over one socket: a byte with a file descriptor asks for a child that serves that descriptor;
the child's number comes back, or where there can be none the error's number, negative; another byte asks for its end,
and its wait status comes back. The byte says which of ``SLOW`` the child's code imports.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import select
import signal
import socket
import struct
import tempfile
from collections.abc import Iterable
from typing import NoReturn

from minigrad_kernels import launch

import minigrad.optim
from minigrad.course import limits, mounts, namespaces, stand_ins, values, wire
from minigrad.course.cells import Cell
from minigrad.course.theirs import Theirs

NUMBER = struct.Struct("!i")
SLOW = ("matplotlib.pyplot", "scipy.stats", "pandas")  # packages that take seconds to import, once here
FULL = -1  # in the place of a wait status: it was ended because it wrote too much


def main(control_fd: int, scratch: str, memory: int, seconds: float) -> None:
    """Serve until the grader is gone; each child's folder lies in ``scratch``."""
    limits.adopt_orphans()
    limits.die_with_parent()
    launch.numba()
    minigrad.ops.gelu(0.5)  # imports SciPy's functions
    control = socket.socket(fileno=control_fd)
    user = limits.other_user()
    apart = namespaces.available()
    own_root = apart and mounts.available(limits.readable(), limits.DEVICES)
    while True:
        asked, descriptors, *_ = socket.recv_fds(control, 1, 1)
        if not asked:
            return
        _prepare(asked[0])
        try:
            folder = tempfile.mkdtemp(dir=scratch)
            if user is not None:
                os.chown(folder, user.number, user.number)
            child = os.fork()
        except OSError as error:  # the disk is full, say
            os.close(descriptors[0])
            control.sendall(NUMBER.pack(-(error.errno or 1)))
            continue
        if child == 0:
            control.detach()
            if apart:
                namespaces.enter(limits.die_with_parent, descriptors[0])
            limits.confine(
                descriptors[0], folder, memory=memory, seconds=seconds, user=user, own_root=own_root
            )
            _serve(socket.socket(fileno=3))
        os.close(descriptors[0])
        full = False
        try:
            control.sendall(NUMBER.pack(child))
            while not select.select([control], [], [], 0.1)[0]:
                if not full and limits.is_full(folder, user):
                    full = True
                    os.kill(child, signal.SIGKILL)
            control.recv(1)
        finally:
            status = limits.end(child, user)
            full = full or limits.is_full(folder, user)
            limits.remove(folder)
            limits.sweep(user)
        control.sendall(NUMBER.pack(FULL if full else status))


def asked_for(cells: Iterable[Cell]) -> int:
    """Return the byte that asks for a child for these cells."""
    names = [name.partition(".")[0] for name in SLOW]
    return sum(1 << k for k, name in enumerate(names) if any(name in cell.source for cell in cells))


def _prepare(asked: int) -> None:
    for k, name in enumerate(SLOW):
        if asked >> k & 1:
            # it may not be installed, or be broken: then the student's own import says so
            with contextlib.suppress(Exception):
                importlib.import_module(name)


def _serve(grader: socket.socket) -> NoReturn:
    """Load a student's cells and answer the grader's questions, until it is gone."""
    with contextlib.suppress(BaseException):
        wire.send(grader, *values.encode("ready"))  # from here on an end is the student's doing
        order = values.decode(*wire.receive(grader))
        theirs = Theirs()
        stand_ins.put(instead=True)
        theirs.share([Cell(*cell) for cell in order["shared"]])

        def tell(number: int) -> None:
            wire.send(grader, *values.encode({"cell": number}))

        problems = theirs.load([Cell(*cell) for cell in order["cells"]], tell)
        wire.send(grader, *values.encode({"loaded": problems}))
        while True:
            wire.send(grader, *theirs.answer(*wire.receive(grader)))
    os._exit(0)
