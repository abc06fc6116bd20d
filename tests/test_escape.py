"""Text from files and from people reads as it was, wherever it stands, and orders nothing."""

from __future__ import annotations

import html
import xml.etree.ElementTree as etree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from minigrad.escape import fenced, file_name, markdown, printable, xml

HOSTILE = [
    "[/]", "[red]x", "a|b", "<script>alert(1)</script>", "$x_1$ and $y$", "&amp;", "&#35;", "two\nlines", "tab\there",
    "\x1b[31mred", "\x9b31mred", "\x07bell", "back\x08space", "\rreturn", "\u202eright to left",
    "\u2066isolated",
    "\u200bzero\ufeffwidth", "\udcff\udce4", "\ud800", "\U000e0001tag", "*a*_b_`c`~~d~~", "![a](b)",
    "[a](b)", "\\", "\\|",
    "```", "~~~", "# x", "|---|", "\x00", "\u2028", "\u0085", "日本語", "é", "👩‍💻", "'\"", "=1+1", "-->",
    "]]>", "{{x}}",
]  # fmt: skip
TEXTS = st.text(
    st.one_of(st.sampled_from("\\`*_[]()<>|~$&;#!-= \n\x1b\u202e\udc80"), st.characters()), max_size=20
)
CONTROLS = {
    *map(chr, range(32)),
    *map(chr, range(127, 160)),
    *"\u2028\u2029\u202a\u202b\u202d\u202e\u2066\u2067\u2069",
}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb\tc\r", r"a\nb\tc\r"),
        ("\x1b[31m\x9b\x7f\x00", r"\x1b[31m\x9b\x7f\x00"),
        ("\u202ea\u2066", r"\u202ea\u2066"),
        ("\udcff\udc80\ud800", r"\xff\x80\ud800"),
        ("é日👩‍💻 \\ x", "é日👩‍💻 \\ x"),
        (7, "7"),
    ],
)
def test_hidden_characters_are_spelled(text: object, shown: str) -> None:
    assert printable(text) == shown


@given(TEXTS)
def test_what_is_printed_can_be_encoded_and_orders_nothing(text: str) -> None:
    shown = printable(text)
    shown.encode()
    assert not CONTROLS & set(shown)
    assert printable(shown) == shown
    assert printable("a\nb" + text, keep="\n").startswith("a\nb")


@given(TEXTS)
def test_markdown_and_xml_read_as_the_text(text: str) -> None:
    inline = MarkdownIt().enable(["table", "strikethrough"])
    around = f"x {text} x"
    assert inline.renderInline(f"{markdown(around)}") == html.escape(printable(around)).replace("&#x27;", "'")
    table = f"| a | b |\n|---|---|\n| {markdown(text)} | 1 |\n"
    cells = etree.fromstring(inline.render(table)).findall(".//td")
    assert [cell.text or "" for cell in cells] == [printable(text).strip(), "1"]
    element = etree.fromstring(f'<a b="{xml(text)}">{xml(text)}</a>')
    assert element.text in (printable(text), None)
    assert (element.text or "") == printable(text)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_block_of_code_is_left_by_nothing_in_it(text: str) -> None:
    tokens = MarkdownIt().parse(f"{fenced(f'a{chr(10)}{text}')}\n\nafter")
    assert [token.type for token in tokens][:2] == ["fence", "paragraph_open"]
    assert tokens[0].content == f"a\n{printable(text, keep=chr(10))}\n"


@given(TEXTS)
def test_a_file_name_is_one(text: str) -> None:
    name = file_name(text)
    assert 0 < len(name.encode()) <= 200
    assert not set("/\\\n\x1b\x00'\"$`|<>&;*?[]~") & set(name)
