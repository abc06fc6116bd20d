"""The grader's side of a student's process: started, asked, and ended, whatever it does."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import minigrad_kernels

import minigrad
from minigrad.course import values, wire
from minigrad.course.cells import Cell
from minigrad.course.forkserver import FULL, NUMBER
from minigrad.course.limits import LARGEST_FOLDER, MOST_FILES, other_user, remove
from minigrad.course.student import Problem, Student

T = TypeVar("T")

_PROGRAM = """
import sys
sys.path[:0] = {path!r}
from minigrad.course.forkserver import main
main({fd}, {scratch!r}, {memory}, {seconds})
"""
_ENVIRONMENT = {  # one thread each; every kernel's NumPy reference, so that nothing has to be compiled
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "MINIGRAD_KERNELS": "reference",
}


class Lost(Exception):
    """The fork server is gone: something that it started has killed it."""


class Forks:
    """A fork server, started when it is needed and again where it was killed."""

    def __init__(self, *, seconds: float = 10.0, memory: int = 1 << 30) -> None:
        self.seconds, self.memory = seconds, memory
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._scratch = ""

    @contextmanager
    def session(
        self, cells: Sequence[Cell], shared: Sequence[Cell], loading: list[int] | None = None
    ) -> Iterator[Remote]:
        """Give a student's process of its own, with its cells loaded; it is dead and gone after the ``with`` block.

        ``loading`` receives the number of each cell as it begins to run. Raises Problem where loading them ends
        the process, or takes too long.
        """
        mine, theirs = socket.socketpair()
        control = self._ready()
        try:
            socket.send_fds(control, [b"+"], [theirs.fileno()])
            self._number()
        except (OSError, Lost) as error:
            mine.close()
            self.close()
            raise Problem("died", "the helper that should have started it is gone") from error
        finally:
            theirs.close()
        remote = Remote(self, mine, time.monotonic() + self.seconds)  # a fork server's start does not count
        try:
            remote.load(cells, shared, loading)
            yield remote
        finally:
            mine.close()
            remote.end()

    def _ready(self) -> socket.socket:
        if self._process is not None and self._process.poll() is not None:
            self.close()
        if self._control is None:
            other_user()  # says here, and not in a process that is gone, why there can be none
            self._control, far = socket.socketpair()
            files = (str(minigrad.__file__), str(minigrad_kernels.__file__))
            path = sorted({str(Path(file).resolve().parents[1]) for file in files})
            self._scratch = tempfile.mkdtemp(prefix="minigrad-course-")
            os.chmod(self._scratch, 0o711)  # another user goes through it to a folder of its own
            program = _PROGRAM.format(
                path=path,
                fd=far.fileno(),
                scratch=self._scratch,
                memory=self.memory,
                seconds=self.seconds,
            )
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-c", program],
                pass_fds=[far.fileno()],
                env={**os.environ, **_ENVIRONMENT},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
            far.close()
        return self._control

    def _number(self) -> int:
        assert self._control is not None
        self._control.settimeout(60)
        got = b""
        while len(got) < NUMBER.size:
            part = self._control.recv(NUMBER.size - len(got))
            if not part:
                raise Lost
            got += part
        return int(NUMBER.unpack(got)[0])

    def end_child(self) -> str:
        """End the child and say how it ended."""
        try:
            assert self._control is not None
            self._control.sendall(b"-")
            status = self._number()
        except (OSError, Lost, AssertionError):
            self.close()
            return "it has killed the helper that started it"
        if status == FULL:
            return f"it wrote more than {LARGEST_FOLDER >> 20} MB, or {MOST_FILES} files"
        if os.WIFSIGNALED(status):
            number = os.WTERMSIG(status)
            name = signal.Signals(number).name if number in list(signal.Signals) else f"signal {number}"
            return "it used up its time" if name == "SIGXCPU" else f"killed by {name}"
        return f"it left with exit code {os.WEXITSTATUS(status)}"

    @property
    def process(self) -> int:
        """The fork server's number; 0 where none is running."""
        return 0 if self._process is None else self._process.pid

    def kill(self) -> None:
        """End the fork server, from another thread; the session that it serves ends too."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    def close(self) -> None:
        """End the fork server."""
        if self._control is not None:
            self._control.close()
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            self._process.wait()
        if self._scratch:
            remove(self._scratch)
        self._control, self._process, self._scratch = None, None, ""


def _problems(told: Any) -> list[dict[str, Any]]:
    """Return what a child says about its cells, as far as it has the form of that."""
    kinds = {"kind": str, "message": str, "line": int, "text": str, "cell": str, "number": int}
    try:
        return [
            {name: problem[name] for name in kinds}
            for problem in told["loaded"][:50]
            if all(type(problem[name]) is kind for name, kind in kinds.items())
        ]
    except (KeyError, TypeError):
        return []


class Remote(Student):
    """A student in a process of its own; ``problems`` is what their cells have raised as they were loaded."""

    def __init__(self, forks: Forks, connection: socket.socket, deadline: float) -> None:
        super().__init__(self._exchanged)
        self._forks, self._connection, self._deadline = forks, connection, deadline
        self._ended: str | None = None
        self.problems: list[dict[str, Any]] = []

    def load(self, cells: Sequence[Cell], shared: Sequence[Cell], loading: list[int] | None) -> None:
        """Hand over the code and wait until it has run."""
        sent = {
            name: [[c.kind, c.source, {"grade_id": c.name}, c.line] for c in some]
            for name, some in (("cells", cells), ("shared", shared))
        }
        self._guarded(lambda: wire.send(self._connection, *values.encode(sent), self._deadline))
        while True:
            told = self._guarded(lambda: values.decode(*wire.receive(self._connection, self._deadline)))
            if type(told) is dict and type(told.get("cell")) is int and loading is not None:
                loading.append(told["cell"])
            elif type(told) is not dict or "cell" not in told:
                self.problems = _problems(told)
                break

    def _exchanged(self, header: bytes, body: bytes) -> tuple[bytes, bytes]:
        def exchange() -> tuple[bytes, bytes]:
            wire.send(self._connection, header, body, self._deadline)
            return wire.receive(self._connection, self._deadline)

        return self._guarded(exchange)

    def _guarded(self, action: Callable[[], T]) -> T:
        try:
            return action()
        except TimeoutError:
            raise Problem(
                "time", f"it ran for more than {self._forks.seconds:g} s. Is there a loop that never ends?"
            ) from None
        except wire.Ended:
            raise Problem("died", self.end()) from None
        except values.NotPlain as error:
            raise Problem("forged", str(error)) from None

    def end(self) -> str:
        """End the process and say how it ended."""
        if self._ended is None:
            self._ended = self._forks.end_child()
        return self._ended
