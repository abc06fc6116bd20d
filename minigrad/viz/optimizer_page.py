"""The optimizer stepper: every line of seven update rules, step by step, beside the path that it takes.

One self-contained piece of HTML. Without scripts it shows the finished paths and the tables of all steps; a script,
where one runs, adds the choice of an optimizer, buttons, a slider and keys.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from typing import Any

import numpy as np

from minigrad.files import atomic_write
from minigrad.viz.landscape import LINES
from minigrad.viz.race import Floats, Function, Run, Step, Surface, heights, levels, race, surface_of, window

WIDTH, HEIGHT = 620.0, 440.0
_LEFT, _BOTTOM, _TOP = 44.0, 34.0, 12.0
_SYMBOLS = {
    "theta": "θ",
    "m_hat": "m̂",
    "v_hat": "v̂",
    "eta": "η",
    "eta_t": "η_t",
    "alpha": "α",
    "beta1": "β₁",
    "beta2": "β₂",
    "eps": "ε",
    "mu": "μ",
}


@dataclass(frozen=True)
class OptimizerStepper:
    """What ``optimizers`` returns: notebooks show it, ``save`` writes a page, ``runs`` holds every number."""

    surface: Surface
    runs: tuple[Run, ...]

    def html(self) -> str:
        """Return the display as a piece of HTML that needs nothing else."""
        return _html(self)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the display as a page of its own, whole or not at all."""
        head = (
            '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{escape('Optimizers on ' + self.surface.name)}</title>"
            "<style>body{margin:1rem;background:#fff}"
            "@media(prefers-color-scheme:dark){body{background:#0f1113}}</style></head><body>\n"
        )
        atomic_write(path, f"{head}{self.html()}\n</body></html>\n")

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self.html()}

    def __repr__(self) -> str:
        ends = ", ".join(f"{run.name} {run.losses[-1]:.4g}" for run in self.runs)
        return (
            f"OptimizerStepper({self.surface.name!r}, {len(self.runs[0].steps)} steps; J at the end: {ends})"
        )


def optimizers(
    surface: str | Function | Surface = "valley",
    start: tuple[float, float] | None = None,
    lr: float | Mapping[str, float] | None = None,
    steps: int = 30,
    *,
    noise: float | None = None,
    seed: int = 0,
) -> OptimizerStepper:
    """Step through GD, SGD, momentum, AdaGrad, RMSprop, Adam and AdamAsPrinted on one surface, from one start.

    ``surface`` is ``"valley"``, ``"bowl"``, ``"saddle"``, ``"banana"`` or a function of x and y. The other arguments,
    and what is raised, are those of ``minigrad.viz.race.race``. Each step shows the lines of the optimizer's formula in
    ``minigrad.optim.formulas`` with their values, for x and for y.
    """
    where = surface_of(surface, start)
    return OptimizerStepper(
        where, tuple(race(where, start or where.start, lr, steps, noise=noise, seed=seed))
    )


def table(step: Step) -> list[tuple[str, str, tuple[str, str]]]:
    """The rows of one step as text: symbol, formula, and the value for x and for y."""
    found = [("t", "", (str(step.t), ""))]
    last = len(step.rows) - 1
    for i, row in enumerate(step.rows):
        symbol = _SYMBOLS.get(row.symbol, row.symbol)
        old = row.given and row.symbol != "g"
        found.append((f"{symbol}, before" if old else symbol, _pretty(row.text), _pair(row.value)))
        if i == last:
            found[-1] = (f"{symbol}, after", found[-1][1], found[-1][2])
    return found


def _pretty(text: str) -> str:
    """The formula's source in the symbols of the paper; only whole names are replaced."""
    words, word = [], ""
    for letter in f"{text} ":
        if letter.isalnum() or letter == "_":
            word += letter
        else:
            words.append(_SYMBOLS.get(word, word) + letter)
            word = ""
    pretty = "".join(words).strip()
    for plain, nice in (
        ("np.sqrt", "√"),
        ("math.sqrt", "√"),
        ("**2", "²"),
        ("**t", "ᵗ"),
        (" * ", " · "),
        (" - ", " − "),
    ):
        pretty = pretty.replace(plain, nice)
    return pretty


def _pair(value: Any) -> tuple[str, str]:
    entries = np.asarray(value, dtype=np.float64)
    if entries.ndim == 0:
        return _number(float(entries)), ""
    return _number(float(entries[0])), _number(float(entries[1]))


def _number(value: float) -> str:
    return f"{value:.4g}".replace("-", "−")


class _Scale:
    """From the surface's x and y to the picture's, with ends far outside kept near the edge."""

    def __init__(self, xs: tuple[float, float], ys: tuple[float, float]) -> None:
        self.xs, self.ys = xs, ys

    def __call__(self, points: Floats) -> list[tuple[float, float]]:
        low, high = np.array([self.xs[0], self.ys[0]]), np.array([self.xs[1], self.ys[1]])
        share = np.clip((np.asarray(points) - low) / (high - low), -3, 4)
        across = _LEFT + share[:, 0] * (WIDTH - _LEFT - 12)
        up = HEIGHT - _BOTTOM - share[:, 1] * (HEIGHT - _BOTTOM - _TOP)
        return [(round(float(x), 1), round(float(y), 1)) for x, y in zip(across, up, strict=True)]


def _background(shown: OptimizerStepper, scale: _Scale, name: str) -> str:
    """The contour lines, the axes, the start and the lowest point; without the closing tag."""
    from contourpy import contour_generator

    x, y, grid = heights(shown.surface, scale.xs, scale.ys, count=81)
    generator = contour_generator(x, y, grid)
    inner = f'x="{_LEFT}" y="{_TOP}" width="{WIDTH - _LEFT - 12}" height="{HEIGHT - _BOTTOM - _TOP}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:.0f} {HEIGHT:.0f}" role="img" '
        f'aria-label="{escape("paths of the optimizers over the contour lines of " + shown.surface.text)}" '
        'font-family="system-ui, \'DejaVu Sans\', sans-serif" font-size="11">',
        f'<rect width="{WIDTH:.0f}" height="{HEIGHT:.0f}" fill="#ffffff"/>',
        f'<clipPath id="{name}"><rect {inner}/></clipPath><rect {inner} fill="#f7fafc" stroke="#d0d0d0"/>',
    ]
    for level in levels(grid, 14):
        for found in generator.lines(level):
            line = np.asarray(found, dtype=np.float64)
            thin = line if len(line) < 3 else np.concatenate([line[:-1:2], line[-1:]])
            points = " ".join(f"{px},{py}" for px, py in scale(thin))
            parts.append(f'<polyline points="{points}" fill="none" stroke="#9db4c3" stroke-width="0.9"/>')
    parts += _ticks(scale)
    [(sx, sy)] = scale(shown.runs[0].path[:1])
    parts.append(f'<circle cx="{sx}" cy="{sy}" r="5" fill="#222222"/>')
    parts.append(f'<text x="{sx + 8}" y="{sy - 7}" fill="#222222">start</text>')
    if shown.surface.lowest is not None:
        [(gx, gy)] = scale(np.array([shown.surface.lowest]))
        parts.append(f'<path d="M{gx - 6} {gy}h12M{gx} {gy - 6}v12" stroke="#222222" stroke-width="2"/>')
        parts.append(f'<text x="{gx + 8}" y="{gy + 15}" fill="#222222">lowest</text>')
    return "".join(parts)


def _ticks(scale: _Scale) -> list[str]:
    from matplotlib.ticker import MaxNLocator

    found = []
    for value in MaxNLocator(7).tick_values(*scale.xs):
        if scale.xs[0] <= value <= scale.xs[1]:
            [(x, _)] = scale(np.array([[value, scale.ys[0]]]))
            found.append(
                f'<text x="{x}" y="{HEIGHT - _BOTTOM + 15}" text-anchor="middle" fill="#5c5c5c">'
                f"{_number(value)}</text>"
            )
    for value in MaxNLocator(6).tick_values(*scale.ys):
        if scale.ys[0] <= value <= scale.ys[1]:
            [(_, y)] = scale(np.array([[scale.xs[0], value]]))
            found.append(
                f'<text x="{_LEFT - 6}" y="{y + 4}" text-anchor="end" fill="#5c5c5c">{_number(value)}</text>'
            )
    middle = (WIDTH + _LEFT) / 2
    found.append(f'<text x="{middle}" y="{HEIGHT - 3}" text-anchor="middle" fill="#222222">x</text>')
    found.append(f'<text x="8" y="{HEIGHT / 2}" fill="#222222">y</text>')
    return found


def _dash(name: str) -> str:
    return {"-": "", "--": "6 4", ":": "2 3"}[LINES[name][1]]


def _static(shown: OptimizerStepper, background: str, scale: _Scale, name: str) -> str:
    """The last frame: all paths, each with its line and, in a legend, its name."""
    parts = [background]
    for k, run in enumerate(shown.runs):
        colour, dash = LINES[run.name][0], _dash(run.name)
        points = " ".join(f"{x},{y}" for x, y in scale(_finite(run.path)))
        parts.append(
            f'<polyline clip-path="url(#{name})" points="{points}" fill="none" stroke="{colour}" '
            f'stroke-width="2" stroke-dasharray="{dash}" stroke-linejoin="round"/>'
        )
        y = _TOP + 18 + 17 * k
        x = WIDTH - 148
        if k == 0:
            parts.append(
                f'<rect x="{x - 8}" y="{_TOP + 4}" width="138" height="{17 * len(shown.runs) + 8}" rx="4" '
                'fill="#ffffff" fill-opacity="0.88" stroke="#d0d0d0"/>'
            )
        parts.append(
            f'<path d="M{x} {y - 4}h26" stroke="{colour}" stroke-width="2.4" stroke-dasharray="{dash}"/>'
            f'<text x="{x + 33}" y="{y}" fill="#222222">{escape(run.name)}</text>'
        )
    return "".join([*parts, "</svg>"])


def _finite(path: Floats) -> Floats:
    kept: Floats = path[np.isfinite(path).all(axis=1)]
    return kept


def _tables(shown: OptimizerStepper) -> str:
    parts = []
    for run in shown.runs:
        names = [symbol for symbol, _, _ in table(run.steps[0])]
        head = "".join(f'<th scope="col">{escape(name)}</th>' for name in [*names, "J"])
        body = "".join(
            "<tr>"
            + "".join(f"<td>{' , '.join(v for v in value if v)}</td>" for _, _, value in table(step))
            + f"<td>{_number(step.loss)}</td></tr>"
            for step in run.steps
        )
        parts.append(
            f"<table><caption>{escape(run.name)}, rate {run.rate:g}: x , y at every step</caption>"
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )
    return "".join(parts)


def _html(shown: OptimizerStepper) -> str:
    identity = f"mgo-{secrets.token_hex(6)}"
    scale = _Scale(*window(list(shown.runs), shown.surface))
    background = _background(shown, scale, f"{identity}-clip")
    image = base64.b64encode(_static(shown, background, scale, f"{identity}-clip").encode()).decode()
    names = list(LINES)
    data = {
        "svg": f"{background}</svg>",
        "clip": f"url(#{identity}-clip)",
        "first": names.index("Adam"),
        "runs": [
            {
                "name": run.name,
                "rate": f"{run.rate:g}",
                "colour": LINES[run.name][0],
                "dash": _dash(run.name),
                "points": scale(np.nan_to_num(run.path, nan=1e9)),
                "start": _pair(run.path[0]),
                "losses": [_number(loss) for loss in run.losses],
                "steps": [table(step) for step in run.steps],
            }
            for run in shown.runs
        ],
    }
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for character, code in (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026")):
        text = text.replace(character, code)
    assets = files("minigrad.viz") / "assets"
    style = (assets / "optimizers.css").read_text(encoding="utf-8")
    script = (assets / "optimizers.js").read_text(encoding="utf-8").replace("@ID@", identity)
    title = escape(f"Seven optimizers on J = {shown.surface.text}, from the same start")
    return (
        f'<div class="mgo" id="{identity}" role="group" aria-label="{title}"><style>{style}</style>'
        f'<h3>{title}</h3><div class="mgo-bar mgo-choice" role="group" aria-label="optimizer"></div>'
        '<div class="mgo-panes"><div class="mgo-picture">'
        f'<img alt="{escape(repr(shown))}" src="data:image/svg+xml;base64,{image}"></div>'
        '<div class="mgo-rows"></div></div>'
        '<div class="mgo-bar mgo-steps" role="group" aria-label="steps"></div>'
        '<p class="mgo-hint" hidden>Keys: ← → one step, Home and End, ↑ ↓ another optimizer.</p>'
        f'<details><summary>All steps as tables</summary><div class="mgo-list">{_tables(shown)}</div></details>'
        f'<script type="application/json">{text}</script><script>{script}</script></div>'
    )
