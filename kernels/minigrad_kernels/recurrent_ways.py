"""What recurrent layers go through the times of a sequence with: the processor, time by time or at once, and a GPU.

Each has the products and the passes of one time, what surrounds them, and ``through(name, times, cell, w, *others)``,
which does what ``times(self, cell, w, *others)`` does.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad_kernels import gpu, linear, moving, products, recurrent_tiles
from minigrad_kernels.launch import output
from minigrad_kernels.loops import scratch
from minigrad_kernels.recurrent_steps import loops

WAKE = 1 << 24
"""Multiplications of one time from which the other threads are woken: the next time waits for the slowest of them."""


class Cpu:
    """Products by tiles or BLAS, passes by Numba."""

    assign, add, clear = moving.assign, moving.add, moving.clear
    empty = staticmethod(lambda out, shape, like: output(out, shape, like))
    scratch = staticmethod(lambda shape, like: scratch(shape, like.dtype))

    def __init__(self, like: Any) -> None:
        self.passes = loops(like.dtype)

    @staticmethod
    def forward(h: Any, w: Any, p: Any) -> None:
        """p = h·wᵀ."""
        if linear.tiles_pay(h, w, None):
            products.forward(h, w, None, False, p, WAKE)
        else:
            products.blas(h, w.T, p)

    @staticmethod
    def back(d: Any, w: Any, dh: Any) -> None:
        """dh = d·w."""
        products.dot(d, w, dh, False, WAKE)

    weights = staticmethod(lambda d, h, out: linear.backward_weight_cpu(d, h, out))
    bias = staticmethod(lambda d, out: linear.backward_bias_cpu(d, out))

    def run(self, name: str, *arrays: Any) -> None:
        """Go once over these arrays."""
        self.passes[name].compiled(*arrays)

    def through(self, name: str, times: Any, cell: str, w: Any, *arguments: Any) -> None:
        """Go through all times."""
        times(self, cell, w, *arguments)


class Tiles(Cpu):
    """All times in one loop; see ``recurrent_tiles``."""

    def through(self, name: str, times: Any, cell: str, w: Any, *arguments: Any) -> None:
        """Go through all times."""
        recurrent_tiles.run(name, cell, w, *arguments)


class Gpu:
    """The same on a GPU."""

    def __init__(self, like: Any) -> None:
        self.dtype = like.dtype

    assign = staticmethod(lambda out, a: out.__setitem__(..., a))
    add = staticmethod(lambda total, a: total.__iadd__(a))
    clear = staticmethod(lambda out: out.fill(0))
    empty = staticmethod(lambda out, shape, like: gpu.output(out, shape, like))
    scratch = staticmethod(lambda shape, like: gpu.output(None, shape, like))
    forward = staticmethod(lambda h, w, p: gpu.matmul(h, w.T, p))
    back = staticmethod(lambda d, w, dh: gpu.matmul(d, w, dh))
    weights = staticmethod(lambda d, h, out: linear.backward_weight_gpu(d, h, out))
    bias = staticmethod(lambda d, out: linear.backward_bias_gpu(d, out))

    def run(self, name: str, *arrays: Any) -> None:
        """Launch the kernel of this name, a thread for each entry of the first array, a state's."""
        size, width = arrays[0].size, arrays[0].shape[1]
        numbers = (np.int32(size), np.int32(width))
        gpu.launch("recurrent", name, self.dtype, gpu.blocks(size, 256), 256, *arrays, *numbers)

    def through(self, name: str, times: Any, cell: str, w: Any, *arguments: Any) -> None:
        """Go through all times."""
        times(self, cell, w, *arguments)
