"""Recurrent layers in float32, a few samples through all times at once: one loop for a whole sequence.

Samples know nothing of each other. So a thread takes as many as a tile has columns and goes with them through all
times, the weights in its second cache, and no thread waits for another one. The bits do not depend on the number of
threads: what is worked out together is always the same.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from minigrad_kernels.launch import Loop, workers_for
from minigrad_kernels.products import PARALLEL_FROM
from minigrad_kernels.recurrent_steps import loops as passes
from minigrad_kernels.teams import Team
from minigrad_kernels.tiles import Tile, pack_panels, size, tile, tile_across

ROWS = COLUMNS = 0  # a tile's, where a loop is compiled; and the helpers themselves
across: Any = None
straight: Any = None
pack: Any = None
step: Any = None
multiply: Any = None
multiply_back: Any = None
packed: Any = None

FEWEST = 4
"""Samples from which a panel of them pays, although it is filled up with zeros to a tile's columns."""


def multiply_loop(h: Any, w: Any, bias: Any, panel: Any, block: Any) -> None:
    """block = h·wᵀ for the samples of one panel, which is where they are put side by side."""
    for s in range(h.shape[0]):
        for k in range(h.shape[1]):
            panel[k, s] = h[s, k]
    for i in range(0, w.shape[0], ROWS):
        across(w, min(i, w.shape[0] - ROWS), panel, bias, False, block, 0)


def multiply_back_loop(d: Any, count: int, panels: Any, dh: Any) -> None:
    """dh = d·w for ``count`` samples; the columns of w are packed in panels."""
    for p in range(panels.shape[0]):
        j = min(p * COLUMNS, dh.shape[1] - COLUMNS)
        for i in range(0, count, ROWS):
            straight(d, i, panels[p], 0, dh, j)


def packed_loop(w: Any) -> Any:
    """The columns of w in panels."""
    panels = np.empty(((w.shape[1] + COLUMNS - 1) // COLUMNS, w.shape[0], COLUMNS), w.dtype)
    pack(w, 0, panels)
    return panels


def at_time_loop(k: int, times: int, reverse: bool) -> tuple[int, int, int]:
    """The k-th time that is read, and where the state before it lies and the one after it."""
    t = times - 1 - k if reverse else k
    return (t, t + 1, t) if reverse else (t, t, t + 1)


at_time = Loop(at_time_loop)


def rnn_forward_loop(worker: int, workers: int, w: Any, a: Any, reverse: bool, y: Any) -> None:
    """See ``recurrent.rnn_forward_reference``; y holds the first state."""
    times, n = a.shape[:2]
    bias = np.zeros(w.shape[0], a.dtype)
    block = np.empty((COLUMNS, w.shape[0]), a.dtype)
    for start in range(worker * COLUMNS, n, workers * COLUMNS):
        stop = min(start + COLUMNS, n)
        panel = np.zeros((w.shape[1], COLUMNS), a.dtype)
        for k in range(times):
            t, before, after = at_time(k, times, reverse)
            multiply(y[before, start:stop], w, bias, panel, block)
            y[after, start:stop] = block[: stop - start]
            step(y[after, start:stop], a[t, start:stop])


def rnn_backward_loop(
    worker: int, workers: int, w: Any, g: Any, y: Any, reverse: bool, d: Any, dh: Any
) -> None:
    """d and dh of ``recurrent.rnn_backward_reference``; what g says of the first state is left out of dh."""
    (times, n), width = d.shape[:2], w.shape[1]
    panels = packed(w)
    block, back = np.zeros((COLUMNS, w.shape[0]), w.dtype), np.zeros((COLUMNS, width), w.dtype)
    for start in range(worker * COLUMNS, n, workers * COLUMNS):
        stop = min(start + COLUMNS, n)
        count = stop - start
        back[:] = 0
        for k in range(times - 1, -1, -1):
            t, _, after = at_time(k, times, reverse)
            step(back[:count], g[after, start:stop], y[after, start:stop], block[:count])
            d[t, start:stop] = block[:count]
            multiply_back(block, count, panels, back)
        dh[start:stop] = back[:count]


def gru_forward_loop(
    worker: int, workers: int, w: Any, a: Any, b: Any, reverse: bool, y: Any, gates: Any
) -> None:
    """See ``recurrent.gru_forward_reference``; y holds the first state."""
    times, n = a.shape[:2]
    bias = np.zeros(w.shape[0], a.dtype)
    block = np.empty((COLUMNS, w.shape[0]), a.dtype)
    for start in range(worker * COLUMNS, n, workers * COLUMNS):
        stop = min(start + COLUMNS, n)
        panel = np.zeros((w.shape[1], COLUMNS), a.dtype)
        for k in range(times):
            t, before, after = at_time(k, times, reverse)
            h = y[before, start:stop]
            multiply(h, w, bias, panel, block)
            step(h, a[t, start:stop], block, b, gates[t, start:stop], y[after, start:stop])


def gru_backward_loop(
    worker: int, workers: int, w: Any, g: Any, y: Any, gates: Any, reverse: bool, d: Any, p: Any, dh: Any
) -> None:
    """d, p and dh of ``recurrent.gru_backward_reference``; what g says of the first state is left out of dh."""
    (times, n), width = d.shape[:2], w.shape[1]
    panels = packed(w)
    block, back = np.zeros((COLUMNS, w.shape[0]), w.dtype), np.zeros((COLUMNS, width), w.dtype)
    passed = np.zeros((COLUMNS, width), w.dtype)
    for start in range(worker * COLUMNS, n, workers * COLUMNS):
        stop = min(start + COLUMNS, n)
        count = stop - start
        back[:] = 0
        passed[:] = 0
        for k in range(times - 1, -1, -1):
            t, before, after = at_time(k, times, reverse)
            step(
                back[:count], passed[:count], g[after, start:stop], gates[t, start:stop],
                y[before, start:stop], d[t, start:stop], block[:count],
            )  # fmt: skip
            p[t, start:stop] = block[:count]
            multiply_back(block, count, panels, back)
        for s in range(count):
            for j in range(width):
                dh[start + s, j] = back[s, j] + passed[s, j]


def lstm_forward_loop(worker: int, workers: int, w: Any, a: Any, reverse: bool, y: Any, gates: Any) -> None:
    """See ``recurrent.lstm_forward_reference``; y holds the first output and cell."""
    times, n = a.shape[:2]
    bias = np.zeros(w.shape[0], a.dtype)
    block = np.empty((COLUMNS, w.shape[0]), a.dtype)
    for start in range(worker * COLUMNS, n, workers * COLUMNS):
        stop = min(start + COLUMNS, n)
        panel = np.zeros((w.shape[1], COLUMNS), a.dtype)
        for k in range(times):
            t, before, after = at_time(k, times, reverse)
            multiply(y[0, before, start:stop], w, bias, panel, block)
            gates[t, start:stop] = block[: stop - start]
            step(
                y[0, after, start:stop], y[1, after, start:stop], y[1, before, start:stop],
                a[t, start:stop], gates[t, start:stop],
            )  # fmt: skip


def lstm_backward_loop(
    worker: int, workers: int, w: Any, g: Any, y: Any, gates: Any, reverse: bool, d: Any, dh: Any, dc: Any
) -> None:
    """d, dh and dc of ``recurrent.lstm_backward_reference``; what g says of the first states is left out of dh and dc.

    dc begins as zeros.
    """
    (times, n), width = d.shape[:2], w.shape[1]
    panels = packed(w)
    block, back = np.zeros((COLUMNS, w.shape[0]), w.dtype), np.zeros((COLUMNS, width), w.dtype)
    for start in range(worker * COLUMNS, n, workers * COLUMNS):
        stop = min(start + COLUMNS, n)
        count = stop - start
        back[:] = 0
        for k in range(times - 1, -1, -1):
            t, before, after = at_time(k, times, reverse)
            step(
                back[:count], dc[start:stop], g[0, after, start:stop], g[1, after, start:stop],
                gates[t, start:stop], y[1, before, start:stop], y[1, after, start:stop], block[:count],
            )  # fmt: skip
            d[t, start:stop] = block[:count]
            multiply_back(block, count, panels, back)
        dh[start:stop] = back[:count]


_LOOPS: dict[str, tuple[Any, str]] = {
    "rnn_forward": (rnn_forward_loop, "step"), "rnn_backward": (rnn_backward_loop, "back"),
    "gru_forward": (gru_forward_loop, "step"), "gru_backward": (gru_backward_loop, "back"),
    "lstm_forward": (lstm_forward_loop, "step"), "lstm_backward": (lstm_backward_loop, "back"),
}  # fmt: skip


@cache
def _team(name: str, cell: str) -> Team:
    fitting = size()
    assert fitting is not None
    names: dict[str, Any] = {"ROWS": fitting.rows, "COLUMNS": fitting.columns}
    function, what = _LOOPS[name]
    helpers: dict[str, Any] = {"step": passes(np.dtype(np.float32))[f"{cell}_{what}"]}
    if what == "step":
        helpers["multiply"] = Loop(multiply_loop, across=Tile(tile_across, fitting), **names)
    else:
        helpers["multiply_back"] = Loop(multiply_back_loop, straight=Tile(tile, fitting), **names)
        helpers["packed"] = Loop(packed_loop, pack=Tile(pack_panels, fitting), **names)
    return Team(Loop(function, **helpers, **names))


def run(name: str, cell: str, w: Any, *arguments: Any) -> None:
    """Go through all times; ``name`` is a loop's here, ``cell`` that of what is done at each time."""
    fitting = size()
    assert fitting is not None
    times, n = arguments[0].shape[-3:-1]
    workers = min(workers_for(times * n * w.size, PARALLEL_FROM), -(-n // fitting.columns))
    _team(name, cell)(workers, workers, w, *arguments)


def pays(n: int, w: Any) -> bool:
    """Tell whether these loops are the faster ones, for n samples and these weights."""
    fitting = size() if w.dtype == np.float32 else None
    return fitting is not None and n >= FEWEST and w.shape[1] >= fitting.columns and len(w) >= fitting.rows
