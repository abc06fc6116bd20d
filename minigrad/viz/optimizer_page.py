"""The optimizer stepper: every line of seven update rules, step by step, beside the path that it takes.

One self-contained piece of HTML. Without scripts it shows the finished paths and the tables of all steps; a script,
where one runs, adds the choice of an optimizer, buttons, a slider and keys.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigrad.files import atomic_write
from minigrad.markup import Markup, fragment, tag
from minigrad.symbols.formula import SYMBOLS, Unicode
from minigrad.viz.embed import asset, document, embedded, image, themed
from minigrad.viz.landscape import LINES
from minigrad.viz.numbers import show
from minigrad.viz.optimizer_graph import Scale, dash, paths, picture
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
        shown = _html(self, alone=True)
        atomic_write(path, document(f"Optimizers on {self.surface.name}", "body{margin:1rem}", shown))

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self.html()}

    def __repr__(self) -> str:
        ends = ", ".join(f"{run.name} {show(run.losses[-1])}" for run in self.runs)
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
        return show(entries), ""
    return show(entries[0]), show(entries[1])


def _tables(shown: OptimizerStepper) -> Markup:
    tables = []
    for run in shown.runs:
        names = [*(symbol for symbol, _, _ in table(run.steps[0])), "J"]
        rows = [
            [*(" , ".join(filter(None, value)) for _, _, value in table(step)), show(step.loss)]
            for step in run.steps
        ]
        tables.append(
            tag(
                "table",
                tag("caption", f"{run.name}, rate {show(run.rate)}: x , y at every step"),
                tag("thead", tag("tr", (tag("th", name, scope="col") for name in names))),
                tag("tbody", (tag("tr", (tag("td", cell) for cell in row)) for row in rows)),
            )
        )
    return fragment(tables)


def _html(shown: OptimizerStepper, *, alone: bool = False) -> Markup:
    identity = f"mgo-{secrets.token_hex(6)}"
    clip = f"{identity}-clip"
    scale = Scale(*window(list(shown.runs), shown.surface))
    ground = (shown.surface, shown.runs[0].path[0], scale, clip)
    finished = image(picture(*ground, paths(shown.runs, scale, clip)))
    data = {
        "svg": picture(*ground),
        "clip": f"url(#{clip})",
        "first": list(LINES).index("Adam"),
        "runs": [
            {
                "name": run.name,
                "rate": show(run.rate),
                "colour": LINES[run.name][0],
                "dash": dash(run.name),
                "points": scale(np.nan_to_num(run.path, nan=1e9)),
                "start": _pair(run.path[0]),
                "losses": list(map(show, run.losses)),
                "steps": [table(step) for step in run.steps],
            }
            for run in shown.runs
        ],
    }
    script = (asset("theme.js") + asset("keys.js") + asset("optimizers.js")).replace("@ID@", identity)
    title = f"Seven optimizers on J = {shown.surface.text}, from the same start"
    return tag(
        "div",
        tag("style", Markup(_style())),
        tag("h3", title),
        tag("div", class_="mgo-bar mgo-choice", role="group", aria_label="optimizer"),
        tag("div", class_="mgo-bar mgo-steps", role="group", aria_label="steps"),
        tag(
            "div",
            tag("div", tag("img", alt=repr(shown), src=finished), class_="mgo-picture"),
            tag("div", class_="mgo-rows"),
            class_="mgo-panes",
        ),
        tag("p", class_="mgo-hint"),
        tag("details", tag("summary", "All steps as tables"), tag("div", _tables(shown), class_="mgo-list")),
        embedded(data),
        tag("script", Markup(f"(() => {{{script}}})();")),
        class_="mgo", id=identity, data_page=alone, role="group", aria_label=title,
    )  # fmt: skip


def _style() -> str:
    return themed(".mgo") + asset("paths.css") + asset("optimizers.css")
