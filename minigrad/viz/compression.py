"""The picture of a pruned run: accuracy against sparsity."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minigrad.viz.numbers import show
from minigrad.viz.palette import BLUE, GREY, INK, ORANGE
from minigrad.viz.style import Path, drawing

Points = Sequence[tuple[float, float]]


def pruning(
    at_once: Points, trained: Points, path: Path, *, pruned: str = "weights", measure: str = "test accuracy"
) -> None:
    """Draw a measure against the share that is pruned, with training on the way and without.

    Args:
        at_once: pairs (share pruned, measure) of the network pruned at once and not trained again.
        trained: the same, pruned and trained; the last pair is the run's own.
        path: the PNG file to write.
        pruned: what is pruned, weights or units.
        measure: its name; accuracies are shares from 0 to 1 and printed in percent.
    """
    is_share = measure.endswith("accuracy")
    with drawing(5.4, 3.2, path) as figure:
        axis = figure.add_axes((0, 0, 1, 1))
        axis.grid(axis="y")
        for points, color, name in (
            (at_once, ORANGE, "pruned at once"),
            (trained, BLUE, "pruned and trained"),
        ):
            x, y = np.array(points, dtype=np.float64).reshape(-1, 2).T
            axis.plot(100 * x, y, color=color, marker="o", label=name, clip_on=False)
        last, value = trained[-1]
        axis.axhline(at_once[0][1], color=GREY, linewidth=0.8, linestyle=":")
        axis.annotate(
            f"{100 * value:.2f} %" if is_share else show(value),
            (100 * last, value), (0, 7), textcoords="offset points", color=BLUE, ha="center", weight="bold",
        )  # fmt: skip
        axis.annotate(
            "before", (0, at_once[0][1]), (2, -11), textcoords="offset points", color=GREY, size=8,
        )  # fmt: skip
        axis.set_xlim(-1, 101)
        if is_share:
            axis.yaxis.set_major_formatter(lambda tick, _: f"{100 * tick:.4g} %")
        axis.set_xlabel(f"{pruned} pruned, %")
        axis.set_title(f"{measure.capitalize()} of what is left", loc="left", weight="bold")
        axis.legend(frameon=False, labelcolor=INK, loc="lower left")
