"""Recurrent layers on bare arrays, over all times of a sequence: a plain cell, a GRU and an LSTM, and their gradients.

a (times, samples, gates · width) is the input's part x·w_ihᵀ + b, made for all times at once; w (gates · width, width)
multiplies the state before. Each time costs one product and one pass over its gates. The states go out with the initial
one, at the end from which the sequence is read: y (times + 1, samples, width); an LSTM's are two, y[0] the
outputs h and y[1] the cells c. The gradients of w and b are one product and one sum over all times.

How far two implementations may be apart: a few ulp of 1 a time for a state; the gradients are sums of such.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad_kernels import gpu, recurrent_tiles
from minigrad_kernels.launch import Way, register, written
from minigrad_kernels.recurrent_ways import Cpu, Gpu, Tiles

NONLINEARITIES = ("tanh", "relu")


def rnn_forward_reference(
    a: Any, w: Any, h0: Any, nonlinearity: str = "tanh", reverse: bool = False, out: Any = None
) -> Any:
    """h_t = tanh(a_t + h_{t-1}·wᵀ), or max(0, …) where ``nonlinearity`` is "relu"."""
    states = [h0]
    for t in _times(len(a), reverse):
        z = a[t] + states[-1] @ w.T
        states.append(np.maximum(z, 0) if _is_relu(nonlinearity) else np.tanh(z))
    return written(np.stack(states[:: _turn(reverse)]), out)


def rnn_backward_reference(
    g: Any, y: Any, w: Any, nonlinearity: str = "tanh", reverse: bool = False, out: Any = None
) -> Any:
    """Return (d, dL/dw, dL/dh0), where d_t = dL/da_t = dL/dh_t · (1 - h_t²), or dL/dh_t · [h_t > 0]."""
    times = _times(len(y) - 1, reverse)[::-1]
    parts, dh = [], g[_after(times[0], reverse)]
    for t in times:
        h = y[_after(t, reverse)]
        parts.append(dh * (h > 0) if _is_relu(nonlinearity) else dh * (1 - h * h))
        dh = parts[-1] @ w + g[_before(t, reverse)]
    d = np.stack(parts[:: -_turn(reverse)])
    return written((d, _of_weights(d, _read(y, reverse)), dh), out)


def gru_forward_reference(a: Any, w: Any, b: Any, h0: Any, reverse: bool = False, out: Any = None) -> Any:
    """h_t = (1 - z)·n + z·h_{t-1}; return (the states, the gates r, z, n and the state's part of n).

    With p = h_{t-1}·wᵀ + b, both split in three: r = σ(a_r + p_r), z = σ(a_z + p_z), n = tanh(a_n + r·p_n).
    """
    width, states, gates = w.shape[1], [h0], []
    for t in _times(len(a), reverse):
        (ar, az, an), (pr, pz, pn) = _split(a[t], width), _split(states[-1] @ w.T + b, width)
        r, z = _sigmoid(ar + pr), _sigmoid(az + pz)
        n = np.tanh(an + r * pn)
        states.append((1 - z) * n + z * states[-1])
        gates.append(np.concatenate([r, z, n, pn], axis=1))
    turn = _turn(reverse)
    return written((np.stack(states[::turn]), np.stack(gates[::turn])), out)


def gru_backward_reference(g: Any, y: Any, gates: Any, w: Any, reverse: bool = False, out: Any = None) -> Any:
    """Return (dL/da, dL/dw, dL/db, dL/dh0)."""
    width, times = w.shape[1], _times(len(gates), reverse)[::-1]
    of_input, of_state, dh = [], [], g[_after(times[0], reverse)]
    for t in times:
        (r, z, n, pn), h = _split(gates[t], width), y[_before(t, reverse)]
        dn = dh * (1 - z) * (1 - n * n)
        dz, dr = dh * (h - n) * z * (1 - z), dn * pn * r * (1 - r)
        of_input.append(np.concatenate([dr, dz, dn], axis=1))
        of_state.append(np.concatenate([dr, dz, dn * r], axis=1))
        dh = dh * z + of_state[-1] @ w + g[_before(t, reverse)]
    turn = -_turn(reverse)
    d, p = np.stack(of_input[::turn]), np.stack(of_state[::turn])
    return written((d, _of_weights(p, _read(y, reverse)), np.sum(p, axis=(0, 1)), dh), out)


def lstm_forward_reference(a: Any, w: Any, h0: Any, c0: Any, reverse: bool = False, out: Any = None) -> Any:
    """c_t = f·c_{t-1} + i·g and h_t = o·tanh(c_t); return (h and c of all times, the gates i, f, g, o).

    With p = a_t + h_{t-1}·wᵀ split in four: i = σ(p_i), f = σ(p_f), g = tanh(p_g), o = σ(p_o).
    """
    width, outputs, cells, gates = w.shape[1], [h0], [c0], []
    for t in _times(len(a), reverse):
        pi, pf, pg, po = _split(a[t] + outputs[-1] @ w.T, width)
        i, f, g, o = _sigmoid(pi), _sigmoid(pf), np.tanh(pg), _sigmoid(po)
        cells.append(f * cells[-1] + i * g)
        outputs.append(o * np.tanh(cells[-1]))
        gates.append(np.concatenate([i, f, g, o], axis=1))
    turn = _turn(reverse)
    y = np.stack([np.stack(outputs[::turn]), np.stack(cells[::turn])])
    return written((y, np.stack(gates[::turn])), out)


def lstm_backward_reference(
    g: Any, y: Any, gates: Any, w: Any, reverse: bool = False, out: Any = None
) -> Any:
    """Return (dL/da, dL/dw, dL/dh0, dL/dc0)."""
    width, times = w.shape[1], _times(len(gates), reverse)[::-1]
    last = _after(times[0], reverse)
    parts, dh, dc = [], g[0, last], g[1, last]
    for t in times:
        (i, f, n, o), before = _split(gates[t], width), _before(t, reverse)
        shown = np.tanh(y[1, _after(t, reverse)])
        dc = dc + dh * o * (1 - shown * shown)
        di, df = dc * n * i * (1 - i), dc * y[1, before] * f * (1 - f)
        dn, do = dc * i * (1 - n * n), dh * shown * o * (1 - o)
        parts.append(np.concatenate([di, df, dn, do], axis=1))
        dh, dc = parts[-1] @ w + g[0, before], dc * f + g[1, before]
    d = np.stack(parts[:: -_turn(reverse)])
    return written((d, _of_weights(d, _read(y[0], reverse)), dh, dc), out)


# Every implementation is the same up to here: what it goes through the times with is in ``recurrent_ways``.


def _rnn_forward_times(on: Any, cell: str, w: Any, a: Any, reverse: bool, y: Any) -> None:
    for t in _times(len(a), reverse):
        h = y[_after(t, reverse)]
        on.forward(y[_before(t, reverse)], w, h)
        on.run(f"{cell}_step", h, a[t])


def _rnn_forward(
    on: Any, a: Any, w: Any, h0: Any, nonlinearity: str = "tanh", reverse: bool = False, out: Any = None
) -> Any:
    y = on.empty(out, (len(a) + 1, *h0.shape), h0)
    on.assign(y[_first(len(a), reverse)], h0)
    on.through("rnn_forward", _rnn_forward_times, _rnn(nonlinearity), w, a, reverse, y)
    return y


def _rnn_backward_times(on: Any, cell: str, w: Any, g: Any, y: Any, reverse: bool, d: Any, dh: Any) -> None:
    for t in _times(len(d), reverse)[::-1]:
        after = _after(t, reverse)
        on.run(f"{cell}_back", dh, g[after], y[after], d[t])
        on.back(d[t], w, dh)


def _rnn_backward(
    on: Any, g: Any, y: Any, w: Any, nonlinearity: str = "tanh", reverse: bool = False, out: Any = None
) -> Any:
    d, dw, dh = out or (None,) * 3
    d, dh = on.empty(d, (len(y) - 1, *y.shape[1:]), y), on.empty(dh, y.shape[1:], y)
    on.clear(dh)
    on.through("rnn_backward", _rnn_backward_times, _rnn(nonlinearity), w, g, y, reverse, d, dh)
    on.add(dh, g[_first(len(d), reverse)])
    return d, on.weights(d, _read(y, reverse), dw), dh


def _gru_forward_times(on: Any, cell: str, w: Any, a: Any, b: Any, reverse: bool, y: Any, gates: Any) -> None:
    p = on.scratch(a.shape[1:], a)
    for t in _times(len(a), reverse):
        h = y[_before(t, reverse)]
        on.forward(h, w, p)
        on.run(f"{cell}_step", h, a[t], p, b, gates[t], y[_after(t, reverse)])


def _gru_forward(on: Any, a: Any, w: Any, b: Any, h0: Any, reverse: bool = False, out: Any = None) -> Any:
    y, gates = out or (None, None)
    y = on.empty(y, (len(a) + 1, *h0.shape), h0)
    gates = on.empty(gates, (*a.shape[:2], 4 * w.shape[1]), h0)
    on.assign(y[_first(len(a), reverse)], h0)
    on.through("gru_forward", _gru_forward_times, "gru", w, a, b, reverse, y, gates)
    return y, gates


def _gru_backward_times(
    on: Any, cell: str, w: Any, g: Any, y: Any, gates: Any, reverse: bool, d: Any, p: Any, dh: Any
) -> None:
    passed = on.scratch(dh.shape, dh)
    on.clear(passed)
    for t in _times(len(d), reverse)[::-1]:
        before, after = _before(t, reverse), _after(t, reverse)
        on.run(f"{cell}_back", dh, passed, g[after], gates[t], y[before], d[t], p[t])
        on.back(p[t], w, dh)
    on.add(dh, passed)


def _gru_backward(on: Any, g: Any, y: Any, gates: Any, w: Any, reverse: bool = False, out: Any = None) -> Any:
    d, dw, db, dh = out or (None,) * 4
    shape = (*gates.shape[:2], len(w))
    d, dh = on.empty(d, shape, y), on.empty(dh, y.shape[1:], y)
    p = on.scratch(shape, y)
    on.clear(dh)
    on.through("gru_backward", _gru_backward_times, "gru", w, g, y, gates, reverse, d, p, dh)
    on.add(dh, g[_first(len(d), reverse)])
    return d, on.weights(p, _read(y, reverse), dw), on.bias(p, db), dh


def _lstm_forward_times(on: Any, cell: str, w: Any, a: Any, reverse: bool, y: Any, gates: Any) -> None:
    outputs, cells = y[0], y[1]
    for t in _times(len(a), reverse):
        before, after = _before(t, reverse), _after(t, reverse)
        on.forward(outputs[before], w, gates[t])
        on.run(f"{cell}_step", outputs[after], cells[after], cells[before], a[t], gates[t])


def _lstm_forward(on: Any, a: Any, w: Any, h0: Any, c0: Any, reverse: bool = False, out: Any = None) -> Any:
    y, gates = out or (None, None)
    y = on.empty(y, (2, len(a) + 1, *h0.shape), h0)
    gates = on.empty(gates, a.shape, h0)
    first = _first(len(a), reverse)
    on.assign(y[0, first], h0)
    on.assign(y[1, first], c0)
    on.through("lstm_forward", _lstm_forward_times, "lstm", w, a, reverse, y, gates)
    return y, gates


def _lstm_backward_times(
    on: Any, cell: str, w: Any, g: Any, y: Any, gates: Any, reverse: bool, d: Any, dh: Any, dc: Any
) -> None:
    cells = y[1]
    for t in _times(len(d), reverse)[::-1]:
        before, after = _before(t, reverse), _after(t, reverse)
        on.run(f"{cell}_back", dh, dc, g[0, after], g[1, after], gates[t], cells[before], cells[after], d[t])
        on.back(d[t], w, dh)


def _lstm_backward(
    on: Any, g: Any, y: Any, gates: Any, w: Any, reverse: bool = False, out: Any = None
) -> Any:
    d, dw, dh, dc = out or (None,) * 4
    d = on.empty(d, gates.shape, y)
    dh, dc = on.empty(dh, y.shape[2:], y), on.empty(dc, y.shape[2:], y)
    on.clear(dh)
    on.clear(dc)
    on.through("lstm_backward", _lstm_backward_times, "lstm", w, g, y, gates, reverse, d, dh, dc)
    first = _first(len(d), reverse)
    on.add(dh, g[0, first])
    on.add(dc, g[1, first])
    return d, on.weights(d, _read(y[0], reverse), dw), dh, dc


def _fitting(of_gates: int, backward: bool) -> Any:
    def fits(*arrays: Any, **_: Any) -> bool:
        """Tell whether the loops take these."""
        w = arrays[-1 if backward else 1]
        if w.ndim != 2 or w.shape[1] == 0 or len(w) != of_gates * w.shape[1]:
            return False
        dtype, states = w.dtype, arrays[1] if backward else arrays[-1]
        alike = all(array.dtype == dtype for array in arrays) and dtype in (np.float32, np.float64)
        if backward:
            return bool(alike and arrays[0].shape == states.shape and states.shape[-3] > 1)
        a = arrays[0]
        return bool(
            alike
            and a.ndim == 3
            and a.shape[2] == len(w)
            and states.shape == (a.shape[1], w.shape[1])
            and (of_gates != 3 or arrays[2].shape == w.shape[:1])
            and (of_gates != 4 or arrays[2].shape == states.shape)
        )

    return fits


def _pays(a: Any, w: Any, *others: Any, **options: Any) -> bool:
    return recurrent_tiles.pays(a.shape[1], w)


def _pays_backward(g: Any, y: Any, *others: Any, **options: Any) -> bool:
    return recurrent_tiles.pays(y.shape[-2], others[-1])


def _on(device: Any, function: Any, reference: Any, of_gates: int, backward: bool) -> Any:
    fits = _fitting(of_gates, backward)

    def run(*arrays: Any, **options: Any) -> Any:
        if device is Gpu:
            gpu.require(fits(*arrays), f"shapes {', '.join(str(a.shape) for a in arrays)} do not go together")
            arrays = tuple(gpu.contiguous(a) for a in arrays)
        return function(device(arrays[0]), *arrays, **options)

    run.__doc__ = f"See ``{reference.__name__}``."
    return run


def _times(count: int, reverse: bool) -> range:
    return range(count - 1, -1, -1) if reverse else range(count)


def _turn(reverse: bool) -> int:
    return -1 if reverse else 1


def _before(t: int, reverse: bool) -> int:
    """Where the state that time t reads lies among the states."""
    return t + 1 if reverse else t


def _after(t: int, reverse: bool) -> int:
    """Where the state lies that time t makes."""
    return t if reverse else t + 1


def _first(count: int, reverse: bool) -> int:
    return count if reverse else 0


def _read(states: Any, reverse: bool) -> Any:
    """The states before each time."""
    return states[1:] if reverse else states[:-1]


def _split(a: Any, width: int) -> list[Any]:
    return [a[:, k : k + width] for k in range(0, a.shape[1], width)]


def _sigmoid(a: Any) -> Any:
    """1 / (1 + e^-a), which is ½ (1 + tanh(a/2)) and does not overflow so."""
    return 0.5 * (1 + np.tanh(0.5 * a))


def _of_weights(d: Any, h: Any) -> Any:
    """dL/dw = Σ d_tᵀ·h_{t-1} over all times and samples."""
    rows = d.shape[0] * d.shape[1]
    return d.reshape((rows, d.shape[2])).T @ h.reshape((rows, h.shape[2]))


def _rnn(nonlinearity: str) -> str:
    return "rnn_relu" if _is_relu(nonlinearity) else "rnn_tanh"


def _is_relu(nonlinearity: str) -> bool:
    if nonlinearity not in NONLINEARITIES:
        raise ValueError(f"nonlinearity is {nonlinearity!r}; it must be one of {', '.join(NONLINEARITIES)}")
    return nonlinearity == "relu"


def _registered(name: str, reference: Any, function: Any, of_gates: int) -> Any:
    backward = name.endswith("backward")
    return register(
        name,
        reference=reference,
        cpu=_on(Cpu, function, reference, of_gates, backward),
        gpu=_on(Gpu, function, reference, of_gates, backward),
        fits=_fitting(of_gates, backward),
        ways=[
            Way(_on(Tiles, function, reference, of_gates, backward), _pays_backward if backward else _pays)
        ],
    )


rnn_forward = _registered("rnn_forward", rnn_forward_reference, _rnn_forward, 1)
rnn_backward = _registered("rnn_backward", rnn_backward_reference, _rnn_backward, 1)
gru_forward = _registered("gru_forward", gru_forward_reference, _gru_forward, 3)
gru_backward = _registered("gru_backward", gru_backward_reference, _gru_backward, 3)
lstm_forward = _registered("lstm_forward", lstm_forward_reference, _lstm_forward, 4)
lstm_backward = _registered("lstm_backward", lstm_backward_reference, _lstm_backward, 4)
