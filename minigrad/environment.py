"""What the environment asks for, looked at before anything stands on it.

A value that nothing can be done with becomes ConfigError MG-802 here: ours, and those of Numba, which would refuse it
in the middle of the first step, or end the process. The command ``minigrad`` ends with the message and status 2 here
and now: Python imports this package before the first line of the command line, which could catch it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from minigrad.errors import ConfigError
from minigrad.stopping import is_command

MISUSED = 2
"""The exit status of every command where a setting is wrong."""

_MOST_THREADS = 4096
_LAYERS = ("default", "safe", "threadsafe", "forksafe", "tbb", "omp", "workqueue")

_RULES: dict[str, tuple[Callable[[str], bool], str]] = {
    "MINIGRAD_KERNELS": (lambda value: value in ("auto", "reference"), "'auto' (the default) or 'reference'"),
    "MINIGRAD_MALLOC": (lambda value: value in ("", "system"), "'system'"),
    "NUMBA_THREADING_LAYER": (lambda value: value.lower() in ("", *_LAYERS), ", ".join(_LAYERS)),
    "NUMBA_NUM_THREADS": (
        lambda value: (
            not value or (value.isdecimal() and len(value) < 9 and 1 <= int(value) <= _MOST_THREADS)
        ),
        f"a number of threads from 1 to {_MOST_THREADS}",
    ),
}


for _name, (_fits, _meaning) in _RULES.items():
    _value = os.environ.get(_name)
    if _value is not None and not _fits(_value):
        wrong = f"{_name} is {_value!r}; it must be {_meaning}. To go back to the default: unset {_name}"
        error = ConfigError("MG-802", wrong)
        if not is_command() or os.environ.get("MINIGRAD_TRACEBACK"):
            raise error from None
        sys.stderr.write(f"error: {error}\n")
        raise SystemExit(MISUSED)
