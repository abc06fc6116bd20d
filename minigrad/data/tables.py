"""Datasets of the user's own in a CSV file: one sample a row, one column of which is the target."""

from __future__ import annotations

import os
import re
from array import array
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import numpy as np

from minigrad.data.cells import hint, is_missing, is_name, is_number, number, numbers, separated
from minigrad.data.dataset import Array, Dataset
from minigrad.data.precision import narrowed
from minigrad.data.rows import not_a_table, read_rows
from minigrad.errors import DataError, warn

_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
_HEADER = "If it is a column's name, say so with header=True, or let no name be a number."
_SHOWN = 5


def load_csv(
    path: str | os.PathLike[str],
    target: int | str = -1,
    *,
    classes: Sequence[str] | None = None,
    regression: bool = False,
    header: bool | None = None,
    exact: bool = False,
) -> Dataset:
    """Read a CSV file of numbers and a target column.

    Columns are separated by commas, semicolons or tabs, whichever every row has. The first row is taken as column names
    where none of its cells could be a number and the features have words, or where ``target`` is a name; a row in which
    some cells are numbers and others words is an error, since it may be a sample with a slip. An empty cell, ``?``,
    ``NA``, ``N/A``, ``NaN``, ``null`` and ``none`` are missing values. Among the features and regression targets they
    become NaN, which ``clean`` reports and removes; a row without a class is left out, with the warning MG-720.

    The target column decides what is learnt. Text or whole numbers are class labels: the different ones,
    sorted, become the ids 0, 1, 2 ... and their texts become ``classes``; ``1``, ``+1`` and ``01`` are one class.
    Numbers with a decimal point are regression targets.

    Args:
        path: the file, text in UTF-8, or in UTF-16 with its mark.
        target: the target column, by position (negative counts from the end) or by name.
        classes: the class labels in the order of their ids; give the training set's ``classes`` when reading
            its test set, so that equal labels get equal ids. A label among them is never a missing value.
        regression: take whole numbers, too, as regression targets.
        header: whether the first row holds column names, where it cannot be told or was told wrongly.
        exact: keep ``x`` in float64 wherever float32 would round it: for scaling before the cast.

    Returns:
        A dataset with ``x`` float32 of shape (n, columns - 1), ``y`` int64 class ids or float32 targets, and
        the file's name without its ending. ``x`` is float64 where float32 would round away what tells its rows apart,
        such as Unix times: scale it, then cast it.

    Raises:
        DataError: MG-703, the file cannot be opened; MG-707, it is not such a table (the line and the
            column are named).
    """
    path = Path(path)
    x, labels = _read(path, target, header, classes or ())
    y, names, known = _encode(labels, path, classes, regression)
    unlabelled = len(labels) - len(known)
    if unlabelled:
        _tell_unlabelled(labels, known, path)
        x = x[known]
    return Dataset(narrowed(x, exact), y, names, path.stem, unlabelled=unlabelled)


def _tell_unlabelled(labels: _Labels, known: list[int], path: Path) -> None:
    without = sorted(set(range(len(labels))) - set(known))
    lines = ", ".join(str(labels[k][0]) for k in without[:_SHOWN]) + (
        ", ..." if len(without) > _SHOWN else ""
    )
    seen = ", ".join(sorted({_shorten(labels[k][1]) for k in without}))
    warn(
        "MG-720",
        f"{path}: {len(without)} of {len(labels)} rows have no target ({seen} in line {lines}) and were left out. "
        "Where that is a class and not a missing value, name all classes with classes=.",
        path,
    )


_Labels = list[tuple[int, str]]
"""The target cells, each with its line number."""


def _read(
    path: Path, target: int | str, header: bool | None, classes: Sequence[str]
) -> tuple[Array, _Labels]:
    rows = read_rows(path)
    first_line, first = next(rows, (0, []))
    if len(first) < 2:
        found = f"its first row, {_shorten(first[0])}, is" if first else "it is empty and has"
        raise not_a_table(
            path, f"{found} no row of two or more columns separated by commas, semicolons or tabs."
        )
    column = _target_column(first, target, path)
    has_names = _is_header(first, column, target) if header is None else header
    names = first if has_names else [str(position) for position in range(len(first))]
    values, labels = array("d"), _Labels()
    for line, cells in rows if has_names else chain([(first_line, first)], rows):
        if len(cells) != len(names):
            raise not_a_table(path, f"line {line} has {len(cells)} columns, the first row has {len(names)}.")
        labels.append((line, _label(cells[column], line, path)))
        cells[column] = "0"
        values.extend(_numbers(cells, names, line, path, doubtful=line == first_line and header is None))
    if not labels:
        raise not_a_table(path, "it has column names and no row under them.")
    if (
        header is None
        and isinstance(target, str)
        and is_number(target)
        and target in {label for _, label in labels}
    ):
        raise not_a_table(
            path,
            f"line {first_line} has {_shorten(target)} as the target has it elsewhere, so it is no name. Give target= "
            "a position, or header=True where it is one.",
        )
    x = np.delete(np.frombuffer(values).reshape(len(labels), -1), column, axis=1)
    doubtful = header is None and not has_names and labels[0][1] not in classes
    if doubtful and _is_the_only_word(labels):
        if x.shape[1] == 1 or x[0].tolist() != list(range(x.shape[1])):
            raise not_a_table(
                path,
                f"line {first_line}: only here the target is no number, but {_shorten(labels[0][1])}. {_HEADER}",
            )
        x, labels = x[1:], labels[1:]  # the names that pandas gives: 0,1,2,label
    return x, labels


def _target_column(first: list[str], target: int | str, path: Path) -> int:
    if isinstance(target, str):
        names = [name.strip() for name in first]
        if target not in names:
            raise not_a_table(path, f"it has no column {target!r}. Its columns are: {', '.join(names)}.")
        if names.count(target) > 1:
            raise not_a_table(
                path, f"{names.count(target)} columns are called {target!r}. Give target= a position."
            )
        return names.index(target)
    if not -len(first) <= target < len(first):
        raise not_a_table(path, f"it has no column {target}: the first row has {len(first)} columns.")
    return target % len(first)


def _is_header(first: list[str], column: int, target: int | str) -> bool:
    if isinstance(target, str):
        return True
    features = [*first[:column], *first[column + 1 :]]
    return any(map(is_name, features)) and not any(is_number(cell) or hint(cell) for cell in first)


def _is_the_only_word(labels: _Labels) -> bool:
    first, *rest = (label for _, label in labels)
    others = [is_number(label) for label in rest if not is_missing(label)]
    return not is_number(first) and not is_missing(first) and bool(others) and all(others)


def _label(cell: str, line: int, path: Path) -> str:
    label = cell.strip()
    if ("\n" in label or "\r" in label) and any(sign in label for sign in ",;\t"):
        raise not_a_table(
            path,
            f"line {line}: the target goes on over several lines and their columns: "
            "its quotation mark closes too late.",
        )
    return label


def _numbers(cells: list[str], names: list[str], line: int, path: Path, doubtful: bool) -> list[float]:
    try:
        return numbers(cells)
    except ValueError:
        return [_number(cell, name, line, path, doubtful) for cell, name in zip(cells, names, strict=True)]


def _number(cell: str, name: str, line: int, path: Path, doubtful: bool = False) -> float:
    try:
        return number(cell)
    except ValueError:
        fix = (
            "These are the columns' names again: remove the line."
            if cell.strip() == name.strip()
            else _fix(cell)
        )
        also = f" {_HEADER}" if doubtful and not hint(cell) else ""
        raise not_a_table(
            path, f"line {line}, column {name}: {_shorten(cell)} is not a number. {fix}{also}"
        ) from None


def _fix(cell: str) -> str:
    if not any(map(str.isalnum, cell)):
        return "If it stands for a missing value, leave the cell empty."
    return hint(cell) or (
        "Features must be numbers; replace text by numbers, or name the column of labels with target=."
    )


def _encode(
    labels: _Labels, path: Path, classes: Sequence[str] | None, regression: bool
) -> tuple[Array, tuple[str, ...] | None, list[int]]:
    """The targets, the classes' names, and which rows have a target."""
    known = [k for k, (_, label) in enumerate(labels) if not is_missing(label) or label in (classes or ())]
    if not known:
        raise not_a_table(
            path,
            "no row has a target: the column is empty. Does every row end with a separator? target= takes another.",
        )
    chosen = [labels[k] for k in known]
    if regression or (classes is None and any(_is_decimal(label) for _, label in chosen)):
        return _regression_targets(labels, path), None, list(range(len(labels)))
    if classes is None:
        _check_labels(chosen, path)
    names = _sorted_classes({label for _, label in chosen}) if classes is None else tuple(classes)
    return _class_ids(chosen, path, names), names, known


def _is_decimal(label: str) -> bool:
    return is_number(label) and any(sign in label for sign in ".eE")


def _check_labels(labels: _Labels, path: Path) -> None:
    """See that no label is a number with a slip: one among numbers that is no word, or one with a decimal comma."""
    among_numbers = any(is_number(label) for _, label in labels)
    is_bad = _is_odd if among_numbers else separated
    words = any(is_name(label) for _, label in labels)
    once = _the_only_word(labels)
    for line, label in labels:
        if ((among_numbers or not words) and is_bad(label)) or label == once:
            raise _no_number(line, label, path)
        if not words and is_number(label) and label.strip("+-").lower().startswith("inf"):
            raise not_a_table(
                path, f"line {line}: the target is infinite. Remove the row, or leave the cell empty."
            )


def _the_only_word(labels: _Labels) -> str | None:
    """The one label that is no number, where it stands once among numbers: a slip rather than a class."""
    words = [label for _, label in labels if not is_number(label)]
    return words[0] if len(words) == 1 and len(labels) > 2 else None


def _is_odd(label: str) -> bool:
    return not is_number(label) and not is_name(label)


def _no_number(line: int, label: str, path: Path) -> DataError:
    return not_a_table(
        path, f"line {line}: the target {_shorten(label)} is not a number like the others. {_fix(label)}"
    )


def _regression_targets(labels: _Labels, path: Path) -> Array:
    for line, label in labels:
        if not is_missing(label) and not is_number(label):
            raise _no_number(line, label, path)
    with np.errstate(over="ignore"):
        return np.array([number(label) for _, label in labels]).astype(np.float32)


def _sorted_classes(labels: set[str]) -> tuple[str, ...]:
    if not all(_WHOLE.fullmatch(label) for label in labels):
        return tuple(sorted(labels))
    shortest: dict[int | float | str, str] = {}
    for label in sorted(labels, key=lambda label: (int(label), len(label), label)):
        shortest.setdefault(_meaning(label), label)
    return tuple(shortest.values())


def _meaning(label: str) -> int | float | str:
    """What makes two labels one class: the value of numbers, else the text."""
    if _WHOLE.fullmatch(label):
        return int(label)
    return float(label) if _is_decimal(label) else label


def _class_ids(labels: _Labels, path: Path, names: tuple[str, ...]) -> Array:
    ids = {_meaning(name): class_id for class_id, name in enumerate(names)}
    for line, label in labels:
        if _meaning(label) not in ids:
            known = ", ".join(map(_shorten, names[:10]))
            raise not_a_table(
                path, f"line {line}: the label {_shorten(label)} is none of the classes {known}."
            )
    return np.array([ids[_meaning(label)] for _, label in labels], dtype=np.int64)


def _shorten(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:37]}...")
