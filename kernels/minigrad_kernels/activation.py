"""Activations on bare arrays: what all share. The functions themselves are in ``activations``, which is made from the
operations' formulas and rules: a NumPy reference and a loop for Numba each; cuda/activations.cu has the CUDA kernels.

A kernel is ``f(a, *settings)``, or ``f(g, x, *settings)`` for a gradient, of floats of one shape; entry by entry. A
loop does the same operations in the same order as its reference, and differs where these are not rounded alike
everywhere: e^x, ln(1 + x), e^x - 1, tanh x and Φ(x), whose own errors stand below.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any, NamedTuple

import numpy as np

from minigrad_kernels import gpu
from minigrad_kernels.launch import Implementation, Kernel, Loop, may_use_threads, output, register
from minigrad_kernels.powers import FUSED, exp32, exp64
from minigrad_kernels.recurrent_steps import tanh32, tanh64
from minigrad_kernels.updates import in_pieces_0, in_pieces_1

PARALLEL_FROM = 1 << 15
"""Entries from which waking the other threads pays."""

exp: Any = None  # the dtype's own, where a loop is compiled


def ndtr(a: Any) -> Any:
    """Φ(a), by SciPy."""
    from scipy import special

    return special.ndtr(a)


def expm1_32(x: Any) -> Any:
    """e^x - 1 for float32 x <= 0, within 3 ulp: near 0, where that cancels, by its Taylor polynomial."""
    p = np.float32(1 / 5040) + x * np.float32(1 / 40320)
    p = np.float32(1 / 120) + x * (np.float32(1 / 720) + x * p)
    p = np.float32(0.5) + x * (np.float32(1 / 6) + x * (np.float32(1 / 24) + x * p))
    return exp(x) - np.float32(1) if x < np.float32(-0.5) else x + x * x * p


def log1p_32(x: Any) -> Any:
    """ln(1 + x) for float32 x in [0, 1], within 3 ulp: 2·artanh(s), s = x / (2 + x), by its Taylor polynomial."""
    s = x / (np.float32(2) + x)
    q = s * s
    p = np.float32(1 / 11) + q * (np.float32(1 / 13) + q * np.float32(1 / 15))
    p = np.float32(1 / 5) + q * (np.float32(1 / 7) + q * (np.float32(1 / 9) + q * p))
    return np.float32(2) * (s + s * q * (np.float32(1 / 3) + q * p))


def ndtr_32(x: Any) -> Any:
    """Φ(x) for float32, within 6 + x² / 2 ulp: for z = |x|, e^(-z²/2) · t · p(t) is Φ(-z), with t = 1 / (1 + 0.3 z).

    The polynomial, fitted to err least over z from 0 to 14.5, is off by at most 3.5e-9 of its value.
    """
    z = np.abs(x)
    t = np.float32(1) / (np.float32(1) + np.float32(0.3) * z)
    p = np.float32(0.112435722) + t * np.float32(-0.0206234893)
    p = np.float32(0.191784865) + t * (np.float32(-0.228213852) + t * p)
    p = np.float32(0.0961569723) + t * (np.float32(-0.0794237593) + t * p)
    p = np.float32(0.110235434) + t * (np.float32(0.078389603) + t * p)
    p = np.float32(0.11968669) + t * (np.float32(0.119571813) + t * p)
    tail = exp(np.float32(-0.5) * z * z) * (t * p)
    return np.float32(1) - tail if x > np.float32(0) else tail


def expm1_64(x: Any) -> Any:
    """The library's, as all for float64."""
    return math.expm1(x)


def log1p_64(x: Any) -> Any:
    """See ``expm1_64``."""
    return math.log1p(x)


def ndtr_64(x: Any) -> Any:
    """Φ(x) = ½ erfc(-x / √2)."""
    return 0.5 * math.erfc(x * -0.7071067811865476)


class Loops(NamedTuple):
    """A loop, and the same on several threads."""

    serial: Loop
    parallel: Loop


@cache
def _helpers(dtype: np.dtype[Any]) -> dict[str, Loop]:
    if dtype == np.float32:
        power = Loop(exp32, fastmath=FUSED)
        names: dict[str, Implementation] = {
            "expm1": expm1_32,
            "log1p": log1p_32,
            "tanh": tanh32,
            "ndtr": ndtr_32,
        }
        return {"exp": power, **{k: Loop(f, fastmath=FUSED, exp=power) for k, f in names.items()}}
    names = {"exp": exp64, "expm1": expm1_64, "log1p": log1p_64, "tanh": tanh64, "ndtr": ndtr_64}
    return {name: Loop(f) for name, f in names.items()}


class _Cpu:
    """A kernel on the processor."""

    def __init__(self, loop: Implementation, coefficients: Callable[..., tuple[Any, ...]]) -> None:
        self.loop, self.coefficients = loop, coefficients
        self.count = loop.__code__.co_argcount - 2  # type: ignore[attr-defined]
        self.loops = cache(self._loops)
        self.numbers = lru_cache(64)(self._numbers)

    def _loops(self, dtype: np.dtype[Any]) -> Loops:
        called = self.loop.__code__.co_names  # type: ignore[attr-defined]
        helpers: dict[str, Any] = {k: v for k, v in _helpers(dtype).items() if k in called}
        serial = Loop(self.loop, **helpers)
        pieces = (in_pieces_0, in_pieces_1)[self.count - 1]
        return Loops(serial, Loop(pieces, parallel=True, loop=serial))

    def _numbers(self, dtype: np.dtype[Any], settings: tuple[Any, ...]) -> Any:
        return np.array(self.coefficients(*map(float, settings)), dtype)

    def __call__(self, *arguments: Any, out: Any = None) -> Any:
        first = arguments[0]
        dtype, size = first.dtype, first.size
        y = np.empty(first.shape, dtype) if out is None else output(out, first.shape, first)
        loops = self.loops(dtype)
        run = loops.parallel if size >= PARALLEL_FROM and may_use_threads() else loops.serial
        flat = [np.ascontiguousarray(a).reshape(-1) for a in arguments[: self.count]]
        into = y if y.flags.c_contiguous else np.empty(y.shape, dtype)
        run.compiled(*flat, into.reshape(-1), self.numbers(dtype, arguments[self.count :]))
        if into is not y:
            y[...] = into
        return y

    def fits(self, *arguments: Any, out: Any = None) -> bool:
        """Tell whether the loop takes these."""
        shape = arguments[0].shape
        for a in arguments[: self.count]:
            if not hasattr(a, "dtype") or a.dtype.kind != "f" or a.shape != shape:
                return False
        return True


def activation(
    name: str,
    reference: Implementation,
    loop: Implementation,
    coefficients: Callable[..., tuple[Any, ...]],
) -> Kernel:
    """Return a kernel in all implementations, from its reference and its loop, and enter it in the registry."""
    cpu = _Cpu(loop, coefficients)

    def on_gpu(*arguments: Any, out: Any = None) -> Any:
        first, arrays = arguments[0], arguments[: cpu.count]
        shapes = ", ".join(str(a.shape) for a in arrays)
        gpu.require(cpu.fits(*arguments), f"{name}: shapes {shapes} do not go together")
        y = gpu.output(out, first.shape, first)
        numbers = [first.dtype.type(number) for number in coefficients(*map(float, arguments[cpu.count :]))]
        given = (*map(gpu.contiguous, arrays), y, np.int32(first.size), *numbers)
        gpu.launch("activations", name, first.dtype, gpu.blocks(first.size, 256), 256, *given)
        return y

    on_gpu.__doc__ = f"See ``{name}_reference`` and cuda/activations.cu."

    def gpu_fits(*arguments: Any, out: Any = None) -> bool:
        dtypes = {a.dtype for a in arguments[: cpu.count] if hasattr(a, "dtype")}
        return len(dtypes) == 1 and dtypes <= {np.dtype("f4"), np.dtype("f8")} and cpu.fits(*arguments)

    return register(
        name,
        reference=reference,
        cpu=cpu,
        gpu=on_gpu,
        fits=cpu.fits,
        gpu_fits=gpu_fits,
        strided=True,
    )
