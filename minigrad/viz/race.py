"""Several optimizers on one surface of two variables, from the same start, and every number of every step.

The optimizers are those of ``minigrad.optim``; the rows come from the lines of their formulas.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from minigrad import modes
from minigrad.errors import ConfigError, MinigradWarning
from minigrad.optim import GD, SGD, AdaGrad, Adam, AdamAsPrinted, Optimizer, RMSprop, Update
from minigrad.tensor import Tensor
from minigrad.viz.trace import Row
from minigrad.viz.update_rows import rows

Floats: TypeAlias = NDArray[np.float64]
Function: TypeAlias = Callable[[Any, Any], Any]


@dataclass(frozen=True)
class Surface:
    """A function J(x, y), written with operators and NumPy's functions, and where to look at it."""

    name: str
    text: str
    function: Function
    start: tuple[float, float]
    lowest: tuple[float, float] | None = None
    noise: float = 0.0


@dataclass(frozen=True)
class Step:
    """One step: its number t, the formula's rows in order, and J at the new θ."""

    t: int
    rows: tuple[Row, ...]
    loss: float


@dataclass(frozen=True)
class Run:
    """What one optimizer did: path of shape (steps + 1, 2), J along it, and the steps."""

    name: str
    formula: str
    rate: float
    path: Floats
    losses: Floats
    steps: tuple[Step, ...]


SURFACES = {
    "valley": Surface(
        "valley",
        "½ (x² + 12 y²)",
        lambda x, y: 0.5 * (x**2 + 12 * y**2),
        (-4.0, 1.6),
        (0.0, 0.0),
        noise=0.6,
    ),
    "bowl": Surface(
        "bowl", "½ (x² + y²)", lambda x, y: 0.5 * (x**2 + y**2), (-3.0, 2.0), (0.0, 0.0), noise=0.3
    ),
    "saddle": Surface(
        "saddle",
        "½ (x² − y²) + y⁴/8",
        lambda x, y: 0.5 * (x**2 - y**2) + y**4 / 8,
        (-3.0, 0.05),
        None,
        noise=0.1,
    ),
    "banana": Surface(
        "banana",
        "((1 − x)² + 10 (y − x²)²) / 8",
        lambda x, y: ((1 - x) ** 2 + 10 * (y - x**2) ** 2) / 8,
        (-1.5, 0.2),
        (1.0, 1.0),
        noise=0.05,
    ),
}

OPTIMIZERS: dict[str, tuple[Callable[..., Optimizer], dict[str, Any], float, str]] = {
    "GD": (GD, {}, 0.1, "gd"),
    "SGD": (SGD, {}, 0.1, "sgd"),
    "momentum": (SGD, {"momentum": 0.9}, 0.02, "momentum"),
    "AdaGrad": (AdaGrad, {}, 0.8, "adagrad"),
    "RMSprop": (RMSprop, {"alpha": 0.9}, 0.15, "rmsprop"),
    "Adam": (Adam, {}, 0.25, "adam"),
    "AdamAsPrinted": (AdamAsPrinted, {}, 0.1, "adam_as_printed"),
}
"""By name: the class, its settings, the rate unless one is given, and its rule in ``minigrad.optim.formulas``."""


def surface_of(surface: str | Function | Surface, start: tuple[float, float] | None = None) -> Surface:
    """Return the surface of that name, or one around a function of x and y; ConfigError MG-904 for another name."""
    if isinstance(surface, Surface):
        return surface
    if callable(surface):
        name = getattr(surface, "__name__", "surface")
        label = "J(x, y)" if name == "<lambda>" else f"{name}(x, y)"
        return Surface(label, label, surface, start or (-2.0, 1.5))
    if surface not in SURFACES:
        known = ", ".join(SURFACES)
        raise ConfigError(
            "MG-904", f"there is no surface {surface!r}. There are {known}; or give a function of x and y."
        )
    return SURFACES[surface]


def race(
    surface: str | Function | Surface = "valley",
    start: tuple[float, float] | None = None,
    lr: float | Mapping[str, float] | None = None,
    steps: int = 30,
    *,
    noise: float | None = None,
    seed: int = 0,
) -> list[Run]:
    """Run GD, SGD, momentum, AdaGrad, RMSprop, Adam and AdamAsPrinted from ``start``, in float64.

    GD sees the whole J. The others see at step t what a sample of the data would show, J(θ) + ν_t · θ, where ν_t is
    drawn from a normal distribution of mean 0 and standard deviation ``noise``, the same for all of them. ``lr`` is
    one rate for all, or a rate by name; by default each has one that suits the valley. A run ends early where θ is no
    longer finite.

    Raises ConfigError MG-904 for an unknown surface or optimizer and where there is no step to run.
    """
    where = surface_of(surface, start)
    rates = lr if isinstance(lr, Mapping) else {} if lr is None else dict.fromkeys(OPTIMIZERS, lr)
    unknown = [name for name in rates if name not in OPTIMIZERS]
    if unknown or steps < 1:
        what = f"no optimizer {unknown[0]!r} in lr" if unknown else f"nothing to draw in {steps} steps"
        raise ConfigError(
            "MG-904", f"there is {what}. Optimizers: {', '.join(OPTIMIZERS)}; steps: 1 or more."
        )
    drawn = (where.noise if noise is None else noise) * np.random.default_rng(seed).standard_normal(
        (steps, 2)
    )
    return [
        _run(name, where, start or where.start, rates.get(name), drawn * (name != "GD"))
        for name in OPTIMIZERS
    ]


def _run(name: str, surface: Surface, start: tuple[float, float], rate: float | None, noise: Floats) -> Run:
    make, settings, usual, formula = OPTIMIZERS[name]
    theta = Tensor(np.array(start, dtype=np.float64), requires_grad=True, name="theta")
    optimizer = make([theta], lr=usual if rate is None else rate, **settings)
    path, losses, taken = [theta.numpy().copy()], [_height(surface, theta)], []
    seen: list[Update] = []
    # a run that flies off is one of the sights
    with modes.hooks(update=seen.append), np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", MinigradWarning)
        for t, nu in enumerate(noise, start=1):
            optimizer.zero_grad()
            loss = surface.function(theta[0], theta[1]) + (nu * theta).sum()
            loss.backward()
            optimizer.step()
            path.append(theta.numpy().copy())
            losses.append(_height(surface, theta))
            taken.append(Step(t, _with_step(rows(seen.pop()), path[-2], path[-1]), losses[-1]))
            if not np.isfinite(path[-1]).all():
                break
    return Run(name, formula, optimizer.rate, np.array(path), np.array(losses), tuple(taken))


def _height(surface: Surface, theta: Tensor) -> float:
    with modes.no_grad():
        return float(surface.function(*theta.numpy()))


def _with_step(found: tuple[Row, ...], old: Floats, new: Floats) -> tuple[Row, ...]:
    """Leave out the coefficients, which stay, and put the step in front of the new θ."""
    step = Row("step", "θ after − θ before", new - old)
    kept = [row for row in found if not row.given or np.shape(row.value) == (2,)]
    return (*kept[:-1], step, kept[-1])


def window(runs: list[Run], surface: Surface) -> tuple[tuple[float, float], tuple[float, float]]:
    """x and y from the lowest to the highest that is shown: the start, the lowest point, what lies near them."""
    start = runs[0].path[0]
    goal = surface.lowest or next((r.path[-1] for r in runs if np.isfinite(r.path[-1]).all()), start)
    reach = 1.6 * max(float(np.max(np.abs(start - goal))), 0.5)
    near = [p for run in runs for p in run.path if np.isfinite(p).all() and np.all(np.abs(p - goal) <= reach)]
    points = np.array([start, goal, *near])
    low, high = points.min(axis=0), points.max(axis=0)
    pad = 0.12 * np.maximum(high - low, 0.3 * float((high - low).max()) or 1.0)
    (x0, y0), (x1, y1) = low - pad, high + pad
    return (float(x0), float(x1)), (float(y0), float(y1))


def heights(
    surface: Surface, xs: tuple[float, float], ys: tuple[float, float], count: int = 121
) -> tuple[Floats, Floats, Floats]:
    """J on a grid: x of shape (count,), y of shape (count,), J of shape (count, count) with y in the rows."""
    x, y = np.linspace(*xs, count), np.linspace(*ys, count)
    grid = surface.function(*np.meshgrid(x, y))
    return x, y, np.broadcast_to(np.asarray(grid, dtype=np.float64), (count, count))


def levels(grid: Floats, count: int = 11) -> Floats:
    """Heights of contour lines, closer together towards the lowest: quadratically spaced quantiles of the range."""
    finite = grid[np.isfinite(grid)]
    low, high = float(finite.min()), float(np.quantile(finite, 0.97))
    spaced: Floats = low + (high - low) * np.linspace(0.06, 1, count) ** 2
    return spaced
