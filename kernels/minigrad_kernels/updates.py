r"""Optimizer updates on bare arrays: for each rule the NumPy reference and, beneath it, the loop for Numba;
cuda/updates.cu has the CUDA kernels.

Every kernel has the signature ``rule(theta, g, *state, hyper)`` and changes ``theta`` and the state in place.
All arrays have one shape and one dtype, float32 or float64. ``hyper`` is a 1-D array of that dtype which holds
what may change from step to step, so that a recorded step replays with today's values; ``LAYOUT`` names its
entries. Each must be worked out in float64 and then rounded once, as NumPy does with a Python float. The
reference takes any sequence of scalars for it.

The gradient that a rule sees is ``clip * g + l2 * theta``: the clipping factor and an L2 penalty of strength
``l2`` cost no pass of their own. A loop does the same operations in the same order as its reference, one
rounding each, so that the two agree in every bit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache, wraps
from typing import Any

import numpy as np

from minigrad_kernels import gpu
from minigrad_kernels.launch import Kernel, Loop, register

prange = range  # Numba's own where a loop is compiled in parallel
loop: Any = None  # the rule's own in each of the loops that work in pieces

_FIRST = ("clip", "l2", "rate")
_ADAM = (*_FIRST, "beta1", "one_minus_beta1", "beta2", "one_minus_beta2", "correction1", "correction2", "eps")

LAYOUT: dict[str, tuple[str, ...]] = {
    "sgd": _FIRST,
    "momentum": (*_FIRST, "mu"),
    "nesterov": (*_FIRST, "mu"),
    "adagrad": (*_FIRST, "eps"),
    "rmsprop": (*_FIRST, "alpha", "one_minus_alpha", "eps"),
    "adam": _ADAM,
    "adamw": (*_ADAM, "decay"),
    "adam_as_printed": _ADAM[:8],
}
"""The entries of ``hyper``, in order, for each kernel.

clip: factor on the gradient, 1 for none. l2: strength of the L2 penalty. rate: step size. mu: momentum.
alpha, beta1, beta2: decay of a running mean, with one minus it beside it. correction1, correction2:
1 - beta1^t and 1 - beta2^t at step t = 1, 2, .... eps: added to the denominator. decay: the weight decay that
does not pass through the gradient (AdamW).
"""


def sgd_reference(theta: Any, g: Any, hyper: Any) -> None:
    """theta <- theta - rate * g."""
    clip, l2, rate = hyper
    theta[...] = theta - rate * (clip * g + l2 * theta)


def sgd_loop(theta: Any, g: Any, hyper: Any) -> None:
    """See ``sgd_reference``."""
    clip, l2, rate = hyper[0], hyper[1], hyper[2]
    for i in range(theta.size):
        theta[i] = theta[i] - rate * (clip * g[i] + l2 * theta[i])


def momentum_reference(theta: Any, g: Any, b: Any, hyper: Any) -> None:
    """b <- mu * b + g, theta <- theta - rate * b."""
    clip, l2, rate, mu = hyper
    b[...] = mu * b + (clip * g + l2 * theta)
    theta[...] = theta - rate * b


def momentum_loop(theta: Any, g: Any, b: Any, hyper: Any) -> None:
    """See ``momentum_reference``."""
    clip, l2, rate, mu = hyper[0], hyper[1], hyper[2], hyper[3]
    for i in range(theta.size):
        b[i] = mu * b[i] + (clip * g[i] + l2 * theta[i])
        theta[i] = theta[i] - rate * b[i]


def nesterov_reference(theta: Any, g: Any, b: Any, hyper: Any) -> None:
    """b <- mu * b + g, theta <- theta - rate * (g + mu * b)."""
    clip, l2, rate, mu = hyper
    d = clip * g + l2 * theta
    b[...] = mu * b + d
    theta[...] = theta - rate * (d + mu * b)


def nesterov_loop(theta: Any, g: Any, b: Any, hyper: Any) -> None:
    """See ``nesterov_reference``."""
    clip, l2, rate, mu = hyper[0], hyper[1], hyper[2], hyper[3]
    for i in range(theta.size):
        d = clip * g[i] + l2 * theta[i]
        b[i] = mu * b[i] + d
        theta[i] = theta[i] - rate * (d + mu * b[i])


def adagrad_reference(theta: Any, g: Any, s: Any, hyper: Any) -> None:
    """s <- s + g^2, theta <- theta - rate * g / (sqrt(s) + eps)."""
    clip, l2, rate, eps = hyper
    d = clip * g + l2 * theta
    s[...] = s + d * d
    theta[...] = theta - rate * d / (np.sqrt(s) + eps)


def adagrad_loop(theta: Any, g: Any, s: Any, hyper: Any) -> None:
    """See ``adagrad_reference``."""
    clip, l2, rate, eps = hyper[0], hyper[1], hyper[2], hyper[3]
    for i in range(theta.size):
        d = clip * g[i] + l2 * theta[i]
        s[i] = s[i] + d * d
        theta[i] = theta[i] - rate * d / (np.sqrt(s[i]) + eps)


def rmsprop_reference(theta: Any, g: Any, v: Any, hyper: Any) -> None:
    """v <- alpha * v + (1 - alpha) * g^2, theta <- theta - rate * g / (sqrt(v) + eps)."""
    clip, l2, rate, alpha, one_minus_alpha, eps = hyper
    d = clip * g + l2 * theta
    v[...] = alpha * v + one_minus_alpha * (d * d)
    theta[...] = theta - rate * d / (np.sqrt(v) + eps)


def rmsprop_loop(theta: Any, g: Any, v: Any, hyper: Any) -> None:
    """See ``rmsprop_reference``."""
    clip, l2, rate = hyper[0], hyper[1], hyper[2]
    alpha, one_minus_alpha, eps = hyper[3], hyper[4], hyper[5]
    for i in range(theta.size):
        d = clip * g[i] + l2 * theta[i]
        v[i] = alpha * v[i] + one_minus_alpha * (d * d)
        theta[i] = theta[i] - rate * d / (np.sqrt(v[i]) + eps)


def adam_reference(theta: Any, g: Any, m: Any, v: Any, hyper: Any) -> None:
    """Running means m of g and v of g^2; theta <- theta - rate * m^ / (sqrt(v^) + eps)."""
    clip, l2, rate, beta1, one_minus_beta1, beta2, one_minus_beta2, correction1, correction2, eps = hyper
    d = clip * g + l2 * theta
    m[...] = beta1 * m + one_minus_beta1 * d
    v[...] = beta2 * v + one_minus_beta2 * (d * d)
    theta[...] = theta - rate * (m / correction1) / (np.sqrt(v / correction2) + eps)


def adam_loop(theta: Any, g: Any, m: Any, v: Any, hyper: Any) -> None:
    """See ``adam_reference``."""
    clip, l2, rate = hyper[0], hyper[1], hyper[2]
    beta1, one_minus_beta1, beta2, one_minus_beta2 = hyper[3], hyper[4], hyper[5], hyper[6]
    correction1, correction2, eps = hyper[7], hyper[8], hyper[9]
    for i in range(theta.size):
        d = clip * g[i] + l2 * theta[i]
        m[i] = beta1 * m[i] + one_minus_beta1 * d
        v[i] = beta2 * v[i] + one_minus_beta2 * (d * d)
        theta[i] = theta[i] - rate * (m[i] / correction1) / (np.sqrt(v[i] / correction2) + eps)


def adamw_reference(theta: Any, g: Any, m: Any, v: Any, hyper: Any) -> None:
    """As Adam, with theta <- theta - rate * (m^ / (sqrt(v^) + eps) + decay * theta)."""
    clip, l2, rate, beta1, one_minus_beta1, beta2, one_minus_beta2, correction1, correction2, eps, decay = (
        hyper
    )
    d = clip * g + l2 * theta
    m[...] = beta1 * m + one_minus_beta1 * d
    v[...] = beta2 * v + one_minus_beta2 * (d * d)
    theta[...] = theta - rate * ((m / correction1) / (np.sqrt(v / correction2) + eps) + decay * theta)


def adamw_loop(theta: Any, g: Any, m: Any, v: Any, hyper: Any) -> None:
    """See ``adamw_reference``."""
    clip, l2, rate = hyper[0], hyper[1], hyper[2]
    beta1, one_minus_beta1, beta2, one_minus_beta2 = hyper[3], hyper[4], hyper[5], hyper[6]
    correction1, correction2, eps, decay = hyper[7], hyper[8], hyper[9], hyper[10]
    for i in range(theta.size):
        d = clip * g[i] + l2 * theta[i]
        m[i] = beta1 * m[i] + one_minus_beta1 * d
        v[i] = beta2 * v[i] + one_minus_beta2 * (d * d)
        step = (m[i] / correction1) / (np.sqrt(v[i] / correction2) + eps)
        theta[i] = theta[i] - rate * (step + decay * theta[i])


def adam_as_printed_reference(theta: Any, g: Any, m: Any, v: Any, hyper: Any) -> None:
    """Running means m and v as in Adam; theta <- theta - rate * m / correction1, which leaves v unused."""
    clip, l2, rate, beta1, one_minus_beta1, beta2, one_minus_beta2, correction1 = hyper
    d = clip * g + l2 * theta
    m[...] = beta1 * m + one_minus_beta1 * d
    v[...] = beta2 * v + one_minus_beta2 * (d * d)
    theta[...] = theta - rate * m / correction1


def adam_as_printed_loop(theta: Any, g: Any, m: Any, v: Any, hyper: Any) -> None:
    """See ``adam_as_printed_reference``."""
    clip, l2, rate = hyper[0], hyper[1], hyper[2]
    beta1, one_minus_beta1, beta2, one_minus_beta2 = hyper[3], hyper[4], hyper[5], hyper[6]
    correction1 = hyper[7]
    for i in range(theta.size):
        d = clip * g[i] + l2 * theta[i]
        m[i] = beta1 * m[i] + one_minus_beta1 * d
        v[i] = beta2 * v[i] + one_minus_beta2 * (d * d)
        theta[i] = theta[i] - rate * m[i] / correction1


ENTRIES, THREADS = 1024, 256  # of one block, as in cuda/updates.cu


def update_all(rule: str, parameters: Sequence[Sequence[Any]], hyper: Any) -> None:
    """Update parameters on a GPU by one rule, in a single launch; each is ``(theta, g, *state)``, all of one dtype.

    ``hyper`` is a sequence of numbers, or an array, for which the host waits where it lies on the device. Its first,
    the clipping factor, may be an array of one number on the device all the same: nobody waits for that.
    """
    dtype = parameters[0][0].dtype
    addresses, sizes = [], []
    for arrays in parameters:
        shape = arrays[0].shape
        for a in arrays:
            if a.shape != shape or a.dtype != dtype or not a.flags.c_contiguous:
                raise ValueError(f"{rule}: {a.dtype} of shape {a.shape} beside a parameter of shape {shape}")
            addresses.append(gpu.address(a))
        sizes.append(arrays[0].size)
    clip: Any
    clip, *numbers = hyper.tolist() if hasattr(hyper, "tolist") else hyper
    gpu.require(
        len(numbers) + 1 == len(LAYOUT[rule]),
        f"{rule}: hyper has {len(numbers) + 1} entries ({LAYOUT[rule]})",
    )
    on_device = None
    if gpu.is_array(clip):
        clip, on_device = 1.0, clip.astype(dtype, copy=False)
    table, blocks = _table(tuple(addresses), tuple(sizes))
    coefficients = np.array((clip, *numbers), dtype)
    gpu.launch("updates", rule, dtype, blocks, THREADS, table, np.int32(len(sizes)), on_device, *coefficients)


@lru_cache(maxsize=64)
def _table(addresses: tuple[int, ...], sizes: tuple[int, ...]) -> tuple[Any, int]:
    """Return the table that cuda/updates.cu describes, on the device, and the number of blocks.

    It is copied there once for as long as the arrays stay where they are.
    """
    ends = np.cumsum([gpu.blocks(size, ENTRIES) for size in sizes])
    starts = [0, *ends[:-1]]
    arrays = np.reshape(addresses, (len(sizes), -1)).T
    table = np.vstack([sizes, starts, arrays]).astype(np.int64, order="C")
    return gpu.xp().asarray(table), int(ends[-1])


def _gpu(rule: str) -> Callable[..., None]:
    def update(*arrays: Any) -> None:
        *parameter, hyper = arrays
        copies = [gpu.contiguous(a) for a in parameter]
        update_all(rule, [copies], hyper)
        for a, copy in zip(parameter, copies, strict=True):
            if a is not copy and a is not parameter[1]:  # the gradient is only read
                a[...] = copy

    update.__name__, update.__doc__ = f"{rule}_gpu", f"See ``{rule}_reference`` and cuda/updates.cu."
    return update


# Large parameters are cut into pieces for several threads. The pieces go through the loop above as they are: a loop
# that Numba cuts up itself no longer knows that its arrays are contiguous, and takes a third longer.

PIECE = 1 << 13
"""Entries of a piece: few enough that the threads have about equally much to do."""


def in_pieces_0(theta: Any, g: Any, hyper: Any) -> None:
    """Run ``loop``, of a rule without a state."""
    for k in prange((theta.size + PIECE - 1) // PIECE):
        a, b = k * PIECE, (k + 1) * PIECE
        loop(theta[a:b], g[a:b], hyper)


def in_pieces_1(theta: Any, g: Any, s: Any, hyper: Any) -> None:
    """Run ``loop``, of a rule with one state."""
    for k in prange((theta.size + PIECE - 1) // PIECE):
        a, b = k * PIECE, (k + 1) * PIECE
        loop(theta[a:b], g[a:b], s[a:b], hyper)


def in_pieces_2(theta: Any, g: Any, m: Any, v: Any, hyper: Any) -> None:
    """Run ``loop``, of a rule with two states."""
    for k in prange((theta.size + PIECE - 1) // PIECE):
        a, b = k * PIECE, (k + 1) * PIECE
        loop(theta[a:b], g[a:b], m[a:b], v[a:b], hyper)


_IN_PIECES = (in_pieces_0, in_pieces_1, in_pieces_2)


def _but_for_float16(rule: str, reference: Callable[..., None]) -> Callable[..., None]:
    @wraps(reference)
    def update(theta: Any, *arrays: Any) -> None:
        if theta.dtype == np.float16:
            raise TypeError(
                f"{rule}: in float16 an eps of 1e-8 and the squares of small gradients are 0, and a gradient of 0 "
                "makes NaN. Update float32 copies, as the optimizers do."
            )
        reference(theta, *arrays)

    return update


def _register(rule: str, reference: Callable[..., None], loop: Callable[..., None]) -> Kernel:
    reference = _but_for_float16(rule, reference)
    serial = Loop(loop)
    states = loop.__code__.co_argcount - 3
    parallel = Loop(_IN_PIECES[states], parallel=True, loop=serial)
    return register(rule, reference=reference, cpu=serial, parallel=parallel, gpu=_gpu(rule), flat=True)


sgd = _register("sgd", sgd_reference, sgd_loop)
momentum = _register("momentum", momentum_reference, momentum_loop)
nesterov = _register("nesterov", nesterov_reference, nesterov_loop)
adagrad = _register("adagrad", adagrad_reference, adagrad_loop)
rmsprop = _register("rmsprop", rmsprop_reference, rmsprop_loop)
adam = _register("adam", adam_reference, adam_loop)
adamw = _register("adamw", adamw_reference, adamw_loop)
adam_as_printed = _register("adam_as_printed", adam_as_printed_reference, adam_as_printed_loop)
