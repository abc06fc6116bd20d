"""A plain C program of the step, ``step.c``: compiled by gcc when it is asked for, with the OpenBLAS that NumPy brings.

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

from minigrad.bench.peers import BETA1, BETA2, EPS, RATES, Program, Task

SOURCE = Path(__file__).with_name("step.c")
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
    """The network of ``step.c``, with its parameters and its optimizer's state."""

    def __init__(self, task: Task) -> None:
        row = task.row
        os.environ.setdefault(
            "GOMP_SPINCOUNT", "10000"
        )  # as minigrad: OpenMP's threads must not starve BLAS's
        self._library = compiled(task.variant or "serial")
        self._count = row.parameters
        parameters = np.concatenate([array.ravel() for layer in task.weights for array in layer])
        rate = RATES[row.optimizer]
        self._network = self._library.network_new(
            len(row.layers),
            (ctypes.c_int * len(row.widths))(*row.widths),
            row.batch,
            row.optimizer == "adam",
            *map(ctypes.c_float, (rate, BETA1, BETA2, EPS)),
            _address(parameters),
        )

    def train(self, batches: list[tuple[NDArray[Any], NDArray[Any]]]) -> Callable[[], NDArray[np.float32]]:
        """Return the function that trains on these batches, one after another, and returns their losses."""
        n = len(batches)
        xs, ys = ((ctypes.c_void_p * n)(*(batch[k].ctypes.data for batch in batches)) for k in (0, 1))
        losses = np.empty(n, np.float32)

        def run() -> NDArray[np.float32]:
            self._library.train(self._network, n, xs, ys, _address(losses))
            return losses

        run.batches = batches  # type: ignore[attr-defined]  # whose memory it reads
        return run

    def parameters(self) -> NDArray[np.float32]:
        """Return all parameters, one layer after another, w before b."""
        found = np.empty(self._count, np.float32)
        self._library.network_read(self._network, _address(found))
        return found

    def __del__(self) -> None:
        if hasattr(self, "_network"):
            self._library.network_free(self._network)


def build(task: Task) -> Program:
    """See ``minigrad.bench.peers``; the first call compiles."""
    made: list[Network] = []

    def over(batches: list[tuple[Any, Any]]) -> Callable[[], Any]:
        if made:
            return made[0].train(batches)

        def first() -> Any:
            made.append(Network(task))
            return made[0].train(batches)()

        return first

    def place(x: Any, y: Any) -> tuple[Any, Any]:
        return np.ascontiguousarray(x), np.ascontiguousarray(y)

    return Program(place, lambda x, y: over([(x, y)])()[0], over)


@cache
def compiled(variant: str) -> Any:
    """Compile ``step.c`` into a temporary folder and load it. RuntimeError with gcc's own words where it fails."""
    blas, gemm = _openblas()
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "step.so")
        names = (f"-DGEMM={gemm}", f"-DINTEGER={_SYMBOLS[gemm]}")
        libraries = (blas, f"-Wl,-rpath,{Path(blas).parent}", "-lm")
        done = subprocess.run(
            ["gcc", *FLAGS, VARIANTS[variant], *names, str(SOURCE), "-o", str(target), *libraries],
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(f"gcc cannot compile {SOURCE.name}: {' '.join(done.stderr.split())[:500]}")
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
