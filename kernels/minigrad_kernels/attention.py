"""Attention on bare arrays: q (..., n, d), k (..., m, d), v (..., m, e) give y (..., n, e).

    y_i = Σ_j w_ij v_j,   w_i = softmax over j of (scale · q_i·k_j + mask_ij)

Vaswani et al. 2017, "Attention is all you need", eq. 1. ``mask`` (which stretches to (..., n, m)) is None or floats
that are added to the scores: -∞ hides key j from query i. ``causal`` hides the keys j > i. A query from which every key
is hidden gets zeros, as PyTorch has it. With p > 0 each weight is dropped with this probability, the others
are scaled by 1 / (1 - p): see ``kept``.

The reference holds all n × m weights. The others take the keys block by block with a running maximum and a running
sum (Milakov & Gimelshein 2018, "Online normalizer calculation for softmax"; Dao et al. 2022, "FlashAttention",
algorithm 1) and compute the weights anew for the gradient (ibid., algorithm 4): they hold one block of weights at a
time. What is kept for that is ln Σ_j e^score of each query, (..., n), and ∞ where there is none.

How far two implementations may be apart: a score by (d + 2) ulp of scale · |q|·|k|, which its power multiplies; and
the sums by one ulp of the terms' sizes for each term.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from minigrad_kernels import attention_loops, gpu
from minigrad_kernels.launch import may_use_threads, output, register, written
from minigrad_kernels.loops import scratch
from minigrad_kernels.moving import assign

_STEP = 0x9E3779B97F4A7C15


def kept(seed: Any, shape: tuple[int, ...], p: float) -> Any:
    """Return 1 / (1 - p) for each weight that is kept and 0 for each that is dropped.

    Whether it is follows from ``seed``, one int64, and the weight's place alone, so that the gradient drops the same
    ones without having been told: SplitMix64 (Steele, Lea & Flood 2014, "Fast splittable pseudorandom number
    generators", figure 16) turns the place into 24 random bits, and those below p · 2^24 are dropped.
    """
    places = np.cumsum(np.ones_like(seed, shape=shape), dtype=np.int64).reshape(shape).astype(np.uint64)
    z = places * np.uint64(_STEP) + seed.astype(np.uint64)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    bits = (z ^ (z >> np.uint64(31))) >> np.uint64(40)
    return (bits >= np.uint64(threshold(p))) * (1 / (1 - p))


def further(seed: Any, places: int) -> Any:
    """Return the seed whose first weight is kept where another seed's is that lies so many places further on."""
    moved = seed.reshape(1).astype(np.uint64) + np.uint64(places * _STEP % (1 << 64))
    return moved.astype(np.int64).reshape(())


def threshold(p: float) -> int:
    """Return p in 24 bits."""
    return round(p * (1 << 24))


def hidden(scores: Any, mask: Any, causal: bool) -> Any:
    """Return the scores with the mask added, and -∞ where a key is hidden."""
    if mask is not None:
        scores = scores + mask
    if causal:
        n, m = scores.shape[-2:]
        ones = np.ones_like(scores, dtype=np.int64, shape=(n, m))
        scores = np.where(np.cumsum(ones, axis=1) <= np.cumsum(ones, axis=0), scores, -np.inf)
    return scores


def _powers(q: Any, k: Any, mask: Any, causal: bool, scale: float) -> tuple[Any, Any, Any]:
    """Return e^(score - its row's largest), the sums of the rows, and the largest (0 for a row that sees nothing)."""
    scores = hidden(np.matmul(q * q.dtype.type(scale), np.swapaxes(k, -1, -2)), mask, causal)
    scores = scores.astype(q.dtype, copy=False)
    top = np.max(scores, axis=-1, keepdims=True, initial=-np.inf)
    top = np.where(top == -np.inf, 0, top).astype(q.dtype, copy=False)
    powers = np.exp(scores - top)
    return powers, np.sum(powers, axis=-1, keepdims=True), top


def forward_reference(
    q: Any, k: Any, v: Any, mask: Any, seed: Any, causal: bool, scale: float, p: float, out: Any = None
) -> Any:
    """Return y (..., n, e) and ln Σ e^score (..., n)."""
    powers, total, top = _powers(q, k, mask, causal, scale)
    sums = np.where(total == 0, np.inf, total).astype(q.dtype, copy=False)
    weights = powers / sums
    if p:
        weights = weights * kept(seed, weights.shape, p).astype(q.dtype)
    return written((np.matmul(weights, v), np.squeeze(np.log(sums) + top, -1)), out)


def backward_reference(
    g: Any,
    y: Any,
    lse: Any,
    q: Any,
    k: Any,
    v: Any,
    mask: Any,
    seed: Any,
    causal: bool,
    scale: float,
    p: float,
    out: Any = None,
) -> Any:
    """Return (dL/dq, dL/dk, dL/dv) for the gradient g of y; ``lse`` is what ``forward`` returned beside y.

    With w the weights, those kept for y scaled: dv = wᵀ·g; dw = g·vᵀ; a score's is w (dw - Σ_j w dw), where the sum is
    g·y; dq = scale · ds·k, dk = scale · dsᵀ·q.
    """
    powers, total, _ = _powers(q, k, mask, causal, scale)
    weights = powers / np.where(total == 0, np.inf, total).astype(q.dtype, copy=False)
    used, dw = weights, np.matmul(g, np.swapaxes(v, -1, -2))
    if p:
        factor = kept(seed, weights.shape, p).astype(q.dtype)
        used, dw = weights * factor, dw * factor
    ds = weights * (dw - np.sum(g * y, axis=-1, keepdims=True)) * q.dtype.type(scale)
    transposed = np.swapaxes(ds, -1, -2)
    return written((np.matmul(ds, k), np.matmul(transposed, q), np.matmul(np.swapaxes(used, -1, -2), g)), out)


def fits(
    q: Any, k: Any, v: Any, mask: Any, seed: Any, causal: bool, scale: float, p: float, out: Any = None
) -> bool:
    """Tell whether the loops take these."""
    return bool(
        q.ndim >= 2
        and q.shape[:-2] == k.shape[:-2] == v.shape[:-2]
        and q.shape[-1] == k.shape[-1]
        and k.shape[-2] == v.shape[-2]
        and q.dtype.kind == "f"
        and q.dtype == k.dtype == v.dtype
        and (mask is None or mask.dtype == q.dtype)
        and (not p or (seed is not None and seed.shape == () and seed.dtype == np.int64))
    )


def backward_fits(
    g: Any,
    y: Any,
    lse: Any,
    q: Any,
    k: Any,
    v: Any,
    mask: Any,
    seed: Any,
    causal: bool,
    scale: float,
    p: float,
    out: Any = None,
) -> bool:
    """The same, with what the forward pass made."""
    return fits(q, k, v, mask, seed, causal, scale, p) and bool(
        g.shape == y.shape == (*q.shape[:-1], v.shape[-1])
        and lse.shape == q.shape[:-1]
        and g.dtype == y.dtype == lse.dtype == q.dtype
    )


def _four(a: Any) -> Any:
    """Return a view (batch, heads, rows, columns) of an array with two axes or more (a copy where five or more are
    not one behind the other)."""
    if a.ndim == 4:
        return a
    return a[(None,) * (4 - a.ndim)] if a.ndim < 4 else a.reshape((-1, *a.shape[-3:]))


PARALLEL_FROM = 1 << 17
"""Multiplications for the scores from which waking the other threads pays."""


def _has_rows(a: Any) -> bool:
    """Tell whether an array's rows are contiguous."""
    return bool(a.strides[-1] == a.itemsize or a.shape[-1] < 2)


def _by_rows(a: Any) -> Any:
    """Return an array whose rows are contiguous: ``a``, or else a copy."""
    if _has_rows(a):
        return a
    copied = scratch(a.shape, a.dtype)
    assign(copied, a)
    return copied


@contextmanager
def _written_by_rows(*outputs: Any) -> Iterator[list[Any]]:
    """Yield arrays to write into: the outputs, or others whose rows are contiguous, which are copied at the end."""
    rows = [a if _has_rows(a) else scratch(a.shape, a.dtype) for a in outputs]
    yield rows
    for a, into in zip(outputs, rows, strict=True):
        if into is not a:
            assign(a, into)


def _settings(q: Any, k: Any, mask: Any, seed: Any, causal: bool, scale: float, p: float) -> tuple[Any, ...]:
    dtype, masked = q.dtype.type, mask is not None
    mask = np.broadcast_to(mask if masked else np.zeros((), q.dtype), (*q.shape[:-1], k.shape[-2]))
    key = seed.reshape(1) if p else np.zeros(1, np.int64)
    return _four(mask), masked, key, threshold(p), dtype(1 / (1 - p)), bool(causal), dtype(scale)


def _several(q: Any, k: Any) -> bool:
    return q.size * k.shape[-2] >= PARALLEL_FROM and may_use_threads()


def forward_cpu(
    q: Any, k: Any, v: Any, mask: Any, seed: Any, causal: bool, scale: float, p: float, out: Any = None
) -> Any:
    """See ``forward_reference``; y lies in memory as q does, so that heads that lie side by side stay so."""
    q, k, v = map(_by_rows, (q, k, v))
    y, lse = out or (None, None)
    shape = (*q.shape[:-1], v.shape[-1])
    y = np.empty_like(q, shape=shape) if y is None else output(y, shape, q)
    lse = output(lse, q.shape[:-1], q)
    loops = attention_loops.loops(q.dtype, _several(q, k))
    rows, columns = attention_loops.block(loops, q.shape[-2], k.shape[-2])
    with _written_by_rows(y) as into:
        loops.forward.compiled(
            *map(_four, (q, k, v)), *_settings(q, k, mask, seed, causal, scale, p), rows, columns,
            *map(_four, into), _four(lse[..., None]),
        )  # fmt: skip
    return y, lse


def backward_cpu(
    g: Any,
    y: Any,
    lse: Any,
    q: Any,
    k: Any,
    v: Any,
    mask: Any,
    seed: Any,
    causal: bool,
    scale: float,
    p: float,
    out: Any = None,
) -> Any:
    """See ``backward_reference``; a head is one thread's."""
    arrays = (q, k, v)
    made = [
        np.empty_like(a) if into is None else output(into, a.shape, a)
        for a, into in zip(arrays, out or (None, None, None), strict=True)
    ]
    loops = attention_loops.loops(q.dtype, _several(q, k))
    rows, columns = attention_loops.block(loops, q.shape[-2], k.shape[-2])
    read = [_by_rows(a) for a in (g, y, lse[..., None], *arrays)]
    with _written_by_rows(*made) as into:
        loops.backward.compiled(
            *map(_four, read), *_settings(q, k, mask, seed, causal, scale, p), rows, columns,
            *map(_four, into),
        )  # fmt: skip
    return tuple(made)


THREADS = 64  # of a block, which works on one query or one key; as in cuda/attention.cu


def _gpu_arguments(q: Any, k: Any, mask: Any, seed: Any, causal: bool, scale: float, p: float) -> Any:
    """Return the mask and the seed, and the numbers of a launch, among them how far apart the mask's entries lie."""
    n, m, leading = q.shape[-2], k.shape[-2], q.shape[:-2]
    strides = [0, 0, 0, 0]
    if mask is not None:
        if len(leading) > 2:
            mask = gpu.xp().broadcast_to(mask, (*leading, n, m))
        mask = gpu.contiguous(_four(mask))
        step = 1
        for axis in (3, 2, 1, 0):
            strides[axis] = 0 if mask.shape[axis] == 1 else step
            step *= mask.shape[axis]
    heads = leading[-1] if leading else 1
    key = gpu.contiguous(seed).reshape(1) if p else None
    real = q.dtype.type
    numbers = (
        *(np.int32(x) for x in (n, m, heads, *strides, causal, threshold(p))), real(1 / (1 - p)), real(scale),
    )  # fmt: skip
    return (mask, key), numbers


def forward_gpu(
    q: Any, k: Any, v: Any, mask: Any, seed: Any, causal: bool, scale: float, p: float, out: Any = None
) -> Any:
    """See ``forward_reference`` and cuda/attention.cu."""
    gpu.require(fits(q, k, v, mask, seed, causal, scale, p), f"q {q.shape}, k {k.shape}, v {v.shape}")
    y, lse = out or (None, None)
    y, lse = gpu.output(y, (*q.shape[:-1], v.shape[-1]), q), gpu.output(lse, q.shape[:-1], q)
    given, numbers = _gpu_arguments(q, k, mask, seed, causal, scale, p)
    widths = (np.int32(q.shape[-1]), np.int32(v.shape[-1]))
    arrays = (*map(gpu.contiguous, (q, k, v)), *given, y, lse)
    gpu.launch("attention", "forward", q.dtype, lse.size, THREADS, *arrays, *widths, *numbers)
    return y, lse


def backward_gpu(
    g: Any,
    y: Any,
    lse: Any,
    q: Any,
    k: Any,
    v: Any,
    mask: Any,
    seed: Any,
    causal: bool,
    scale: float,
    p: float,
    out: Any = None,
) -> Any:
    """See ``backward_reference`` and cuda/attention.cu."""
    gpu.require(
        backward_fits(g, y, lse, q, k, v, mask, seed, causal, scale, p),
        f"g {g.shape}, y {y.shape}, q {q.shape}, k {k.shape}, v {v.shape}",
    )
    dq, dk, dv = (
        gpu.output(into, a.shape, a) for a, into in zip((q, k, v), out or (None, None, None), strict=True)
    )
    given, numbers = _gpu_arguments(q, k, mask, seed, causal, scale, p)
    widths = (np.int32(q.shape[-1]), np.int32(v.shape[-1]))
    rows = gpu.contiguous(gpu.xp().sum(g * y, axis=-1))  # Σ_j w dw of each query
    inputs = (*map(gpu.contiguous, (g, lse)), rows, *map(gpu.contiguous, (q, k, v)), *given)
    dtype, keys = q.dtype, k.size // max(1, k.shape[-1]) if k.shape[-1] else 0
    gpu.launch("attention", "backward_queries", dtype, lse.size, THREADS, *inputs, dq, *widths, *numbers)
    gpu.launch("attention", "backward_keys", dtype, keys, THREADS, *inputs, dk, dv, *widths, *numbers)
    return dq, dk, dv


forward = register(
    "attention_forward",
    reference=forward_reference,
    cpu=forward_cpu,
    gpu=forward_gpu,
    fits=fits,
    strided=True,
)
backward = register(
    "attention_backward",
    reference=backward_reference,
    cpu=backward_cpu,
    gpu=backward_gpu,
    fits=backward_fits,
    strided=True,
)
