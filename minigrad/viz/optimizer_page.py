"""The optimizer stepper: every line of seven update rules, step by step, beside the path that it takes.

One self-contained piece of HTML. Without scripts it shows the finished paths and the tables of all steps; a script,
where one runs, adds the choice of an optimizer, buttons, a slider and keys.
"""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigrad.escape import xml as escape
from minigrad.files import atomic_write
from minigrad.symbols.formula import SYMBOLS, Unicode
from minigrad.viz.embed import asset, embedded, themed
from minigrad.viz.landscape import LINES
from minigrad.viz.optimizer_graph import DARK, GRAPH_CSS, LIGHT, Scale, dash, finished, ground, number
from minigrad.viz.race import Function, Run, Step, Surface, race, surface_of, window


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
        atomic_write(path, f"{head}{_html(self, alone=True)}\n</body></html>\n")

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
    names = {row.tree: row.symbol for row in step.rows if row.tree is not None}
    for i, row in enumerate(step.rows):
        symbol = SYMBOLS.get(row.symbol, row.symbol)
        old = row.given and row.symbol != "g"
        text = row.text if row.given or row.tree is None else Unicode(names).text(row.tree).replace("^t", "ᵗ")
        found.append((f"{symbol}, before" if old else symbol, text, _pair(row.value)))
        if i == last:
            found[-1] = (f"{symbol}, after", found[-1][1], found[-1][2])
    return found


def _pair(value: Any) -> tuple[str, str]:
    entries = np.asarray(value, dtype=np.float64)
    if entries.ndim == 0:
        return number(float(entries)), ""
    return number(float(entries[0])), number(float(entries[1]))


def _tables(shown: OptimizerStepper) -> str:
    parts = []
    for run in shown.runs:
        names = [symbol for symbol, _, _ in table(run.steps[0])]
        head = "".join(f'<th scope="col">{escape(name)}</th>' for name in [*names, "J"])
        body = "".join(
            "<tr>"
            + "".join(f"<td>{' , '.join(v for v in value if v)}</td>" for _, _, value in table(step))
            + f"<td>{number(step.loss)}</td></tr>"
            for step in run.steps
        )
        parts.append(
            f"<table><caption>{escape(run.name)}, rate {run.rate:g}: x , y at every step</caption>"
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )
    return "".join(parts)


def _html(shown: OptimizerStepper, *, alone: bool = False) -> str:
    identity = f"mgo-{secrets.token_hex(6)}"
    clip = f"{identity}-clip"
    scale = Scale(*window(list(shown.runs), shown.surface))
    drawn = ground(shown.surface, shown.runs[0].path[0], scale, clip)
    image = base64.b64encode(finished(shown.runs, drawn, scale, clip).encode()).decode()
    data = {
        "svg": f"{drawn}</svg>",
        "clip": f"url(#{clip})",
        "first": list(LINES).index("Adam"),
        "runs": [
            {
                "name": run.name,
                "rate": f"{run.rate:g}",
                "colour": LINES[run.name][0],
                "dash": dash(run.name),
                "points": scale(np.nan_to_num(run.path, nan=1e9)),
                "start": _pair(run.path[0]),
                "losses": [number(loss) for loss in run.losses],
                "steps": [table(step) for step in run.steps],
            }
            for run in shown.runs
        ],
    }
    script = (asset("theme.js") + asset("keys.js") + asset("optimizers.js")).replace("@ID@", identity)
    title = escape(f"Seven optimizers on J = {shown.surface.text}, from the same start")
    return (
        f'<div class="mgo" id="{identity}"{" data-page" if alone else ""} role="group" '
        f'aria-label="{title}"><style>{_style()}</style>'
        f'<h3>{title}</h3><div class="mgo-bar mgo-choice" role="group" aria-label="optimizer"></div>'
        '<div class="mgo-bar mgo-steps" role="group" aria-label="steps"></div>'
        '<div class="mgo-panes"><div class="mgo-picture">'
        f'<img alt="{escape(repr(shown))}" src="data:image/svg+xml;base64,{image}"></div>'
        '<div class="mgo-rows"></div></div>'
        '<p class="mgo-hint"></p>'
        f'<details><summary>All steps as tables</summary><div class="mgo-list">{_tables(shown)}</div></details>'
        f'<script type="application/json">{embedded(data)}</script><script>(() => {{{script}}})();</script></div>'
    )


def _style() -> str:
    return themed(".mgo", LIGHT, DARK) + GRAPH_CSS + asset("optimizers.css")
