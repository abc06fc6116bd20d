"""CUDA kernels in a stream that captures: a launch is noted down by CUDA, and done when the graph is launched.

A graph keeps addresses. So whoever makes one holds the arrays that its launches were given; and its products are those
of our kernel, since CuPy refuses its library's while it captures.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from minigrad_kernels import gpu, matmul


class OwnProducts:
    """A device, with our kernel for its products; ``held`` takes every array that a kernel is given."""

    def __init__(self, device: gpu.Device, held: list[Any] | None = None) -> None:
        self.device, self.held = device, held

    @property
    def xp(self) -> Any:
        """See ``gpu.Device``."""
        return self.device.xp

    def launch(
        self, source: str, name: str, real: str, grid: gpu.Grid, block: gpu.Grid, args: tuple[Any, ...]
    ) -> None:
        """See ``gpu.Device``."""
        if self.held is not None:
            self.held += [each for each in args if gpu.is_array(each)]
        self.device.launch(source, name, real, grid, block, args)

    def matmul(self, a: Any, b: Any, out: Any) -> None:
        """See ``gpu.Device``; by cuda/matmul.cu."""
        matmul.matmul_gpu(a, b, out)

    def address(self, array: Any) -> int:
        """See ``gpu.Device``."""
        return self.device.address(array)


def products(a: Any, b: Any) -> Any:
    """``a @ b`` by the kernels' product, stack by stack; what it does not take is the library's."""
    if a.dtype != b.dtype or a.dtype not in (np.float32, np.float64) or not (a.ndim and b.ndim):
        return operator.matmul(a, b)
    if a.ndim == 1:
        return products(a[None], b)[..., 0, :]
    if b.ndim == 1:
        return products(a, b[:, None])[..., 0]
    gpu.require(a.shape[-1] == b.shape[-2], f"a is {a.shape}, b is {b.shape}")
    stacks = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    xp = gpu.xp()
    a, b = (xp.broadcast_to(each, (*stacks, *each.shape[-2:])) for each in (a, b))
    c = xp.empty((*stacks, a.shape[-2], b.shape[-1]), a.dtype)
    for place in np.ndindex(stacks):
        gpu.matmul(a[place], b[place], c[place])
    return c
