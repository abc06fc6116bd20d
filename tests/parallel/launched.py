"""Starting programs on several processes from a test."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from minigrad.parallel.launching import launch_environment
from tests.cli.shared import environment

_BESIDE = Path(sys.prefix) / "bin" / "mpiexec"
MPIEXEC = str(_BESIDE) if _BESIDE.exists() else shutil.which("mpiexec")
needs_mpi = pytest.mark.skipif(
    MPIEXEC is None or importlib.util.find_spec("mpi4py") is None,
    reason="mpi4py or mpiexec is missing: pip install 'minigrad-engine[mpi]'",
)


class Ended(NamedTuple):
    code: int
    out: str
    err: str
    seconds: float


def on(n: int, module: str, *arguments: object, cwd: Path, limit: float = 90, **variables: str) -> Ended:
    """Run ``python -m MODULE`` on n processes, one thread each, and wait for the end of all of them."""
    assert MPIEXEC is not None
    command = [MPIEXEC, "-n", str(n), sys.executable, "-m", "mpi4py", "-m", module, *map(str, arguments)]
    began = time.monotonic()
    env = {**launch_environment(n, threads=1, deadline=30), **environment(), **variables}
    done = subprocess.run(
        command, cwd=cwd, env=env, capture_output=True, text=True, timeout=limit, check=False
    )
    return Ended(done.returncode, done.stdout, done.stderr, time.monotonic() - began)
