"""The stepper as one piece of HTML that needs nothing else: a picture and a list, live where scripts run.

Static first: without scripts there are the program, the graph after the last event as an image, and the list of all
events. A script, where it runs, puts the same drawing into the page and steps through it.
"""

from __future__ import annotations

import base64
import os
import secrets
from functools import cache
from html import escape

from minigrad.files import atomic_write
from minigrad.viz.embed import asset, embedded, themed
from minigrad.viz.explain import explain
from minigrad.viz.page_arrays import NEGATIVE, POSITIVE
from minigrad.viz.page_data import collect, entries, notes, rule, title, where
from minigrad.viz.page_graph import DARK, GRAPH_CSS, LIGHT, draw
from minigrad.viz.page_source import listing
from minigrad.viz.trace import Trace

SCRIPTS = ("theme.js", "keys.js", "numbers.js", "parts.js", "arrays.js", "graph.js", "stepper.js")
BUDGET = 2_300_000
"""Characters that the entries of arrays may take; the rest of a page is small beside it."""
_LONGEST = 240
_WAY = {
    "forward": "values are computed forwards",
    "seed": "gradients are carried back from the loss",
    "update": "the optimizer moves the weights along them",
    "outcome": "the loss is worked out again",
}
LEGEND = (
    '<p class="mg-legend"><span class="mg-at-forward"><b>↓</b> forward</span>'
    '<span class="mg-at-backward"><b>↑</b> backward</span>'
    '<span class="mg-at-update"><b>▭</b> weights, and their update</span>'
    "<span><b>╌</b> stretched by broadcasting</span>"
    f'<span><i style="background:rgb{POSITIVE}"></i> above 0 '
    f'<i style="background:rgb{NEGATIVE}"></i> below 0</span></p>'
)


def html(
    trace: Trace,
    *,
    follow: str | tuple[str, ...] | list[str] = (),
    collapse: bool | None = None,
    budget: int = BUDGET,
) -> str:
    """Return the stepper as a piece of HTML for a notebook, a page of documentation, or ``save``.

    - follow: further weights to offer in "follow one weight": ``"W1[0,2]"`` or several such
    - collapse: whether a layer's tensors share a box of the graph; None: where there are more than 40 tensors
    - budget: how many characters of base64 the arrays' entries may take; beyond it there are only statistics and
      heat maps

    Every display has an id of its own, from the operating system's randomness. MG-911 where a weight to follow is not
    there.
    """
    wanted = (follow,) if isinstance(follow, str) else tuple(follow)
    return _display(trace, wanted, collapse, budget, alone=False)


def _display(
    trace: Trace, wanted: tuple[str, ...], collapse: bool | None, budget: int, *, alone: bool
) -> str:
    """The stepper, ``alone`` on a page or among other things."""
    uid = "mg" + secrets.token_hex(6)
    data = collect(trace, wanted, budget)
    picture = base64.b64encode(draw(trace, uid, collapse).encode()).decode()
    name = escape(trace.title or "recorded step")
    return (
        f'<div class="mg-stepper" id="{uid}"{" data-page" if alone else ""} role="region" '
        f'aria-label="stepper: {name}"><style>{_style()}</style>'
        f'<div class="mg-head"><span class="mg-title">{name}</span>{_introduction(trace)}</div>'
        f'<div class="mg-controls"></div>'
        f'<div class="mg-grid"><section class="mg-pane mg-program"><h4>Program</h4>'
        f'<div class="mg-scroll">{listing(trace) or "<p>not recorded from a file</p>"}</div></section>'
        f'<section class="mg-pane mg-formula" hidden></section><section class="mg-pane mg-entries" hidden></section>'
        f'<section class="mg-pane mg-drawing"><h4>Graph</h4>{LEGEND}'
        f'<div class="mg-canvas"><img alt="the graph of {name} after the last event" '
        f'src="data:image/svg+xml;base64,{picture}"></div></section></div>'
        f'<details class="mg-list"><summary>All {len(trace.events)} events as a list</summary>{_list(trace)}</details>'
        f'<script type="application/json">{embedded(data)}</script>'
        f"<script>{_script().replace('__ID__', uid)}</script></div>"
    )


def save(
    trace: Trace,
    path: str | os.PathLike[str],
    *,
    follow: str | tuple[str, ...] | list[str] = (),
    collapse: bool | None = None,
    budget: int = BUDGET,
) -> None:
    """Write the stepper as a page of its own, whole or not at all; for the options see ``html``."""
    wanted = (follow,) if isinstance(follow, str) else tuple(follow)
    name = escape(trace.title or "recorded step")
    page = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<title>{name} · minigrad</title><link rel="icon" href="data:,"><style>body{{margin:0;background:#eceff2}}'
        "body>.mg-stepper{max-width:1500px;margin:18px auto}"
        "@media(max-width:700px){body>.mg-stepper{margin:0;border-radius:0}}"
        "@media(prefers-color-scheme:dark){body{background:#0d1013}}</style></head>"
        f"<body>{_display(trace, wanted, collapse, budget, alone=True)}</body></html>\n"
    )
    atomic_write(path, page)


def _introduction(trace: Trace) -> str:
    """What is to be seen, in a sentence of the program's own and one of ours."""
    own = " ".join(trace.about.split())
    own = own if len(own) <= _LONGEST else own[: _LONGEST - 1].rsplit(" ", 1)[0] + " …"
    kinds = {event.kind for event in trace.events}
    way = [text for kind, text in _WAY.items() if kind in kinds]
    told = f"Event by event: {', then '.join(way)}." if way else ""
    return f'<p class="mg-about">{escape(" ".join(filter(None, (own, told))))}</p>'


def _list(trace: Trace) -> str:
    items = []
    for event in trace.events:
        lines = [f"<b>{escape(title(trace, event))}</b>", f"<i>{escape(rule(trace, event))}</i>"]
        for entry in entries(trace, event)[:1]:
            said = explain(trace, event, entry)
            pairs = zip(said.symbols.split("\n"), said.numbers.split("\n"), strict=True)
            lines += [f"<code>{escape(text)}</code>" for pair in pairs for text in pair]
        lines += map(escape, notes(trace, event))
        place = where(trace, event)
        items.append(
            f'<li><span class="mg-badge mg-{event.kind}">{event.kind}</span> {"<br>".join(lines)}'
            f"<small>{escape(place)}</small></li>"
        )
    return f"<ol>{''.join(items)}</ol>"


@cache
def _script() -> str:
    parts = "".join(map(asset, SCRIPTS))
    return f"(() => {{{parts}}})();"


@cache
def _style() -> str:
    return themed(".mg-stepper", LIGHT, DARK) + GRAPH_CSS + asset("stepper.css")
