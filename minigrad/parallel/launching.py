"""The command line that starts several processes on this machine, and the environment they get."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from minigrad.errors import ConfigError
from minigrad.parallel.mpi import missing
from minigrad.parallel.staleness import StalenessBound

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def find_mpiexec() -> str:
    """Return the path of MPI's starter: the one installed beside this Python, else the first on the PATH.

    Raises ParallelError MG-871 where there is none, or no mpi4py for the processes it would start.
    """
    beside = Path(sys.prefix) / "bin"
    found = shutil.which("mpiexec", path=f"{beside}{os.pathsep}{os.environ.get('PATH', '')}")
    if found is None:
        raise missing("there is no mpiexec")
    if importlib.util.find_spec("mpi4py") is None:
        raise missing("there is no mpi4py")
    return found


def launch_command(processes: int, command: Sequence[str]) -> list[str]:
    """Return the command that runs ``minigrad COMMAND`` on so many processes.

    Raises ConfigError MG-802 where there would be none, or where ``command`` is not a training.
    """
    if not 1 <= processes <= 4096:
        raise ConfigError("MG-802", f"-n is {processes}; training takes 1 process or more (4096 at most).")
    if command[0] != "train":
        raise ConfigError(
            "MG-802",
            f"launch starts a training, not {command[0]!r}: minigrad launch -n {processes} train …",
        )
    return [find_mpiexec(), "-n", str(processes), sys.executable, "-m", "mpi4py", "-m", "minigrad", *command]


def launch_environment(
    processes: int, threads: int = 0, deadline: float | None = None, staleness: int | None = None
) -> dict[str, str]:
    """Return the environment of the processes: theirs is a fair share of the cores, unless it is set already.

    Raises ConfigError MG-802 where a number is not allowed.
    """
    if threads < 0:
        raise ConfigError("MG-802", f"threads is {threads}; it takes 1 or more, or 0 to divide the cores.")
    if deadline is not None and not deadline > 0:
        raise ConfigError("MG-802", f"deadline is {deadline:g}; it takes a number of seconds above 0.")
    share = threads or max(1, (os.cpu_count() or 1) // processes)
    chosen = {name: str(share) for name in _THREADS if threads or name not in os.environ}
    if deadline is not None:
        chosen["MINIGRAD_DEADLINE"] = f"{deadline:g}"
    if staleness is not None:
        StalenessBound(processes - 1, staleness)  # raises where it cannot be
        chosen["MINIGRAD_STALENESS"] = str(staleness)
    return {**os.environ, **chosen}
