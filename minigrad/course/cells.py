"""A file as cells: the percent format and notebooks, read and written, with nbgrader's metadata kept."""

from __future__ import annotations

import ast
import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from minigrad.errors import DataError

_HEADER = re.compile(r"# %%(?: \[(?P<kind>markdown|md|raw)\])?(?P<options>.*)")
_METADATA = re.compile(r"nbgrader=(\{.*\})")
_MAGIC = re.compile(r"^([ \t]*)([%!])", re.MULTILINE)
LARGEST = 2 << 20  # bytes of a file that is still read


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
    def is_test(self) -> bool:
        """Whether the cell gives points."""
        return bool(self.nbgrader.get("grade")) and not self.is_solution


def read_cells(path: Path) -> list[Cell]:
    """Read a .py file in the percent format, or an .ipynb notebook.

    Raises DataError MG-942 where the file is missing, larger than 2 MB, not text, or not a notebook.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise DataError("MG-942", f"{path} is larger than 2 MB; a solution is a few hundred lines.")
        text = path.read_text(encoding="utf-8")
        return from_notebook(text) if path.suffix == ".ipynb" else from_percent(text)
    except FileNotFoundError:
        raise DataError("MG-942", f"there is no file {path}.") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(
            "MG-942", f"{path} is neither Python text in UTF-8 nor a notebook ({_short(error)})."
        ) from error


def _short(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:200]


def from_percent(text: str) -> list[Cell]:
    """Read the percent format: cells start at ``# %%``, markdown is commented out."""
    cells: list[Cell] = []
    kind, first = "code", 1
    nbgrader: dict[str, Any] = {}
    lines: list[str] = []
    for number, line in enumerate([*text.splitlines(), "# %%"], 1):
        header = _HEADER.fullmatch(line)
        if header is None:
            lines.append(line)
            continue
        blank = next((k for k, each in enumerate(lines) if each.strip()), len(lines))
        source = "\n".join(lines[blank:]).rstrip()
        if kind == "markdown":
            source = re.sub(r"^# ?", "", source, flags=re.MULTILINE)
        if source or nbgrader:
            cells.append(Cell(kind, source, nbgrader, first + blank))
        kind = "markdown" if header["kind"] else "code"
        options = _METADATA.search(header["options"])
        nbgrader = dict(json.loads(options[1])) if options else {}
        lines, first = [], number + 1
    return cells


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
    """Read a notebook of format 4; lines with magics and shell commands are commented out."""
    cells = []
    for cell in json.loads(text)["cells"]:
        source = cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
        kind = "code" if cell["cell_type"] == "code" else "markdown"
        if kind == "code":
            source = _without_magics(source)
        nbgrader = cell.get("metadata", {}).get("nbgrader", {})
        cells.append(Cell(kind, source.strip("\n"), dict(nbgrader)))
    return cells


def _without_magics(source: str) -> str:
    try:
        ast.parse(source)
        return source  # a line may start with % inside a string or an expression
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return "" if source.lstrip().startswith("%%") else _MAGIC.sub(r"\1# \2", source)


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
