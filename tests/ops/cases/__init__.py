"""All cases, of every family of operations; what is missing."""

from __future__ import annotations

import scipy.special  # noqa: F401  its operations are entered where it is imported

from minigrad import registry
from tests.ops.cases import (
    arrange,
    circular,
    convolution,
    core,
    linalg,
    order,
    products,
    select,
    special,
    statistics,
)
from tests.ops.cases.core import LAYOUTS as LAYOUTS
from tests.ops.cases.core import Case as Case

registry.load()

_FAMILIES = (core, circular, arrange, select, order, statistics, products, linalg, special, convolution)

#: operation -> its cases
CASES = {name: cases for family in _FAMILIES for name, cases in family.CASES.items()}

#: public functions that are put together from operations, checked like them
COMPOSED = {name: cases for family in _FAMILIES for name, cases in family.COMPOSED.items()}

#: operations that are piecewise constant: they give results, and no gradient
CONSTANT = {name: f for family in _FAMILIES for name, f in family.CONSTANT.items()}

NEVER_EMPTY = {"mean_cross_entropy"}
"""Operations that have no value, and so no derivative, for nothing."""


def incomplete() -> dict[str, list[str]]:
    """What is missing: for each operation in the table, the kinds of input that it is not checked on."""
    missing = {}
    for name, operation in registry.operations.items():
        if any(operation.rules):
            seen = {case.layout for case in CASES.get(name, [])}
            seen |= {"size-0"} if name in NEVER_EMPTY else set()
            lacking = [layout for layout in LAYOUTS if layout not in seen]
        else:
            lacking = [] if name in CONSTANT else ["a result without a graph"]
        if lacking:
            missing[name] = lacking
    return missing
