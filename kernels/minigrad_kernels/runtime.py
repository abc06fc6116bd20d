"""What compiled loops need of Numba while they run, without Numba: its functions for memory and errors, its threads.

They lie in extension modules, which can be loaded without the package around them: to import that takes longer than
everything else before the first step. A later ``import numba`` finds the same modules, and so the same threads.
It goes without on Linux alone, with Numba's settings as they are by default, and with GNU's OpenMP for the threads.
"""

from __future__ import annotations

import builtins
import ctypes
import os
import platform
import sys
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

_WITHOUT_EFFECT = {"NUMBA_NUM_THREADS", "NUMBA_CACHE_DIR"}
"""Settings of Numba's on which machine code does not depend."""

_SETTINGS_FILE = Path(".numba_config.yaml")  # in the working folder, as Numba looks for it


@cache
def settings() -> tuple[Any, ...]:
    """Return Numba's settings in the environment and in its file, as far as machine code may depend on them."""
    named = [
        each for each in os.environ.items() if each[0].startswith("NUMBA_") and each[0] not in _WITHOUT_EFFECT
    ]
    written = [_SETTINGS_FILE.read_bytes()] if _SETTINGS_FILE.is_file() else []
    return (*sorted(named), *written)


@cache
def _is_known() -> bool:
    """Tell whether this is a system on which it goes without Numba, by what is said of the processor."""
    is_number = os.environ.get("NUMBA_NUM_THREADS", "1").isdecimal()  # of what is none Numba says so
    on_linux = sys.platform == "linux" and platform.machine() == "x86_64" and bool(_flags())
    return on_linux and is_number and not settings()


def goes_without() -> bool:
    """Tell whether Numba has not been imported, nor needs to be for machine code that is there."""
    return "numba" not in sys.modules and _is_known() and _folder("numba") is not None


@cache
def _folder(package: str) -> Path | None:
    """Return where a package lies, which is not imported for it."""
    found = find_spec(package)
    return None if found is None or found.origin is None else Path(found.origin).parent


@cache
def versions() -> tuple[Any, ...] | None:
    """Return what tells apart what machine code comes from; None where Numba is not there."""
    folders = [_folder(each) for each in ("numba", "llvmlite")]
    if None in folders:
        return None
    texts = [(each / "_version.py").read_bytes() for each in folders if each is not None]
    return (*texts, np.__version__, sys.implementation.cache_tag, sys.platform, platform.machine())


# -- the processor --------------------------------------------------------------------------------------------


def processor() -> tuple[Any, ...]:
    """Return what tells processors apart for a compiler."""
    if found := _described():
        return tuple(found.items())
    from llvmlite import binding

    return binding.get_host_cpu_name(), binding.get_host_cpu_features().flatten()


_TELLING = ("vendor_id", "cpu family", "model", "stepping", "flags")


@cache
def _described() -> dict[str, str]:
    """Return what Linux says of the first processor, as far as it stays the same; nothing on other systems."""
    try:
        with open("/proc/cpuinfo") as file:
            lines = [line.partition(":") for line in iter(file.readline, "\n") if line]
    except OSError:
        return {}
    return {key.strip(): text.strip() for key, _, text in lines if key.strip() in _TELLING}


def _flags() -> frozenset[str]:
    return frozenset(_described().get("flags", "").split())


def features() -> frozenset[str] | None:
    """Return what the processor can do, by LLVM's names; None where it takes LLVM to tell."""
    return _flags() if _is_known() else None


# -- extension modules ----------------------------------------------------------------------------------------


@cache
def _extension(name: str) -> ModuleType:
    """Return an extension module of Numba's, loaded without its package; ImportError where it cannot be."""
    if (known := sys.modules.get(name)) is not None:
        return known
    package, *inner = name.split(".")
    folder = _folder(package)
    paths = (
        [folder.joinpath(*inner[:-1], inner[-1] + suffix) for suffix in EXTENSION_SUFFIXES] if folder else []
    )
    path = next((str(each) for each in paths if each.is_file()), None)
    if path is None:
        raise ImportError(f"there is no extension module {name}")
    spec = spec_from_file_location(name, path, loader=ExtensionFileLoader(name, path))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return sys.modules.setdefault(name, module)


@cache
def address_of(name: str) -> int:
    """Return where something lies that machine code of Numba's takes from outside; LookupError where it is not known.

    The names are those under which Numba makes them known to LLVM.
    """
    if (found := names().get(name)) is not None:
        return found
    if name in NAMES_OF_THREADS and (pool := _pool()) is not None:
        return int(getattr(pool, name.removeprefix("numba_")))
    for library in _libraries():
        if (function := getattr(library, name, None)) is not None:
            return ctypes.cast(function, ctypes.c_void_p).value or 0
    raise LookupError(name)


@cache
def _libraries() -> tuple[ctypes.CDLL, ...]:
    return ctypes.pythonapi, ctypes.CDLL("libm.so.6")


@cache
def names() -> dict[str, int]:
    """Return where everything lies that Numba makes known to LLVM, but for its threads."""
    helpers = _extension("numba._helperlib").c_helpers
    memory = _extension("numba.core.runtime._nrt_python").c_helpers
    raised = [
        each for each in vars(builtins).values() if isinstance(each, type) and issubclass(each, BaseException)
    ]
    return {
        **{f"numba_{name}": place for name, place in helpers.items()},
        **{name if name.startswith("_") else f"NRT_{name}": place for name, place in memory.items()},
        **{f"PyExc_{each.__name__}": id(each) for each in raised},
        "_Py_NoneStruct": id(None),
    }


# -- threads --------------------------------------------------------------------------------------------------

NAMES_OF_THREADS = frozenset({
    "numba_parallel_for", "do_scheduling_signed", "do_scheduling_unsigned", "allocate_sched", "deallocate_sched",
    "get_num_threads", "set_num_threads", "get_thread_id", "set_parallel_chunksize", "get_parallel_chunksize",
    "get_sched_size",
})  # fmt: skip


def spin_shortly() -> None:
    """Let threads of libgomp's spin for half a millisecond; it is asked when the library is loaded.

    By default they go on spinning after each loop for so long that they and BLAS's, which spin too, starve each other.
    So the next loop, also that of the next training step, finds them awake (2 µs rather than 10, on a busy virtual
    machine sometimes 1,000), and a longer pause sets the processor free.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")


@cache
def has_tbb() -> bool:
    """Tell whether TBB is there, which Numba prefers for its threads if it is of the right version."""
    try:
        ctypes.CDLL("libtbb.so.12")
    except OSError:
        return False
    return True


@cache
def _pool() -> ModuleType | None:
    """Return the module of the threads that Numba takes where nothing else is set, or None where it has to choose."""
    if has_tbb():
        return None
    spin_shortly()
    try:
        return _extension("numba.np.ufunc.omppool")
    except ImportError:
        return None


def has_threads() -> bool:
    """Tell whether there are threads without Numba, which several of Python's may then ask at once."""
    return goes_without() and _pool() is not None


def start_threads() -> bool:
    """Start as many threads as Numba would; return whether it goes without it."""
    if not has_threads():
        return False
    _start()
    return True


@cache
def _start() -> None:
    pool = _pool()
    assert pool is not None
    ctypes.CFUNCTYPE(None, ctypes.c_int)(pool.launch_threads)(thread_count())


def has_started() -> bool:
    """Tell whether ``start_threads`` has started any."""
    return bool(_start.cache_info().currsize)


def thread_count() -> int:
    """Return how many threads Numba has where it is not told otherwise by its file; see its documentation."""
    if named := os.environ.get("NUMBA_NUM_THREADS"):
        return int(named)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
