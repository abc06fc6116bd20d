"""Cases of the family ``linalg``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.ops.cases.core import Case

#: operations by their names
CASES: dict[str, list[Case]] = {}

#: functions made of operations, by the NumPy function's name with its module: "vstack", "linalg.norm"
COMPOSED: dict[str, list[Case]] = {}

#: operations without a gradient: each a function of one tensor
CONSTANT: dict[str, Callable[..., Any]] = {}
