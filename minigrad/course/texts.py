"""Texts and names that came from students: made such that every file, terminal and file system takes them."""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

_LONGEST_NAME = 120  # bytes; most file systems allow 255, and a suffix comes behind it
_UNSAFE = re.compile(r"[^\w.@+=,() -]")
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)  # devices of Windows
_INVISIBLE = ("Cc", "Cs", "Zl", "Zp")
_DIRECTIONS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"  # turn what follows around


def whole(text: str) -> str:
    """Join the halves of characters (surrogates), and put U+FFFD for a half that is alone and cannot be written."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def line(text: str, most: int = 1000) -> str:
    """Return a text as one line of at most ``most`` characters."""
    text = " ".join(whole(text[: 4 * most]).replace("\0", "\\0").split())
    return text if len(text) <= most else text[: most - 1] + "…"


def named(name: str) -> str:
    """Return a file's name as text that can be shown: bytes that are no UTF-8 and control characters as escapes."""
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    return "".join(_escaped(c) for c in text)


def _escaped(c: str) -> str:
    hidden = unicodedata.category(c) in _INVISIBLE or c in _DIRECTIONS
    return c.encode("unicode_escape").decode() if hidden else c


def file_names(students: Iterable[str]) -> dict[str, str]:
    """Return, by student, a name for the files that are theirs: their own wherever a file can have it.

    What is no file's name everywhere (``..``, ``con``, ``a/b``, ``-rf``, 250 characters), and names that differ in
    nothing but case, get eight digits of their SHA-256 behind what is left of them.
    """
    names = {student: _file_name(student) for student in students}
    seen = Counter(map(_folded, names.values()))
    return {
        student: name if seen[_folded(name)] == 1 else _marked(student) for student, name in names.items()
    }


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _file_name(student: str) -> str:
    fits = (
        student == student.strip(" .")
        and student[:1] not in ("", "-")
        and len(student.encode("utf-8", "replace")) <= _LONGEST_NAME
        and not _UNSAFE.search(student)
        and not _RESERVED.fullmatch(student)
    )
    return student if fits else _marked(student)


def _marked(student: str) -> str:
    digest = hashlib.sha256(student.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    kept = _UNSAFE.sub("_", student).strip(" .-_").encode()[:60].decode("utf-8", "ignore")
    return f"{kept or 'student'}-{digest}"
