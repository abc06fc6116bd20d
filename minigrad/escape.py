"""Whatever comes from a file or from a person, made harmless for the place where it is shown.

A name may hold a line's end, an order to the terminal, a mark that turns the direction of reading, or bytes that are no
UTF-8; and what is plain in one language is markup in the next. Each function says for which it is.
"""

from __future__ import annotations

import html
import re
import unicodedata

_HIDDEN = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
"""Unicode's categories of what has no shape of its own: controls, formats, half characters, line separators."""

_JOINERS = frozenset("\u200c\u200d")
"""They have no shape either, and words and emoji need them."""

_MARKDOWN = re.compile(r"[\\`*\[\]<>|~$]|(?<![^\W_])_|_(?![^\W_])|&(?=[#\w])")
_NO_NAME = re.compile(r"[^\w.,+=@() -]+")
_LONGEST_NAME = 50


def printable(text: object, keep: str = "") -> str:
    r"""Return text in which every character can be seen, for a terminal, a picture, or as a beginning for the others.

    Hidden characters are spelled as Python spells them: ``\n``, ``\x1b``, ``\u202e``; bytes that are no UTF-8, as
    they come from file names, as ``\xff``. Those in ``keep`` stay.
    """
    text = str(text)
    if text.isascii() and text.isprintable():
        return text
    return "".join(_spelled(c) if _is_hidden(c) and c not in keep else c for c in text)


def _is_hidden(character: str) -> bool:
    return unicodedata.category(character) in _HIDDEN and character not in _JOINERS


def _spelled(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # how Python keeps a byte of a file name that is no UTF-8
        return f"\\x{code - 0xDC00:02x}"
    return repr(character)[1:-1]


def markdown(text: object) -> str:
    """Return text for Markdown (CommonMark, with GitHub's tables), where it reads as it was."""
    return _MARKDOWN.sub(r"\\\g<0>", printable(text))


def fenced(text: object) -> str:
    """Return lines as a block of code for Markdown, which no line of theirs can end."""
    text = printable(text, keep="\n")
    fence = "`" * max([3, *(len(run) + 1 for run in re.findall("`+", text))])
    return f"{fence}\n{text}\n{fence}"


def xml(text: object, keep: str = "") -> str:
    """Return text for HTML, SVG or XML, between tags or in a quoted attribute; ``minigrad.markup`` calls it by itself.

    Hidden characters in ``keep`` stay.
    """
    return html.escape(printable(text, keep))


def cut(text: str, most: int) -> str:
    """Return text of at most ``most`` characters, 1 or more; the last one is … where it was longer.

    >>> cut("minigrad", 5)
    'mini…'
    """
    return text if len(text) <= most else text[: most - 1] + "…"


def file_name(text: str) -> str:
    """Return a name for a file that is made of text: without what a shell or a path would read, and not too long."""
    return _NO_NAME.sub("_", text)[:_LONGEST_NAME].strip() or "_"
