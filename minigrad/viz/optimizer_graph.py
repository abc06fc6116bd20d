"""The picture of the optimizer stepper as SVG: contour lines, axes, paths, in light and dark.

The same drawing is the static picture and the ground of the live one, into which a script draws the paths.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minigrad.markup import Child, Markup, fragment, tag
from minigrad.viz.embed import SVG, asset, picture_style
from minigrad.viz.landscape import LINES
from minigrad.viz.numbers import show
from minigrad.viz.race import Floats, Run, Surface, heights, levels

WIDTH, HEIGHT = 620.0, 440.0
_LEFT, _BOTTOM, _TOP = 44.0, 34.0, 12.0


class Scale:
    """From the surface's x and y to the picture's, with ends far outside kept near the edge."""

    def __init__(self, xs: tuple[float, float], ys: tuple[float, float]) -> None:
        self.xs, self.ys = xs, ys

    def __call__(self, points: Floats) -> list[tuple[float, float]]:
        """Return where points of shape (n, 2) lie in the picture."""
        low, high = np.array([self.xs[0], self.ys[0]]), np.array([self.xs[1], self.ys[1]])
        share = np.clip((np.asarray(points) - low) / (high - low), -3, 4)
        across = _LEFT + share[:, 0] * (WIDTH - _LEFT - 12)
        up = HEIGHT - _BOTTOM - share[:, 1] * (HEIGHT - _BOTTOM - _TOP)
        return [(round(float(x), 1), round(float(y), 1)) for x, y in zip(across, up, strict=True)]


def picture(surface: Surface, start: Floats, scale: Scale, clip: str, *over: Child) -> Markup:
    """The contour lines, the axes, the start and the lowest point, and what is drawn over them.

    ``clip`` is the id that the clipping path gets: paths that leave the window are cut off by it.
    """
    from contourpy import contour_generator

    x, y, grid = heights(surface, scale.xs, scale.ys, count=81)
    generator = contour_generator(x, y, grid)
    window = {"x": _LEFT, "y": _TOP, "width": WIDTH - _LEFT - 12, "height": HEIGHT - _BOTTOM - _TOP}
    lines = []
    for level in levels(grid, 14):
        for found in generator.lines(level):
            line = np.asarray(found, dtype=np.float64)
            thin = line if len(line) < 3 else np.concatenate([line[:-1:2], line[-1:]])
            lines.append(tag("polyline", class_="level", points=_points(scale(thin))))
    [(sx, sy)] = scale(start[None])
    marks = [
        tag("circle", class_="start", cx=sx, cy=sy, r=5),
        tag("text", "start", x=sx + 8, y=sy - 7),
    ]
    if surface.lowest is not None:
        [(gx, gy)] = scale(np.array([surface.lowest]))
        marks += [
            tag("path", class_="goal", d=f"M{gx - 6} {gy}h12M{gx} {gy - 6}v12"),
            tag("text", "lowest", x=gx + 8, y=gy + 15),
        ]
    return tag(
        "svg", tag("clipPath", tag("rect", **window), id=clip), tag("rect", class_="plane", **window),
        lines, _ticks(scale), marks, *over,
        xmlns=SVG, class_="mgo-graph", width=f"{WIDTH:.0f}", height=f"{HEIGHT:.0f}",
        viewBox=f"0 0 {WIDTH:.0f} {HEIGHT:.0f}", role="img",
        aria_label=f"paths of the optimizers over the contour lines of {surface.text}",
    )  # fmt: skip


def _points(places: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x},{y}" for x, y in places)


def _ticks(scale: Scale) -> list[Markup]:
    from matplotlib.ticker import MaxNLocator

    found = []
    for value in MaxNLocator(7).tick_values(*scale.xs):
        if scale.xs[0] <= value <= scale.xs[1]:
            [(x, _)] = scale(np.array([[value, scale.ys[0]]]))
            y = HEIGHT - _BOTTOM + 15
            found.append(tag("text", show(value), class_="tick", x=x, y=y, text_anchor="middle"))
    for value in MaxNLocator(6).tick_values(*scale.ys):
        if scale.ys[0] <= value <= scale.ys[1]:
            [(_, y)] = scale(np.array([[scale.xs[0], value]]))
            found.append(tag("text", show(value), class_="tick", x=_LEFT - 6, y=y + 4, text_anchor="end"))
    middle = (WIDTH + _LEFT) / 2
    found.append(tag("text", "x", x=middle, y=HEIGHT - 3, text_anchor="middle"))
    found.append(tag("text", "y", x=8, y=HEIGHT / 2))
    return found


def dash(name: str) -> str:
    """Return the pattern of an optimizer's line."""
    return {"-": "", "--": "6 4", ":": "2 3"}[LINES[name][1]]


def paths(runs: Sequence[Run], scale: Scale, clip: str) -> Markup:
    """What makes the picture a document of its own, of the last frame: its style, all paths, a legend."""
    x, y = WIDTH - 148, _TOP + 18
    drawn = []
    legend = [
        tag("rect", class_="legend", x=x - 8, y=_TOP + 4, width=138, height=17 * len(runs) + 8, rx=4),
    ]
    for k, run in enumerate(runs):
        line = {"stroke": LINES[run.name][0], "stroke_dasharray": dash(run.name)}
        places = _points(scale(run.path[np.isfinite(run.path).all(axis=1)]))
        drawn.append(
            tag("polyline", class_="path", clip_path=f"url(#{clip})", points=places, stroke_width=2, **line)
        )
        legend += [
            tag("path", d=f"M{x} {y + 17 * k - 4}h26", stroke_width=2.4, **line),
            tag("text", run.name, x=x + 33, y=y + 17 * k),
        ]
    return fragment(picture_style(asset("paths.css")), drawn, legend)
