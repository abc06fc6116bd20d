"""How numbers and entries are written in explanations: four significant digits, − and ·, long sums shortened."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

SHOWN = 4
"""Terms of a sum that are all shown; of a longer one the three largest, and the sum of the others."""


def show(value: Any) -> str:
    """Return a number rounded to four significant digits; zeros at the end are left out where the rest is exact.

    Whole numbers below a million are written in full. "Exact" allows for float32's last digits.

    >>> show(-0.24799), show(137.96), show(2.0), show(1e-8)
    ('−0.2480', '138.0', '2', '1e−08')
    """
    number = float(value)
    if math.isnan(number):
        return "nan"
    if math.isinf(number):
        return "∞" if number > 0 else "−∞"
    size = abs(number)
    if size < 1e6 and number == int(number):
        text = str(abs(int(number)))
    elif 1e-4 <= size < 1e6:
        text = _shortened(f"{size:.{max(0, 3 - math.floor(math.log10(size)))}f}", "", size)
    else:
        mantissa, exponent = f"{size:.3e}".split("e")
        text = _shortened(mantissa, f"e{exponent}", size)
    return (text if number >= 0 else f"-{text}").replace("-", "−")


def _shortened(digits: str, exponent: str, size: float) -> str:
    short = digits.rstrip("0").rstrip(".") if "." in digits else digits
    exact = abs(float(short + exponent) - size) <= 1e-6 * size
    return (short if exact else digits) + exponent


def entry(name: str, index: Sequence[Any]) -> str:
    """Return ``W[0,2]``, or the name alone for a single number."""
    return f"{name}[{','.join(map(str, index))}]" if len(index) else name


def enclosed(number: str) -> str:
    """Return a number as it stands behind an operator: a negative one in parentheses."""
    return f"({number})" if number.startswith("−") else number


def joined(terms: Sequence[str], others: int = 0, rest: Any = 0.0) -> str:
    """Return the terms with plus signs between them, and behind them how many others there are and their sum."""
    if not terms:
        return "0"
    added = [terms[0], *map(enclosed, terms[1:])]
    if others:
        added.append(f"({others} others: {show(rest)})")
    return " + ".join(added)


def largest(terms: Any) -> list[int]:
    """Return the flat places of the terms that a sum shows: all of a short one in order, else the three largest.

    The largest are those farthest from 0; of equal ones the first come first.
    """
    flat = np.abs(np.asarray(terms, np.float64).ravel())
    if flat.size <= SHOWN:
        return list(range(flat.size))
    order: list[int] = np.argsort(-np.nan_to_num(flat, nan=np.inf), kind="stable")[: SHOWN - 1].tolist()
    return order


def others(terms: Any, shown: Sequence[int]) -> tuple[int, float]:
    """Return how many terms are not among those shown, and their sum."""
    left = np.delete(np.asarray(terms, np.float64).ravel(), list(shown))
    with np.errstate(all="ignore"):
        return left.size, float(left.sum())
