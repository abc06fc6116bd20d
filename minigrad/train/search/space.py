"""What is searched: ``lr=1e-5:1e-1:log``, ``hidden=64,128,256``; one setting each, checked when it is read."""

from __future__ import annotations

import dataclasses
import difflib
import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal, NoReturn, TypeAlias

from minigrad.errors import ConfigError
from minigrad.train.config import Config

_FORMS = "NAME=LOW:HIGH, NAME=LOW:HIGH:log, or NAME=A,B,C"
_NOT_SEARCHED = {
    "recipe": "losses of different recipes are compared by searching each",
    "data": "losses on different data cannot be compared",
    "validation": "losses on different validation data cannot be compared",
    "seed": "choosing the luckiest seed chooses no setting",
    "device": "it changes how fast a network trains, not how well",
    "start_from": "set it for every trial: --set start_from=…",
    "fresh": "set it for every trial: --set fresh=…",
    "freeze": "set it for every trial: --set freeze=…",
}


@dataclass(frozen=True)
class Range:
    """All numbers from ``low`` to ``high``, or all whole ones; evenly spread, or evenly in their logarithm."""

    name: str
    low: float
    high: float
    log: bool
    whole: bool

    @property
    def spread(self) -> Literal["linear", "log"]:
        """How its values are spread."""
        return "log" if self.log else "linear"

    def ends(self) -> tuple[Any, ...]:
        """Return values that stand for all of it in a check."""
        return self.low, self.high

    def points(self, count: int) -> list[Any]:
        """Return ``count`` of them from end to end, evenly spaced; fewer where there are not so many whole ones."""
        low, high = (math.log(self.low), math.log(self.high)) if self.log else (self.low, self.high)
        steps = [low + (high - low) * k / (count - 1) for k in range(1, count - 1)]
        inner = [math.exp(step) if self.log else step for step in steps]
        values = [self.low, *inner, self.high]
        return sorted({round(value) for value in values}) if self.whole else values

    def describe(self) -> str:
        """Say what it is: ``1e-05 to 0.1, logarithmic``."""
        kind = "whole numbers " if self.whole else ""
        return f"{kind}{self.low:g} to {self.high:g}{', logarithmic' if self.log else ''}"


@dataclass(frozen=True)
class Choices:
    """Some values."""

    name: str
    values: tuple[Any, ...]
    spread: Literal["choice"] = "choice"

    def ends(self) -> tuple[Any, ...]:
        """Return values that stand for all of it in a check."""
        return self.values

    def describe(self) -> str:
        """Say what it is: ``64, 128 or 256``."""
        *first, last = map(str, self.values)
        return f"{', '.join(first)} or {last}" if first else f"{last} only"


Dimension: TypeAlias = Range | Choices
Space: TypeAlias = dict[str, Dimension]


def searchable() -> list[str]:
    """Return the names of the settings that can be searched."""
    return [name for name in Config.names() if name not in _NOT_SEARCHED]


def parse(texts: Iterable[str]) -> Space:
    """Read a space, one text for each setting; ConfigError MG-851, with what would be right, for a wrong one."""
    space: Space = {}
    for text in texts:
        dimension = _dimension(text)
        if dimension.name in space:
            _refuse(text, f"{dimension.name} is given twice. Give all of its values at once.")
        space[dimension.name] = dimension
    if not space:
        raise ConfigError(
            "MG-851",
            "nothing to search: give --space at least once, as in --space lr=1e-5:1e-1:log. "
            f"Searched can be: {', '.join(searchable())}.",
        )
    return space


def _refuse(text: str, why: str) -> NoReturn:
    raise ConfigError("MG-851", f"--space {text[:80]!r}: {why}")


def _dimension(text: str) -> Dimension:
    name, equals, values = (part.strip() for part in text.partition("="))
    name = name.replace("-", "_")
    if name in _NOT_SEARCHED:
        _refuse(text, f"{name} is not searched: {_NOT_SEARCHED[name]}.")
    if name not in searchable():
        near = difflib.get_close_matches(name.lower(), searchable(), n=1)
        guess = f"Did you mean {near[0]}? " if near else ""
        _refuse(
            text, f"there is no setting {name[:40]!r}. {guess}Searched can be: {', '.join(searchable())}."
        )
    if not equals or not values:
        _refuse(text, f"{name} has no values. Write {_FORMS}.")
    kind = next(str(field.type) for field in dataclasses.fields(Config) if field.name == name)
    return _range(text, name, kind, values) if ":" in values else _choices(text, name, kind, values)


def _range(text: str, name: str, kind: str, values: str) -> Range:
    low_text, high_text, *spacing = (part.strip() for part in values.split(":"))
    if kind not in ("int", "float"):
        _refuse(text, f"{name} is no number, so it has no range. Write {name}=A,B,C.")
    if spacing not in ([], ["log"]):
        _refuse(text, f"behind LOW:HIGH there can be only :log. Write {_FORMS}.")
    low, high = (_value(text, name, kind, part) for part in (low_text, high_text))
    if not low < high:
        swapped = f" Did you mean {name}={high:g}:{low:g}?" if low > high else ""
        _refuse(text, f"a range goes from a smaller to a larger number.{swapped}")
    if spacing and low <= 0:
        _refuse(text, f"a logarithmic range begins above 0, and this one begins at {low:g}.")
    return Range(name, low, high, bool(spacing), kind == "int")


def _choices(text: str, name: str, kind: str, values: str) -> Choices:
    found = [_value(text, name, kind, part.strip()) for part in values.split(",")]
    for k, value in enumerate(found):
        if value in found[:k]:
            _refuse(text, f"{value!r} is there twice.")
    return Choices(name, tuple(found))


def _value(text: str, name: str, kind: str, given: str) -> Any:
    """Convert one value to its setting's type and let the config check it."""
    value: Any = given
    if kind == "bool":
        if given.lower() not in ("true", "false"):
            _refuse(text, f"{name} is true or false, not {given[:40]!r}.")
        value = given.lower() == "true"
    elif kind in ("int", "float"):
        try:
            value = float(given)
        except ValueError:
            _refuse(text, f"{given[:40]!r} is no number. Write {_FORMS}.")
        if not math.isfinite(value):
            _refuse(text, f"{given} is no finite number.")
        if kind == "int":
            if value != int(value):
                _refuse(text, f"{name} is a whole number, and {given} is none.")
            value = int(value)
    try:
        Config(**{name: value})
    except ConfigError as error:
        _refuse(text, error.message)
    return value


def points(space: Space, trials: int) -> list[dict[str, Any]]:
    """Return a grid's points: every value of the choices, and as many of each range as fit into ``trials``.

    Raises ConfigError MG-851 where not even two of each range fit.
    """
    ranges = [part for part in space.values() if isinstance(part, Range)]
    fixed = math.prod(len(part.values) for part in space.values() if isinstance(part, Choices))
    count = 2 if ranges else 1
    if fixed * count ** len(ranges) > trials:
        raise ConfigError(
            "MG-851",
            f"this grid has at least {fixed * count ** len(ranges)} points and there are {trials} trials. "
            f"Allow as many trials, take fewer values, or another sampler.",
        )
    while ranges and fixed * (count + 1) ** len(ranges) <= trials:
        count += 1
    axes = [part.points(count) if isinstance(part, Range) else part.values for part in space.values()]
    return [dict(zip(space, point, strict=True)) for point in product(*axes)]
