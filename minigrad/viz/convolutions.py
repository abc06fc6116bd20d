"""Inside a convolutional network: what its filters look like, and where in a picture they answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from minigrad import modes
from minigrad.errors import ShapeError
from minigrad.nn import Conv2d, Module
from minigrad.tensor import Tensor
from minigrad.viz.outputs import outputs
from minigrad.viz.palette import BLUE, INK, ORANGE, WHITE
from minigrad.viz.style import Path, drawing

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def filters(
    weight: Tensor | ArrayLike, *, most: int = 16, title: str = "Filters", path: Path | None = None
) -> Figure:
    """Draw a convolution's weights, shape (filters, channels, height, width): a row a filter, a column a channel.

    Blue is below 0, white 0, orange above; all share one scale. Of one channel alone the filters stand side by side.
    Of more than ``most`` rows or columns the first are drawn. A layer's are ``layer.weight``. Raises ShapeError MG-672
    for another shape.
    """
    array = weight.numpy() if isinstance(weight, Tensor) else np.asarray(weight)
    if array.ndim != 4 or not array.size:
        raise ShapeError(
            "MG-672",
            f"weights of shape {array.shape} are no filters; those of a Conv2d, (filters, channels, height, width), "
            "are needed. Rows of a dense layer are drawn by mg.viz.weight_images.",
        )
    from matplotlib.colors import LinearSegmentedColormap

    count, channels = array.shape[:2]
    shown = array[:most, :most]
    if channels == 1:
        shown = shown.swapaxes(0, 1)
    rows, columns = shown.shape[:2]
    both = LinearSegmentedColormap.from_list("both", [BLUE, WHITE, ORANGE])
    limit = float(np.abs(array).max()) or 1.0
    with drawing(0.6 * max(3, columns), 0.6 * rows + 0.3, path) as figure:
        axes = figure.subplots(rows, columns, squeeze=False, gridspec_kw={"wspace": 0.1, "hspace": 0.1})
        for axis, picture in zip(axes.ravel(), shown.reshape(-1, *array.shape[2:]), strict=True):
            axis.imshow(picture, cmap=both, vmin=-limit, vmax=limit)
            axis.set_xticks([])
            axis.set_yticks([])
        of = f"{min(most, count)} of {count}" if count > most else f"{count}"
        beside = f", {min(most, channels)} of {channels} channels each" if channels > 1 else ""
        figure.suptitle(f"{title}: {of}{beside}", weight="bold", size=10, color=INK)
    return figure


def feature_maps(
    model: Module, x: Any, *, most: int = 8, title: str = "Feature maps", path: Path | None = None
) -> Figure:
    """Draw what each convolution of a network finds in the first picture of ``x``, the darker the larger the number.

    A row is a convolution with what is done to each of its numbers next, normalised and cut off below 0, before the
    size changes; its maps are the first ``most`` channels. What is below 0 is orange. The first row is the picture as
    it comes to the first convolution. ``x`` is what the network takes. Raises ShapeError MG-673 where no convolution
    ran.
    """
    found = maps(model, x)
    from matplotlib.colors import LinearSegmentedColormap

    signed = LinearSegmentedColormap.from_list("signed", [ORANGE, WHITE, BLUE])
    columns = max(2, min(most, max(len(array) for array in found.values())))
    with drawing(1.1 * columns, 1.3 * len(found), path) as figure:
        axes = figure.subplots(
            len(found), columns, squeeze=False, gridspec_kw={"wspace": 0.06, "hspace": 0.3}
        )
        for axis in axes.ravel():
            axis.set_axis_off()
        for row, (name, array) in zip(axes, found.items(), strict=True):
            limit = float(np.abs(array).max()) or 1.0
            for axis, picture in zip(row, array, strict=False):
                axis.set_axis_on()
                axis.imshow(picture, cmap=signed, vmin=-limit, vmax=limit)
                axis.set_xticks([])
                axis.set_yticks([])
            count, height, width = array.shape
            shown = f"{columns} of {count}" if count > columns else f"{count}"
            row[0].set_title(f"{name}, {shown} of {height}×{width}", size=8, color=INK, loc="left")
        figure.suptitle(title, weight="bold", size=10, color=INK)
    return figure


def maps(model: Module, x: Any) -> dict[str, Any]:
    """Return what ``feature_maps`` draws, arrays (channels, height, width) by what they are called."""
    with outputs(model) as ran, modes.no_grad():
        model(x if isinstance(x, Tensor) else Tensor(x))
    found: dict[str, Any] = {}
    before: Any = x
    name, steps = "", list[str]()
    for layer_name, layer, value in ran:
        if isinstance(layer, Conv2d):
            if not found:
                found["the picture"] = _first(before)
            name, steps = f"convolution {layer_name}".strip(), []
        elif not name or value.shape != before.shape:
            name, before = "", value
            continue
        else:
            found.pop(_called(name, steps))
            steps.append(type(layer).__name__)
        found[_called(name, steps)] = _first(value)
        before = value
    if not found:
        raise ShapeError(
            "MG-673",
            f"no Conv2d ran in this {type(model).__name__}, so there are no feature maps. What dense layers see is "
            "drawn by mg.viz.weight_images.",
        )
    return found


def _called(name: str, steps: list[str]) -> str:
    return " → ".join([name, *steps])


def _first(value: Any) -> Any:
    array = value.numpy() if isinstance(value, Tensor) else np.asarray(value)
    return array[0]
