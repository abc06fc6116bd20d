"""Plain C programs of the step, compiled by gcc when they are asked for: ``step.c`` of dense networks, with the
OpenBLAS that NumPy brings, and ``gpt.c`` of the smallest GPTs.

Python hands over the batches' addresses and gets the losses back, one call for many steps.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minigrad.bench.further import Further
from minigrad.bench.peers import BETA1, BETA2, EPS, RATES, Program, Task, dense

DENSE, GPT = (Path(__file__).with_name(name) for name in ("step.c", "gpt.c"))
FLAGS = ("-O3", "-march=native", "-fno-math-errno", "-shared", "-fPIC")
VARIANTS = {"serial": "-fopenmp-simd", "threads": "-fopenmp"}
"""How loops outside of BLAS run: on one thread, or on several, which then meet BLAS's own that are still spinning."""

_SYMBOLS = {
    "scipy_cblas_sgemm64_": "int64_t",
    "cblas_sgemm64_": "int64_t",
    "scipy_cblas_sgemm": "int",
    "cblas_sgemm": "int",
}
"""What ``cblas_sgemm`` may be called, and the integers that it then takes."""


class Network:
    """The network of a C program, with its parameters and its optimizer's state."""

    def __init__(self, library: Any, held: Any, count: int) -> None:
        self._library, self._held, self._count = library, held, count

    def train(self, batches: list[tuple[NDArray[Any], NDArray[Any]]]) -> Callable[[], NDArray[np.float32]]:
        """Return the function that trains on these batches, one after another, and returns their losses."""
        n = len(batches)
        xs, ys = ((ctypes.c_void_p * n)(*(batch[k].ctypes.data for batch in batches)) for k in (0, 1))
        losses = np.empty(n, np.float32)

        def run() -> NDArray[np.float32]:
            self._library.train(self._held, n, xs, ys, _address(losses))
            return losses

        run.batches = batches  # type: ignore[attr-defined]  # whose memory it reads
        return run

    def parameters(self) -> NDArray[np.float32]:
        """Return all parameters, one layer after another, w before b."""
        found = np.empty(self._count, np.float32)
        self._library.network_read(self._held, _address(found))
        return found

    def __del__(self) -> None:
        self._library.network_free(self._held)


def network(task: Task) -> Network:
    """Return the network of a task's row."""
    # as minigrad: OpenMP's threads must not starve BLAS's
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")
    row, variant = task.row, task.variant or "serial"
    settings = tuple(map(ctypes.c_float, (RATES[row.optimizer], BETA1, BETA2, EPS)))
    if isinstance(row, Further):
        of = row.reading
        assert of is not None
        parameters = np.concatenate([array.ravel() for array in task.weights.values()])
        sizes = {"WIDTH": of.width, "CONTEXT": of.context, "HEADS": of.heads, "IDS": of.ids}
        library = compiled(GPT, VARIANTS[variant], *(f"-D{name}={size}" for name, size in sizes.items()))
        held = library.network_new(row.batch, *settings, _address(parameters))
        return Network(library, held, row.parameters)
    row = dense(task)
    parameters = np.concatenate([array.ravel() for layer in task.weights for array in layer])
    blas, gemm = _openblas()
    names = (f"-DGEMM={gemm}", f"-DINTEGER={_SYMBOLS[gemm]}")
    library = compiled(DENSE, VARIANTS[variant], *names, blas, f"-Wl,-rpath,{Path(blas).parent}")
    widths = (ctypes.c_int * len(row.widths))(*row.widths)
    adam = row.optimizer == "adam"
    held = library.network_new(len(row.layers), widths, row.batch, adam, *settings, _address(parameters))
    return Network(library, held, row.parameters)


def build(task: Task) -> Program:
    """See ``minigrad.bench.peers``; the first call compiles."""
    made: list[Network] = []

    def over(batches: list[tuple[Any, Any]]) -> Callable[[], Any]:
        if made:
            return made[0].train(batches)

        def first() -> Any:
            made.append(network(task))
            return made[0].train(batches)()

        return first

    def place(x: Any, y: Any) -> tuple[Any, Any]:
        return np.ascontiguousarray(x), np.ascontiguousarray(y)

    return Program(place, lambda x, y: over([(x, y)])()[0], over)


@cache
def compiled(source: Path, *flags: str) -> Any:
    """Compile a program into a temporary folder and load it. RuntimeError with gcc's own words where it fails."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "step.so")
        done = subprocess.run(
            ["gcc", *FLAGS, str(source), "-o", str(target), *flags, "-lm"],
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(f"gcc cannot compile {source.name}: {' '.join(done.stderr.split())[:500]}")
        library = ctypes.CDLL(str(target))
    library.network_new.restype = ctypes.c_void_p
    library.network_free.argtypes = [ctypes.c_void_p]
    library.network_read.argtypes = [ctypes.c_void_p] * 2
    library.train.argtypes = [ctypes.c_void_p, ctypes.c_int64, *[ctypes.c_void_p] * 3]
    return library


def _openblas() -> tuple[str, str]:
    """Return the path of an OpenBLAS and what it calls ``cblas_sgemm``; RuntimeError where there is none."""
    for path in _libraries():
        try:
            library = ctypes.CDLL(path)
        except OSError:
            continue
        for name in _SYMBOLS:
            if hasattr(library, name):
                return path, name
    raise RuntimeError("there is no OpenBLAS, neither beside NumPy nor in the system")


def _libraries() -> Iterator[str]:
    beside = Path(np.__file__).parents[1] / "numpy.libs"
    yield from (str(path) for path in sorted(beside.glob("*openblas*.so*")))
    if system := ctypes.util.find_library("openblas"):
        yield system


def _address(array: NDArray[Any]) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)
