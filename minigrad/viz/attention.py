"""Where attention looks: a network's attention weights as pictures, one for each head."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from minigrad.errors import ShapeError
from minigrad.escape import printable
from minigrad.tensor import Tensor
from minigrad.viz.palette import BLUE, INK, WHITE
from minigrad.viz.style import Path, drawing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_LABELS = 40


def attention_maps(
    weights: Tensor | ArrayLike,
    labels: Sequence[Any] | None = None,
    *,
    names: Sequence[str] = (),
    title: str = "Attention by head",
    path: Path | None = None,
) -> Figure:
    """Draw attention weights, shape (heads, n, m) or (n, m): a row for each query, the darker the larger the weight.

    ``labels`` are the texts of the keys, and of the queries where there are as many; ``MultiheadAttention`` returns the
    weights with ``average_attn_weights=False``, a GPT with ``attention_weights``. ``names`` say what each map is, head
    0, 1, … where they are left out. All share one scale, from 0 to 1. Raises ShapeError MG-533 for another shape, or
    for labels that are not one for each key.
    """
    array = weights.numpy() if isinstance(weights, Tensor) else np.asarray(weights)
    maps = array[None] if array.ndim == 2 else array
    if maps.ndim != 3 or not maps.size:
        raise ShapeError(
            "MG-533",
            f"attention weights of shape {array.shape} are no maps; (heads, n, m) is needed. Of several samples, "
            "take one: weights[0].",
        )
    heads, n, m = maps.shape
    if labels is not None and len(labels) != m:
        raise ShapeError("MG-533", f"there are {len(labels)} labels for {m} keys; one for each is needed.")
    from matplotlib.colors import LinearSegmentedColormap

    shades = LinearSegmentedColormap.from_list("shades", [WHITE, BLUE])
    columns = min(4, heads)
    rows = -(-heads // columns)
    with drawing(2.4 * columns, 2.4 * rows, path) as figure:
        axes = figure.subplots(rows, columns, squeeze=False).ravel()
        for axis in axes:
            axis.set_axis_off()
        for head, (axis, picture) in enumerate(zip(axes, maps, strict=False)):
            axis.set_axis_on()
            axis.imshow(picture, cmap=shades, vmin=0, vmax=1)
            axis.set_title(names[head] if names else f"head {head}", size=9, color=INK)
            axis.set_xticks([])
            axis.set_yticks([])
            if labels is not None and m <= MOST_LABELS:
                texts = [printable(str(label)) for label in labels]
                axis.set_xticks(range(m), texts, size=6, rotation=90)
                if n == m:
                    axis.set_yticks(range(n), texts, size=6)
        figure.suptitle(title, weight="bold", size=10, color=INK)
    return figure
