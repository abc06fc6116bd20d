"""Tables that people have made: CSV as Excel, Canvas, Moodle and hands write it, read without losing a cell.

Columns are found by name in many spellings. What cannot be understood is an error that names its line; nothing is
guessed where a guess could give points to the wrong student.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from minigrad.course.cells import decoded, read_bytes
from minigrad.course.texts import line, whole
from minigrad.errors import DataError
from minigrad.files import atomic_write

_DELIMITERS = ",;\t|"
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # .xlsx and .ods; .xls
_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?")
_PLAIN = {"ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th", "ı": "i"}
_UMLAUTS = {"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"}
_DANGEROUS = "=+-@\t\r\n"  # what a spreadsheet takes for the beginning of a formula


@dataclass(frozen=True)
class Row:
    """One row: the line of the file where it ends, and its cells in the order of the columns."""

    line: int
    cells: list[str]


@dataclass(frozen=True)
class Table:
    """A table as it was read: where from, its columns' names as they stand there, its rows that are not empty."""

    path: Path
    columns: list[str]
    rows: list[Row]
    delimiter: str = ","

    def find(self, names: Iterable[str]) -> int | None:
        """Return where the first of these names (as ``plain_name`` gives them) heads a column; None where none does."""
        plain = [plain_name(column) for column in self.columns]
        return next((plain.index(name) for name in names if name in plain), None)


def read_table(path: Path, code: str) -> Table:
    """Read a table whose first row names its columns.

    Takes UTF-8 and UTF-16, with a byte-order mark or without, Windows' own encoding, commas, semicolons, tabs or bars
    between the cells, and Excel's ``sep=;``. Raises DataError MG-942 where the file cannot be read, ``code`` where it
    is no such table.
    """
    content = read_bytes(path)
    if content.startswith(_WORKBOOKS):
        raise DataError(code, f"{path} is a workbook of a spreadsheet program. Save it as CSV (UTF-8) first.")
    try:
        text = decoded(content)
    except UnicodeDecodeError as error:
        raise DataError(
            code, f"{path} is no text ({error.reason}). Save the table as CSV (UTF-8)."
        ) from error
    skipped = 0
    first, _, rest = text.partition("\n")
    declared = re.fullmatch(r'"?sep=(.)"?\s*', first)
    if declared:
        text, skipped = rest, 1
    delimiter = declared[1] if declared else max(_DELIMITERS, key=lambda each: len(_first(text, each)))
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        rows = [Row(reader.line_num + skipped, [_cell(cell) for cell in cells]) for cells in reader]
    except csv.Error as error:
        raise DataError(
            code, f"{path} is no table in CSV ({error}). Is a quotation mark left open?"
        ) from error
    rows = [row for row in rows if any(row.cells)]
    if not rows:
        raise DataError(code, f"{path} is empty. Its first row has to name the columns.")
    columns = rows[0].cells
    while columns and not columns[-1]:
        columns.pop()
    for row in rows[1:]:
        if any(row.cells[len(columns) :]):
            raise DataError(
                code,
                f"{path} line {row.line} has {len(row.cells)} cells, and there are {len(columns)} columns. A cell with "
                f"{delimiter!r} in it stands in quotation marks.",
            )
        row.cells[len(columns) :] = []
        row.cells.extend([""] * (len(columns) - len(row.cells)))
    return Table(path, columns, rows[1:], delimiter)


def _first(text: str, delimiter: str) -> list[str]:
    try:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        return next((row for row in rows if any(cell.strip() for cell in row)), [])
    except csv.Error:
        return []


def _cell(text: str) -> str:
    text = text.strip()
    as_text = re.fullmatch(r'="(.*)"', text)  # how people keep Excel from taking a number's zeros away
    if as_text:
        text = as_text[1]
    return text[1:] if text[:1] == "'" and text[1:2] and text[1] in _DANGEROUS else text


def write_table(
    path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]], *, edited: bool = False
) -> None:
    """Write a table whole or not at all. No cell is a formula to a spreadsheet.

    One that is to be ``edited`` begins with a byte-order mark, without which Excel takes UTF-8 for something else.
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow([harmless(column) for column in columns])
    table.writerows(
        [shown(cell) if isinstance(cell, float) else harmless(str(cell)) for cell in row] for row in rows
    )
    atomic_write(path, ("\ufeff" if edited else "") + text.getvalue())


def harmless(text: str) -> str:
    """Keep a spreadsheet from taking a text for a formula, and the table in UTF-8; white space alone is nothing."""
    text = whole(text).replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        return ""
    is_formula = len(text) > 1 and text[0] in _DANGEROUS and not _NUMBER.fullmatch(text)
    return f"'{text}" if is_formula else text


def number(text: str) -> float | None:
    """Read a number as people write it, ``12.5`` or ``12,5``; None where it is none."""
    text = text.replace("\xa0", "").strip()
    return float(text.replace(",", ".")) if _NUMBER.fullmatch(text) else None


def shown(points: float) -> str:
    """Write points with at most two decimals, and none where they are whole: 3, 2.5, 0.33."""
    return f"{round(points, 2) + 0.0:.2f}".rstrip("0").rstrip(".")


def plain_name(text: str) -> str:
    """Return a column's name as it is compared: small letters and digits, without accents."""
    return "".join(c for c in folded(text)[0] if c.isalnum())


def folded(text: str) -> tuple[str, ...]:
    """Return a text in small letters without accents; with umlauts, once as ``muller`` and once as ``mueller``."""
    text = unicodedata.normalize("NFKC", text).casefold()
    spelled = _replaced(text, _UMLAUTS)
    return tuple(dict.fromkeys(_without_marks(each) for each in (text, spelled)))


def _without_marks(text: str) -> str:
    parts = unicodedata.normalize("NFKD", _replaced(text, _PLAIN))
    return "".join(c for c in parts if not unicodedata.combining(c))


def _replaced(text: str, pairs: Mapping[str, str]) -> str:
    return "".join(pairs.get(c, c) for c in text)


def one_line(text: str) -> str:
    """Return a cell's text as one line, whatever white space it has."""
    return line(text, 500)
