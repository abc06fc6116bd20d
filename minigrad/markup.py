"""HTML and SVG, built from elements: text is escaped by itself, and only what the builder made is taken as it is.

>>> tag("p", "1 < 2, ", tag("b", "always"), class_="note")
'<p class="note">1 &lt; 2, <b>always</b></p>'
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from minigrad.escape import xml

_VOID = frozenset(["br", "hr", "img", "input", "link", "meta"])
"""Elements of HTML that have no content and no end."""

_SHAPES = frozenset(["circle", "image", "path", "polyline", "rect"])
"""Elements of SVG that are ended where they begin."""


class Markup(str):
    """HTML or SVG that is ready; to call it on any other text is to vouch for that."""

    __slots__ = ()


Child: TypeAlias = str | float | Iterable["Child"] | None


def tag(name: str, /, *children: Child, **attributes: str | float | None) -> Markup:
    """Return an element. Text in it and in its attributes is escaped, with what cannot be seen spelled out.

    - children: text, numbers, ``Markup``, lists of them; None is nothing
    - attributes: ``class_`` is ``class``, ``data_node`` is ``data-node``; one that is True has no value, and one that
      is None or False is left out
    """
    made = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{"" if value is True else xml(value)}"'
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    if not children and (name in _VOID or name in _SHAPES):
        return Markup(f"<{name}{made}{'/' if name in _SHAPES else ''}>")
    return Markup(f"<{name}{made}>{fragment(*children)}</{name}>")


def fragment(*children: Child, between: str = "") -> Markup:
    """Return children one after another, without an element around them; ``between`` two of them stands markup."""
    return Markup(between.join(map(_text, children)))


def verbatim(text: str) -> Markup:
    """Return text whose ends of lines and tabs stay: a program, a message of several lines."""
    return Markup(xml(text, keep="\n\t"))


def _text(child: Child) -> str:
    if isinstance(child, Markup):
        return child
    if child is None:
        return ""
    return xml(child) if isinstance(child, str) or not isinstance(child, Iterable) else fragment(*child)
