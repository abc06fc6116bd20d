"""A worker's process, from outside: jobs go in, answers come out."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from threading import Event, Timer
from typing import Any

from minigrad.bench.worker import ANSWER

_PATIENCE = 900  # seconds for one job
_PARTING = 10  # and to end


class WorkerFailed(Exception):
    """A worker ended without an answer; the text says why."""


class Worker:
    """A process of its own that does one job after another, and keeps from one to the next what it has built."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._complaints = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115  # until close
        self._process = subprocess.Popen(
            [sys.executable, "-m", "minigrad.bench.worker"],
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            text=True,
        )

    def ask(self, job: Mapping[str, Any]) -> Any:
        """Have a job done and return its answer; WorkerFailed, with the reason, where there is none."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        late = Event()
        timer = Timer(_PATIENCE, self._kill, [late])
        timer.start()
        try:
            self._process.stdin.write(json.dumps(job) + "\n")
            self._process.stdin.flush()
            for line in self._process.stdout:
                if line.startswith(ANSWER):
                    return json.loads(line.removeprefix(ANSWER))
        except BrokenPipeError:
            pass  # it has ended before
        finally:
            timer.cancel()
        raise WorkerFailed(f"no result within {_PATIENCE} s" if late.is_set() else self._last_words())

    def _kill(self, late: Event) -> None:
        late.set()
        self._process.kill()

    def _last_words(self) -> str:
        code = self._process.wait()
        self._complaints.seek(0)
        lines = self._complaints.read().strip().splitlines()
        return lines[-1].strip() if lines else f"it ended with code {code}"

    def close(self) -> None:
        """End the process: it goes by itself when no more jobs can come."""
        with suppress(BrokenPipeError):
            self._process.stdin.close()  # type: ignore[union-attr]
        try:
            self._process.wait(_PARTING)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()  # type: ignore[union-attr]
        self._complaints.close()

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def ask(job: Mapping[str, Any], environment: Mapping[str, str]) -> Any:
    """Have a job done in a process of its own; WorkerFailed where it has no result."""
    with Worker(environment) as worker:
        return worker.ask(job)
