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
opened: Any = None
squashed: Any = None
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


def opened_loop(gate: Any, part: Any) -> None:
    """gate <- σ(gate + part)."""
    for j in range(gate.size):
        gate[j] = sigmoid(gate[j] + part[j])


def squashed_loop(gate: Any, part: Any) -> None:
    """gate <- tanh(gate + part)."""
    for j in range(gate.size):
        gate[j] = tanh(gate[j] + part[j])


def split(row: Any, width: int) -> Any:
    """The first three parts of a row, and what is behind them.

    Each is an array of its own, from whose first entry a loop begins: an index that is worked out may be negative, for
    all that Numba knows, and then no vector registers are filled.
    """
    return row[:width], row[width : 2 * width], row[2 * width : 3 * width], row[3 * width :]


def gru_step_loop(h: Any, a: Any, p: Any, b: Any, gates: Any, y: Any) -> None:
    """gates <- r, z, n and p_n; y <- the state after h."""
    one, width = h.dtype.type(1), h.shape[1]
    for n in range(h.shape[0]):
        gate, part, product = gates[n], a[n], p[n]
        for j in range(2 * width):
            gate[j] = product[j] + b[j]
        opened(gate[: 2 * width], part[: 2 * width])
        r, z, new, of_state = split(gate, width)
        of_input, last, bias = part[2 * width :], product[2 * width :], b[2 * width :]
        for j in range(width):
            of_state[j] = last[j] + bias[j]
        for j in range(width):
            new[j] = r[j] * of_state[j]
        squashed(new, of_input)
        before, after = h[n], y[n]
        for j in range(width):
            after[j] = (one - z[j]) * new[j] + z[j] * before[j]


def gru_back_loop(dh: Any, passed: Any, g: Any, gates: Any, h: Any, d: Any, p: Any) -> None:
    """d, p <- dL/da and dL/dp from dL/dh = dh + passed + g; passed <- what goes past the gates to the state before."""
    one, width = h.dtype.type(1), h.shape[1]
    for n in range(h.shape[0]):
        r, z, new, of_state = split(gates[n], width)
        dr, dz, dnew, _ = split(d[n], width)
        part, last, state, whole, given = p[n], p[n, 2 * width :], h[n], passed[n], g[n]
        for j in range(width):
            whole[j] = dh[n, j] + whole[j] + given[j]
        for j in range(width):
            dnew[j] = whole[j] * (one - z[j]) * (one - new[j] * new[j])
        for j in range(width):
            dz[j] = whole[j] * (state[j] - new[j]) * z[j] * (one - z[j])
        for j in range(width):
            whole[j] = whole[j] * z[j]
        for j in range(width):
            dr[j] = dnew[j] * of_state[j] * r[j] * (one - r[j])
        part[: 2 * width] = d[n, : 2 * width]
        for j in range(width):
            last[j] = dnew[j] * r[j]


def lstm_step_loop(h: Any, c: Any, before: Any, a: Any, gates: Any) -> None:
    """gates <- i, f, g, o of gates + a; c, h <- the cell and the output after the cell ``before``."""
    width = h.shape[1]
    for n in range(h.shape[0]):
        gate, part = gates[n], a[n]
        opened(gate[: 2 * width], part[: 2 * width])
        squashed(gate[2 * width : 3 * width], part[2 * width : 3 * width])
        opened(gate[3 * width :], part[3 * width :])
        i, f, new, o = split(gate, width)
        last, cell, output = before[n], c[n], h[n]
        for j in range(width):
            cell[j] = f[j] * last[j] + i[j] * new[j]
        for j in range(width):
            output[j] = o[j] * tanh(cell[j])


def lstm_back_loop(dh: Any, dc: Any, gh: Any, gc: Any, gates: Any, before: Any, after: Any, d: Any) -> None:
    """d <- dL/da from dL/dh = dh + gh and dL/dc = dc + gc; dc <- dL/d(the cell before)."""
    one, width = dh.dtype.type(1), dh.shape[1]
    shown = np.empty(width, dh.dtype)
    for n in range(dh.shape[0]):
        i, f, new, o = split(gates[n], width)
        di, df, dnew, do = split(d[n], width)
        of_output, of_cell, output, cell, last, now = dh[n], dc[n], gh[n], gc[n], before[n], after[n]
        for j in range(width):
            shown[j] = tanh(now[j])
        for j in range(width):
            of_output[j] = of_output[j] + output[j]
        for j in range(width):
            do[j] = of_output[j] * shown[j] * o[j] * (one - o[j])
        for j in range(width):
            of_cell[j] = of_cell[j] + cell[j] + of_output[j] * o[j] * (one - shown[j] * shown[j])
        for j in range(width):
            df[j] = of_cell[j] * last[j] * f[j] * (one - f[j])
        for j in range(width):
            di[j] = of_cell[j] * new[j] * i[j] * (one - i[j])
        for j in range(width):
            dnew[j] = of_cell[j] * i[j] * (one - new[j] * new[j])
        for j in range(width):
            of_cell[j] = of_cell[j] * f[j]


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
    helpers |= {"opened": Loop(opened_loop, **helpers), "squashed": Loop(squashed_loop, **helpers)}
    helpers["split"] = Loop(split)
    return {loop.__name__.removesuffix("_loop"): Loop(loop, **helpers) for loop in _LOOPS}
