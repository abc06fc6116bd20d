"""Normalisation of rows on bare arrays: over features, over groups of channels, by mean and variance or by root mean
square. x is (n, groups, width, length); a row is what has one n and one group; channel ``group · width + k`` has one
weight and one bias.

The loops add the entries of a row in float64, in an order that hangs on the row's length alone; over the rows they add
in x's dtype, within at most ``CHUNKS`` parts first and then part by part. So the number of threads changes no bit. With
c = width · length entries a row, implementations may be apart by (c + 8) ulp of the sum of the absolute values that a
mean is made of, and by as much of what is made of the means.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad_kernels import gpu
from minigrad_kernels.launch import Loop, may_use_threads, output, register, written
from minigrad_kernels.loops import scratch

prange = range  # Numba's, where a loop is compiled in parallel

CHUNKS = 32
"""Parts among which the rows are shared out, whatever the number of threads."""

PARALLEL_FROM = 1 << 14
"""Entries from which waking the other threads pays, measured on two cores."""


def statistics(x: Any, eps: float, centred: bool) -> tuple[Any, Any]:
    """Return the mean of each row and 1 / √(mean of squares + eps), both (n, groups).

    The squares are those of the differences from the mean, divided by c, not by c - 1. Where it shall not be taken out
    the mean counts as 0.
    """
    count = max(1, x.shape[2] * x.shape[3])
    if not centred:
        scale = 1 / np.sqrt(np.sum(np.square(x), axis=(2, 3)) / count + eps)
        return np.zeros_like(scale), scale
    mean = np.sum(x, axis=(2, 3)) / count
    return mean, 1 / np.sqrt(np.sum(np.square(x - _of_rows(mean)), axis=(2, 3)) / count + eps)


def forward_reference(x: Any, weight: Any, bias: Any, eps: float, centred: bool, out: Any = None) -> Any:
    """Return y = (x - mean) · scale · weight + bias, the rows' means and their scales, 1 / √(var + eps).

    weight and bias are (groups · width,) or None; means and scales (n, groups). Without ``centred`` the means are 0,
    and the variance is the mean of x².
    """
    mean, scale = statistics(x, eps, centred)
    y = _normal(x, mean, scale, centred)
    if weight is not None:
        y = y * _of_channels(weight, x)
    if bias is not None:
        y = y + _of_channels(bias, x)
    return written((y, mean, scale), out)


def backward_reference(
    g: Any, x: Any, weight: Any, mean: Any, scale: Any, centred: bool, out: Any = None
) -> Any:
    """Return the gradients of x, weight and bias for y's gradient g, from what ``forward`` returned.

    With z = (x - mean) · scale and h = g · weight: dL/dx = scale · (h - mean h - z · mean(h z)) with means over a row,
    dL/dweight = Σ g z and dL/dbias = Σ g over the rows. Without ``centred`` the mean of h is left out.
    """
    count = max(1, x.shape[2] * x.shape[3])
    z = _normal(x, mean, scale, centred)
    h = g if weight is None else g * _of_channels(weight, x)
    rest = h - z * _of_rows(np.sum(h * z, axis=(2, 3)) / count)
    if centred:
        rest = rest - _of_rows(np.sum(h, axis=(2, 3)) / count)
    channels = x.shape[1] * x.shape[2]
    sums = (np.sum(part, axis=(0, 3)).reshape((channels,)) for part in (g * z, g))
    return written((_of_rows(scale) * rest, *sums), out)


def _of_rows(numbers: Any) -> Any:
    return numbers.reshape((*numbers.shape, 1, 1))


def _of_channels(numbers: Any, x: Any) -> Any:
    return numbers.reshape((*x.shape[1:3], 1))


def _normal(x: Any, mean: Any, scale: Any, centred: bool) -> Any:
    return (x - _of_rows(mean) if centred else x) * _of_rows(scale)


def total_loop(row: Any) -> Any:
    """Σ x of a row, in float64."""
    total = np.float64(0)
    for i in range(row.size):
        total += np.float64(row[i])
    return total


def squares_loop(row: Any, mean: Any) -> Any:
    """Σ (x - mean)² of a row, in float64."""
    total = np.float64(0)
    for i in range(row.size):
        rest = np.float64(row[i]) - mean
        total += rest * rest
    return total


def products_loop(g: Any, row: Any, mean: Any) -> Any:
    """Σ g and Σ g (x - mean) of a row, in float64."""
    total, product = np.float64(0), np.float64(0)
    for i in range(row.size):
        total += np.float64(g[i])
        product += np.float64(g[i]) * np.float64(row[i] - mean)
    return total, product


def weighted_loop(g: Any, weight: Any, row: Any, mean: Any) -> Any:
    """Σ g w and Σ g w (x - mean) of a row, in float64."""
    total, product = np.float64(0), np.float64(0)
    for i in range(row.size):
        h = np.float64(g[i] * weight[i])
        total += h
        product += h * np.float64(row[i] - mean)
    return total, product


ANY_ORDER = frozenset({"reassoc"})  # which the vector registers need, and which is the same in every run
row_total = Loop(total_loop, fastmath=ANY_ORDER)
row_squares = Loop(squares_loop, fastmath=ANY_ORDER)
row_products = Loop(products_loop, fastmath=ANY_ORDER)
row_weighted = Loop(weighted_loop, fastmath=ANY_ORDER)


def forward_loop(
    x: Any,
    weight: Any,
    bias: Any,
    eps: float,
    centred: bool,
    groups: int,
    length: int,
    y: Any,
    mean: Any,
    scale: Any,
) -> None:
    """See ``forward_reference``; x and y are (rows, c), mean and scale (rows,)."""
    rows, count = x.shape
    width = count // length
    step = (rows + CHUNKS - 1) // CHUNKS
    for chunk in prange(CHUNKS):
        for r in range(min(rows, chunk * step), min(rows, (chunk + 1) * step)):
            row, done = x[r], y[r]
            middle = row_total(row) / count if centred else np.float64(0)
            m, s = x.dtype.type(middle), x.dtype.type(1 / np.sqrt(row_squares(row, middle) / count + eps))
            mean[r], scale[r] = m, s
            first = r % groups * width
            if length == 1:
                w, b = weight[first : first + width], bias[first : first + width]
                for j in range(count):
                    done[j] = (row[j] - m) * s * w[j] + b[j]
            else:
                for k in range(width):
                    factor, shift = weight[first + k], bias[first + k]
                    for j in range(k * length, (k + 1) * length):
                        done[j] = (row[j] - m) * s * factor + shift


def backward_loop(
    g: Any,
    x: Any,
    weight: Any,
    mean: Any,
    scale: Any,
    centred: bool,
    groups: int,
    length: int,
    d: Any,
    sums: Any,
) -> None:
    """See ``backward_reference``; g, x and d are (rows, c); sums (2, CHUNKS, channels) are of the parts of the rows."""
    rows, count = x.shape
    width, samples = count // length, rows // groups
    step = (samples + CHUNKS - 1) // CHUNKS
    for chunk in prange(CHUNKS):
        d_weight, d_bias = sums[0, chunk], sums[1, chunk]
        d_weight[:] = 0
        d_bias[:] = 0
        for r in range(min(samples, chunk * step) * groups, min(samples, (chunk + 1) * step) * groups):
            incoming, row, done, m, s = g[r], x[r], d[r], mean[r], scale[r]
            first = r % groups * width
            if length == 1:
                w = weight[first : first + width]
                into_weight, into_bias = d_weight[first : first + width], d_bias[first : first + width]
                total, product = row_weighted(incoming, w, row, m)
                a = x.dtype.type(total / count if centred else 0.0)
                b = x.dtype.type(product * s / count)
                for j in range(count):
                    z = (row[j] - m) * s
                    into_weight[j] += incoming[j] * z
                    into_bias[j] += incoming[j]
                    done[j] = s * (incoming[j] * w[j] - a - z * b)
            else:
                total, product = np.float64(0), np.float64(0)
                for k in range(width):
                    start, stop = k * length, (k + 1) * length
                    plain, against = row_products(incoming[start:stop], row[start:stop], m)
                    d_weight[first + k] += x.dtype.type(against * s)
                    d_bias[first + k] += x.dtype.type(plain)
                    total += weight[first + k] * plain
                    product += weight[first + k] * against
                a = x.dtype.type(total / count if centred else 0.0)
                b = x.dtype.type(product * s / count)
                for k in range(width):
                    factor = weight[first + k]
                    for j in range(k * length, (k + 1) * length):
                        done[j] = s * (incoming[j] * factor - a - (row[j] - m) * s * b)


def join_loop(sums: Any, d_weight: Any, d_bias: Any) -> None:
    """The sums over all rows, part by part."""
    for k, total in enumerate((d_weight, d_bias)):
        total[:] = 0
        for chunk in range(sums.shape[1]):
            for j in range(total.size):
                total[j] = total[j] + sums[k, chunk, j]


join = Loop(join_loop)
forwards = {parallel: Loop(forward_loop, parallel=parallel) for parallel in (False, True)}
backwards = {parallel: Loop(backward_loop, parallel=parallel) for parallel in (False, True)}


def several(x: Any) -> bool:
    """Tell whether other threads should be woken for x."""
    return bool(x.size >= PARALLEL_FROM and may_use_threads())


def factors(weight: Any, bias: Any, channels: int, like: Any) -> tuple[Any, Any]:
    """Return weight and bias, or the ones and zeros that None stands for."""
    return (
        np.ones(channels, like.dtype) if weight is None else weight,
        np.zeros(channels, like.dtype) if bias is None else bias,
    )


def forward_cpu(
    x: Any, weight: Any, bias: Any, eps: float, centred: bool, out: Any = None
) -> tuple[Any, Any, Any]:
    """See ``forward_reference``."""
    n, groups, width, length = x.shape
    into = out or (None, None, None)
    y, scale = output(into[0], x.shape, x), output(into[2], (n, groups), x)
    mean = output(into[1], (n, groups), x)
    rows = (n * groups, width * length)
    numbers = (*factors(weight, bias, groups * width, x), eps, centred, groups, length)
    forwards[several(x)].compiled(
        x.reshape(rows), *numbers, y.reshape(rows), mean.reshape(-1), scale.reshape(-1)
    )
    return y, mean, scale


def backward_cpu(
    g: Any, x: Any, weight: Any, mean: Any, scale: Any, centred: bool, out: Any = None
) -> tuple[Any, Any, Any]:
    """See ``backward_reference``."""
    n, groups, width, length = x.shape
    channels, rows = groups * width, (n * groups, width * length)
    into = out or (None, None, None)
    d = output(into[0], x.shape, x)
    d_weight, d_bias = (output(each, (channels,), x) for each in into[1:])
    sums = scratch((2, CHUNKS, channels), x.dtype)
    weight, _ = factors(weight, None, channels, x)
    middle = mean if centred else np.zeros_like(scale)
    backwards[several(x)].compiled(
        g.reshape(rows), x.reshape(rows), weight, middle.reshape(-1), scale.reshape(-1), centred, groups,
        length, d.reshape(rows), sums,
    )  # fmt: skip
    join.compiled(sums, d_weight, d_bias)
    return d, d_weight, d_bias


def fits(x: Any, weight: Any, bias: Any, eps: float, centred: bool, out: Any = None) -> bool:
    """Tell whether the loops take these: some floats, and weights of the channels."""
    return bool(
        x.ndim == 4 and x.size and x.dtype.kind == "f" and of_channels(x.shape[1] * x.shape[2], weight, bias)
    )


def of_channels(channels: int, *weights: Any) -> bool:
    """Tell whether these are arrays of floats, one for each channel, or None."""
    return all(each is None or (each.shape == (channels,) and each.dtype.kind == "f") for each in weights)


def backward_fits(g: Any, x: Any, weight: Any, mean: Any, scale: Any, centred: bool, out: Any = None) -> bool:
    """The same, with y's gradient."""
    return fits(x, weight, None, 0.0, True) and bool(
        g.shape == x.shape and g.dtype.kind == "f" and mean.shape == scale.shape == x.shape[:2]
    )  # fmt: skip


THREADS = 128  # of a block, which works on one row; as in cuda/block.cuh


def forward_gpu(
    x: Any, weight: Any, bias: Any, eps: float, centred: bool, out: Any = None
) -> tuple[Any, Any, Any]:
    """See ``forward_reference`` and cuda/normalize.cu."""
    n, groups, width, length = x.shape
    gpu.require(of_channels(groups * width, weight, bias), f"x is {x.shape}: not one weight a channel")
    into = out or (None, None, None)
    y, scale = gpu.output(into[0], x.shape, x), gpu.output(into[2], (n, groups), x)
    mean = gpu.output(into[1], (n, groups), x)
    arrays = (gpu.contiguous(x), *contiguous(weight, bias), y, mean, scale)
    numbers = (x.dtype.type(eps), *(np.int32(k) for k in (centred, groups, width, length)))
    gpu.launch("normalize", "forward", x.dtype, n * groups, THREADS, *arrays, *numbers)
    return y, mean, scale


def backward_gpu(
    g: Any, x: Any, weight: Any, mean: Any, scale: Any, centred: bool, out: Any = None
) -> tuple[Any, Any, Any]:
    """See ``backward_reference`` and cuda/normalize.cu."""
    n, groups, width, length = x.shape
    channels, into = groups * width, out or (None, None, None)
    gpu.require(
        g.shape == x.shape and scale.shape == x.shape[:2] and of_channels(channels, weight),
        f"x is {x.shape}, its gradient {g.shape}, the scales are {scale.shape}",
    )
    d = gpu.output(into[0], x.shape, x)
    sums = [gpu.output(each, (channels,), x) for each in into[1:]]
    g, x, mean, scale = gpu.contiguous(g), gpu.contiguous(x), gpu.contiguous(mean), gpu.contiguous(scale)
    sizes = tuple(np.int32(k) for k in (centred, groups, width, length))
    arrays = (g, x, *contiguous(weight), mean, scale, d)
    gpu.launch("normalize", "backward", x.dtype, n * groups, THREADS, *arrays, *sizes)
    arrays = (g, x, mean, scale, *sums)
    gpu.launch("normalize", "weights", x.dtype, channels, THREADS, *arrays, np.int32(n), *sizes)
    return d, *sums


def contiguous(*arrays: Any) -> list[Any]:
    """Return arrays whose entries lie in order, and None where there is none."""
    return [None if each is None else gpu.contiguous(each) for each in arrays]


forward = register(
    "normalize_forward", reference=forward_reference, cpu=forward_cpu, gpu=forward_gpu, fits=fits
)
backward = register(
    "normalize_backward", reference=backward_reference, cpu=backward_cpu, gpu=backward_gpu, fits=backward_fits
)
