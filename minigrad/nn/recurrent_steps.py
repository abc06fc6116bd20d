"""Recurrent layers as the single operations of their formulas, time by time, named as in the papers.

This is what runs under ``mg.unfused()``, and so what ``mg.record`` shows: ``i2`` is the input gate at the third time.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad import ops
from minigrad.tensor import Tensor


def _named(name: str, t: int, value: Any) -> Any:
    if isinstance(value, Tensor):
        value.name = f"{name}{t}"
    return value


def rnn(a: Any, w: Any, h: Any, nonlinearity: str, reverse: bool) -> Any:
    """See ``ops.recurrent.rnn_tanh`` and ``rnn_relu``."""
    states = [h]
    for t in _times(a, reverse):
        p = _named("p", t, a[t] + states[-1] @ w.T)
        states.append(_named("h", t, ops.relu(p) if nonlinearity == "relu" else np.tanh(p)))
    return np.stack(_in_order(states, reverse))


def gru(a: Any, w: Any, b: Any, h: Any, reverse: bool) -> Any:
    """See ``ops.recurrent.gru``."""
    width, states = w.shape[1], [h]
    for t in _times(a, reverse):
        h = states[-1]
        (ar, az, an), (pr, pz, pn) = _split(a[t], width), _split(h @ w.T + b, width)
        p_r, p_z = _named("p_r", t, ar + pr), _named("p_z", t, az + pz)
        r, z = _named("r", t, ops.sigmoid(p_r)), _named("z", t, ops.sigmoid(p_z))
        n = _named("n", t, np.tanh(_named("p_n", t, an + r * pn)))
        added, kept = _named("added", t, (1 - z) * n), _named("kept", t, z * h)
        states.append(_named("h", t, added + kept))
    return np.stack(_in_order(states, reverse))


def lstm(a: Any, w: Any, h: Any, c: Any, reverse: bool) -> Any:
    """See ``ops.recurrent.lstm``."""
    width, outputs, cells = w.shape[1], [h], [c]
    for t in _times(a, reverse):
        parts = _split(a[t] + outputs[-1] @ w.T, width)
        pi, pf, pg, po = (_named(f"p_{gate}", t, part) for gate, part in zip("ifgo", parts, strict=True))
        i, f = _named("i", t, ops.sigmoid(pi)), _named("f", t, ops.sigmoid(pf))
        g, o = _named("g", t, np.tanh(pg)), _named("o", t, ops.sigmoid(po))
        kept, added = _named("kept", t, f * cells[-1]), _named("added", t, i * g)
        cells.append(_named("c", t, kept + added))
        outputs.append(_named("h", t, o * _named("tanh_c", t, np.tanh(cells[-1]))))
    return np.stack([np.stack(_in_order(outputs, reverse)), np.stack(_in_order(cells, reverse))])


def _times(a: Any, reverse: bool) -> range:
    return range(len(a) - 1, -1, -1) if reverse else range(len(a))


def _in_order(states: list[Any], reverse: bool) -> list[Any]:
    return states[::-1] if reverse else states


def _split(a: Any, width: int) -> list[Any]:
    return [a[:, k : k + width] for k in range(0, a.shape[1], width)]
