"""How numbers are spread through the depth of a network: the activations on their way, and their gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from minigrad import modes
from minigrad.errors import GradientError
from minigrad.escape import printable
from minigrad.functional import gradients
from minigrad.nn import Module
from minigrad.tensor import Tensor
from minigrad.viz.numbers import show
from minigrad.viz.outputs import outputs
from minigrad.viz.palette import BLUE, GREY, INK, PURPLE
from minigrad.viz.style import Path, drawing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BINS = 61


class Spread(NamedTuple):
    """A layer's outputs for all samples, and the gradient of the loss with respect to each of these numbers."""

    name: str
    activations: Any
    gradients: Any


def spreads(model: Module, x: Any, loss: Callable[[Any], Any]) -> list[Spread]:
    """Return what ``histograms`` draws, in the order in which the layers ran; GradientError MG-903 where none has one.

    No ``.grad`` is touched, and the network is in evaluation meanwhile.
    """
    with outputs(model) as ran, modes.enable_grad():
        total = loss(model(x if isinstance(x, Tensor) else Tensor(x)))
    through = [output for output in ran if output.value.requires_grad]
    if not through:
        raise GradientError(
            "MG-903",
            f"no layer of this {type(model).__name__} gave anything that a gradient passes through, so there are no "
            "histograms to draw. Give a network whose parameters require gradients.",
        )
    return [  # a walk for each, since one ends at what it is to find
        Spread(
            f"{name}: {type(layer).__name__}".removeprefix(": "),
            value.numpy(),
            gradients(total, value)[0].numpy(),
        )
        for name, layer, value in through
    ]


def histograms(
    model: Module, x: Any, loss: Callable[[Any], Any], *, most: int = 24, path: Path | None = None
) -> Figure:
    """Draw, layer by layer, how the activations for the samples ``x`` are spread, and beside them their gradients.

    ``loss`` makes one number of what the network gives: ``lambda y: nn.cross_entropy(y, labels)``. Each histogram has a
    scale of its own, whose ends stand below it; beside it stands the standard deviation σ. Where σ of the gradients
    falls by orders of magnitude towards the first layer they vanish; activations that pile up at the ends are
    saturated, at 0 dead. Of more than ``most`` layers as many are drawn, evenly through the depth. Raises
    GradientError MG-903 where no gradient passes.
    """
    found = spreads(model, x, loss)
    if len(found) > most:
        found = [found[k] for k in np.linspace(0, len(found) - 1, most).round().astype(int)]
    with drawing(6.4, 0.72 * len(found) + 0.5, path) as figure:
        axes = figure.subplots(len(found), 2, squeeze=False, gridspec_kw={"hspace": 1.0, "wspace": 0.08})
        for row, spread in zip(axes, found, strict=True):
            for axis, values, color in zip(row, spread[1:], (BLUE, PURPLE), strict=True):
                _histogram(axis, values.astype(np.float64).ravel(), color)
            row[0].set_title(printable(spread.name), size=8, color=INK, loc="left", pad=4)
        for axis, word in zip(axes[0], ("Activations", "Gradients"), strict=True):
            axis.annotate(
                word, (0.5, 1), (0, 16), xycoords="axes fraction", textcoords="offset points",
                ha="center", weight="bold", size=10, color=INK,
            )  # fmt: skip
    return figure


def _histogram(axis: Any, values: Any, color: str) -> None:
    """On a scale around 0, which has a bin of its own."""
    limit = float(np.abs(values).max(initial=0)) or 1.0
    counts, edges = np.histogram(values, BINS, (-limit, limit))
    axis.bar(edges[:-1], counts, np.diff(edges), align="edge", color=color)
    axis.set_xlim(-limit, limit)
    axis.set_xticks([-limit, 0, limit], [show(-limit), "0", show(limit)], size=6)
    axis.set_yticks([])
    axis.set_title(f"σ {show(float(values.std()))}", size=7, color=GREY, loc="right", pad=4)
