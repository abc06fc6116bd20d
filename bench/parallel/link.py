"""Two network namespaces with a link of 1 Gbit/s between them, and MPI programs across it. Needs root and iproute2."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from minigrad.parallel.launching import find_mpiexec

NAMES, ADDRESSES = ("minigrad1", "minigrad2"), ("10.99.0.1", "10.99.0.2")
_SHELL = """#!/bin/sh
# HOST COMMAND ...: run the command where the host is
while [ "${1#-}" != "$1" ]; do shift; done
host=$1; shift
exec ip netns exec minigrad${host##*.} sh -c "$*"
"""


def why_not() -> str | None:
    """Return why the system does not allow such a link, or None where it does."""
    for tool in ("ip", "tc"):
        if shutil.which(tool) is None:
            return f"the program {tool} (iproute2) is missing"
    tried = subprocess.run(["ip", "netns", "add", "minigrad0"], capture_output=True, text=True, check=False)
    if tried.returncode:
        return f"a network namespace cannot be made: {tried.stderr.strip()}"
    subprocess.run(["ip", "netns", "del", "minigrad0"], check=True)
    return None


@contextmanager
def link(rate: str = "1gbit") -> Iterator[list[str]]:
    """Yield the command that starts two processes, one on each side of a link of this ``rate``."""
    with tempfile.TemporaryDirectory() as folder:
        shell = Path(folder) / "shell"
        shell.write_text(_SHELL)
        shell.chmod(0o755)
        _clean()  # after a run that was killed
        try:
            for name in NAMES:
                _ip("netns", "add", name)
            _ip(
                "link",
                "add",
                "eth0",
                "netns",
                NAMES[0],
                "type",
                "veth",
                "peer",
                "name",
                "eth0",
                "netns",
                NAMES[1],
            )
            for name, address in zip(NAMES, ADDRESSES, strict=True):
                _ip("-n", name, "addr", "add", f"{address}/24", "dev", "eth0")
                _ip("-n", name, "link", "set", "lo", "up")
                _ip("-n", name, "link", "set", "eth0", "up")
                shape = f"tc qdisc add dev eth0 root tbf rate {rate} burst 128kb latency 20ms"
                _ip("netns", "exec", name, *shape.split())
            start = ["ip", "netns", "exec", NAMES[0], find_mpiexec(), "-localhost", ADDRESSES[0]]
            start += ["-launcher", "ssh", "-launcher-exec", str(shell), "-hosts", ",".join(ADDRESSES)]
            yield [*start, "-n", "2", sys.executable, "-m", "mpi4py"]
        finally:
            _clean()


def why_mpi_does_not_start(start: list[str]) -> str | None:
    """Return why the MPI library does not reach over the link, in its own words, or None where it does."""
    command = [*start, "-c", "from mpi4py import MPI"]
    tried = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    if not tried.returncode:
        return None
    said = [line for line in (tried.stdout + tried.stderr).splitlines() if "fail" in line]
    return f"the MPI library does not get over the link: {said[-1] if said else 'it does not say why'}"


def _clean() -> None:
    for name in NAMES:
        subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


def environment() -> dict[str, str]:
    """TCP alone, so that the library does not notice that both sides are one machine."""
    return {**os.environ, "UCX_TLS": "tcp,self"}


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)
