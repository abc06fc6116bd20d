"""The rows of a CSV file: its encoding, what separates its columns, its quotation marks."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from minigrad.errors import DataError

_DELIMITERS = ",;\t"
_SAMPLE = 1 << 16
_QUOTED = re.compile(r'"(?:[^"]|"")*"')
_COMMA_IN_A_NUMBER = re.compile(r"(?<=[0-9]),(?=[0-9])")
_WIDE = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def read_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield every row that is not blank, as its cells' texts, with the number of the line that it begins in.

    Columns are separated by commas, semicolons or tabs (see ``_delimiter``). A cell may be quoted; a separator or a
    line break in it is text then. The file is UTF-8, or UTF-16 or UTF-32 where it begins with their mark.

    Raises DataError MG-703 where the file cannot be opened, MG-707 where it is no text or a quotation mark is not
    closed.
    """
    try:
        encoding = _encoding(path)
        with path.open(encoding=encoding, newline="") as text:
            sample = "".join(_without_nul(io.StringIO(text.read(_SAMPLE), newline=""), path))
            text.seek(0)
            yield from _rows(text, _delimiter(sample), path)
    except UnicodeError as error:
        raise _not_text(path, encoding) from error
    except OSError as error:
        raise DataError("MG-703", f"{path} cannot be read: {error.strerror or error}.") from error


def not_a_table(path: Path, problem: str) -> DataError:
    """Return the error of a file that is not such a table."""
    return DataError("MG-707", f"{path}: {problem}")


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        begin = file.read(4)
    return next((name for mark, name in _WIDE.items() if begin.startswith(mark)), "utf-8-sig")


def _delimiter(sample: str) -> str:
    """Of the signs in the first row, one that is in every row below it; most often in the first row if there are more.

    A comma that stands between two digits wherever it stands is no separator where another sign may be one: ``1,5;3``
    is two columns with a decimal comma.
    """
    lines = [line for line in re.split(r"[\r\n]+", _QUOTED.sub("x", sample)) if line.strip()]
    if len(sample) == _SAMPLE:
        lines = lines[:-1] or lines
    first, below = lines[:1], lines[1:] or lines
    found = [sign for sign in _DELIMITERS if first and sign in first[0]]
    found = [sign for sign in found if all(sign in line for line in below)] or found
    if len(found) > 1 and "," in found and not any("," in _COMMA_IN_A_NUMBER.sub("", line) for line in below):
        found.remove(",")
    return max(found, key=first[0].count) if found else _DELIMITERS[0]


def _rows(text: Iterable[str], delimiter: str, path: Path) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(_without_nul(text, path), delimiter=delimiter, strict=True, skipinitialspace=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise not_a_table(path, f"line {line}: {_quotes(str(error), line, reader.line_num)}") from error
        if len(cells) > 1 or any(map(str.strip, cells)):
            yield line, cells


def _quotes(problem: str, first: int, last: int) -> str:
    if "expected after" in problem:
        opened = f" and closes in line {last}" if last > first else ""
        return f'a quotation mark opens here{opened} and text follows it. A cell is quoted as a whole: "a ""b"" c".'
    if "end of data" in problem:
        return "a quotation mark opens here and nothing closes it. Close it, or remove it."
    return f"{problem}. Is there a quotation mark that nothing closes?"


def _without_nul(text: Iterable[str], path: Path) -> Iterator[str]:
    for number, line in enumerate(text, 1):
        if "\0" in line:
            raise not_a_table(
                path, f"line {number} holds a NUL, which is in no text. Save it as CSV in UTF-8."
            )
        yield line


def _not_text(path: Path, encoding: str) -> DataError:
    content = path.read_bytes()
    try:
        content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        name = encoding.removesuffix("-sig").upper()
        return not_a_table(
            path,
            f"line {line}: byte {error.start} is not {name} text. Is it really a CSV file? If so, save it in UTF-8.",
        )
    return not_a_table(path, f"it is not {encoding} text.")
