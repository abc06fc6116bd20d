"""The loss as a landscape: optimizers racing across it, slices through it, and where a classifier decides."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from minigrad import modes
from minigrad.backend import default_dtype
from minigrad.errors import ShapeError
from minigrad.nn import Module
from minigrad.optim.parameters import Parameters, named
from minigrad.tensor import Tensor
from minigrad.viz.numbers import show
from minigrad.viz.palette import BLUE, GREEN, GREY, INK, NAVY, ORANGE, PURPLE, SKY, WHITE, YELLOW, pale
from minigrad.viz.race import Floats, Function, Run, Surface, heights, levels, race, surface_of, window
from minigrad.viz.style import Path, drawing, plain_log_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Directions: TypeAlias = Sequence[ArrayLike]

LINES = {
    "GD": (GREY, "-", "s"),
    "SGD": (SKY, "-", "o"),
    "momentum": (BLUE, "-", "^"),
    "AdaGrad": (GREEN, "--", "D"),
    "RMSprop": (YELLOW, "--", "v"),
    "Adam": (ORANGE, "-", "P"),
    "AdamAsPrinted": (PURPLE, ":", "X"),
}
"""Colour, line and marker of each optimizer."""


def optimizer_race(
    surface: str | Function | Surface = "valley",
    start: tuple[float, float] | None = None,
    lr: float | Mapping[str, float] | None = None,
    steps: int = 30,
    *,
    noise: float | None = None,
    seed: int = 0,
    path: Path | None = None,
) -> Figure:
    """Draw the paths of seven optimizers over the contours of a surface, and how J falls along them.

    The arguments are those of ``minigrad.viz.race.race``; ``path`` is a PNG file to write.
    """
    where = surface_of(surface, start)
    runs = race(where, start or where.start, lr, steps, noise=noise, seed=seed)
    with drawing(9.4, 3.9, path) as figure:
        left, right = figure.subplots(1, 2, width_ratios=(1.35, 1))
        figure.subplots_adjust(0, 0, 1, 1, wspace=0.16)
        xs, ys = window(runs, where)
        _contours(left, *heights(where, xs, ys))
        left.set(xlim=xs, ylim=ys, xlabel="x", ylabel="y")
        left.set_title(f"J = {where.text}", loc="left", weight="bold")
        for run in runs:
            _path(left, run)
        left.plot(*runs[0].path[0], "o", ms=7, mfc="white", mec=INK, zorder=5)
        left.annotate("start", runs[0].path[0], (0, 9), textcoords="offset points", ha="center", size=8)
        if where.lowest is not None:
            left.plot(*where.lowest, "*", ms=11, color=INK, zorder=2)
        _falls(right, runs)
    return figure


def _contours(axis: Axes, x: Floats, y: Floats, grid: Floats) -> None:
    shown = levels(grid)
    axis.contourf(x, y, grid, levels=[*shown, max(float(np.nanmax(grid)), shown[-1] + 1e-9)], cmap=_pale())
    axis.contour(x, y, grid, levels=shown, colors=[GREY], linewidths=0.4, alpha=0.6)


def _pale() -> Any:
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("pale", [WHITE, pale(BLUE), pale(BLUE, 0.27)])


def _path(axis: Axes, run: Run) -> None:
    color, line, marker = LINES[run.name]
    every = max(1, len(run.path) // 8)
    axis.plot(*run.path.T, line, color=color, marker=marker, markevery=every, ms=4, lw=1.4, zorder=3)


def _falls(axis: Axes, runs: list[Run]) -> None:
    axis.set_title("J after each step", loc="left", weight="bold")
    axis.grid(axis="y")
    for run in runs:
        color, line, marker = LINES[run.name]
        label = f"{run.name}  (rate {show(run.rate)})"
        axis.plot(run.losses, line, color=color, marker=marker, markevery=5, ms=4, label=label)
    if all((run.losses > 0).all() for run in runs):
        plain_log_ticks(axis, "y")
    else:
        axis.set_ylim(top=1.2 * max(float(runs[0].losses[0]), 0) + 0.5)
    axis.set_xlabel("step t")
    axis.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))


def loss_slice(
    loss: Callable[[], Any],
    params: Parameters,
    directions: Sequence[Directions] | None = None,
    *,
    span: float = 1.0,
    count: int | None = None,
    seed: int = 0,
    path: Path | None = None,
) -> Figure:
    """Draw the loss along a line through the current parameters, or over the plane of two directions.

    ``loss()`` computes the loss with the parameters as they are. ``directions`` holds one direction or two, each a
    list with one array per parameter; without them one is drawn at random for every parameter and scaled to that
    parameter's norm (after Li et al. 2018, who scale by filter). The line runs from −``span`` to ``span``. The
    parameters are put back, bit for bit. Raises ShapeError MG-905 where a direction does not fit.
    """
    tensors = list(named(params).values())
    if directions is None:
        rng = np.random.default_rng(seed)
        directions = [[_scaled(rng.standard_normal(p.shape), p.numpy()) for p in tensors]]
    axes = [_fitting(direction, tensors) for direction in directions]
    if len(axes) not in (1, 2):
        raise ShapeError("MG-905", f"a slice has 1 direction or 2, not {len(axes)}.")
    steps = np.linspace(-span, span, count or (61 if len(axes) == 1 else 31))
    values = _losses(loss, tensors, axes, steps)
    with drawing(5.2 if len(axes) == 1 else 4.6, 3.2 if len(axes) == 1 else 4.0, path) as figure:
        axis = figure.add_axes((0, 0, 1, 1))
        here = float(loss())
        if len(axes) == 1:
            axis.grid(axis="y")
            axis.plot(steps, values, color=BLUE)
            axis.plot(0, here, "o", color=ORANGE, ms=7)
            axis.annotate(
                f"here {show(here)}",
                (0, here),
                (0, 11),
                textcoords="offset points",
                ha="center",
                color=ORANGE,
            )
            axis.set(xlabel="distance along the direction", ylabel="loss")
            axis.set_title("The loss along a line", loc="left", weight="bold")
        else:
            shown = axis.contourf(steps, steps, values.T, levels=18, cmap=_deep())
            axis.contour(steps, steps, values.T, levels=18, colors=["white"], linewidths=0.4)
            axis.plot(0, 0, "o", color=ORANGE, mec="white", ms=8)
            axis.annotate(f"here {show(here)}", (0, 0), (8, 8), textcoords="offset points", color=INK)
            bar = figure.colorbar(shown, ax=axis, pad=0.03)
            bar.outline.set_visible(False)  # type: ignore[operator]
            axis.set(xlabel="first direction", ylabel="second direction")
            axis.set_title("The loss over a plane", loc="left", weight="bold")
    return figure


def _deep() -> Any:
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("deep", [pale(BLUE, 0.04), pale(BLUE, 0.38), BLUE, NAVY])


def _scaled(direction: Floats, parameter: Floats) -> Floats:
    scaled: Floats = direction * (np.linalg.norm(parameter) / (np.linalg.norm(direction) or 1.0))
    return scaled


def _fitting(direction: Directions, tensors: list[Tensor]) -> list[NDArray[Any]]:
    arrays = [np.asarray(part.numpy() if isinstance(part, Tensor) else part) for part in direction]
    shapes, wanted = [a.shape for a in arrays], [t.shape for t in tensors]
    if shapes != wanted:
        raise ShapeError(
            "MG-905",
            f"this direction has the shapes {shapes}, the parameters have {wanted}. "
            "Give one array per parameter, for example [np.ones(p.shape) for p in model.parameters()].",
        )
    return arrays


def _losses(
    loss: Callable[[], Any], tensors: list[Tensor], axes: list[list[NDArray[Any]]], steps: Floats
) -> Floats:
    values = np.empty((len(steps),) * len(axes))
    with _kept(tensors) as first, modes.no_grad(), np.errstate(all="ignore"):
        for index in np.ndindex(*values.shape):
            for k, tensor in enumerate(tensors):
                moved = first[k] + sum(steps[i] * axis[k] for i, axis in zip(index, axes, strict=True))
                tensor.data[...] = moved
            values[index] = float(loss())
    return values


@contextmanager
def _kept(tensors: list[Tensor]) -> Iterator[list[NDArray[Any]]]:
    first = [tensor.data.copy() for tensor in tensors]
    try:
        yield first
    finally:
        for tensor, array in zip(tensors, first, strict=True):
            tensor.data[...] = array
            tensor.bump_version()


def decision_boundary(
    model: Callable[[Tensor], Any], x: ArrayLike, y: ArrayLike, *, count: int = 201, path: Path | None = None
) -> Figure:
    """Draw where a model of two features decides for class 1, with the samples.

    ``x`` has shape (n, 2), ``y`` shape (n,), of 0 and 1. ``model`` returns logits of shape (n, 2), or one logit for
    class 1, of shape (n, 1) or (n,). The shade is the probability of class 1, the line is where it is ½. Raises
    ShapeError MG-905 for other shapes.
    """
    points, labels = np.asarray(x, _dtype(model, x)), np.asarray(y).ravel()
    if points.ndim != 2 or points.shape[1] != 2 or len(labels) != len(points):
        raise ShapeError("MG-905", f"x is {points.shape} and y {labels.shape}; they must be (n, 2) and (n,).")
    low, high = points.min(axis=0), points.max(axis=0)
    pad = 0.12 * np.maximum(high - low, 1e-9)
    (x0, y0), (x1, y1) = low - pad, high + pad
    across, up = np.linspace(x0, x1, count), np.linspace(y0, y1, count)
    grid = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2).astype(points.dtype)
    share = _probability(model, grid).reshape(count, count)
    right = int(((_probability(model, points) > 0.5) == (labels == 1)).sum())
    with drawing(4.4, 4.0, path) as figure:
        axis = figure.add_axes((0, 0, 1, 1))
        axis.contourf(across, up, share, levels=np.linspace(0, 1, 21), cmap=_two_sided(), alpha=0.55)
        axis.contour(across, up, share, levels=[0.5], colors=[INK], linewidths=1.3)
        for label, color, marker in ((0, BLUE, "o"), (1, ORANGE, "^")):
            chosen = points[labels == label]
            axis.plot(*chosen.T, marker, color=color, mec="white", mew=0.6, ms=6, label=f"class {label}")
        axis.set(xlabel="x₁", ylabel="x₂", xlim=(x0, x1), ylim=(y0, y1))
        axis.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
        axis.set_title(f"{right} of {len(points)} right; the line is p = ½", loc="left", weight="bold")
    return figure


def _dtype(model: Callable[[Tensor], Any], x: ArrayLike) -> Any:
    """Return the floats that a model is made of; a plain function gets the data's own."""
    if isinstance(model, Module):
        for weight in model.parameters():
            return weight.dtype
    given = np.asarray(x).dtype
    return given if given.kind == "f" else default_dtype()


def _probability(model: Callable[[Tensor], Any], points: NDArray[Any]) -> Floats:
    training = isinstance(model, Module) and model.training
    if isinstance(model, Module):
        model.eval()
    try:
        with modes.no_grad():
            logits = model(Tensor(points)).numpy().astype(np.float64)
    finally:
        if isinstance(model, Module):
            model.train(training)
    if logits.ndim == 2 and logits.shape[1] == 2:
        logits = logits[:, 1] - logits[:, 0]
    elif logits.shape not in ((len(points),), (len(points), 1)):
        raise ShapeError(
            "MG-905", f"the model returned {logits.shape}; two logits or one per sample can be drawn."
        )
    share: Floats = 0.5 * (1 + np.tanh(logits.ravel() / 2))
    return share


def _two_sided() -> Any:
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("two", [BLUE, WHITE, ORANGE])
