"""From the name of some data to its three parts, cleaned, scaled and ready to train on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from minigrad.data import (
    Dataset,
    Report,
    Standardize,
    clean,
    divide,
    load_csv,
    load_digits,
    load_glyphs,
    load_mnist,
    load_npz,
)
from minigrad.data.glyphs import LEARNT, TESTED
from minigrad.data.text import TEXTS
from minigrad.errors import ConfigError, DataError, warn
from minigrad.train.config import check_choice

TEST_SHARE = 0.2
_FIXED = 0  # the seed of the test part, the same for every run, so that runs with other seeds can be compared
BUILT_IN = ("digits", "mnist", "glyphs", "line")
_LOADERS: dict[str, Callable[..., Dataset]] = {".csv": load_csv, ".npz": load_npz}
_WHITE = (1, 16, 255, 65535)  # the brightest pixel of pictures of 1, 4, 8 and 16 bits; the digits count to 16


@dataclass(frozen=True)
class Prepared:
    """The parts of the data, what was done to them (for the summary), and how to treat new samples alike."""

    train: Dataset
    validation: Dataset | None
    test: Dataset
    notes: list[str]
    scaling: dict[str, Any] | None = None


def make_line(n: int = 200) -> Dataset:
    """Points near y = 2x + 1, always the same: x uniform in [-1, 1], noise of deviation 0.1 (D2 leaves them open)."""
    rng = np.random.default_rng(_FIXED)
    x = rng.uniform(-1, 1, (n, 1)).astype(np.float32)
    y = 2 * x + 1 + rng.normal(0, 0.1, (n, 1)).astype(np.float32)
    return Dataset(x, y.astype(np.float32), name="line")


def prepare(data: str, validation: float, rng: np.random.Generator) -> Prepared:
    """Load, clean, split and scale the data called ``data``; ``rng`` chooses the validation part.

    MNIST and the glyphs keep their own test set; of everything else a fifth, always the same, is held out for testing.
    Your own tables are cleaned and standardised with the training part's mean and deviation, in float64 until then;
    pictures are brought to 0..1. Warns MG-721 where there is one class only.

    Raises ConfigError MG-802 where there is no data of this name, and what the loaders raise; an error in splitting
    says what the cleaning had dropped.
    """
    if data == "mnist":
        notes = ["pixels divided by 255"]
        return _parts(load_mnist(train=True), load_mnist(train=False), validation, rng, notes)
    if data == "glyphs":
        notes = [f"letters of {' and '.join(LEARNT)}, tested on {' and '.join(TESTED)}"]
        return _parts(load_glyphs(train=True), load_glyphs(train=False), validation, rng, notes)
    if data == "digits":
        return _split(load_digits(), validation, rng, ["pixels divided by 16"])
    if data == "line":
        return _split(make_line(), validation, rng, ["points of y = 2x + 1 with noise of deviation 0.1"])
    path = Path(data)
    kind = path.suffix.lower()
    if kind == ".txt" or data in TEXTS:
        raise ConfigError(
            "MG-803",
            f"{data} is text, which this recipe does not read: minigrad train char-lstm --data {data}",
        )
    if kind not in _LOADERS:
        check_choice("data", data, (*BUILT_IN, "FILE.csv", "FILE.npz"))
    return _own(_LOADERS[kind](path, exact=True), validation, rng)


def _split(whole: Dataset, validation: float, rng: np.random.Generator, notes: list[str]) -> Prepared:
    rest, test = divide(whole, (1 - TEST_SHARE, TEST_SHARE), rng=np.random.default_rng(_FIXED))
    return _parts(rest, test, validation, rng, notes)


def _parts(
    rest: Dataset, test: Dataset, validation: float, rng: np.random.Generator, notes: list[str]
) -> Prepared:
    if validation == 0:
        return Prepared(rest, None, test, notes)
    train, held_out = divide(rest, (1 - validation, validation), rng=rng)
    return Prepared(train, held_out, test, notes)


def _own(whole: Dataset, validation: float, rng: np.random.Generator) -> Prepared:
    cleaned, report = clean(whole)
    if not cleaned.is_classification and cleaned.y.ndim == 1:
        cleaned = replace(cleaned, y=cleaned.y.reshape(-1, 1).astype(np.float32))
    note = _cleaning_note(report) + _lost_classes(whole, cleaned)
    try:
        parts = _split(cleaned, validation, rng, [note])
    except DataError as error:
        raise DataError(error.code, f"{error.message} The table: {note}.{_quantity(cleaned)}") from error
    if cleaned.is_classification and len(present := np.unique(cleaned.y)) == 1:
        warn(
            "MG-721",
            f"all {len(cleaned)} rows of {whole.name} have one class, {whole.class_name(present[0])!r}, so there is "
            f"nothing to tell apart, and 100 % says nothing. The table: {note}.",
            whole.name,
        )
    if whole.image_shape is not None:
        white = _white(cleaned.x)
        return _scaled(parts, lambda x: x / white, f"pixels divided by {white:g}")
    scaler = Standardize.fit(parts.train.x)
    return _scaled(parts, scaler.apply, "columns standardised by the training part", scaler.state())


def _white(pixels: Any) -> float:
    """What to divide pixels by: the brightest that there can be and not the brightest of these, as ``read_picture``."""
    largest = float(pixels.max())
    if largest > 1 and not np.array_equal(pixels, np.floor(pixels)):
        return largest
    return next((float(white) for white in _WHITE if largest <= white), largest)


def _scaled(
    parts: Prepared, scale: Callable[[Any], Any], note: str, scaling: dict[str, Any] | None = None
) -> Prepared:
    def scaled(part: Dataset) -> Dataset:
        with np.errstate(over="ignore"):
            x = scale(part.x).astype(np.float32)
        wrong = np.argwhere(~np.isfinite(x))
        if len(wrong):
            row, column = wrong[0]
            raise DataError(
                "MG-709",
                f"{part.name}: {part.x[row, column]:g} in column {column} is too far from the training part's numbers, "
                "whose scale it gets. Remove the row, or take the logarithm of the column.",
            )
        return replace(part, x=x)

    held_out = None if parts.validation is None else scaled(parts.validation)
    return Prepared(scaled(parts.train), held_out, scaled(parts.test), [*parts.notes, note], scaling)


def _cleaning_note(report: Report) -> str:
    """The report in half a line, for the summary."""
    rows = report.rows + report.unlabelled
    dropped = {
        "without a target": report.unlabelled,
        "with a missing value": len(report.missing),
        "with an infinite value": len(report.infinite),
        "repeated": len(report.duplicate),
    }
    reasons = ", ".join(f"{count} {what}" for what, count in dropped.items() if count)
    note = f"{report.kept} of {rows} rows kept" + (f" ({reasons})" if reasons else "")
    constant = len(report.constant)
    return note + (f", {constant} columns never change" if constant else "")


def _lost_classes(whole: Dataset, cleaned: Dataset) -> str:
    """Which classes have no row left, for the summary."""
    if not whole.is_classification:
        return ""
    lost = [repr(whole.class_name(k)) for k in np.setdiff1d(whole.y, cleaned.y)]
    return f", none of class {', '.join(lost)}" if lost else ""


def _quantity(table: Dataset) -> str:
    """A guess at what is wrong where nearly every row has a class of its own."""
    if not table.is_classification or 2 * len(np.unique(table.y)) <= len(table) or len(table) < 10:
        return ""
    return " Is the target a quantity, and no class? Write it with a decimal point, or use regression=True in Python."
