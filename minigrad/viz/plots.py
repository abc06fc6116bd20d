"""The pictures of a run, written as PNG: training curves, confusion matrix, worst mistakes.

Matplotlib is imported when a picture is drawn, and only its object interface is used: no window, no global figure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from minigrad.escape import cut, printable
from minigrad.viz.numbers import show
from minigrad.viz.palette import BLUE, GREEN, GREY, INK, ORANGE, PALE
from minigrad.viz.style import PIXELS_PER_INCH, Path, drawing, plain_log_ticks, plain_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats: TypeAlias = NDArray[np.float64]
History: TypeAlias = Mapping[str, Sequence[float | None]]

_PANEL_GAP = 0.55
_MOST_MARKERS = 40
_LABEL_GAP = 13.0
_WIDE_DECADES = 1.3
_LONG_NAME, _LONGEST_NAME = 4, 14
_MOST_TILES = 24
_TILES_PER_ROW = 6


def curves(history: History, path: Path) -> None:
    """Draw loss, validation accuracy and learning rate over the epochs, best epochs marked.

    Args:
        history: lists with one number per epoch: ``epoch``, ``loss`` and, where there are any, ``val_loss``,
            ``val_accuracy`` (0 to 1), ``lr``. None and NaN leave a gap; a list of nothing else is left out.
        path: the PNG file to write.
    """
    panels = {"loss": (_loss_panel, 2.4), "val_accuracy": (_accuracy_panel, 2.4), "lr": (_rate_panel, 0.9)}
    shown = [panel for key, panel in panels.items() if _numbers(history, key).size]
    heights = [height for _, height in shown] or [0.1]
    with drawing(5.4, sum(heights) + _PANEL_GAP * (len(heights) - 1), path) as figure:
        axes = figure.subplots(len(heights), sharex=True, squeeze=False, height_ratios=heights)[:, 0]
        figure.subplots_adjust(0, 0, 1, 1, hspace=_PANEL_GAP * len(heights) / sum(heights))
        if not shown:
            axes[0].set_axis_off()
            axes[0].set_title("No epoch is finished yet", loc="left", weight="bold")
            return
        _epoch_axis(axes[-1], _numbers(history, "epoch"))
        for axis, (draw, _) in zip(axes, shown, strict=True):
            axis.grid(axis="y")
            draw(axis, history)


def _loss_panel(axis: Axes, history: History) -> None:
    loss, val_loss = _numbers(history, "loss"), _numbers(history, "val_loss")
    axis.set_title("Loss", loc="left", weight="bold")
    _scale(axis, np.concatenate([loss, val_loss]), ticks=5)
    axis.margins(y=0.1)
    _lines(axis, history, {"training": (loss, BLUE), "validation": (val_loss, ORANGE)}, show)
    if val_loss.size:
        _mark_best(axis, history, val_loss, int(np.nanargmin(val_loss)), "lowest", show)


def _accuracy_panel(axis: Axes, history: History) -> None:
    accuracy = _numbers(history, "val_accuracy")
    axis.set_title("Accuracy", loc="left", weight="bold")
    axis.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.4g} %")
    low = np.nanmin(accuracy)
    axis.set_ylim(low - max(0.1 * (1 - low), 0.01), 1)
    _lines(axis, history, {"validation": (accuracy, ORANGE)}, _percent)
    _mark_best(axis, history, accuracy, int(np.nanargmax(accuracy)), "highest", _percent)


def _rate_panel(axis: Axes, history: History) -> None:
    rate = _numbers(history, "lr")
    axis.set_title("Learning rate", loc="left", weight="bold")
    _scale(axis, rate, ticks=2)
    if axis.get_yscale() == "linear":
        axis.set_ylim(0, 1.15 * np.nanmax(rate) or 1)
    _lines(axis, history, {"": (rate, GREEN)}, show)


def confusion(matrix: ArrayLike, classes: Sequence[object], path: Path) -> None:
    """Draw a confusion matrix: right answers in blue on the diagonal, mistakes in orange, zeros left blank.

    A cell is as dark as the root of its share of the row, so that rare mistakes still show. Beside the rows
    stands each class's recall, above the columns each class's precision.

    Args:
        matrix: counts of shape (K, K), truth in rows, prediction in columns.
        classes: the K class names.
        path: the PNG file to write.
    """
    counts = np.asarray(matrix)
    right, total = int(counts.trace()), int(counts.sum())
    share = np.sqrt(_divide(counts, counts.sum(axis=1, keepdims=True)))
    side = max(1.6, 0.42 * len(counts))
    with drawing(side, side, path) as figure:
        axis = figure.add_axes((0, 0, 1, 1))
        title = f"{right:,} of {total:,} right ({_percent(_divide(right, total))})"
        axis.set_title(title, loc="left", weight="bold", pad=28)
        axis.imshow(_shades(share))
        for row, column in zip(*np.nonzero(counts), strict=True):
            ink = "white" if share[row, column] > 0.6 else INK
            axis.text(column, row, f"{counts[row, column]}", ha="center", va="center", color=ink)
        _name_cells(axis, [cut(printable(name), _LONGEST_NAME) for name in classes])
        _margins(axis, counts)


def _shades(share: Floats) -> Floats:
    """Mix white with blue on the diagonal and with orange off it: shape (K, K, 3)."""
    from matplotlib.colors import to_rgb

    full = np.where(np.eye(len(share), dtype=bool)[..., None], to_rgb(BLUE), to_rgb(ORANGE))
    shades: Floats = 1 + share[..., None] * (full - 1)
    return shades


def _name_cells(axis: Axes, names: list[str]) -> None:
    edges = np.arange(len(names) + 1) - 0.5
    axis.hlines(edges, edges[0], edges[-1], color=PALE, linewidth=0.7)
    axis.vlines(edges, edges[0], edges[-1], color=PALE, linewidth=0.7)
    axis.spines[:].set_visible(False)
    axis.tick_params(length=0)
    long = max(map(len, names)) > _LONG_NAME
    slant: dict[str, Any] = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"} if long else {}
    axis.set_xticks(range(len(names)), names, **slant)
    axis.set_yticks(range(len(names)), names)
    axis.set_xlabel("predicted", labelpad=8)
    axis.set_ylabel("true", labelpad=8)


def _margins(axis: Axes, counts: NDArray[Any]) -> None:
    """Write recall beside the rows and precision above the columns, in percent."""
    end = len(counts) - 0.5
    style: dict[str, Any] = {
        "textcoords": "offset points",
        "annotation_clip": False,
        "color": GREY,
        "size": 8,
        "va": "center",
    }
    heading = style | {"style": "italic"}
    axis.annotate("precision %", (-0.5, -0.5), (-6, 10), ha="right", **heading)
    axis.annotate("recall %", (end, -0.5), (8, 10), ha="left", **heading)
    for index, right in enumerate(counts.diagonal()):
        axis.annotate(
            _percent_or_dash(right, counts[:, index].sum()), (index, -0.5), (0, 10), ha="center", **style
        )
        axis.annotate(_percent_or_dash(right, counts[index].sum()), (end, index), (8, 0), ha="left", **style)


def _percent_or_dash(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}" if whole else "–"


def mistakes(
    images: ArrayLike,
    truth: ArrayLike,
    predicted: ArrayLike,
    confidence: ArrayLike,
    image_shape: tuple[int, ...],
    path: Path,
) -> None:
    """Draw the wrongly classified images, the most confident mistakes first, each titled ``7 → 1 (98 %)``.

    Args:
        images: all images that were classified, shape (n, ...), each of ``image_shape`` once reshaped.
        truth: true class ids, shape (n,).
        predicted: predicted class ids, shape (n,).
        confidence: probability of the predicted class, shape (n,), 0 to 1.
        image_shape: (height, width), or (height, width, 3) for colours from 0 to 1.
        path: the PNG file to write.
    """
    pictures, truth, predicted, confidence = map(np.asarray, (images, truth, predicted, confidence))
    wrong = np.flatnonzero(truth != predicted)
    worst = wrong[np.argsort(-confidence[wrong], kind="stable")][:_MOST_TILES]
    columns = min(_TILES_PER_ROW, max(len(worst), 3))
    rows = max(1, -(-len(worst) // columns))
    width, height = 1.2 * columns, 1.45 * rows
    with drawing(width, height, path) as figure:
        axes = figure.subplots(rows, columns, squeeze=False).ravel()
        figure.subplots_adjust(0, 0, 1, 1, wspace=0.15, hspace=0.35)
        heading, reading = _mistakes_heading(len(wrong), len(truth), len(worst))
        figure.text(0, 1 + 0.6 / height, heading, weight="bold", size=10)
        figure.text(0, 1 + 0.4 / height, reading, color=GREY, size=8)
        for axis in axes[len(worst) :]:
            axis.set_axis_off()
        for axis, index in zip(axes, worst, strict=False):
            axis.imshow(pictures[index].reshape(image_shape), cmap="gray_r")
            axis.set_title(
                f"{truth[index]} → {predicted[index]} ({100 * confidence[index]:.0f} %)", size=9, pad=4
            )
            axis.set(xticks=[], yticks=[])
            axis.spines[:].set(visible=True, color=PALE)


def _mistakes_heading(wrong: int, total: int, shown: int) -> tuple[str, str]:
    if not wrong:
        return "No mistakes", f"All {total:,} images are classified correctly."
    which = f"the {shown} most confident mistakes" if shown < wrong else "every mistake"
    return f"{wrong:,} of {total:,} wrong", f"{which}: true → predicted (confidence)"


def _numbers(history: History, key: str) -> Floats:
    """Return a list of the history as floats, None as NaN; empty where it holds no number at all."""
    values = np.array(history.get(key, ()), dtype=np.float64)
    return values if np.isfinite(values).any() else values[:0]


def _epoch_axis(axis: Axes, epochs: Floats) -> None:
    from matplotlib.ticker import MaxNLocator

    axis.set_xlabel("epoch")
    axis.xaxis.set_major_locator(MaxNLocator(10, steps=[1, 2, 5, 10], integer=True, min_n_ticks=1))
    margin = max(0.02 * (epochs[-1] - epochs[0]), 0.1)
    axis.set_xlim(epochs[0] - margin, epochs[-1] + margin)


def _scale(axis: Axes, values: Floats, ticks: int) -> None:
    """Make the axis logarithmic where positive values span a wide range, and label it in plain numbers."""
    from matplotlib.ticker import MaxNLocator

    finite = values[np.isfinite(values)]
    decades = np.log10(finite.max() / finite.min()) if finite.min() > 0 else 0.0
    if decades > _WIDE_DECADES:
        plain_log_ticks(axis, "y", 2 * ticks, (1.0, 2.0, 5.0) if 3 * decades < 2 * ticks else (1.0,))
    else:
        axis.yaxis.set_major_locator(MaxNLocator(ticks, steps=[1, 2, 5, 10]))
        plain_ticks(axis.yaxis)


def _lines(
    axis: Axes, history: History, lines: Mapping[str, tuple[Floats, str]], form: Callable[[float], str]
) -> None:
    """Draw each named line and write its name and last value beside its end, labels kept apart."""
    epochs = _numbers(history, "epoch")
    drawn = {name: line for name, line in lines.items() if line[0].size}
    for values, color in drawn.values():
        axis.plot(
            epochs, values, color=color, marker="o" if len(epochs) <= _MOST_MARKERS else "", clip_on=False
        )
    ends = [values[np.isfinite(values)][-1] for values, _ in drawn.values()]
    heights = axis.transData.transform([(0, end) for end in ends])[:, 1] * 72 / PIXELS_PER_INCH
    for (name, (values, color)), end, shift in zip(drawn.items(), ends, _spread(heights), strict=True):
        axis.annotate(
            f"{name} {form(values[-1])}".strip(),
            (1, end),
            (6, shift),
            xycoords=axis.get_yaxis_transform(),
            textcoords="offset points",
            color=color,
            va="center",
        )


def _spread(heights: Floats) -> Floats:
    """Return how far to move at most two labels at these heights (points) so that they do not overlap."""
    missing = max(0.0, _LABEL_GAP - float(np.ptp(heights)))
    ranks = np.argsort(np.argsort(heights)).astype(np.float64)
    shifts: Floats = missing * (ranks - ranks.mean())
    return shifts


def _mark_best(
    axis: Axes, history: History, values: Floats, best: int, word: str, form: Callable[[float], str]
) -> None:
    """Ring the best epoch and name it above the panel."""
    epoch = _numbers(history, "epoch")[best]
    axis.plot(epoch, values[best], "o", ms=8, mfc="none", mew=1.2, color=ORANGE, clip_on=False)
    axis.set_title(f"{word} {form(values[best])} in epoch {epoch:.0f}", loc="right", color=ORANGE, size=8)


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def _divide(above: NDArray[Any] | int, below: NDArray[Any] | int) -> Any:
    """Divide counts, with 0/0 = 0."""
    return above / np.maximum(below, 1)
