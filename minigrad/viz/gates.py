"""What a recurrent layer's gates let through, over the times of a sequence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from minigrad import nn
from minigrad.errors import ShapeError
from minigrad.escape import printable
from minigrad.ops import recurrent
from minigrad.tensor import Tensor
from minigrad.viz.palette import BLUE, INK, ORANGE, WHITE
from minigrad.viz.style import Path, drawing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_LABELS = 80
_TITLES = {
    3: ("r: what of the state is used", "z: what of the state stays", "n: what is new"),
    4: ("i: what comes in", "f: what stays", "g: what is new", "o: what is shown"),
}


def gates(layer: nn.LSTM | nn.GRU, x: Tensor | ArrayLike, number: int = 0) -> dict[str, Any]:
    """Return the gates of a layer for one sequence x (times, width), from a state of 0: each (times, hidden) by name.

    The names are those of the layer's formula: i, f, g, o and c, the cell, of an LSTM; r, z, n of a GRU; and h, the
    outputs. ``number`` is which of its layers, read forwards. Raises ShapeError MG-529 where x or the layer does not
    fit.
    """
    array = x.numpy() if isinstance(x, Tensor) else np.asarray(x)
    if array.ndim != 2 or array.shape[-1] != layer.input_size or not len(array):
        raise ShapeError(
            "MG-529",
            f"x is {array.shape}; one sequence (times, {layer.input_size}) is needed. Of several samples take one.",
        )
    kinds = (nn.LSTM, nn.GRU)
    if not isinstance(layer, kinds) or layer.bidirectional or not 0 <= number < layer.num_layers:
        raise ShapeError(
            "MG-529",
            f"gates are those of a layer of an LSTM or a GRU that reads forwards; layer {number} of {layer} is none.",
        )
    weights = layer.state_dict()
    zeros = np.zeros((1, layer.hidden_size), weights["weight_hh_l0"].dtype)
    rows = array.astype(zeros.dtype)[:, None]
    found: dict[str, Any] = {}
    for k in range(number + 1):
        w_ih, w_hh = (weights[f"weight_{word}_l{k}"] for word in ("ih", "hh"))
        none = np.zeros(len(w_hh), zeros.dtype)
        b_ih, b_hh = (weights.get(f"bias_{word}_l{k}", none) for word in ("ih", "hh"))
        if layer.gates == 4:
            (h, c), values = recurrent.lstm.forward(rows @ w_ih.T + (b_ih + b_hh), w_hh, zeros, zeros)  # type: ignore[misc]
            found = {"c": c[1:, 0]}
        else:
            h, values = recurrent.gru.forward(rows @ w_ih.T + b_ih, w_hh, b_hh, zeros)  # type: ignore[misc]
            found = {}
        parts = np.split(values[:, 0], 4, axis=1)  # of a GRU the last is the state's part of n
        found |= dict(zip("ifgo" if layer.gates == 4 else "rzn", parts, strict=False)) | {"h": h[1:, 0]}
        rows = h[1:]
    return found


def gates_over_time(
    layer: nn.LSTM | nn.GRU,
    x: Tensor | ArrayLike,
    labels: Sequence[Any] | None = None,
    *,
    number: int = 0,
    title: str = "Gates over time",
    path: Path | None = None,
) -> Figure:
    """Draw a layer's gates and its outputs for one sequence x (times, width): a row for each unit, a column a time.

    Gates of 0 to 1 are the darker the more they let through; what may be negative is blue above 0 and orange below it.
    ``labels`` are the texts of the times, such as the characters that were read. See ``gates``; ShapeError MG-529 also
    where there is not one label for each time.
    """
    found = gates(layer, x, number)
    times = len(found["h"])
    if labels is not None and len(labels) != times:
        raise ShapeError(
            "MG-529", f"there are {len(labels)} labels for {times} times; one for each is needed."
        )
    from matplotlib.colors import LinearSegmentedColormap

    open_shades = LinearSegmentedColormap.from_list("open", [WHITE, BLUE])
    signed = LinearSegmentedColormap.from_list("signed", [ORANGE, WHITE, BLUE])
    titles = {text[0]: text for text in _TITLES[layer.gates]} | {"c": "c: the cell", "h": "h: the output"}
    names = [name for name in titles if name in found]
    with drawing(max(4, 0.09 * times), 1.5 * len(names), path) as figure:
        axes = figure.subplots(len(names), 1, sharex=True, gridspec_kw={"hspace": 0.3, "top": 0.93})
        for name, axis in zip(names, axes, strict=True):
            values = found[name].T
            if name in "ifozr":
                axis.imshow(values, cmap=open_shades, vmin=0, vmax=1, aspect="auto", interpolation="nearest")
            else:
                most = max(1e-12, float(np.abs(values).max()))
                axis.imshow(
                    values, cmap=signed, vmin=-most, vmax=most, aspect="auto", interpolation="nearest"
                )
            axis.set_title(titles[name], size=8, color=INK, loc="left")
            axis.set_yticks([])
            axis.tick_params(bottom=axis is axes[-1])
        if labels is not None and times <= MOST_LABELS:
            axes[-1].set_xticks(range(times), [printable(str(label)) for label in labels], size=6)
        figure.suptitle(title, weight="bold", size=10, color=INK)
    return figure
