"""A file as cells: the percent format and notebooks, read and written, with nbgrader's metadata kept."""

from __future__ import annotations

import codecs
import hashlib
import io
import json
import os
import re
import stat
import tokenize
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from minigrad.course.texts import whole
from minigrad.errors import DataError

_HEADER = re.compile(r"#\s?%%+(?:[\s\[].*)?|# In\s?\[[\d *]*\]:\s*|# <(?:markdown|code)?cell>\s*")
_TEXT = re.compile(r"\[(?:markdown|md|raw)\]|<markdowncell>")
_METADATA = re.compile(r"(?:^|\s)nbgrader=(?=\{)")
_MARKS = {  # of the encodings that begin with one; UTF-32's begin like UTF-16's
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_NAMED = re.compile(r"(?:utf-8|ascii|latin|iso|cp|windows|gb|big5|shift|euc|koi8|mac)[\w-]*", re.IGNORECASE)
_BINARY = re.compile(rb"[\0-\x08\x0e-\x1a\x1c-\x1f]")
LARGEST = 2 << 20  # characters of code that are still read
LARGEST_FILE = 64 << 20  # bytes: a notebook's pictures do not count as code
_MOST_VALUES = 3_000_000  # in a notebook's JSON, outputs among them: what is read has to fit into memory


@dataclass(frozen=True)
class Cell:
    """One cell: its kind (code or markdown), its text, nbgrader's metadata, and the line where its text starts."""

    kind: str
    source: str
    nbgrader: dict[str, Any] = field(default_factory=dict)
    line: int = 1

    @property
    def name(self) -> str:
        """nbgrader's ``grade_id``, empty where the cell has none."""
        return str(self.nbgrader.get("grade_id", ""))

    @property
    def is_solution(self) -> bool:
        """Whether the student writes here."""
        return bool(self.nbgrader.get("solution"))

    @property
    def is_text(self) -> bool:
        """Whether the student's answer here is graded by a person: nbgrader's manually graded solution."""
        return self.is_solution and bool(self.nbgrader.get("grade"))

    @property
    def is_test(self) -> bool:
        """Whether the cell gives points."""
        return bool(self.nbgrader.get("grade")) and not self.is_solution


def read_cells(path: Path) -> list[Cell]:
    """Read a .py file in the percent format, or an .ipynb notebook.

    Raises DataError MG-942 where the file is missing, is no text, no notebook, or has more than 2 MB of code.
    """
    return cells_of(path, read_bytes(path))


def read_bytes(path: Path) -> bytes:
    """Read a file, which neither waits (for a pipe, a device) nor takes more than 64 MB; DataError MG-942."""
    waits_not = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise DataError("MG-942", f"{path} is no file: {_kind(path)}.")
        with open(os.open(path, os.O_RDONLY | waits_not), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):  # it was changed in between
                raise DataError("MG-942", f"{path} is no file.")
            content = file.read(LARGEST_FILE + 1)
    except DataError:
        raise
    except FileNotFoundError:
        raise DataError("MG-942", f"there is no file {path}.") from None
    except OSError as error:
        raise DataError("MG-942", f"{path} cannot be read: {error.strerror or error}.") from error
    except ValueError as error:  # a name with a NUL in it
        raise DataError("MG-942", f"{str(path)!r} is the name of no file.") from error
    if len(content) > LARGEST_FILE:
        raise DataError("MG-942", f"{path} is larger than {LARGEST_FILE >> 20} MB.")
    return content


def _kind(path: Path) -> str:
    kinds = {"a folder": stat.S_ISDIR, "a pipe": stat.S_ISFIFO, "a socket": stat.S_ISSOCK}
    mode = path.stat().st_mode
    return next((name for name, is_it in kinds.items() if is_it(mode)), "a device")


def cells_of(path: Path, content: bytes, *, strict: bool = True) -> list[Cell]:
    """Cut a file's content into cells; DataError MG-942 where that is not possible.

    Not ``strict``: nbgrader's metadata may be broken, and is then as good as none.
    """
    is_notebook = path.suffix.casefold() == ".ipynb"
    try:
        text = decoded(content)
        cells = from_notebook(text) if is_notebook else from_percent(whole(text), strict=strict)
    except DataError:
        raise
    except (
        ValueError, KeyError, TypeError, AttributeError, LookupError, RecursionError, MemoryError
    ) as error:  # fmt: skip
        form = "no notebook" if is_notebook else "no Python text"
        raise DataError(
            "MG-942", f"{path} is {form} ({type(error).__name__}: {error})"[:300] + "."
        ) from error
    size = sum(len(cell.source) for cell in cells if cell.kind == "code")
    if size > LARGEST:
        raise DataError("MG-942", f"{path} has more than 2 MB of code; a solution is a few hundred lines.")
    return cells


def decoded(content: bytes) -> str:
    r"""Decode a text: UTF-8, UTF-16 and UTF-32 with a byte-order mark or without, or the encoding that it names.

    What is none of these and holds no control characters is taken for Windows' own. Lines end in ``\n``. Raises
    UnicodeDecodeError where it is no text.
    """
    mark = next((mark for mark in _MARKS if content.startswith(mark)), b"")
    encoding = _MARKS[mark] if mark else _unmarked(content)
    try:
        text = content[len(mark) :].decode(encoding)
    except UnicodeDecodeError:
        if mark or _BINARY.search(content):
            raise
        text = content.decode("cp1252")
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _unmarked(content: bytes) -> str:
    start = content[:4096]
    for k, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        if start[k::2].count(0) > len(start) // 4:
            return encoding
    try:
        encoding = tokenize.detect_encoding(io.BytesIO(content).readline)[0]
    except SyntaxError:  # it names an encoding that does not exist, or is in none that it should be in
        return "utf-8"
    return encoding if _NAMED.fullmatch(encoding) else "utf-8"  # some others take hours for a few megabytes


def from_percent(text: str, *, strict: bool = True) -> list[Cell]:
    """Read the percent format: cells start at ``# %%``, markdown is commented out.

    Cells of notebooks that were exported as scripts (``# In[3]:``, ``#%%``, ``# <codecell>``) count as well.
    """
    cells: list[Cell] = []
    kind, first = "code", 1
    nbgrader: dict[str, Any] = {}
    lines: list[str] = []
    for number, line in enumerate([*text.split("\n"), "# %%"], 1):
        if not _HEADER.fullmatch(line):
            lines.append(line)
            continue
        blank = next((k for k, each in enumerate(lines) if each.strip()), len(lines))
        source = "\n".join(lines[blank:]).rstrip()
        if kind == "markdown":
            source = re.sub(r"^# ?", "", source, flags=re.MULTILINE)
        if source or nbgrader:
            cells.append(Cell(kind, source, nbgrader, first + blank))
        kind = "markdown" if _TEXT.search(_METADATA.split(line)[0]) else "code"
        nbgrader = _metadata(line, strict)
        lines, first = [], number + 1
    return cells


def _metadata(header: str, strict: bool) -> dict[str, Any]:
    found = _METADATA.search(header)
    if not found:
        return {}
    try:
        return dict(json.JSONDecoder().raw_decode(header, found.end())[0])
    except (ValueError, RecursionError):
        if strict:
            raise
        return {}


def to_percent(cells: Iterable[Cell]) -> str:
    """Write the percent format, as jupytext would."""
    parts = []
    for cell in cells:
        header = "# %%" + (" [markdown]" if cell.kind == "markdown" else "")
        if cell.nbgrader:
            header += f" nbgrader={json.dumps(cell.nbgrader, sort_keys=True)}"
        source = cell.source
        if cell.kind == "markdown":
            source = "\n".join(f"# {line}".rstrip() for line in source.split("\n"))
        parts.append(f"{header}\n{source}".rstrip())
    return "\n\n".join(parts) + "\n"


def from_notebook(text: str) -> list[Cell]:
    """Read a notebook of format 2, 3 or 4. What only notebooks understand (magics) stays as it is."""
    if sum(map(text.count, "[{,")) > _MOST_VALUES:
        raise ValueError("its outputs hold millions of values; clear them")
    notebook = json.loads(text, parse_int=_integer)
    sheets = notebook.get("worksheets", [notebook])
    cells = []
    for cell in (cell for sheet in sheets for cell in sheet["cells"]):
        kind = "code" if cell["cell_type"] == "code" and not _other_language(cell) else "markdown"
        source = cell.get("source", cell.get("input", "")) or ""
        source = whole(source if isinstance(source, str) else "".join(source))
        if cell["cell_type"] == "heading":
            source = f"{'#' * int(cell.get('level', 1))} {source}"
        metadata = cell.get("metadata") or {}
        source = source.replace("\r\n", "\n").replace("\r", "\n").strip("\n")
        tags = metadata.get("nbgrader")
        cells.append(Cell(kind, source, tags if isinstance(tags, dict) else {}))
    return cells


def _integer(digits: str) -> float:
    return int(digits) if len(digits) < 20 else float(digits)  # Python refuses those of thousands of digits


def _other_language(cell: dict[str, Any]) -> bool:
    """Tell whether a code cell is in another language: VS Code says so in its metadata, format 3 in the cell."""
    metadata = cell.get("metadata") or {}
    language = (metadata.get("vscode") or {}).get("languageId") or cell.get("language") or "python"
    return language not in ("python", "ipython", "python3")


def to_notebook(cells: Iterable[Cell]) -> str:
    """Write a notebook of format 4.5 without outputs; the same cells give the same bytes."""
    made = []
    for number, cell in enumerate(cells):
        identity = cell.name or hashlib.sha256(f"{number} {cell.source}".encode()).hexdigest()[:12]
        entry: dict[str, Any] = {
            "cell_type": cell.kind,
            "id": identity,
            "metadata": {"nbgrader": cell.nbgrader} if cell.nbgrader else {},
            "source": cell.source.splitlines(keepends=True),
        }
        if cell.kind == "code":
            entry |= {"execution_count": None, "outputs": []}
        made.append(entry)
    notebook = {
        "cells": made,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
