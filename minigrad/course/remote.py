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
from minigrad.course.forkserver import FULL, NUMBER, asked_for
from minigrad.course.limits import LARGEST_FOLDER, MOST_FILES, other_user, remove
from minigrad.course.places import SCRATCH
from minigrad.course.student import Problem, Student
from minigrad.errors import MinigradError

T = TypeVar("T")
_START = 60.0  # seconds that a process has to come up in

_PROGRAM = """
import sys
sys.path[:0] = {path!r}
from minigrad.course.forkserver import main
main({fd}, {scratch!r}, {memory}, {seconds})
"""
_KEPT = (  # of the grader's environment, which students' code can read
    *("LD_LIBRARY_PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "HOME", "SYSTEMROOT"),
    *("NUMBA_CACHE_DIR", "MPLCONFIGDIR"),
)
_ENVIRONMENT = {  # one thread each; every kernel's NumPy reference, so that nothing has to be compiled
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "MINIGRAD_KERNELS": "reference",
    "MPLBACKEND": "agg",
}


class Lost(MinigradError, RuntimeError):
    """No process could be started for a student's code (MG-950), which is the machine's fault and not the student's."""

    def __init__(self, why: str) -> None:
        super().__init__(
            "MG-950",
            f"no process could be started for a student's code: {why}. No code of the student's has run. Look for "
            "room on the disk and in memory, and run it again.",
        )


def possible() -> bool:
    """Tell whether this system can start processes as students' code needs them: by forking, over Unix sockets."""
    return hasattr(os, "fork") and hasattr(socket, "send_fds") and hasattr(os, "setsid")


class _Gone(Exception):
    """The fork server is gone."""


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
        the process, or takes too long, and Lost MG-950 where no process can be had.
        """
        try:
            mine = self._started(cells)
        except OSError as error:
            raise Lost(error.strerror or str(error)) from error
        except _Gone:
            raise Lost("the helper that starts them has ended") from None
        remote = Remote(self, mine)
        try:
            remote.load(cells, shared, loading)
            yield remote
        finally:
            mine.close()
            remote.end()

    def _started(self, cells: Sequence[Cell]) -> socket.socket:
        """Return the connection to a new process; _Gone or OSError where there is none."""
        mine, theirs = socket.socketpair()
        try:
            control = self._ready()
            try:
                socket.send_fds(control, [bytes([asked_for(cells)])], [theirs.fileno()])
                number = self._number()
            except (OSError, _Gone):
                self.close()
                raise
            if number < 0:
                raise OSError(-number, os.strerror(-number))
        except BaseException:
            mine.close()
            raise
        finally:
            theirs.close()
        return mine

    def _ready(self) -> socket.socket:
        if self._process is not None and self._process.poll() is not None:
            self.close()
        if self._control is None:
            other_user()  # says here, and not in a process that is gone, why there can be none
            self._control, far = socket.socketpair()
            files = (str(minigrad.__file__), str(minigrad_kernels.__file__))
            path = sorted({str(Path(file).resolve().parents[1]) for file in files})
            self._scratch = tempfile.mkdtemp(prefix=SCRATCH)
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
                env={name: os.environ[name] for name in _KEPT if name in os.environ} | _ENVIRONMENT,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
            far.close()
        return self._control

    def _number(self) -> int:
        assert self._control is not None
        self._control.settimeout(_START)
        got = b""
        while len(got) < NUMBER.size:
            part = self._control.recv(NUMBER.size - len(got))
            if not part:
                raise _Gone
            got += part
        return int(NUMBER.unpack(got)[0])

    def end_child(self) -> str:
        """End the child and say how it ended."""
        try:
            assert self._control is not None
            self._control.sendall(b"-")
            status = self._number()
        except (OSError, _Gone, AssertionError):
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


def _problems(report: Any) -> list[dict[str, Any]]:
    """Return what a child says about its cells, as far as it has the form of that."""
    kinds = {"kind": str, "message": str, "line": int, "text": str, "cell": str, "number": int}
    try:
        return [
            {name: problem[name] for name in kinds}
            for problem in report["loaded"][:50]
            if all(type(problem[name]) is kind for name, kind in kinds.items())
        ]
    except (KeyError, TypeError):
        return []


class Remote(Student):
    """A student in a process of its own; ``problems`` is what their cells have raised as they were loaded."""

    def __init__(self, forks: Forks, connection: socket.socket) -> None:
        super().__init__(self._exchanged)
        self._forks, self._connection, self._deadline = forks, connection, 0.0
        self._ended: str | None = None
        self.problems: list[dict[str, Any]] = []

    def load(self, cells: Sequence[Cell], shared: Sequence[Cell], loading: list[int] | None) -> None:
        """Hand over the code and wait until it has run. Its time begins when its process is there."""
        try:
            wire.receive(self._connection, time.monotonic() + _START)
        except (TimeoutError, wire.Ended):
            raise Lost(f"it could not be set up ({self.end()})") from None
        self._deadline = time.monotonic() + self._forks.seconds
        sent = {
            name: [[c.kind, c.source, {"grade_id": c.name}, c.line] for c in some]
            for name, some in (("cells", cells), ("shared", shared))
        }
        self._guarded(lambda: wire.send(self._connection, *values.encode(sent), self._deadline))
        while True:
            report = self._guarded(lambda: values.decode(*wire.receive(self._connection, self._deadline)))
            if type(report) is dict and type(report.get("cell")) is int and loading is not None:
                loading.append(report["cell"])
            elif type(report) is not dict or "cell" not in report:
                self.problems = _problems(report)
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
