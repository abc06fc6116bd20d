"""What the course's pages share: one look, no scripts, and nothing that has to lie beside them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib.resources import files

from minigrad.course.texts import whole
from minigrad.markup import Child, Markup, fragment, tag, verbatim


def document(title: str, *children: Child, wide: bool = False) -> str:
    """Return a page of its own; ``wide`` is for tables and code side by side."""
    style = files("minigrad.course").joinpath("feedback.css").read_text(encoding="utf-8")
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("title", whole(title)),
        tag("meta", name="viewport", content="width=device-width"),
        tag("style", Markup(style)),
    )
    main = tag("main", *children, class_="report" if wide else None)
    return f"<!doctype html>{tag('html', head, tag('body', main), lang='en')}\n"


def text(value: str) -> Markup:
    """Return somebody's text, of one line or several, with no half of a character in it."""
    return verbatim(whole(value))


def passage(value: str) -> Markup:
    """Return somebody's text with its lines kept apart on the page too."""
    return tag("span", text(value), class_="text")


def note(*children: Child) -> Markup:
    """Return a remark beside what counts."""
    return tag("p", *children, class_="note")


def folded(heading: Child, *children: Child, class_: str | None = None) -> Markup:
    """Return a section of which only the heading is seen until it is opened."""
    return tag("details", tag("summary", heading), *children, class_=class_)


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> Markup:
    """Return a table with a line of headings."""

    def row(kind: str, cells: Sequence[object]) -> Markup:
        return tag("tr", (tag(kind, text(str(cell))) for cell in cells))

    return tag("table", row("th", head), (row("td", cells) for cells in rows))


def under(heading: str, *children: Child) -> Markup:
    """Return a part of a page below its heading."""
    return fragment(tag("h3", text(heading)), *children)
