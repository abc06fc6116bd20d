"""Softmax and cross-entropy in one, on bare arrays: logits (n, classes), labels (n,) of ids 0 … classes - 1.

How far two implementations may be apart, in units in the last place: (classes + 8) ulp of
1 + |z_label - max z| + ln Σ e^z for a loss, and (classes + 8) ulp of
|g| · (softmax + onehot) for a gradient. Powers below 1e-37 may become 0.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from minigrad_kernels import gpu
from minigrad_kernels.launch import Host, Loop, may_use_threads, output, register, written
from minigrad_kernels.powers import EXPONENTIALS, WIDE
from minigrad_kernels.reductions import reducing

prange = range  # Numba's, where a loop is compiled in parallel
exponentials: Any = None  # the dtype's, and its 1, where a loop is compiled
ONE = np.float32(1)


def forward_reference(logits: Any, labels: Any, out: Any = None) -> Any:
    """L_i = ln Σ_j e^z_ij - z_i,label: the losses of the samples, shape (n,).

    The largest logit of each row is taken out first, so that nothing overflows. Raises IndexError where a label is no
    class (but not for arrays on a GPU, which would have to be waited for).
    """
    _require_classes(labels, logits.shape[1])
    shifted = logits - np.max(logits, axis=1, keepdims=True)
    chosen = np.take_along_axis(shifted, np.expand_dims(labels, 1), axis=1)
    return written(np.log(np.sum(np.exp(shifted), axis=1)) - np.squeeze(chosen, 1), out)


def backward_reference(g: Any, logits: Any, labels: Any, out: Any = None) -> Any:
    """dL/dz_ij = g_i · (softmax(z)_ij - [j = label_i]) for the gradient g (n,) of the losses."""
    _require_classes(labels, logits.shape[1])
    powers = np.exp(logits - np.max(logits, axis=1, keepdims=True))
    softmax = powers / np.sum(powers, axis=1, keepdims=True)
    classes = np.cumsum(np.ones_like(labels, shape=(logits.shape[1],))) - 1  # 0, 1, 2 … where the labels live
    onehot = np.expand_dims(labels, 1) == classes
    return written(np.expand_dims(g, 1) * (softmax - onehot), out)


def forward_backward_reference(logits: Any, labels: Any, out: Any = None) -> Any:
    """Return the losses (n,) and softmax - onehot (n, classes): what ``backward`` gives for g = 1."""
    ones = np.ones_like(logits, shape=labels.shape)
    return written((forward_reference(logits, labels), backward_reference(ones, logits, labels)), out)


def _require_classes(labels: Any, classes: int) -> None:
    if isinstance(labels, np.ndarray) and labels.size and (labels.min() < 0 or labels.max() >= classes):
        raise IndexError(_NO_CLASS)


_NO_CLASS = "softmax_xent: a label is outside 0 ... classes - 1"


# The loops take a few rows at a time, so that their powers stay in the cache from one pass to the next. Where rows are
# short they raise e to all entries of these rows in one go, so that ten classes fill the vector registers too.

BLOCK = 2048
"""Entries that are worked on together; where a row is wide by itself, four times as many."""

PARALLEL_FROM = 1 << 13
"""Logits from which waking the other threads pays, measured on two cores."""


def rows_at_once(classes: int) -> int:
    """How many rows are worked on together."""
    return max(1, (BLOCK if classes < WIDE else 4 * BLOCK) // classes)


together = Loop(rows_at_once)


def check_loop(labels: Any, classes: int) -> int:
    """How many rows are worked on together; IndexError where a label is no class."""
    outside = 0
    for label in labels:  # once for all, since what runs on several threads cannot raise
        outside += label < 0 or label >= classes
    if outside:
        raise IndexError(_NO_CLASS)
    return int(together(classes))


check = Loop(check_loop)


def forward_loop(logits: Any, labels: Any, losses: Any) -> None:
    """See ``forward_reference``."""
    rows, classes = logits.shape
    step = check(labels, classes)
    powers, totals = np.empty((step, classes), logits.dtype), np.empty(step, logits.dtype)
    for start in range(0, rows, step):
        stop = min(start + step, rows)
        exponentials(
            logits[start:stop], labels[start:stop], powers[: stop - start], losses[start:stop], totals
        )
        for i in range(start, stop):
            losses[i] = np.log(totals[i - start]) - losses[i]


def backward_loop(g: Any, logits: Any, labels: Any, d: Any) -> None:
    """See ``backward_reference``."""
    rows, classes = logits.shape
    step = check(labels, classes)
    chosen, totals = np.empty(step, logits.dtype), np.empty(step, logits.dtype)
    for start in range(0, rows, step):
        stop = min(start + step, rows)
        exponentials(logits[start:stop], labels[start:stop], d[start:stop], chosen, totals)
        for i in range(start, stop):
            scale = g[i] / totals[i - start]
            for j in range(classes):
                d[i, j] = scale * d[i, j]
            d[i, labels[i]] -= g[i]


def forward_backward_loop(logits: Any, labels: Any, n: int, losses: Any, d: Any) -> None:
    """See ``forward_backward_reference``; the gradients are divided by n."""
    rows, classes = logits.shape
    step = check(labels, classes)
    factor = ONE / logits.dtype.type(n)
    for block in prange((rows + step - 1) // step):
        start, stop = block * step, min((block + 1) * step, rows)
        totals = np.empty(step, logits.dtype)
        exponentials(logits[start:stop], labels[start:stop], d[start:stop], losses[start:stop], totals)
        for i in range(start, stop):
            total = totals[i - start]
            losses[i] = np.log(total) - losses[i]
            row, scale = d[i], ONE / total
            at_label = scale * row[labels[i]] - ONE
            for j in range(classes):
                row[j] = factor * (scale * row[j])
            row[labels[i]] = factor * at_label


def mean_forward_backward_reference(logits: Any, labels: Any, out: Any = None) -> Any:
    """Return (the losses' mean, its gradient (softmax - onehot) / n): (), (n, classes)."""
    n = len(labels)
    losses, difference = forward_backward_reference(logits, labels)
    scaled = logits.dtype.type(1) / max(1, n) * difference
    return written((losses.sum() / n, scaled), out)  # np.mean takes four times as long


def mean_backward_reference(g: Any, gradient: Any, out: Any = None) -> Any:
    """dL/dz = g · the gradient of the losses' mean, for the gradient g, one number, of that mean.

    Where g is 1, as it is where a walk begins, this may be ``gradient`` itself.
    """
    return written(g * gradient, out)


def mean_backward_loop(g: Any, gradient: Any, d: Any) -> None:
    """See ``mean_backward_reference``; a thread takes the rows that were its own in ``forward_backward``."""
    rows, classes = gradient.shape
    factor = g[0]
    step = together(classes)
    for block in prange((rows + step - 1) // step):
        for i in range(block * step, min((block + 1) * step, rows)):
            for j in range(classes):
                d[i, j] = factor * gradient[i, j]


def _compiled_for(real: Any) -> dict[str, Loop]:
    """Return the loops for one dtype."""
    names: dict[str, Any] = {"exponentials": EXPONENTIALS[np.dtype(real)], "ONE": real(1)}
    loops = (forward_loop, backward_loop, forward_backward_loop)
    serial = {loop.__name__: Loop(loop, raises=True, **names) for loop in loops}
    return serial | {"parallel": Loop(forward_backward_loop, parallel=True, raises=True, **names)}


LOOPS = {np.dtype(real): _compiled_for(real) for real in (np.float32, np.float64)}


def forward_cpu(logits: Any, labels: Any, out: Any = None) -> Any:
    """See ``forward_reference``."""
    losses = output(out, labels.shape, logits)
    LOOPS[logits.dtype]["forward_loop"](logits, labels, losses)
    return losses


def backward_cpu(g: Any, logits: Any, labels: Any, out: Any = None) -> Any:
    """See ``backward_reference``."""
    d = output(out, logits.shape, logits)
    LOOPS[logits.dtype]["backward_loop"](g, logits, labels, d)
    return d


def forward_backward_cpu(logits: Any, labels: Any, out: Any = None) -> Any:
    """See ``forward_backward_reference``."""
    return _forward_backward(logits, labels, 1, *(out or (None, None)))


def mean_forward_backward_cpu(logits: Any, labels: Any, out: Any = None) -> Any:
    """See ``mean_forward_backward_reference``."""
    mean, d = out or (None, None)
    n = len(labels)
    losses, d = _forward_backward(logits, labels, n, None, d)
    if mean is None:
        return losses.sum() / n, d
    mean_into(losses, mean)
    return mean, d


def mean_loop(losses: Any, mean: Any) -> None:
    """mean = Σ losses / n for n <= 128, in the order in which NumPy adds: eight sums side by side."""
    n = losses.size
    total = losses.dtype.type(0)
    whole = n - n % 8 if n >= 8 else 0
    if whole:
        r = losses[:8].copy()
        for i in range(8, whole, 8):
            for j in range(8):
                r[j] += losses[i + j]
        total = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]))
    for i in range(whole, n):
        total += losses[i]
    mean[0] = total / losses.dtype.type(n)


AT_ONCE = 128
"""Numbers that NumPy adds up without halving them first."""

mean_of_few = Loop(mean_loop)
mean_of_many = Host(
    "mean_into",
    lambda losses, mean: written(losses.sum() / len(losses), mean.reshape(())),
    partial(reducing, "np.mean"),
)


def mean_into(losses: Any, mean: Any) -> None:
    """Write the mean of the losses into an array of one number, as NumPy adds them up."""
    (mean_of_few if 0 < losses.size <= AT_ONCE else mean_of_many)(losses, mean.reshape(1))


def _forward_backward(logits: Any, labels: Any, n: int, losses: Any, d: Any) -> tuple[Any, Any]:
    dtype = logits.dtype
    losses = np.empty(labels.shape, dtype) if losses is None else output(losses, labels.shape, logits)
    d = np.empty(logits.shape, dtype) if d is None else output(d, logits.shape, logits)
    several = logits.size >= PARALLEL_FROM and may_use_threads()
    LOOPS[dtype]["parallel" if several else "forward_backward_loop"].compiled(logits, labels, n, losses, d)
    return losses, d


scale = {parallel: Loop(mean_backward_loop, parallel=parallel) for parallel in (False, True)}


def mean_backward_cpu(g: Any, gradient: Any, out: Any = None) -> Any:
    """See ``mean_backward_reference``."""
    if out is None and g[()] == 1:
        return gradient
    d = output(out, gradient.shape, gradient)
    scale[gradient.size >= PARALLEL_FROM and may_use_threads()](g.reshape(1), gradient, d)
    return d


def fits(logits: Any, labels: Any, out: Any = None) -> bool:
    """Tell whether the loops take these; what they do not is the reference's to take or to refuse."""
    return bool(
        logits.ndim == 2
        and logits.shape[1]
        and logits.dtype.kind == "f"
        and labels.shape == logits.shape[:1]
        and labels.dtype.kind == "i"
    )


def backward_fits(g: Any, logits: Any, labels: Any, out: Any = None) -> bool:
    """The same, with the losses' gradient."""
    return fits(logits, labels) and bool(g.shape == labels.shape and g.dtype == logits.dtype)


def mean_backward_fits(g: Any, gradient: Any, out: Any = None) -> bool:
    """The same for the gradient of the losses' mean."""
    return bool(g.shape == () and gradient.ndim == 2 and gradient.size and g.dtype == gradient.dtype)


THREADS = 128  # of a block, which works on one row; as in cuda/softmax_xent.cu


def forward_gpu(logits: Any, labels: Any, out: Any = None) -> Any:
    """See ``forward_reference`` and cuda/softmax_xent.cu; a label that is no class makes its loss NaN."""
    _check(logits, labels)
    losses = gpu.output(out, labels.shape, logits)
    arrays = (gpu.contiguous(logits), gpu.ids(labels), losses)
    gpu.launch(
        "softmax_xent", "forward", logits.dtype, len(labels), THREADS, *arrays, np.int32(logits.shape[1])
    )
    return losses


def backward_gpu(g: Any, logits: Any, labels: Any, out: Any = None) -> Any:
    """See ``backward_reference`` and cuda/softmax_xent.cu; a label that is no class makes its row NaN."""
    _check(logits, labels)
    gpu.require(g.shape == labels.shape, f"g is {g.shape}, the losses are {labels.shape}")
    d = gpu.output(out, logits.shape, logits)
    arrays = (gpu.contiguous(g), gpu.contiguous(logits), gpu.ids(labels), d)
    gpu.launch(
        "softmax_xent", "backward", logits.dtype, len(labels), THREADS, *arrays, np.int32(logits.shape[1])
    )
    return d


def forward_backward_gpu(logits: Any, labels: Any, out: Any = None) -> Any:
    """See ``forward_backward_reference`` and cuda/softmax_xent.cu."""
    return _forward_backward_gpu(logits, labels, 1, *(out or (None, None)))


def mean_forward_backward_gpu(logits: Any, labels: Any, out: Any = None) -> Any:
    """See ``mean_forward_backward_reference`` and cuda/softmax_xent.cu."""
    mean, d = out or (None, None)
    n = len(labels)
    losses, d = _forward_backward_gpu(logits, labels, n, None, d)
    mean = gpu.output(mean, (), logits)
    gpu.launch("softmax_xent", "mean", logits.dtype, 1, THREADS, losses, mean, np.int32(n))
    return mean, d


def _forward_backward_gpu(logits: Any, labels: Any, n: int, losses: Any, d: Any) -> tuple[Any, Any]:
    _check(logits, labels)
    losses, d = gpu.output(losses, labels.shape, logits), gpu.output(d, logits.shape, logits)
    arrays = (gpu.contiguous(logits), gpu.ids(labels), losses, d)
    numbers = (np.int32(logits.shape[1]), np.int32(n))
    gpu.launch("softmax_xent", "forward_backward", logits.dtype, len(labels), THREADS, *arrays, *numbers)
    return losses, d


def mean_backward_gpu(g: Any, gradient: Any, out: Any = None) -> Any:
    """See ``mean_backward_reference`` and cuda/softmax_xent.cu."""
    gpu.require(g.shape == () and gradient.ndim == 2, f"g is {g.shape}, the gradient is {gradient.shape}")
    d = gpu.output(out, gradient.shape, gradient)
    arrays = (gpu.contiguous(g), gpu.contiguous(gradient), d)
    blocks = gpu.blocks(d.size, 256)
    gpu.launch("softmax_xent", "mean_backward", d.dtype, blocks, 256, *arrays, np.int32(d.size))
    return d


def _check(logits: Any, labels: Any) -> None:
    gpu.require(
        logits.ndim == 2 and labels.shape == logits.shape[:1] and (logits.shape[1] > 0 or not len(labels)),
        f"logits {logits.shape} and labels {labels.shape} are not (n, classes) and (n,)",
    )


forward = register(
    "softmax_xent_forward", reference=forward_reference, cpu=forward_cpu, gpu=forward_gpu, fits=fits
)
backward = register(
    "softmax_xent_backward",
    reference=backward_reference,
    cpu=backward_cpu,
    gpu=backward_gpu,
    fits=backward_fits,
)
forward_backward = register(
    "softmax_xent_forward_backward",
    reference=forward_backward_reference,
    cpu=forward_backward_cpu,
    gpu=forward_backward_gpu,
    fits=fits,
)
mean_forward_backward = register(
    "softmax_xent_mean_forward_backward",
    reference=mean_forward_backward_reference,
    cpu=mean_forward_backward_cpu,
    gpu=mean_forward_backward_gpu,
    fits=fits,
)
mean_backward = register(
    "softmax_xent_mean_backward",
    reference=mean_backward_reference,
    cpu=mean_backward_cpu,
    gpu=mean_backward_gpu,
    fits=mean_backward_fits,
)
