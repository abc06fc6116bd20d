"""What every self-contained display needs: its assets, data that are safe in a page, colours that follow the theme."""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files
from typing import Any

_UNSAFE = re.compile("[<>&\u2028\u2029\ud800-\udfff]")
"""What ends a script or a line of one, and halves of characters, which no file can hold."""


@cache
def asset(name: str) -> str:
    """Return the text of a file in ``assets/``."""
    return (files("minigrad.viz") / "assets" / name).read_text(encoding="utf-8")


def embedded(data: Any) -> str:
    """Return JSON that is safe inside ``<script>``, whatever the labels hold."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def themed(selector: str, light: str, dark: str) -> str:
    """Return CSS that gives a display the system's theme, or the one that ``theme.js`` noted in ``data-theme``."""
    return (
        f"{selector}{{{light};color-scheme:light}}@media(prefers-color-scheme:dark){{{selector}:not([data-theme=light])"
        f"{{{dark};color-scheme:dark}}}}{selector}[data-theme=dark]{{{dark};color-scheme:dark}}"
    )


def picture_style(light: str, dark: str, css: str) -> str:
    """Return the ``<style>`` of an SVG that is a document of its own: it follows the system's theme."""
    return f"<style>:root{{{light}}}@media(prefers-color-scheme:dark){{:root{{{dark}}}}}{css}</style>"
