"""Inside a network: how large its gradients are, which units are dead, how far it moves, what its weights look like."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import cycle
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from minigrad import modes
from minigrad.backend import to_numpy
from minigrad.errors import GradientError, ShapeError
from minigrad.escape import printable
from minigrad.optim import Update
from minigrad.optim.parameters import Parameters, named
from minigrad.tensor import Tensor
from minigrad.viz.numbers import show
from minigrad.viz.palette import BLUE, GREEN, GREY, INK, ORANGE, PURPLE, SKY, WHITE, YELLOW
from minigrad.viz.style import Path, drawing, plain_log_ticks

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats: TypeAlias = NDArray[np.float64]


def gradient_sizes(params: Parameters) -> dict[str, float]:
    """Root mean square of ``.grad`` by parameter, √(Σ g² / n), in order; GradientError MG-903 where there is none."""
    found = {
        name: math.sqrt(float(np.mean(np.square(p.grad.numpy(), dtype=np.float64))))
        for name, p in named(params).items()
        if p.grad is not None
    }
    if not found:
        raise GradientError(
            "MG-903",
            "no parameter has a gradient to draw. Call loss.backward() before, and zero_grad() after the picture.",
        )
    return found


def gradient_flow(params: Parameters, *, path: Path | None = None) -> Figure:
    """Draw how large each parameter's gradient is, from the first layer to the last, on a logarithmic scale.

    Bars that shrink by orders of magnitude towards the first layer are a vanishing gradient. Raises GradientError
    MG-903 before ``backward()``.
    """
    sizes = gradient_sizes(params)
    names, values = list(sizes), np.array(list(sizes.values()))
    positive = values[values > 0]
    floor = 10 ** math.floor(math.log10(positive.min()) - 0.3) if positive.size else 1e-8
    top = 10 ** math.ceil(math.log10(positive.max()) + 0.2) if positive.size else 1.0
    with drawing(5.2, max(1.4, 0.3 * len(names)), path) as figure:
        axis = figure.add_axes((0, 0, 1, 1))
        plain_log_ticks(axis, "x")
        axis.set_xlim(floor, top)
        axis.grid(axis="x")
        bias = [name.endswith("bias") for name in names]
        axis.barh(
            [printable(name) for name in names],
            np.maximum(values, floor) - floor,
            left=floor,
            color=[SKY if b else BLUE for b in bias],
            height=0.66,
        )
        for i, value in enumerate(values):
            text = show(value) if value else "0: no gradient"
            axis.annotate(
                text, (max(value, floor), i), (4, 0), textcoords="offset points", va="center", size=8
            )
        axis.invert_yaxis()
        axis.set_xlabel("root mean square of the gradient")
        axis.set_title("Gradient flow, first layer at the top", loc="left", weight="bold")
    return figure


def firing_rates(model: Any, x: Any) -> list[Floats]:
    """By ReLU, in the order in which they ran: for each unit the share of the samples in which it is above 0.

    ``x`` has shape (n, …), the units are the last axis. The model's parameters must require gradients.
    """
    found: list[Floats] = []

    def look(record: Any, output: Tensor) -> None:
        if record.operation.name == "relu":
            value = to_numpy(output.data)
            found.append(np.mean(value.reshape(-1, value.shape[-1]) > 0, axis=0))

    with modes.enable_grad(), modes.hooks(forward=look):
        model(x if isinstance(x, Tensor) else Tensor(x))
    return found


def dead_units(model: Any, x: Any, *, path: Path | None = None) -> Figure:
    """Draw how often each ReLU unit fires over the samples ``x``; one that never does is dead for these samples.

    A dead unit's gradient is 0 at every sample, so it does not learn. Raises GradientError MG-903 where no ReLU ran.
    """
    layers = firing_rates(model, x)
    if not layers:
        raise GradientError(
            "MG-903",
            "no ReLU ran that a gradient passes through, so there are no dead units to draw. "
            "Give a model with nn.ReLU whose parameters require gradients.",
        )
    with drawing(6.0, 1.25 * len(layers), path) as figure:
        axes = figure.subplots(len(layers), squeeze=False)[:, 0]
        figure.subplots_adjust(0, 0, 1, 1, hspace=0.75)
        for k, (axis, rates) in enumerate(zip(axes, layers, strict=True), start=1):
            ordered = np.sort(rates)
            dead = int((ordered == 0).sum())
            axis.bar(np.arange(len(ordered)), ordered, width=0.8, color=BLUE)
            axis.plot(np.arange(dead), np.zeros(dead), "x", color=ORANGE, ms=5, mew=1.4, clip_on=False)
            axis.set(ylim=(0, 1), yticks=[0, 0.5, 1], yticklabels=["0 %", "50 %", "100 %"], xticks=[])
            axis.grid(axis="y")
            axis.set_xlim(-0.7, len(ordered) - 0.3)
            axis.set_title(f"ReLU {k}: {dead} of {len(ordered)} units dead", loc="left", weight="bold")
        axes[-1].set_xlabel("units, sorted by the share of samples in which they fire; × never", labelpad=9)
    return figure


@contextmanager
def watch_updates() -> Iterator[dict[str, list[float]]]:
    """Collect, at every ``optimizer.step()`` in the block, ‖θ_t − θ_{t−1}‖ / ‖θ_{t−1}‖ by parameter.

    NaN where the parameter was all 0. The dict that is yielded grows as the training runs.
    """
    ratios: dict[str, list[float]] = {}

    def look(update: Update) -> None:
        old = to_numpy(update.theta).astype(np.float64)
        moved = np.linalg.norm(to_numpy(update.tensor.data) - old)
        size = np.linalg.norm(old)
        ratios.setdefault(update.name, []).append(float(moved / size) if size else math.nan)

    with modes.hooks(update=look):
        yield ratios


def update_ratios(ratios: Mapping[str, Sequence[float]], *, path: Path | None = None) -> Figure:
    """Draw what ``watch_updates`` collected; about 10⁻³, the dashed line, is usual in a training that goes well."""
    looks = zip(
        cycle((BLUE, ORANGE, GREEN, YELLOW, PURPLE, SKY)), cycle(("-", "--", ":", "-.")), strict=False
    )
    with drawing(5.6, 3.0, path) as figure:
        axis = figure.add_axes((0, 0, 1, 1))
        plain_log_ticks(axis, "y")
        axis.grid(axis="y")
        for (name, values), (color, line) in zip(ratios.items(), looks, strict=False):
            axis.plot(np.arange(1, len(values) + 1), values, line, color=color, label=printable(name), lw=1.3)
        axis.axhline(1e-3, color=GREY, ls=(0, (4, 3)), lw=1)
        axis.annotate(
            "usual", (1, 1e-3), (6, 0), va="center", color=GREY, size=8,
            xycoords=axis.get_yaxis_transform(), textcoords="offset points",
        )  # fmt: skip
        axis.set_xlabel("step")
        axis.set_title("Update to weight, ‖Δθ‖ / ‖θ‖", loc="left", weight="bold")
        axis.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure


def weight_images(
    weight: Tensor | ArrayLike, image_shape: tuple[int, int], *, most: int = 32, path: Path | None = None
) -> Figure:
    """Draw each row of a weight matrix, shape (units, pixels), as an image: blue below 0, white 0, orange above.

    All images share one scale. Raises ShapeError MG-905 where a row has not as many entries as the image.
    """
    matrix = weight.numpy() if isinstance(weight, Tensor) else np.asarray(weight)
    if matrix.ndim != 2 or matrix.shape[1] != math.prod(image_shape):
        raise ShapeError(
            "MG-905",
            f"weights of shape {matrix.shape} are no images of {image_shape}: each row needs "
            f"{math.prod(image_shape)} entries.",
        )
    from matplotlib.colors import LinearSegmentedColormap

    both = LinearSegmentedColormap.from_list("both", [BLUE, WHITE, ORANGE])
    shown = matrix[:most]
    columns = min(8, len(shown))
    rows = -(-len(shown) // columns)
    limit = float(np.abs(shown).max()) or 1.0
    with drawing(0.85 * columns, 0.85 * rows, path) as figure:
        axes = figure.subplots(rows, columns, squeeze=False).ravel()
        figure.subplots_adjust(0, 0, 1, 1, wspace=0.08, hspace=0.08)
        for axis in axes:
            axis.set_axis_off()
        for axis, row in zip(axes, shown, strict=False):
            picture = axis.imshow(row.reshape(image_shape), cmap=both, vmin=-limit, vmax=limit)
        bar = figure.colorbar(picture, ax=list(axes), fraction=0.03, pad=0.03)
        bar.outline.set_visible(False)  # type: ignore[operator]
        of = f"{len(shown)} of {len(matrix)}" if len(shown) < len(matrix) else f"all {len(shown)}"
        figure.text(0, 1 + 0.12 / rows, f"Weights of {of} units", weight="bold", size=10, color=INK)
    return figure
