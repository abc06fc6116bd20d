"""The builder of HTML and SVG: what is text reads as it was, what is an element is one."""

from __future__ import annotations

import ast
import re
import xml.etree.ElementTree as etree
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad
from minigrad.escape import printable
from minigrad.markup import Markup, fragment, tag, verbatim
from tests.test_escape import HOSTILE, TEXTS

ROOT = Path(minigrad.__file__).parent

Tree = st.recursive(
    TEXTS,
    lambda inner: st.tuples(
        st.sampled_from(["p", "g", "text", "b"]),
        st.dictionaries(st.sampled_from(["class", "data-x", "id"]), TEXTS, max_size=2),
        st.lists(inner, max_size=3),
    ),
    max_leaves=8,
)


def built(tree: object) -> object:
    if isinstance(tree, str):
        return tree
    name, attributes, children = tree
    given = {
        key.replace("-", "_") + ("_" if key == "class" else ""): value for key, value in attributes.items()
    }
    return tag(name, *map(built, children), **given)


def read(element: etree.Element) -> object:
    """The tree again, texts beside one another joined."""
    children: list[object] = [element.text or ""]
    for child in element:
        children += [read(child), child.tail or ""]
    return element.tag, dict(element.attrib), [child for child in children if child != ""]


def joined(tree: object) -> object:
    if isinstance(tree, str):
        return printable(tree)
    name, attributes, children = tree
    found: list[object] = []
    for child in map(joined, children):
        if isinstance(child, str) and found and isinstance(found[-1], str):
            found[-1] += child
        elif child != "":
            found.append(child)
    return name, {key: printable(value) for key, value in attributes.items()}, found


@given(Tree)
def test_a_reader_of_xml_finds_the_tree_that_was_built(tree: object) -> None:
    whole = ("svg", {}, [tree])
    assert read(etree.fromstring(built(whole))) == joined(whole)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_browser_finds_one_element_and_the_text(text: str) -> None:
    seen: list[object] = []

    class Reader(HTMLParser):
        def handle_starttag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
            seen.append((name, attributes))

        def handle_data(self, data: str) -> None:
            seen.append(data)

    reader = Reader()
    reader.feed(tag("p", text, title=text))
    reader.close()
    (name, attributes), *texts = seen
    assert (name, attributes) == ("p", [("title", printable(text))])
    assert "".join(texts) == printable(text)


def test_what_is_ready_is_not_escaped_again() -> None:
    made = tag("i", "<")
    assert made == "<i>&lt;</i>"
    assert tag("b", made) == "<b><i>&lt;</i></b>"
    assert tag("b", made + "<") == "<b>&lt;i&gt;&amp;lt;&lt;/i&gt;&lt;</b>", (
        "what was added to may hold anything"
    )
    assert tag("style", Markup("a>b{}")) == "<style>a>b{}</style>"


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (tag("br"), "<br>"),
        (tag("p"), "<p></p>"),
        (tag("section", hidden=True), '<section hidden=""></section>'),
        (tag("p", id=None, hidden=False), "<p></p>"),
        (tag("rect", x=0, y=1.5, stroke_width="2", rx=None), '<rect x="0" y="1.5" stroke-width="2"/>'),
        (tag("svg", viewBox="0 0 1 1", class_="a b"), '<svg viewBox="0 0 1 1" class="a b"></svg>'),
        (tag("td", 3, None, ["a", [tag("b", 0.5)]], (c for c in "<>")), "<td>3a<b>0.5</b>&lt;&gt;</td>"),
        (fragment("a", tag("br"), "&"), "a<br>&amp;"),
        (fragment("a", "&", between="<br>"), "a<br>&amp;"),
        (fragment(), ""),
        (verbatim("a\n\tb<\x1b"), "a\n\tb&lt;\\x1b"),
    ],
)
def test_elements_and_attributes(made: Markup, text: str) -> None:
    assert made == text
    assert isinstance(made, Markup)


_ELEMENTS = (
    "a|b|body|button|code|d[dlt]|details|div|em|footer|g|h[1-6r]|head|header|html|i|img|input|label|li|link|main|meta|"
    "ol|p|path|pre|rect|script|section|span|style|summary|svg|table|tbody|td|text|th|thead|title|tr|ul"
)


@pytest.mark.parametrize("package", ["bench", "cli", "course", "train", "viz"])
def test_no_module_of_a_page_escapes_by_hand_or_writes_a_tag_as_text(package: str) -> None:
    element = re.compile(rf"</[a-z]|(?<!\?P)<({_ELEMENTS})(>|\s+[a-z-]+=)|/>")
    for file in sorted((ROOT / package).rglob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        documented = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in documented:
                written = node.value.removeprefix("<!doctype html>")
                assert written == "<br>" or not element.search(written), (
                    f"{file.name}:{node.lineno}: {written}"
                )
            if isinstance(node, ast.Import | ast.ImportFrom):
                module = getattr(node, "module", None)
                assert "html" not in (module, *(n.name for n in node.names)), f"{file.name}:{node.lineno}"
                assert module != "minigrad.escape" or "xml" not in {n.name for n in node.names}, file.name
