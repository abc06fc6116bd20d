"""The stepper as one piece of HTML that needs nothing else: a picture and a list, live where scripts run.

Static first: without scripts there are the program, the graph after the last event as an image, and the list of all
events. A script, where it runs, puts the same drawing into the page and steps through it.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, TypeAlias

from minigrad.files import atomic_write
from minigrad.markup import Child, Markup, fragment, tag
from minigrad.viz import page_live
from minigrad.viz.embed import asset, document, embedded, image, themed
from minigrad.viz.explain import explain
from minigrad.viz.page_data import collect, entries, notes, rule, title, where
from minigrad.viz.page_graph import draw
from minigrad.viz.page_source import listing
from minigrad.viz.trace import Trace

SCRIPTS = (
    "theme.js",
    "keys.js",
    "numbers.js",
    "parts.js",
    "arrays.js",
    "inspector.js",
    "graph.js",
    "numpy.js",
    "live.js",
    "editor.js",
    "views.js",
    "curves.js",
    "units.js",
    "see.js",
    "windows.js",
    "reading.js",
    "landscape.js",
    "histograms.js",
    "compare.js",
    "guess.js",
    "change.js",
    "stepper.js",
)
_STYLES = ("graph.css", "stepper.css", "change.css", "views.css", "pictures.css")
_WITH_A_PAD, _WITH_A_LESSON = ("pad.js",), ("conditions.js", "lesson.js")
Lesson: TypeAlias = Callable[[Trace, page_live.Page | None, str], dict[str, Any]]
"""What makes the data of a lesson on a recorded step, its page, or why there is no live one; see ``viz.lessons``."""
BUDGET = 2_300_000
"""Characters that the entries of arrays may take; the rest of a page is small beside it."""
_LONGEST = 240
_PAGE_CSS = (
    "body{margin:0}main>.mg-stepper{max-width:1500px;margin:18px auto}"
    "@media(max-width:700px){main>.mg-stepper{margin:0;border-radius:0}}"
)
_WAY = {
    "forward": "values are computed forwards",
    "seed": "gradients are carried back from the loss",
    "update": "the optimizer moves the weights along them",
    "outcome": "the loss is worked out again",
}
LEGEND = tag(
    "p",
    tag("span", tag("b", "↓"), " forward", class_="mg-at-forward"),
    tag("span", tag("b", "↑"), " backward", class_="mg-at-backward"),
    tag("span", tag("b", "▭"), " weights, and their update", class_="mg-at-update"),
    tag("span", tag("b", "╌"), " stretched by broadcasting"),
    tag(
        "span",
        *(tag("i", style="background:var(--above)"), " above 0 "),
        *(tag("i", style="background:var(--below)"), " below 0"),
    ),
    class_="mg-legend",
)


def html(
    trace: Trace,
    *,
    follow: str | tuple[str, ...] | list[str] = (),
    collapse: bool | None = None,
    budget: int = BUDGET,
    live: bool = True,
    lesson: Lesson | None = None,
) -> str:
    """Return the stepper as a piece of HTML for a notebook, a page of documentation, or ``save``.

    - follow: further weights to offer in "follow one weight": ``"W1[0,2]"`` or several such
    - collapse: whether a layer's tensors share a box of the graph; None: where there are more than 40 tensors
    - budget: how many characters of base64 the arrays' entries may take; beyond it there are only statistics and
      heat maps
    - live: whether numbers can be changed, where the recording is a program; of several steps the page is then the
      first, and takes the batches of the others in turn. Otherwise they stand one below the other
    - lesson: challenges to put on the page, by ``minigrad.viz.lessons.binding.on_page``

    Every display has an id of its own, from the operating system's randomness. MG-911 where a weight to follow is not
    there.
    """
    return _display(trace, follow, collapse, budget, live, lesson, alone=False)


def _display(
    trace: Trace,
    follow: str | Iterable[str],
    collapse: bool | None,
    budget: int,
    live: bool,
    lesson: Lesson | None,
    *,
    alone: bool,
) -> Markup:
    """The stepper, ``alone`` on a page or among other things."""
    follow = (follow,) if isinstance(follow, str) else tuple(follow)
    program, still = page_live.page(trace) if live else (None, "")
    data = collect(trace if program is None else program.step, follow, budget, program)
    if program is not None and data["live"] is None:
        program, still = None, "its arrays are too large for a page"
        data = collect(trace, follow, budget)
    steps, trace = len(trace.steps), trace if program is None else program.step
    if lesson is not None:
        data["lesson"] = lesson(trace, program, still)
    has_pad = program is not None and bool(data["live"]["pad"])
    script = _script(has_pad, lesson is not None).replace("__PROGRAM__", page_live.as_script(program))
    uid = "mg" + secrets.token_hex(6)
    name = trace.title or "recorded step"
    introduction = _introduction(trace, 1 if program is None else steps, still)
    alt = f"the graph of {name} after the last event"
    drawing = tag("img", alt=alt, loading="lazy", src=image(draw(trace, uid, collapse)))
    return tag(
        "div",
        tag("style", Markup(_style(has_pad, lesson is not None))),
        tag("div", tag("h1" if alone else "span", name, class_="mg-title"), introduction, class_="mg-head"),
        tag("div", class_="mg-controls"),
        tag(
            "div",
            _pane("program", tag("h4", "Program", aria_level=2), tag("div", _source(trace), class_="mg-scroll")),
            _pane("formula", hidden=True),
            _pane("entries", hidden=True),
            _pane("drawing", tag("h4", "Graph", aria_level=2), LEGEND, tag("div", drawing, class_="mg-canvas")),
            class_="mg-grid",
        ),
        tag("details", tag("summary", f"All {len(trace.events)} events as a list"), _list(trace), class_="mg-list"),
        embedded(data),
        tag("script", Markup(script.replace("__ID__", uid))),
        class_="mg-stepper", id=uid, data_page=alone, role="region", aria_label=f"stepper: {name}",
    )  # fmt: skip


def _pane(kind: str, *children: Child, hidden: bool = False) -> Markup:
    return tag("section", *children, class_=f"mg-pane mg-{kind}", hidden=hidden)


def _source(trace: Trace) -> Markup:
    return listing(trace) or tag("p", "not recorded from a file")


def save(
    trace: Trace,
    path: str | os.PathLike[str],
    *,
    follow: str | tuple[str, ...] | list[str] = (),
    collapse: bool | None = None,
    budget: int = BUDGET,
    live: bool = True,
    lesson: Lesson | None = None,
) -> None:
    """Write the stepper as a page of its own, whole or not at all; for the options see ``html``."""
    text = whole(trace, follow=follow, collapse=collapse, budget=budget, live=live, lesson=lesson)
    atomic_write(path, text)


def whole(
    trace: Trace,
    *,
    follow: str | tuple[str, ...] | list[str] = (),
    collapse: bool | None = None,
    budget: int = BUDGET,
    live: bool = True,
    lesson: Lesson | None = None,
) -> str:
    """Return the stepper as the text of a page of its own; for the options see ``html``."""
    shown = _display(trace, follow, collapse, budget, live, lesson, alone=True)
    return document(f"{trace.title or 'recorded step'} · minigrad", _PAGE_CSS, tag("main", shown))


def _introduction(trace: Trace, steps: int, still: str) -> Markup:
    """What is to be seen, in a sentence of the program's own and one of ours; what to try, or why nothing changes."""
    own = " ".join(trace.about.split())
    own = own if len(own) <= _LONGEST else own[: _LONGEST - 1].rsplit(" ", 1)[0] + " …"
    kinds = {event.kind for event in trace.events}
    way = [text for kind, text in _WAY.items() if kind in kinds]
    sequence = f"Event by event: {', then '.join(way)}." if way else ""
    further = f"Next step takes the batches of the {steps} recorded steps in turn." if steps > 1 else ""
    said = [tag("p", " ".join(filter(None, (own, sequence, further))), class_="mg-about")]
    if trace.hint and not still:
        said.append(tag("p", trace.hint, class_="mg-about mg-try"))
    if still:
        said.append(tag("p", f"No number can be changed here: {still}", class_="mg-about mg-still"))
    return fragment(*said)


def _list(trace: Trace) -> Markup:
    items = []
    for event in trace.events:
        lines: list[str] = [tag("b", title(trace, event)), tag("i", rule(trace, event))]
        for entry in entries(trace, event)[:1]:
            explanation = explain(trace, event, entry)
            pairs = zip(explanation.symbols.split("\n"), explanation.numbers.split("\n"), strict=True)
            lines += [tag("code", text) for pair in pairs for text in pair]
        lines += notes(trace, event)
        badge = tag("span", event.kind, class_=f"mg-badge mg-{event.kind}")
        items.append(
            tag("li", badge, " ", fragment(*lines, between="<br>"), tag("small", where(trace, event)))
        )
    return tag("ol", items)


@cache
def _script(has_pad: bool, has_lesson: bool) -> str:
    wanted = (_WITH_A_PAD if has_pad else ()) + (_WITH_A_LESSON if has_lesson else ())
    texts = map(asset, (*SCRIPTS[:-1], *wanted, SCRIPTS[-1]))
    *parts, last = (re.sub("^ +", "", text, flags=re.MULTILINE) for text in texts)  # pages stay small
    return f"(() => {{{''.join(parts)}__PROGRAM__{last}}})();"


@cache
def _style(has_pad: bool, has_lesson: bool) -> str:
    wanted = (("pad.css",) if has_pad else ()) + (("lesson.css",) if has_lesson else ())
    return themed(".mg-stepper") + "".join(map(asset, (*_STYLES, *wanted)))
