"""Datasets of the user's own in a CSV file: one sample a row, one column of which is the target."""

from __future__ import annotations

import csv
import os
import re
from array import array
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TextIO

import numpy as np

from minigrad.data.dataset import Array, Dataset
from minigrad.errors import DataError

_MISSING = {"", "?", "na", "n/a", "nan", "null", "none"}
_DELIMITERS = ",;\t"
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
_DECIMAL = re.compile(r"[+-]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))([eE][+-]?[0-9]+)?")


def load_csv(
    path: str | os.PathLike[str],
    target: int | str = -1,
    *,
    classes: Sequence[str] | None = None,
    regression: bool = False,
) -> Dataset:
    """Read a CSV file of numbers and a target column.

    Columns are separated by commas, semicolons or tabs, whichever the first row has most of. The first row
    is taken as column names where it has text among the features, or where ``target`` is a name. An empty
    cell, ``?``, ``NA``, ``N/A``, ``NaN``, ``null`` and ``none`` among the features are missing values and
    become NaN, which ``clean`` reports and removes.

    The target column decides what is learnt. Text or whole numbers are class labels: the different ones,
    sorted, become the ids 0, 1, 2 ... and their texts become ``classes``. Numbers with a decimal point are
    regression targets.

    Args:
        path: the file, text in UTF-8.
        target: the target column, by position (negative counts from the end) or by name.
        classes: the class labels in the order of their ids; give the training set's ``classes`` when reading
            its test set, so that equal labels get equal ids.
        regression: take whole numbers, too, as regression targets.

    Returns:
        A dataset with ``x`` float32 of shape (n, columns - 1), ``y`` int64 class ids or float32 targets, and
        the file's name without its ending.

    Raises:
        DataError: MG-703, the file cannot be opened; MG-707, it is not such a table (the line and the
            column are named).
    """
    path = Path(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as text:
            x, labels = _read_rows(text, path, target)
    except UnicodeDecodeError as error:
        raise _not_a_table(path, f"byte {error.start} is not UTF-8 text. Is it really a CSV file?") from error
    except csv.Error as error:
        raise _not_a_table(path, f"{error}.") from error
    except OSError as error:
        raise DataError("MG-703", f"{path} cannot be read: {error.strerror or error}.") from error
    y, names = _encode(labels, path, classes, regression)
    return Dataset(x, y, names, path.stem)


_Labels = list[tuple[int, str]]
"""The target cells, each with its line number."""


def _read_rows(text: TextIO, path: Path, target: int | str) -> tuple[Array, _Labels]:
    rows = _rows(text)
    first_line, first = next(rows, (0, []))
    if len(first) < 2:
        raise _not_a_table(
            path, "it has no row of two or more columns separated by commas, semicolons or tabs."
        )
    column = _target_column(first, target, path)
    has_names = isinstance(target, str) or any(map(_is_text, [*first[:column], *first[column + 1 :]]))
    names = first if has_names else [str(position) for position in range(len(first))]
    values, labels = array("d"), _Labels()
    for line, cells in rows if has_names else chain([(first_line, first)], rows):
        if len(cells) != len(names):
            raise _not_a_table(path, f"line {line} has {len(cells)} columns, the first row has {len(names)}.")
        labels.append((line, cells[column].strip()))
        cells[column] = "0"
        values.extend(_numbers(cells, names, line, path))
    if not labels:
        raise _not_a_table(path, "it has column names and no row under them.")
    with np.errstate(over="ignore"):
        x = np.frombuffer(values).reshape(len(labels), -1).astype(np.float32)
    x = np.delete(x, column, axis=1)
    return (x[1:], labels[1:]) if _starts_with_a_name(labels) else (x, labels)


def _rows(text: TextIO) -> Iterator[tuple[int, list[str]]]:
    first_line = text.readline()
    text.seek(0)
    reader = csv.reader(text, delimiter=max(_DELIMITERS, key=first_line.count))
    for cells in reader:
        if cells:
            yield reader.line_num, cells


def _target_column(first: list[str], target: int | str, path: Path) -> int:
    if isinstance(target, str):
        names = [name.strip() for name in first]
        if target not in names:
            raise _not_a_table(path, f"it has no column {target!r}. Its columns are: {', '.join(names)}.")
        return names.index(target)
    if not -len(first) <= target < len(first):
        raise _not_a_table(path, f"it has no column {target}: the first row has {len(first)} columns.")
    return target % len(first)


def _numbers(cells: list[str], names: list[str], line: int, path: Path) -> list[float]:
    try:
        return [float(cell) for cell in cells]
    except ValueError:
        return [_number(cell, name, line, path) for cell, name in zip(cells, names, strict=True)]


def _number(cell: str, name: str, line: int, path: Path) -> float:
    if _is_text(cell):
        raise _not_a_table(
            path,
            f"line {line}, column {name}: {_shorten(cell)} is not a number. Features must be numbers; "
            "replace text by numbers, or name the column of labels with target=.",
        )
    return float("nan") if cell.strip().lower() in _MISSING else float(cell)


def _is_text(cell: str) -> bool:
    if cell.strip().lower() in _MISSING:
        return False
    try:
        float(cell)
    except ValueError:
        return True
    return False


def _starts_with_a_name(labels: _Labels) -> bool:
    """Column names may all be numbers but the target's: ``0,1,2,label`` over rows of numbers."""
    first, *rest = (_is_text(label) for _, label in labels)
    return first and bool(rest) and not any(rest)


def _encode(
    labels: _Labels, path: Path, classes: Sequence[str] | None, regression: bool
) -> tuple[Array, tuple[str, ...] | None]:
    for line, label in labels:
        if not label:
            raise _not_a_table(path, f"line {line}: the target is empty. Remove the row or fill it in.")
    if regression or (classes is None and any(_DECIMAL.fullmatch(label) for _, label in labels)):
        return _regression_targets(labels, path), None
    names = _sorted_classes({label for _, label in labels}) if classes is None else tuple(classes)
    return _class_ids(labels, path, names), names


def _regression_targets(labels: _Labels, path: Path) -> Array:
    for line, label in labels:
        if _is_text(label):
            raise _not_a_table(
                path, f"line {line}: the target {_shorten(label)} is not a number like the others."
            )
    with np.errstate(over="ignore"):
        return np.array([_number(label, "target", line, path) for line, label in labels]).astype(np.float32)


def _sorted_classes(labels: set[str]) -> tuple[str, ...]:
    if all(_WHOLE.fullmatch(label) for label in labels):
        return tuple(sorted(labels, key=lambda label: (int(label), label)))
    return tuple(sorted(labels))


def _class_ids(labels: _Labels, path: Path, names: tuple[str, ...]) -> Array:
    ids = {name: class_id for class_id, name in enumerate(names)}
    for line, label in labels:
        if label not in ids:
            known = ", ".join(map(_shorten, names[:10]))
            raise _not_a_table(
                path, f"line {line}: the label {_shorten(label)} is none of the classes {known}."
            )
    return np.array([ids[label] for _, label in labels], dtype=np.int64)


def _shorten(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:37]}...")


def _not_a_table(path: Path, problem: str) -> DataError:
    return DataError("MG-707", f"{path}: {problem}")
