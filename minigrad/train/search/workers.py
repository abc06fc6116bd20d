"""Training trials: one after another in this process, or several at a time in processes of their own."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from typing import IO, Any, Protocol

from minigrad.errors import ConfigError, DataError
from minigrad.train.build import build, load_data
from minigrad.train.prepare import Prepared
from minigrad.train.run import take_weights
from minigrad.train.search.plan import Plan
from minigrad.train.search.study import Asked
from minigrad.train.search.trial import Outcome, train


class Desk(Protocol):
    """Where trials are fetched, and where what comes of them is brought."""

    def next(self) -> Asked | None:
        """Return a trial to train, or None where there is none left."""

    def report(self, asked: Asked, epoch: int, loss: float) -> bool:
        """Note a loss; return whether the trial ends here."""

    def end(self, asked: Asked, outcome: Outcome) -> None:
        """Note how a trial ended."""


def one_by_one(desk: Desk, data: Prepared) -> None:
    """Train all of the desk's trials in this process."""
    while (asked := desk.next()) is not None:
        desk.end(asked, train(asked.config, data, _reporting(desk, asked)))


def _reporting(desk: Desk, asked: Asked) -> Callable[[int, float], bool]:
    return lambda epoch, loss: desk.report(asked, epoch, loss)


def at_once(desk: Desk, plan: Plan, jobs: int, threads: int) -> None:
    """Train all of the desk's trials in ``jobs`` processes, each with so many threads.

    Raises DataError MG-853 where a process ends before its trial does; what was found until then is kept.
    """
    crew = _Crew(plan, threads)
    try:
        for _ in range(jobs):
            crew.hire(desk)
        while crew.busy:
            worker, reply = crew.replies.get()
            asked = crew.busy[worker]
            if reply is None:
                raise DataError(
                    "MG-853", f"the process that trained trial {asked.number} ended: {worker.last_words()}"
                )
            if "error" in reply:
                code, message = reply["error"]
                raise ConfigError(code, f"trial {asked.number} ({_point(asked)}): {message}")
            if "outcome" in reply:
                desk.end(asked, Outcome(**reply["outcome"]))
                crew.occupy(worker, desk)
            else:
                worker.send(desk.report(asked, reply["epoch"], reply["loss"]))
    finally:
        crew.dismiss()


def _point(asked: Asked) -> str:
    return ", ".join(f"{name} {value}" for name, value in asked.point.items())


class _Worker:
    """A process and what is sent to it."""

    def __init__(self, threads: int, replies: queue.Queue[tuple[_Worker, Any]]) -> None:
        self.complaints: IO[str] = tempfile.TemporaryFile(  # noqa: SIM115 (closed in ``end``)
            "w+", encoding="utf-8", errors="replace"
        )
        self.process = subprocess.Popen(
            [sys.executable, "-m", "minigrad.train.search.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.complaints,
            text=True,
            env={**os.environ, "OPENBLAS_NUM_THREADS": str(threads), "OMP_NUM_THREADS": str(threads)},
        )
        threading.Thread(target=self._listen, args=(replies,), daemon=True).start()

    def _listen(self, replies: queue.Queue[tuple[_Worker, Any]]) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            replies.put((self, json.loads(line)))
        replies.put((self, None))

    def send(self, what: object) -> None:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(what) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # its end comes among the replies

    def last_words(self) -> str:
        self.process.wait()
        self.complaints.seek(0)
        lines = self.complaints.read().strip().splitlines()
        return lines[-1] if lines else f"exit code {self.process.returncode}."

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self.complaints.close()


class _Crew:
    def __init__(self, plan: Plan, threads: int) -> None:
        self.plan, self.threads = plan, threads
        self.replies: queue.Queue[tuple[_Worker, Any]] = queue.Queue()
        self.workers: list[_Worker] = []
        self.busy: dict[_Worker, Asked] = {}

    def hire(self, desk: Desk) -> None:
        """Start a process where there is a trial for it."""
        asked = desk.next()
        if asked is None:
            return
        worker = _Worker(self.threads, self.replies)
        self.workers.append(worker)
        worker.send({"threads": self.threads, "settings": self.plan.settings})
        self._give(worker, asked)

    def occupy(self, worker: _Worker, desk: Desk) -> None:
        """Give a process its next trial, or none."""
        del self.busy[worker]
        asked = desk.next()
        if asked is not None:
            self._give(worker, asked)

    def _give(self, worker: _Worker, asked: Asked) -> None:
        self.busy[worker] = asked
        worker.send(asked.config.to_dict())

    def dismiss(self) -> None:
        for worker in self.workers:
            worker.end()


def shared(plan: Plan) -> Prepared:
    """Load the data that all trials share."""
    return load_data(plan.config)


def try_all(plan: Plan, data: Prepared) -> None:
    """Build what each value of the space stands for, so that one which does not fit the other settings is found before
    the search begins.
    """
    for name, part in plan.dimensions.items():
        for value in part.ends():
            try:
                session = build(plan.config_of({name: value}), data)
                if session.config.start_from:
                    take_weights(session.config, session.model)
            except (ConfigError, DataError) as error:
                raise ConfigError(error.code, f"--space {name}, value {value}: {error.message}") from error
