"""Tests that take long and are more cases of what others test: they run with ``pytest --long`` alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

long = pytest.mark.long


def first(values: Iterable[Any], count: int = 1) -> list[Any]:
    """Return values to parametrize with, of which all but the first are marked ``long``."""
    return [each if k < count else pytest.param(each, marks=long) for k, each in enumerate(values)]
