"""Dropout on bare arrays, from random numbers that the caller has drawn; elementwise, equal in every bit."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad_kernels import gpu
from minigrad_kernels.launch import Loop, output, register, written


def dropout_reference(x: Any, random: Any, p: float, out: Any = None) -> Any:
    """y = x · [random >= p] / (1 - p): keeps an entry with probability 1 - p, scaled so that the mean stays.

    ``random`` has x's shape and is float32, uniform in [0, 1). The gradient is the same function of y's gradient.
    """
    return written(x * ((random >= p) * x.dtype.type(1 / (1 - p))), out)


def dropout_loop(x: Any, random: Any, p: Any, scale: Any, y: Any) -> None:
    """See ``dropout_reference``."""
    zero = x.dtype.type(0)
    for i in range(x.size):
        y[i] = x[i] * (scale if random[i] >= p else zero)


apply = Loop(dropout_loop)


def fits(x: Any, random: Any, p: float, out: Any = None) -> bool:
    """Tell whether the loop takes these."""
    return bool(x.shape == random.shape and x.dtype.kind == "f" and random.dtype.kind == "f")


def gpu_fits(x: Any, random: Any, p: float, out: Any = None) -> bool:
    """Tell whether the CUDA kernel takes these."""
    return bool(random.dtype == np.float32)


def dropout_cpu(x: Any, random: Any, p: float, out: Any = None) -> Any:
    """See ``dropout_reference``."""
    y = np.empty(x.shape, x.dtype) if out is None else output(out, x.shape, x)
    apply.compiled(
        x.reshape(-1), random.reshape(-1), random.dtype.type(p), x.dtype.type(1 / (1 - p)), y.reshape(-1)
    )
    return y


def dropout_gpu(x: Any, random: Any, p: float, out: Any = None) -> Any:
    """See ``dropout_reference`` and cuda/dropout.cu."""
    gpu.require(x.shape == random.shape, f"x is {x.shape}, random is {random.shape}")
    y = gpu.output(out, x.shape, x)
    numbers = (np.int32(x.size), np.float32(p), x.dtype.type(1 / (1 - p)))
    arrays = (gpu.contiguous(x), gpu.contiguous(random), y)
    gpu.launch("dropout", "dropout", x.dtype, gpu.blocks(x.size, 256), 256, *arrays, *numbers)
    return y


dropout = register(
    "dropout", reference=dropout_reference, cpu=dropout_cpu, gpu=dropout_gpu, fits=fits, gpu_fits=gpu_fits
)
