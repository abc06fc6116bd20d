"""Cleaning (D0 section 3.1): rows and columns that a network cannot learn from, found and reported.

======================================  ======================================================
a row with a missing value (NaN)        dropped
a row with an infinite value            dropped
an exact copy of an earlier row         dropped, the first one is kept
a column that never changes             kept, so that the model's input keeps its width
======================================  ======================================================

Features and targets count alike: two rows are copies where both are equal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minigrad.data.dataset import Array, Dataset
from minigrad.errors import DataError

_SHOWN = 8


@dataclass(frozen=True, eq=False)
class Report:
    """What ``clean`` found. Rows and columns are counted from 0 in the dataset it was given.

    A row stands under the first of missing, infinite and duplicate that applies. The constant columns are
    those of the rows that are kept. ``unlabelled`` counts the rows of the file that had no class, and are not among
    these.
    """

    name: str
    rows: int
    missing: NDArray[np.int64]
    infinite: NDArray[np.int64]
    duplicate: NDArray[np.int64]
    constant: NDArray[np.int64]
    unlabelled: int = 0

    @property
    def kept(self) -> int:
        """Number of rows that were kept."""
        return self.rows - len(self.missing) - len(self.infinite) - len(self.duplicate)

    def __str__(self) -> str:
        lines = [f"{self.name}: {self.kept} of {self.rows} rows kept"]
        for what, found, fate in (
            ("rows with a missing value", self.missing, "dropped"),
            ("rows with an infinite value", self.infinite, "dropped"),
            ("copies of an earlier row", self.duplicate, "dropped"),
            ("constant columns", self.constant, "kept"),
        ):
            lines.append(f"  {what:<27} {len(found):>7}{_positions(found, fate)}")
        if self.unlabelled:
            lines.append(f"  {'rows without a target':<27} {self.unlabelled:>7}  left out when it was read")
        return "\n".join(lines)


def clean(dataset: Dataset) -> tuple[Dataset, Report]:
    """Drop the rows that are incomplete or repeated; report them, and the columns that never change.

    Returns:
        The remaining rows in their order, and what was found.

    Raises:
        DataError: MG-701, no row remains.
    """
    rows = len(dataset)
    x = dataset.x.reshape(rows, -1)
    y = dataset.y.reshape(rows, -1)
    missing = np.isnan(x).any(axis=1) | np.isnan(y).any(axis=1)
    infinite = ~missing & (np.isinf(x).any(axis=1) | np.isinf(y).any(axis=1))
    whole = np.flatnonzero(~missing & ~infinite)
    first = _first_of_each(x[whole], y[whole])
    keep = whole[first]
    report = Report(
        name=dataset.name,
        rows=rows,
        missing=np.flatnonzero(missing),
        infinite=np.flatnonzero(infinite),
        duplicate=np.delete(whole, first),
        constant=np.flatnonzero((x[keep] == x[keep][:1]).all(axis=0)),
        unlabelled=dataset.unlabelled,
    )
    if not len(keep):
        empty = np.flatnonzero(np.isnan(x).all(axis=0))
        why = f"\nx has no value at all in column {_cut(empty)}: leave it out." if len(empty) else ""
        raise DataError("MG-701", f"dataset {dataset.name!r}: cleaning leaves no row.\n{report}{why}")
    return dataset.take(keep), report


def _first_of_each(x: Array, y: Array) -> NDArray[np.intp]:
    """Positions of the rows that are no copy of an earlier one, in order."""
    first: dict[bytes, int] = {}
    for position, row in enumerate(np.concatenate([_bytes(x), _bytes(y)], axis=1)):
        first.setdefault(row.tobytes(), position)
    return np.fromiter(first.values(), np.intp, len(first))


def _bytes(rows: Array) -> NDArray[np.uint8]:
    zero: Any = rows.dtype.type(0)
    return np.ascontiguousarray(rows + zero).view(np.uint8)  # + 0 makes -0.0 equal to 0.0 in its bytes too


def _positions(found: NDArray[np.int64], fate: str) -> str:
    if not len(found):
        return ""
    return f"  {fate}: {_cut(found)}"


def _cut(found: NDArray[np.intp]) -> str:
    return ", ".join(map(str, found[:_SHOWN])) + (", ..." if len(found) > _SHOWN else "")
