"""One time of a recurrent layer: the passes over its gates, forward and backward, as loops for Numba.

Arrays are (samples, width), or (samples, gates · width) with the gates side by side. Each pass does one thing to few
arrays, so that it fills the vector registers. cuda/recurrent.cu has the same for a GPU.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from minigrad_kernels.launch import Loop
from minigrad_kernels.powers import FUSED, exp32, exp64

exp: Any = None  # the dtype's own, as all below, where a loop is compiled
tanh: Any = None
sigmoid: Any = None
ZERO, ONE = np.float32(0), np.float32(1)


def tanh32(x: Any) -> Any:
    """tanh x = (1 - e^-2|x|) / (1 + e^-2|x|) with the sign of x; near 0, where that cancels, its Taylor polynomial."""
    a = np.abs(x)
    e = exp(np.float32(-2) * a)
    far = (np.float32(1) - e) / (np.float32(1) + e)
    s = x * x
    near = np.float32(2 / 15) + s * (np.float32(-17 / 315) + s * np.float32(62 / 2835))
    near = a + a * s * (np.float32(-1 / 3) + s * near)
    t = near if a < np.float32(0.3) else far
    return -t if x < np.float32(0) else t


def tanh64(x: Any) -> Any:
    """The library's."""
    return np.tanh(x)


def sigmoid_of(x: Any) -> Any:
    """1 / (1 + e^-x); below 0 as e^x / (1 + e^x), so that nothing overflows."""
    e = exp(-np.abs(x))
    t = ONE / (ONE + e)
    return e * t if x < ZERO else t


def rnn_tanh_step_loop(h: Any, a: Any) -> None:
    """h <- tanh(h + a)."""
    for n in range(h.shape[0]):
        for j in range(h.shape[1]):
            h[n, j] = tanh(h[n, j] + a[n, j])


def rnn_relu_step_loop(h: Any, a: Any) -> None:
    """h <- max(h + a, 0)."""
    zero = h.dtype.type(0)
    for n in range(h.shape[0]):
        for j in range(h.shape[1]):
            z = h[n, j] + a[n, j]
            h[n, j] = zero if z < zero else z  # NaN stays


def rnn_tanh_back_loop(dh: Any, g: Any, h: Any, d: Any) -> None:
    """d <- (dh + g)·(1 - h²)."""
    one = h.dtype.type(1)
    for n in range(h.shape[0]):
        for j in range(h.shape[1]):
            d[n, j] = (dh[n, j] + g[n, j]) * (one - h[n, j] * h[n, j])


def rnn_relu_back_loop(dh: Any, g: Any, h: Any, d: Any) -> None:
    """d <- (dh + g)·[h > 0]."""
    zero, one = h.dtype.type(0), h.dtype.type(1)
    for n in range(h.shape[0]):
        for j in range(h.shape[1]):
            d[n, j] = (dh[n, j] + g[n, j]) * (one if h[n, j] > zero else zero)


def gru_step_loop(h: Any, a: Any, p: Any, b: Any, gates: Any, y: Any) -> None:
    """gates <- r, z, n and p_n; y <- the state after h."""
    one, width = h.dtype.type(1), h.shape[1]
    for n in range(h.shape[0]):
        gate, part, product = gates[n], a[n], p[n]
        for j in range(2 * width):
            gate[j] = sigmoid(part[j] + (product[j] + b[j]))
        for j in range(width):
            gate[3 * width + j] = product[2 * width + j] + b[2 * width + j]
        for j in range(width):
            gate[2 * width + j] = tanh(part[2 * width + j] + gate[j] * gate[3 * width + j])
        for j in range(width):
            z = gate[width + j]
            y[n, j] = (one - z) * gate[2 * width + j] + z * h[n, j]


def gru_back_loop(dh: Any, passed: Any, g: Any, gates: Any, h: Any, d: Any, p: Any) -> None:
    """d, p <- dL/da and dL/dp from dL/dh = dh + passed + g; passed <- what goes past the gates to the state before."""
    one, width = h.dtype.type(1), h.shape[1]
    for n in range(h.shape[0]):
        gate, row, part = gates[n], d[n], p[n]
        for j in range(width):
            passed[n, j] = dh[n, j] + passed[n, j] + g[n, j]
        for j in range(width):
            z, new = gate[width + j], gate[2 * width + j]
            row[2 * width + j] = passed[n, j] * (one - z) * (one - new * new)
            row[width + j] = passed[n, j] * (h[n, j] - new) * z * (one - z)
            passed[n, j] = passed[n, j] * z
        for j in range(width):
            r = gate[j]
            row[j] = row[2 * width + j] * gate[3 * width + j] * r * (one - r)
        for j in range(width):
            part[j] = row[j]
            part[width + j] = row[width + j]
            part[2 * width + j] = row[2 * width + j] * gate[j]


def lstm_step_loop(h: Any, c: Any, before: Any, a: Any, gates: Any) -> None:
    """gates <- i, f, g, o of gates + a; c, h <- the cell and the output after the cell ``before``."""
    width = h.shape[1]
    for n in range(h.shape[0]):
        gate, part = gates[n], a[n]
        for j in range(2 * width):
            gate[j] = sigmoid(gate[j] + part[j])
        for j in range(2 * width, 3 * width):
            gate[j] = tanh(gate[j] + part[j])
        for j in range(3 * width, 4 * width):
            gate[j] = sigmoid(gate[j] + part[j])
        for j in range(width):
            c[n, j] = gate[width + j] * before[n, j] + gate[j] * gate[2 * width + j]
        for j in range(width):
            h[n, j] = gate[3 * width + j] * tanh(c[n, j])


def lstm_back_loop(dh: Any, dc: Any, gh: Any, gc: Any, gates: Any, before: Any, after: Any, d: Any) -> None:
    """d <- dL/da from dL/dh = dh + gh and dL/dc = dc + gc; dc <- dL/d(the cell before)."""
    one, width = dh.dtype.type(1), dh.shape[1]
    shown = np.empty(width, dh.dtype)
    for n in range(dh.shape[0]):
        gate, row = gates[n], d[n]
        for j in range(width):
            shown[j] = tanh(after[n, j])
        for j in range(width):
            dh[n, j] = dh[n, j] + gh[n, j]
        for j in range(width):
            o = gate[3 * width + j]
            row[3 * width + j] = dh[n, j] * shown[j] * o * (one - o)
            dc[n, j] = dc[n, j] + gc[n, j] + dh[n, j] * o * (one - shown[j] * shown[j])
        for j in range(width):
            f = gate[width + j]
            row[width + j] = dc[n, j] * before[n, j] * f * (one - f)
        for j in range(width):
            i, new = gate[j], gate[2 * width + j]
            row[j] = dc[n, j] * new * i * (one - i)
            row[2 * width + j] = dc[n, j] * i * (one - new * new)
        for j in range(width):
            dc[n, j] = dc[n, j] * gate[width + j]


_LOOPS = (
    *(rnn_tanh_step_loop, rnn_relu_step_loop, rnn_tanh_back_loop, rnn_relu_back_loop),
    *(gru_step_loop, gru_back_loop, lstm_step_loop, lstm_back_loop),
)


@cache
def loops(dtype: Any) -> dict[str, Loop]:
    """Return the passes by name, for float32 or float64."""
    single = dtype == np.float32
    power = Loop(exp32 if single else exp64, fastmath=FUSED)
    real: Any = np.dtype(dtype).type
    helpers: dict[str, Any] = {
        "tanh": Loop(tanh32, fastmath=FUSED, exp=power) if single else Loop(tanh64),
        "sigmoid": Loop(sigmoid_of, fastmath=FUSED, exp=power, ZERO=real(0), ONE=real(1)),
    }
    return {loop.__name__.removesuffix("_loop"): Loop(loop, **helpers) for loop in _LOOPS}
