"""The pictures of a search, written as PNG: how the best loss fell, which settings mattered, loss against each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from minigrad.escape import printable
from minigrad.viz.palette import BLUE, GREY, ORANGE, PALE
from minigrad.viz.style import Path, drawing, plain_log_ticks, plain_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Losses: TypeAlias = Sequence[float | None]
Spread: TypeAlias = Literal["linear", "log", "choice"]

_WIDE = 8.0  # from this ratio of losses on, their axis is logarithmic
_PER_ROW = 3
_CROPPED = 20.0


def history(losses: Losses, complete: Sequence[bool], path: Path) -> None:
    """Draw every trial's loss in order, and the lowest of the complete ones so far as steps.

    Args:
        losses: a validation loss for each trial; None where it diverged, which is drawn at the upper edge.
        complete: whether the trial came to its end; the others are drawn as crosses.
        path: the PNG file to write.
    """
    from matplotlib.ticker import MaxNLocator

    with drawing(5.6, 2.9, path) as figure:
        axis = figure.subplots()
        axis.grid(axis="y")
        axis.set_title("Validation loss", loc="left", weight="bold")
        axis.set_xlabel("trial")
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        numbers = np.arange(len(losses))
        heights = _heights(axis, losses)
        ended = np.array(complete, bool)
        axis.plot(
            numbers[~ended],
            heights[~ended],
            "x",
            color=GREY,
            ms=4,
            mew=1,
            clip_on=False,
            label="not complete",
        )
        axis.plot(numbers[ended], heights[ended], "o", color=BLUE, clip_on=False, label="complete")
        best = np.minimum.accumulate(np.where(ended, heights, np.inf))
        axis.step(
            numbers,
            np.where(np.isfinite(best), best, np.nan),
            where="post",
            color=ORANGE,
            label="best so far",
        )
        axis.legend(
            frameon=False, fontsize=8, loc="lower right", ncols=3, bbox_to_anchor=(1.02, 1), borderaxespad=0.3,
            columnspacing=1.2, handletextpad=0.4, handlelength=1.4,
        )  # fmt: skip


def importance(shares: Mapping[str, float], path: Path) -> None:
    """Draw the share of the losses' variation that each setting explains; empty ``shares`` say so in words."""
    names = sorted(shares, key=lambda name: shares[name])
    with drawing(5.0, 0.5 + 0.32 * max(len(names), 1), path) as figure:
        axis = figure.subplots()
        axis.set_title("What the loss depends on", loc="left", weight="bold")
        axis.xaxis.set_visible(False)
        axis.spines["bottom"].set_visible(False)
        if not names:
            axis.set_yticks([])
            axis.text(0, 0.5, "Too few complete trials to tell.", color=GREY, transform=axis.transAxes)
            return
        axis.barh(names, [1.0] * len(names), color=PALE, height=0.6)
        axis.barh(names, [shares[name] for name in names], color=BLUE, height=0.6)
        axis.set_xlim(0, 1.12)
        for row, name in enumerate(names):
            axis.text(1.02, row, f"{100 * shares[name]:.0f} %", va="center", color=GREY)


def slices(
    columns: Mapping[str, Sequence[Any]],
    losses: Losses,
    complete: Sequence[bool],
    spreads: Mapping[str, Spread],
    path: Path,
) -> None:
    """Draw the loss against each setting, one panel each; later trials are darker, the best one is ringed.

    Args:
        columns: for each setting its value in every trial.
        losses, complete: as in ``history``.
        spreads: how each setting's axis is: ``linear``, ``log``, or ``choice``, which sets the values side by side.
        path: the PNG file to write.
    """
    across = 2 if len(columns) == 4 else min(len(columns), _PER_ROW)
    down = math.ceil(len(columns) / across)
    with drawing(2.5 * across, 2.5 * down, path) as figure:
        panels = figure.subplots(down, across, squeeze=False, sharey=True).ravel()
        figure.subplots_adjust(wspace=0.15, hspace=0.45)
        for axis in panels[len(columns) :]:
            axis.set_axis_off()
        ended = np.array(complete, bool)
        for axis, (name, values) in zip(panels, columns.items(), strict=False):
            axis.grid(axis="y")
            axis.set_xlabel(name.replace("_", " "))
            heights = _heights(axis, losses)
            places = _places(axis, values, spreads[name])
            axis.plot(places[~ended], heights[~ended], "x", color=GREY, ms=3.5, mew=0.8, clip_on=False)
            if ended.any():
                ages = np.linspace(0.25, 1.0, len(losses))
                axis.scatter(
                    places[ended], heights[ended], s=16, color=BLUE, alpha=ages[ended], lw=0, clip_on=False
                )
                best = int(np.argmin(np.where(ended, heights, np.inf)))
                axis.plot(
                    places[best], heights[best], "o", ms=8, mfc="none", mew=1.2, color=ORANGE, clip_on=False
                )
        panels[0].set_title("Validation loss", loc="left", weight="bold")


def _places(axis: Axes, values: Sequence[Any], spread: Spread) -> Any:
    """Return where the values go on the axis, and label it."""
    from matplotlib.ticker import MaxNLocator

    if spread == "choice":
        kinds = sorted(set(values))
        axis.set_xticks(range(len(kinds)), [printable(kind) for kind in kinds])
        axis.set_xlim(-0.5, len(kinds) - 0.5)
        return np.array([float(kinds.index(value)) for value in values])
    if spread == "log":
        plain_log_ticks(axis, "x")
    else:
        axis.xaxis.set_major_locator(MaxNLocator(4))
    return np.array(values, float)


def _heights(axis: Axes, losses: Losses) -> Any:
    """Scale the axis of the losses and return where each goes; what is far above the others goes to the upper edge."""
    plain_ticks(axis.yaxis)
    finite = np.array([loss for loss in losses if loss is not None and math.isfinite(loss)])
    if not finite.size:
        return np.ones(len(losses))
    top = min(float(finite.max()), _CROPPED * float(np.median(finite)) or math.inf)
    positive = finite[(finite > 0) & (finite <= top)]
    bottom = float(finite.min())
    if positive.size and top / positive.min() > _WIDE:
        bottom = float(positive.min())
        plain_log_ticks(axis, "y", 10, (1.0, 2.0, 5.0))
    return np.array([top if loss is None else min(max(loss, bottom), top) for loss in losses])
