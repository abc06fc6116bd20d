"""The machine that is measured: what it is, which of its processors are used, and the environment that counts."""

from __future__ import annotations

import datetime
import os
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

_BUSY = 0.7
_PREFIXES = ("MALLOC_", "OPENBLAS_", "GOTO_", "MKL_", "OMP_", "KMP_", "XLA_")
_NAMES = (
    "NUMBA_NUM_THREADS",
    "NUMBA_THREADING_LAYER",
    "NUMBA_DISABLE_JIT",
    "MINIGRAD_KERNELS",
    "MINIGRAD_MALLOC",
)
_THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "NUMBA_NUM_THREADS")


def clean_environment(environment: Mapping[str, str], threads: int) -> tuple[dict[str, str], list[str]]:
    """Return the environment for a measurement, and the names of the variables that were taken out of it.

    Whatever tunes a library by hand goes, above all OPENBLAS_CORETYPE, which can halve NumPy's matrix rate and
    which no user has set; every library gets the same number of threads.
    """
    taken_out = sorted(
        name
        for name in environment
        if name in _NAMES or (name.startswith(_PREFIXES) and name not in _THREADS)
    )
    kept = {name: value for name, value in environment.items() if name not in taken_out}
    return kept | dict.fromkeys(_THREADS, str(threads)), taken_out


@contextmanager
def on_processors(count: int) -> Iterator[None]:
    """Keep this thread, and the processes that it starts, on so many processors, each of another core if possible.

    So frameworks that take as many threads as they find processors get no more than the others. Where the system
    cannot do that, nothing happens.
    """
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before, key=lambda cpu: (_siblings(cpu)[0] != cpu, cpu))[:count])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _siblings(cpu: int) -> list[int]:
    """The processors that share a core with this one, itself among them."""
    path = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
    try:
        return [int(part) for part in path.read_text().replace("-", ",").split(",")]
    except (OSError, ValueError):
        return [cpu]


def load() -> str:
    """Return how many processes have been running on the machine in the last minute, which should be none."""
    if not hasattr(os, "getloadavg"):
        return "unknown"
    running = os.getloadavg()[0]
    warning = ": a busy machine, whose figures cannot be relied on" if running > _BUSY else ""
    return f"{running:.1f} processes running before{warning}"


def stamp(device: str, threads: int) -> dict[str, str]:
    """Return the facts that belong beside every figure, by name."""
    facts = {
        "date": datetime.date.today().isoformat(),
        "processor": f"{processor()}, {threads} of {os.cpu_count()} used",
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        "NumPy": package_version("numpy"),
        "BLAS": blas(),
        "threads": f"{threads} for each framework",
    }
    if device != "cpu":
        facts["GPU"] = _gpu(device)
    return facts


def processor() -> str:
    """Return the processor's name as it calls itself."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def blas() -> str:
    """Return NumPy's matrix library: its name, version, the kernel that it chose, and its threads."""
    import numpy
    from threadpoolctl import threadpool_info

    pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    found = [
        f"{pool['internal_api']} {pool['version']}, kernel {pool.get('architecture', 'unknown')}, "
        f"{pool['num_threads']} thread{'s' if pool['num_threads'] != 1 else ''}"
        for pool in pools
    ]
    if found:
        return "\n".join(dict.fromkeys(found))
    built: Any = numpy.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return f"{built['name']} {built['version']}, its kernel unknown to threadpoolctl"


def package_version(package: str) -> str:
    """Return an installed package's version, or that there is none."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _gpu(device: str) -> str:
    import cupy

    number = int(device.partition(":")[2] or 0)
    name: str = cupy.cuda.runtime.getDeviceProperties(number)["name"].decode()
    return f"{name}, CuPy {cupy.__version__}"
