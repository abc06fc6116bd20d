"""Rows of a table by id, and their gradient, on bare arrays; equal in every bit.

weight has shape (count, width), ids (...) are integers 0 … count - 1, y and its gradient g (..., width).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad_kernels import gpu
from minigrad_kernels.launch import Loop, output, register, written


def gather_reference(weight: Any, ids: Any, out: Any = None) -> Any:
    """y = weight[ids]."""
    return written(weight[ids], out)


def gather_loop(weight: Any, ids: Any, y: Any) -> None:
    """See ``gather_reference``."""
    for i in range(ids.size):
        if not 0 <= ids[i] < weight.shape[0]:
            raise IndexError("embedding_gather: an id is outside 0 ... count - 1")
        for j in range(weight.shape[1]):
            y[i, j] = weight[ids[i], j]


copy_rows = Loop(gather_loop, raises=True)


def gather_fits(weight: Any, ids: Any, out: Any = None) -> bool:
    """Tell whether the loop takes these."""
    return bool(weight.ndim == 2 and ids.dtype.kind == "i")


def gather_cpu(weight: Any, ids: Any, out: Any = None) -> Any:
    """See ``gather_reference``."""
    y = output(out, (*ids.shape, weight.shape[1]), weight)
    copy_rows(weight, ids.reshape(-1), y.reshape((ids.size, weight.shape[1])))
    return y


def scatter_add_reference(g: Any, ids: Any, count: int, out: Any = None) -> Any:
    """dL/dweight (count, width): zeros, to whose row id_i row g_i is added, in the order of i."""
    dtype = np.float32 if g.dtype == np.float16 else g.dtype  # float16's sums stand still at 2,048
    result = np.zeros_like(g, dtype, shape=(count, g.shape[-1]))
    np.add.at(result, ids, g)
    return written(result.astype(g.dtype, copy=False), out)


def scatter_add_loop(g: Any, ids: Any, total: Any) -> None:
    """See ``scatter_add_reference``."""
    total[:] = 0
    for i in range(ids.size):
        if not 0 <= ids[i] < total.shape[0]:
            raise IndexError("embedding_scatter_add: an id is outside 0 ... count - 1")
        for j in range(total.shape[1]):
            total[ids[i], j] = total[ids[i], j] + g[i, j]


add_rows = Loop(scatter_add_loop, raises=True)


def scatter_add_fits(g: Any, ids: Any, count: int, out: Any = None) -> bool:
    """Tell whether the loop takes these."""
    return bool(ids.dtype.kind == "i" and g.ndim > 0 and g.shape[:-1] == ids.shape)


def scatter_add_cpu(g: Any, ids: Any, count: int, out: Any = None) -> Any:
    """See ``scatter_add_reference``."""
    total = output(out, (count, g.shape[-1]), g)
    add_rows(g.reshape((ids.size, g.shape[-1])), ids.reshape(-1), total)
    return total


def gather_gpu(weight: Any, ids: Any, out: Any = None) -> Any:
    """See ``gather_reference`` and cuda/embedding.cu; an id outside the table gives a row of NaN."""
    gpu.require(weight.ndim == 2, f"weight is {weight.shape}, not (count, width)")
    count, width = weight.shape
    y = gpu.output(out, (*ids.shape, width), weight)
    numbers = (np.int32(y.size), np.int32(width), np.int32(count))
    arrays = (gpu.contiguous(weight), gpu.ids(ids), y)
    gpu.launch("embedding", "gather", weight.dtype, gpu.blocks(y.size, 256), 256, *arrays, *numbers)
    return y


def scatter_add_gpu(g: Any, ids: Any, count: int, out: Any = None) -> Any:
    """See ``scatter_add_reference`` and cuda/embedding.cu; an id outside the table is left out."""
    gpu.require(g.ndim > 0 and g.shape[:-1] == ids.shape, f"g is {g.shape} for ids {ids.shape}")
    width = g.shape[-1]
    total = gpu.output(out, (count, width), g)
    total[...] = 0
    flat = gpu.ids(ids).reshape(-1)
    order = gpu.ids(gpu.xp().argsort(flat, kind="stable"))
    numbers = (np.int32(g.size), np.int32(width), np.int32(count))
    arrays = (gpu.contiguous(g), flat, order, total)
    gpu.launch("embedding", "scatter_add", g.dtype, gpu.blocks(g.size, 256), 256, *arrays, *numbers)
    return total


gather = register(
    "embedding_gather", reference=gather_reference, cpu=gather_cpu, gpu=gather_gpu, fits=gather_fits
)
scatter_add = register(
    "embedding_scatter_add",
    reference=scatter_add_reference,
    cpu=scatter_add_cpu,
    gpu=scatter_add_gpu,
    fits=scatter_add_fits,
)
