"""What the environment asks of the kernels, looked at before anything stands on them.

``minigrad_kernels`` refuses a ``MINIGRAD_KERNELS`` that it does not know with a ValueError of its own, when it is
imported. Here it becomes ConfigError MG-802. The command ``minigrad`` ends with the message and status 2 here and now:
Python imports this package before the first line of the command line, which could catch it.
"""

from __future__ import annotations

import os
import sys

from minigrad.errors import ConfigError
from minigrad.stopping import is_command

MISUSED = 2
"""The exit status of every command where a setting is wrong."""


try:
    from minigrad_kernels import launch as _launch  # noqa: F401
except ValueError as error:
    if "MINIGRAD_KERNELS" not in str(error):
        raise
    wrong = ConfigError("MG-802", f"{error}. To go back to the default: unset MINIGRAD_KERNELS")
    if not is_command() or os.environ.get("MINIGRAD_TRACEBACK"):
        raise wrong from None
    sys.stderr.write(f"error: {wrong}\n")
    raise SystemExit(MISUSED) from None
