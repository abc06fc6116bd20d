"""What every self-contained display needs: its assets, data that are safe in a page, colours that follow the theme."""

from __future__ import annotations

import base64
import json
import re
from functools import cache
from importlib.resources import files
from typing import Any

from minigrad.markup import Child, Markup, tag
from minigrad.viz.palette import DARK, GROUND, LIGHT

SVG = "http://www.w3.org/2000/svg"
_UNSAFE = re.compile("[<>&\u2028\u2029\ud800-\udfff]")
"""What ends a script or a line of one, and halves of characters, which no file can hold."""


@cache
def asset(name: str) -> str:
    """Return the text of a file in ``assets/``."""
    return (files("minigrad.viz") / "assets" / name).read_text(encoding="utf-8")


def embedded(data: Any) -> Markup:
    """Return data for a script as JSON that nothing in it can end, whatever the labels hold."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    safe = _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    return tag("script", Markup(safe), type="application/json")


def image(picture: str) -> str:
    """Return an SVG document as the address of an image."""
    return "data:image/svg+xml;base64," + base64.b64encode(picture.encode()).decode()


def document(title: str, css: str, *body: Child) -> str:
    """Return a page of its own."""
    ground = "body{{background:{}}}@media(prefers-color-scheme:dark){{body{{background:{}}}}}".format(*GROUND)
    heading = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width,initial-scale=1"),
        tag("title", title),
        tag("link", rel="icon", href="data:,"),
        tag(
            "style",
            Markup(css + ground),
        ),
    )
    return f"<!doctype html>\n{tag('html', heading, tag('body', *body), lang='en')}\n"


def themed(selector: str) -> str:
    """Return CSS that gives a display the system's theme, or the one that ``theme.js`` noted in ``data-theme``."""
    return (
        f"{selector}{{{LIGHT};color-scheme:light}}@media(prefers-color-scheme:dark){{{selector}:not([data-theme=light])"
        f"{{{DARK};color-scheme:dark}}}}{selector}[data-theme=dark]{{{DARK};color-scheme:dark}}"
    )


def picture_style(css: str) -> Markup:
    """Return the ``<style>`` of an SVG that is a document of its own: it follows the system's theme."""
    return tag("style", Markup(f":root{{{LIGHT}}}@media(prefers-color-scheme:dark){{:root{{{DARK}}}}}{css}"))
