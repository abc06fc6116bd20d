"""Normalisation over a batch on bare arrays: each channel of x (n, channels, length) by its own mean and variance.

The loops add the entries of a channel in float64, in an order that hangs on the shape alone: a thread has channels of
its own, so that the number of threads changes no bit. With c = n · length entries a channel, implementations may be
apart by (c + 8) ulp of the sum of the absolute values that a mean is made of, and by as much of what is made of it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad_kernels import gpu
from minigrad_kernels.launch import Loop, output, register, written
from minigrad_kernels.normalize import (
    THREADS,
    contiguous,
    factors,
    of_channels,
    row_products,
    row_squares,
    row_total,
    several,
)

prange = range  # Numba's, where a loop is compiled in parallel

TOGETHER = 32
"""Channels that a thread works on at once where they lie side by side."""


def statistics(x: Any) -> tuple[Any, Any]:
    """Return the mean and the variance of each channel, (channels,); the variance is divided by c, not by c - 1."""
    count = max(1, x.shape[0] * x.shape[2])
    mean = np.sum(x, axis=(0, 2)) / count
    return mean, np.sum(np.square(x - _of(mean)), axis=(0, 2)) / count


def forward_reference(x: Any, weight: Any, bias: Any, eps: float, out: Any = None) -> Any:
    """Return y = (x - mean) · scale · weight + bias, means, variances, and scales, 1 / √(var + eps).

    weight and bias are (channels,) or None; so are means, variances and scales.
    """
    mean, var = statistics(x)
    scale = 1 / np.sqrt(var + eps)
    y = (x - _of(mean)) * _of(scale)
    if weight is not None:
        y = y * _of(weight)
    if bias is not None:
        y = y + _of(bias)
    return written((y, mean, var, scale), out)


def backward_reference(g: Any, x: Any, weight: Any, mean: Any, scale: Any, out: Any = None) -> Any:
    """Return the gradients of x, weight and bias for y's gradient g, from what ``forward`` returned.

    With z = (x - mean) · scale: dL/dx = scale · weight · (g - mean g - z · mean(g z)) with means over a channel,
    dL/dweight = Σ g z and dL/dbias = Σ g.
    """
    count = max(1, x.shape[0] * x.shape[2])
    z = (x - _of(mean)) * _of(scale)
    d_weight, d_bias = np.sum(g * z, axis=(0, 2)), np.sum(g, axis=(0, 2))
    factor = scale if weight is None else scale * weight
    return written(
        (_of(factor) * (g - _of(d_bias / count) - z * _of(d_weight / count)), d_weight, d_bias), out
    )


def _of(numbers: Any) -> Any:
    return numbers.reshape((*numbers.shape, 1))


def forward_loop(
    x: Any, weight: Any, bias: Any, eps: float, y: Any, means: Any, variances: Any, scales: Any
) -> None:
    """See ``forward_reference``."""
    n, channels, length = x.shape
    for c in prange(channels):
        total = np.float64(0)
        for i in range(n):
            total += row_total(x[i, c])
        mean, squares = total / (n * length), np.float64(0)
        for i in range(n):
            squares += row_squares(x[i, c], mean)
        var = squares / (n * length)
        m, s = x.dtype.type(mean), x.dtype.type(1 / np.sqrt(var + eps))
        means[c], variances[c], scales[c] = m, x.dtype.type(var), s
        w, b = weight[c], bias[c]
        for i in range(n):
            row, done = x[i, c], y[i, c]
            for j in range(length):
                done[j] = (row[j] - m) * s * w + b


def columns_forward_loop(
    x: Any, weight: Any, bias: Any, eps: float, y: Any, means: Any, variances: Any, scales: Any
) -> None:
    """See ``forward_reference``; x and y are (n, channels)."""
    n, channels = x.shape
    for block in prange((channels + TOGETHER - 1) // TOGETHER):
        start, stop = block * TOGETHER, min((block + 1) * TOGETHER, channels)
        mean, squares = np.zeros(stop - start, np.float64), np.zeros(stop - start, np.float64)
        for i in range(n):
            row = x[i, start:stop]
            for c in range(stop - start):
                mean[c] += np.float64(row[c])
        for c in range(stop - start):
            mean[c] = mean[c] / n
        for i in range(n):
            row = x[i, start:stop]
            for c in range(stop - start):
                rest = np.float64(row[c]) - mean[c]
                squares[c] += rest * rest
        m, s = means[start:stop], scales[start:stop]
        for c in range(stop - start):
            var = squares[c] / n
            m[c], s[c] = x.dtype.type(mean[c]), x.dtype.type(1 / np.sqrt(var + eps))
            variances[start + c] = x.dtype.type(var)
        w, b = weight[start:stop], bias[start:stop]
        for i in range(n):
            row, done = x[i, start:stop], y[i, start:stop]
            for c in range(stop - start):
                done[c] = (row[c] - m[c]) * s[c] * w[c] + b[c]


def backward_loop(
    g: Any, x: Any, weight: Any, means: Any, scales: Any, d: Any, d_weight: Any, d_bias: Any
) -> None:
    """See ``backward_reference``."""
    n, channels, length = x.shape
    for c in prange(channels):
        m, s = means[c], scales[c]
        total, product = np.float64(0), np.float64(0)
        for i in range(n):
            plain, against = row_products(g[i, c], x[i, c], m)
            total += plain
            product += against
        d_weight[c], d_bias[c] = x.dtype.type(product * s), x.dtype.type(total)
        a, b = x.dtype.type(total / (n * length)), x.dtype.type(product * s / (n * length))
        factor = s * weight[c]
        for i in range(n):
            incoming, row, done = g[i, c], x[i, c], d[i, c]
            for j in range(length):
                done[j] = factor * (incoming[j] - a - (row[j] - m) * s * b)


def columns_backward_loop(
    g: Any, x: Any, weight: Any, means: Any, scales: Any, d: Any, d_weight: Any, d_bias: Any
) -> None:
    """See ``backward_reference``; g, x and d are (n, channels)."""
    n, channels = x.shape
    for block in prange((channels + TOGETHER - 1) // TOGETHER):
        start, stop = block * TOGETHER, min((block + 1) * TOGETHER, channels)
        total, product = np.zeros(stop - start, np.float64), np.zeros(stop - start, np.float64)
        m, s, w = means[start:stop], scales[start:stop], weight[start:stop]
        for i in range(n):
            incoming, row = g[i, start:stop], x[i, start:stop]
            for c in range(stop - start):
                total[c] += np.float64(incoming[c])
                product[c] += np.float64(incoming[c]) * np.float64(row[c] - m[c])
        a, b, factor = np.empty(stop - start, x.dtype), np.empty(stop - start, x.dtype), s * w
        for c in range(stop - start):
            d_weight[start + c], d_bias[start + c] = x.dtype.type(product[c] * s[c]), x.dtype.type(total[c])
            a[c], b[c] = x.dtype.type(total[c] / n), x.dtype.type(product[c] * s[c] / n)
        for i in range(n):
            incoming, row, done = g[i, start:stop], x[i, start:stop], d[i, start:stop]
            for c in range(stop - start):
                done[c] = factor[c] * (incoming[c] - a[c] - (row[c] - m[c]) * s[c] * b[c])


LOOPS = {
    (loop, parallel): Loop(loop, parallel=parallel)
    for loop in (forward_loop, columns_forward_loop, backward_loop, columns_backward_loop)
    for parallel in (False, True)
}


def forward_cpu(x: Any, weight: Any, bias: Any, eps: float, out: Any = None) -> tuple[Any, Any, Any, Any]:
    """See ``forward_reference``."""
    n, channels, length = x.shape
    into = out or (None,) * 4
    y = output(into[0], x.shape, x)
    found = [output(each, (channels,), x) for each in into[1:]]
    weight, bias = factors(weight, bias, channels, x)
    if length == 1:
        loop = LOOPS[columns_forward_loop, several(x)].compiled
        loop(x.reshape(n, channels), weight, bias, eps, y.reshape(n, channels), *found)
    else:
        LOOPS[forward_loop, several(x)].compiled(x, weight, bias, eps, y, *found)
    mean, var, scale = found
    return y, mean, var, scale


def backward_cpu(g: Any, x: Any, weight: Any, mean: Any, scale: Any, out: Any = None) -> tuple[Any, Any, Any]:
    """See ``backward_reference``."""
    n, channels, length = x.shape
    into = out or (None,) * 3
    d = output(into[0], x.shape, x)
    d_weight, d_bias = (output(each, (channels,), x) for each in into[1:])
    weight, _ = factors(weight, None, channels, x)
    if length == 1:
        flat = (n, channels)
        loop = LOOPS[columns_backward_loop, several(x)].compiled
        loop(g.reshape(flat), x.reshape(flat), weight, mean, scale, d.reshape(flat), d_weight, d_bias)
    else:
        LOOPS[backward_loop, several(x)].compiled(g, x, weight, mean, scale, d, d_weight, d_bias)
    return d, d_weight, d_bias


def fits(x: Any, weight: Any, bias: Any, eps: float, out: Any = None) -> bool:
    """Tell whether the loops take these: some floats, and weights of the channels."""
    return bool(x.ndim == 3 and x.size and x.dtype.kind == "f" and of_channels(x.shape[1], weight, bias))


def backward_fits(g: Any, x: Any, weight: Any, mean: Any, scale: Any, out: Any = None) -> bool:
    """The same, with y's gradient."""
    return fits(x, weight, None, 0.0) and bool(
        g.shape == x.shape and g.dtype.kind == "f" and mean.shape == scale.shape == x.shape[1:2]
    )


def forward_gpu(x: Any, weight: Any, bias: Any, eps: float, out: Any = None) -> tuple[Any, Any, Any, Any]:
    """See ``forward_reference`` and cuda/normalize.cu."""
    channels = x.shape[1]
    gpu.require(of_channels(channels, weight, bias), f"x is {x.shape}: not one weight a channel")
    into = out or (None,) * 4
    y = gpu.output(into[0], x.shape, x)
    mean, var, scale = (gpu.output(each, (channels,), x) for each in into[1:])
    arrays = (gpu.contiguous(x), *contiguous(weight, bias), y, mean, var, scale)
    numbers = (x.dtype.type(eps), *(np.int32(k) for k in x.shape))
    gpu.launch("normalize", "batch_forward", x.dtype, channels, THREADS, *arrays, *numbers)
    return y, mean, var, scale


def backward_gpu(g: Any, x: Any, weight: Any, mean: Any, scale: Any, out: Any = None) -> tuple[Any, Any, Any]:
    """See ``backward_reference`` and cuda/normalize.cu."""
    channels = x.shape[1]
    gpu.require(
        g.shape == x.shape and of_channels(channels, weight, mean, scale),
        f"x is {x.shape}, its gradient {g.shape}, the scales are {scale.shape}",
    )
    into = out or (None,) * 3
    d = gpu.output(into[0], x.shape, x)
    d_weight, d_bias = (gpu.output(each, (channels,), x) for each in into[1:])
    arrays = (*contiguous(g, x, weight, mean, scale), d, d_weight, d_bias)
    sizes = (np.int32(k) for k in x.shape)
    gpu.launch("normalize", "batch_backward", x.dtype, channels, THREADS, *arrays, *sizes)
    return d, d_weight, d_bias


forward = register(
    "normalize_batch_forward", reference=forward_reference, cpu=forward_cpu, gpu=forward_gpu, fits=fits
)
backward = register(
    "normalize_batch_backward",
    reference=backward_reference,
    cpu=backward_cpu,
    gpu=backward_gpu,
    fits=backward_fits,
)
