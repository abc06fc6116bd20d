"""A device whose arrays are NumPy's and whose kernels are the CUDA sources, compiled by g++."""

from __future__ import annotations

import atexit
import ctypes
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from minigrad_kernels import gpu

ORDERS = {"ascending": 0, "descending": 1, "permuted": 2}
_CTYPES = {"float": ctypes.c_float, "double": ctypes.c_double, "int": ctypes.c_int}
FLAGS = os.environ.get("MINIGRAD_EMULATION_FLAGS", "").split()
"""More options for the compiler, such as those of ``sanitized.py``."""
MISSING = None if shutil.which("g++") else "g++ is not installed: the CUDA sources cannot be emulated"


class Emulated:
    """Runs the threads of a block in ``order``."""

    xp = np
    """Its arrays lie on the host."""

    def __init__(self, order: str = "ascending") -> None:
        self.order = ORDERS[order]
        self.launches: list[str] = []

    def launch(
        self, source: str, name: str, real: str, grid: tuple[int, ...], block: tuple[int, ...], args: Any
    ) -> None:
        pair = ctypes.c_int * 2
        converted = [
            ctypes.c_void_p(None if arg is None else arg.ctypes.data)
            if ctype.endswith("*")
            else _CTYPES[ctype.replace("real", real)](arg.item())
            for (ctype, _), arg in zip(gpu.signatures(source)[name], args, strict=True)
        ]
        run = getattr(library(source, real), f"emulate_{name}")
        line = run(pair(*(*grid, 1)[:2]), pair(*(*block, 1)[:2]), self.order, *converted)
        self.launches.append(f"{source}.{name}")
        if line:
            raise RuntimeError(
                f"{source}.cu line {line}: some threads of the block did not reach this barrier"
            )

    def matmul(self, a: Any, b: Any, out: Any) -> None:
        np.matmul(a, b, out=out)

    def address(self, array: Any) -> int:
        return int(array.ctypes.data)


@cache
def library(source: str, real: str) -> ctypes.CDLL:
    """Compile a source with an entry for each of its kernels; its barriers report the lines of the .cu file."""
    return compiled(gpu.code(source, real), gpu.signatures(source))


def compiled(code: str, signatures: dict[str, list[tuple[str, str]]]) -> ctypes.CDLL:
    entries = []
    for name, parameters in signatures.items():
        declared = ", ".join(f"{ctype} p{i}" for i, (ctype, _) in enumerate(parameters))
        given = ", ".join(f"p{i}" for i in range(len(parameters)))
        entries.append(
            f'extern "C" int emulate_{name}(const int *grid, const int *block, int order, {declared}) '
            f"{{ return emulation::run(grid, block, order, [&] {{ {name}({given}); }}); }}"
        )
    folder = Path(tempfile.mkdtemp(prefix="minigrad-emulation-"))
    atexit.register(shutil.rmtree, folder)  # not before: a sanitizer reads the lines from the library
    (folder / "kernel.cpp").write_text('#include "cuda.h"\n' + code + "\n" + "\n".join(entries), "utf-8")
    command = ["g++", "-std=c++17", "-O1", "-ffp-contract=off", "-shared", "-fPIC", "-w", *FLAGS]
    command += [f"-I{Path(__file__).parent}", "kernel.cpp", "-o", "kernel.so"]
    built = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return ctypes.CDLL(str(folder / "kernel.so"))
