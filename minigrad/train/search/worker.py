"""A process that trains trials for ``minigrad.train.search.workers``: lines of JSON in, lines of JSON out.

First comes ``{"threads": n, "settings": …}``, then for each trial its settings; out go ``{"epoch": …, "loss": …}``,
each answered by ``true`` (hopeless, stop) or ``false``, and at the end ``{"outcome": …}`` or ``{"error": …}``. It ends
when its standard input does, so that no worker outlives its search.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import Any

from minigrad.errors import MinigradError
from minigrad.threads import set_threads
from minigrad.train.build import load_data
from minigrad.train.config import Config
from minigrad.train.search.trial import train


def main() -> None:
    """Serve trials until the input ends."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):  # they go to the whole group; the search itself ends us
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    out, sys.stdout = sys.stdout, sys.stderr  # whatever prints must not come between the lines

    def send(what: dict[str, Any]) -> None:
        out.write(json.dumps(what) + "\n")
        out.flush()

    def report(epoch: int, loss: float) -> bool:
        send({"epoch": epoch, "loss": loss})
        answer = sys.stdin.readline()
        if not answer:
            os._exit(0)  # the search is gone
        return bool(json.loads(answer))

    first = json.loads(sys.stdin.readline())
    set_threads(first["threads"])
    data = load_data(Config.from_dict(first["settings"]))
    for line in sys.stdin:
        try:
            send({"outcome": train(Config.from_dict(json.loads(line)), data, report)._asdict()})
        except MinigradError as error:
            send({"error": [error.code, error.message]})


if __name__ == "__main__":
    try:
        main()
    except BrokenPipeError:
        os._exit(0)
