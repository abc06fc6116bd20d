"""The way to the CUDA kernels: finds their sources, checks what they are given, and launches them.

A CUDA kernel sees bare addresses. It knows no strides, so a transposed view would be read as if it were none, and
a Python number arrives as 64 bits where 32 are read. So everything is checked here, before a launch: arrays are
made contiguous, and every argument is compared with the signature in the source. Nothing waits for the device.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np

Grid = tuple[int, ...]

FLAGS = {"matmul": ("--std=c++17",)}
"""Compiler options by source; the others are compiled without fused multiply-add, to give the reference's bits."""
_EXACT = ("--std=c++17", "--fmad=false")

_CTYPES = {
    "float": np.float32,
    "double": np.float64,
    "int": np.int32,
    "long long": np.int64,
    "signed char": np.int8,
}


class Device(Protocol):
    """What runs the kernels: CuPy, or in tests the emulation on the CPU."""

    @property
    def xp(self) -> Any:
        """The module of array functions: cupy, or numpy."""

    def launch(
        self, source: str, name: str, real: str, grid: Grid, block: Grid, args: tuple[Any, ...]
    ) -> None:
        """Run kernel ``name`` of ``cuda/<source>.cu`` compiled for ``real``, "float" or "double"."""

    def matmul(self, a: Any, b: Any, out: Any) -> None:
        """out = a·b by the device's library; matrices of one dtype, each in row or column order, out in row order."""

    def address(self, array: Any) -> int:
        """Where an array lies on the device."""


_FACTORS = {np.dtype(real): np.array([1, 0], real) for real in (np.float32, np.float64)}
_ONE = {dtype: factors.ctypes.data for dtype, factors in _FACTORS.items()}  # addresses, which cuBLAS wants


class Cupy:
    """CuPy's RawModule on the current device."""

    @cached_property
    def xp(self) -> Any:
        """The cupy module."""
        import cupy

        return cupy

    def launch(
        self, source: str, name: str, real: str, grid: Grid, block: Grid, args: tuple[Any, ...]
    ) -> None:
        """See ``Device``."""
        _kernel(source, name, real)(grid, block, [np.intp(0) if arg is None else arg for arg in args])

    def matmul(self, a: Any, b: Any, out: Any) -> None:
        """See ``Device``; by cuBLAS, which ``cupy.matmul`` reaches on a longer way."""
        cuda = self.xp.cuda
        dtype, (m, k), n = out.dtype, a.shape, b.shape[1]
        gemm = cuda.cublas.sgemm if dtype == np.float32 else cuda.cublas.dgemm
        handle, one = cuda.device.get_cublas_handle(), _ONE[dtype]
        # cuBLAS counts by columns, where all these arrays are their transposes: outᵀ = bᵀ·aᵀ.
        turned_a, turned_b = not a.flags.c_contiguous, not b.flags.c_contiguous
        left = b.data.ptr, k if turned_b else n
        right = a.data.ptr, m if turned_a else k
        gemm(handle, turned_b, turned_a, n, m, k, one, *left, *right, one + dtype.itemsize, out.data.ptr, n)

    def address(self, array: Any) -> int:
        """See ``Device``."""
        return int(array.data.ptr)


@cache
def _module(source: str, real: str) -> Any:
    import cupy

    return cupy.RawModule(code=code(source, real), options=options(source))


@cache
def _kernel(source: str, name: str, real: str) -> Any:
    return _module(source, real).get_function(name)


_device: ContextVar[Device] = ContextVar("device", default=Cupy())  # noqa: B039


@contextmanager
def using(device: Device) -> Iterator[None]:
    """Run the CUDA kernels on ``device`` inside the ``with`` block."""
    token = _device.set(device)
    try:
        yield
    finally:
        _device.reset(token)


def device() -> Device:
    """Return what runs the CUDA kernels here and now."""
    return _device.get()


def xp() -> Any:
    """Return the device's module of array functions."""
    return _device.get().xp


def sources() -> list[str]:
    """Return the names of all sources."""
    return sorted(path.stem for path in (Path(__file__).parent / "cuda").glob("*.cu"))


texts: dict[str, str] = {}
"""Sources that were made at run time, by name; all others are files in cuda/."""


@cache
def code(source: str, real: str) -> str:
    """Return a source, and what it includes, with ``real`` defined as "float" or "double"."""
    folder = Path(__file__).parent / "cuda"
    text = texts.get(source) or (folder / f"{source}.cu").read_text(encoding="utf-8")
    text = re.sub(
        r'^#include "(\w+\.cuh)"$',
        lambda found: f'#line 1 "{found[1]}"\n{(folder / found[1]).read_text(encoding="utf-8")}',
        text,
        flags=re.MULTILINE,
    )
    return f'typedef {real} real;\n#line 1 "{source}.cu"\n{text}'


def options(source: str) -> tuple[str, ...]:
    """Return the options that a source is compiled with."""
    return FLAGS.get(source, _EXACT)


@cache
def signatures(source: str) -> dict[str, list[tuple[str, str]]]:
    """Return the kernels of a source: for each its parameters as (type, name), "real *" and such."""
    text = " ".join(code(source, "float").split())
    found = re.findall(r'extern "C" __global__ void (?:__launch_bounds__\([\d, ]+\) )?(\w+)\(([^)]*)\)', text)
    kernels = {}
    for name, parameters in found:
        parts = [
            re.fullmatch(r"(?:const )?(.*?) ?(\*?)(\w+)", each.strip()) for each in parameters.split(",")
        ]
        kernels[name] = [(part[1] + (" *" if part[2] else ""), part[3]) for part in parts if part]
    return kernels


_REALS = {np.dtype(np.float32): "float", np.dtype(np.float64): "double"}


def real_of(dtype: Any) -> str:
    """Return the C name of a float dtype; TypeError where the kernels are not compiled for it."""
    real = _REALS.get(np.dtype(dtype))
    if real is None:
        raise TypeError(f"the CUDA kernels work on float32 and float64, not on {dtype}")
    return real


@cache
def _parameters(source: str, name: str, real: str) -> list[tuple[np.dtype[Any], bool, bool]]:
    """Return the dtype of each parameter, whether it is an array, and whether None may stand for it."""
    return [
        (
            np.dtype(_CTYPES[ctype.removesuffix(" *").replace("real", real)]),
            ctype.endswith("*"),
            parameter.endswith("_or_null"),
        )
        for ctype, parameter in signatures(source)[name]
    ]


def launch(source: str, name: str, dtype: Any, grid: int | Grid, block: int | Grid, *args: Any) -> None:
    """Check the arguments against the kernel's signature and launch it; an empty grid launches nothing.

    Arrays must be C-contiguous and of the dtype that the source names (None where the parameter is called
    ``…_or_null``), numbers must be NumPy scalars of the very type. Raises TypeError or ValueError, naming the
    parameter.
    """
    real = real_of(dtype)
    parameters = _parameters(source, name, real)
    if len(args) != len(parameters):
        raise TypeError(f"{source}.{name} takes {len(parameters)} arguments; got {len(args)}")
    for i, ((wanted, array_wanted, may_be_null), arg) in enumerate(zip(parameters, args, strict=True)):
        if not array_wanted:
            fits = type(arg) is wanted.type
        elif arg is None:
            fits = may_be_null
        else:
            fits = is_array(arg) and arg.dtype == wanted and arg.flags.c_contiguous
        if not fits:
            raise _misfit(f"{source}.{name}: {signatures(source)[name][i][1]}", arg, wanted, array_wanted)
    grid, block = (grid,) if isinstance(grid, int) else grid, (block,) if isinstance(block, int) else block
    if all(grid):
        _device.get().launch(source, name, real, grid, block, args)


def is_array(arg: Any) -> bool:
    """Tell an array, of whatever library, from a number, NumPy's own among them."""
    return hasattr(arg, "dtype") and not isinstance(arg, np.generic)


def _misfit(parameter: str, arg: Any, wanted: np.dtype[Any], array_wanted: bool) -> Exception:
    if array_wanted != is_array(arg) or not hasattr(arg, "dtype"):
        needed = "an array" if array_wanted else f"np.{wanted}"
        return TypeError(f"{parameter} must be {needed}; got {type(arg).__name__}")
    if arg.dtype != wanted:
        return TypeError(f"{parameter} must be {wanted}; got {arg.dtype}")
    return ValueError(f"{parameter} is not contiguous")


def matmul(a: Any, b: Any, out: Any) -> None:
    """out = a·b for matrices of one dtype; ``out`` must be C-contiguous, the others are copied where need be."""
    (m, k), n = a.shape, b.shape[1]
    if (
        not out.flags.c_contiguous
        or out.shape != (m, n)
        or len(b) != k
        or not a.dtype == b.dtype == out.dtype
    ):
        raise ValueError(
            f"{out.dtype} {out.shape} is no place for {a.dtype} {a.shape} times {b.dtype} {b.shape}"
        )
    real_of(out.dtype)
    if not k:
        out[...] = 0
    elif out.size:
        _device.get().matmul(_one_order(a), _one_order(b), out)


def _one_order(a: Any) -> Any:
    return a if a.flags.f_contiguous else contiguous(a)


def address(array: Any) -> int:
    """Return where an array lies on the device."""
    return _device.get().address(array)


def contiguous(array: Any) -> Any:
    """Return ``array``, or a copy whose entries lie in order."""
    return array if array.flags.c_contiguous else xp().ascontiguousarray(array)


def ids(array: Any) -> Any:
    """Return class ids or row numbers as the int64 that the kernels read."""
    if array.dtype.kind not in "iu":
        raise TypeError(f"ids must be integers, not {array.dtype}")
    return contiguous(array.astype(np.int64, copy=False))


def output(out: Any, shape: tuple[int, ...], like: Any) -> Any:
    """Return ``out`` once it is checked, or a new array on the device where it is None."""
    if out is None:
        return xp().empty(shape, like.dtype)
    if out.shape != shape or out.dtype != like.dtype or not out.flags.c_contiguous:
        raise ValueError(
            f"out is {out.dtype} of shape {out.shape}; contiguous {like.dtype} of shape {shape} is needed"
        )
    return out


def require(same: bool, what: str) -> None:
    """Raise ValueError saying what does not fit, before a kernel could read past an end."""
    if not same:
        raise ValueError(what)


def blocks(size: int, threads: int) -> int:
    """Return how many blocks of ``threads`` cover ``size`` entries."""
    return -(-size // threads)
