"""The checks that optimizers, schedules, penalties and clipping make of their settings."""

from __future__ import annotations

import math
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any

from minigrad.errors import ConfigError

LARGEST_COUNT = 2**53
"""Counts beyond are no exact floats any more."""


def require(fits: bool, name: str, value: object, allowed: str) -> None:
    """Raise ConfigError MG-507 unless the setting ``name`` fits; ``allowed`` says which values do."""
    if not fits:
        raise ConfigError("MG-507", f"{name} is {value!r}; it must be {allowed}.")


def number(name: str, value: Any, allowed: str, fits: Callable[[float], bool]) -> float:
    """Return the setting as a float; ConfigError MG-507 where it is no finite number, or one that does not fit."""
    found = _finite(value)
    if found is None:
        quotes = f" Write {value.strip()}, without quotes." if _holds_a_number(value) else ""
        raise ConfigError("MG-507", f"{name} is {value!r}; it must be a finite number: {allowed}.{quotes}")
    require(fits(found), name, value, allowed)
    return found


def from_zero(name: str, value: Any, allowed: str = "0 or more") -> float:
    """Return the setting as a float; MG-507 where it is no finite number from 0."""
    return number(name, value, allowed, lambda x: x >= 0)


def above_zero(name: str, value: Any, allowed: str = "above 0") -> float:
    """Return the setting as a float; MG-507 where it is no finite number above 0."""
    return number(name, value, allowed, lambda x: x > 0)


def below_one(name: str, value: Any, allowed: str = "in [0, 1)") -> float:
    """Return the setting as a float; MG-507 where it is no number in [0, 1)."""
    return number(name, value, allowed, lambda x: 0 <= x < 1)


def whole(name: str, value: Any, least: int, what: str = "") -> int:
    """Return the setting as an int; MG-507 where it is no whole number, or below ``least``."""
    allowed = f"{least} or more{what}"
    found = number(name, value, allowed, lambda x: x <= LARGEST_COUNT)
    require(found == math.floor(found), name, value, f"a whole number: {allowed}")
    require(found >= least, name, value, allowed)
    return int(found)


def flag(name: str, value: Any) -> bool:
    """Return the setting as a bool; MG-507 where it is neither True nor False."""
    require(type(value).__name__ in ("bool", "bool_"), name, value, "True or False")
    return bool(value)


def _finite(value: Any) -> float | None:
    if getattr(value, "ndim", None) == 0 and hasattr(value, "item"):
        value = value.item()  # a number of NumPy's, or an array or a Tensor of one
    if isinstance(value, bool) or not isinstance(value, Real):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def _holds_a_number(value: Any) -> bool:
    try:
        return isinstance(value, str) and math.isfinite(float(value))
    except ValueError:
        return False


def count(step: Any) -> int:
    """Return the number of steps that a schedule is asked for; MG-507 where it is no number from 0.

    Beyond ``LARGEST_COUNT`` it stays there, where every schedule has long come to its end.
    """
    if type(step) is int and 0 <= step <= LARGEST_COUNT:
        return step  # which nearly all are
    if not isinstance(step, Integral) or isinstance(step, bool):
        step = math.floor(from_zero("step", step))
    require(step >= 0, "step", step, "0 or more")
    return min(int(step), LARGEST_COUNT)
