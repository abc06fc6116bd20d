"""All cases, of every family of operations; what is missing."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
from functools import wraps
from typing import Any

import pytest
import scipy.special  # noqa: F401  its operations are entered where it is imported

from minigrad import registry
from tests.ops.cases import (
    arrange,
    circular,
    comparison,
    convolution,
    core,
    linalg,
    nonlinear,
    normalization,
    order,
    products,
    select,
    special,
    statistics,
)
from tests.ops.cases import attention as attention_cases
from tests.ops.cases import recurrent as recurrent
from tests.ops.cases.core import LAYOUTS as LAYOUTS
from tests.ops.cases.core import Case as Case

registry.load()

_FAMILIES = (
    *(core, attention_cases, circular, arrange, select, order, statistics, products, linalg, nonlinear),
    *(normalization, recurrent, special, comparison, convolution),
)

#: operation -> its cases
CASES = {name: cases for family in _FAMILIES for name, cases in family.CASES.items()}

#: public functions that are put together from operations, checked like them
COMPOSED = {name: cases for family in _FAMILIES for name, cases in family.COMPOSED.items()}

#: both
ALL = {**CASES, **COMPOSED}

#: operations, and functions of NumPy on bare arrays, that give results and no gradient
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


def on_every_case(but: Collection[str] = ()) -> Callable[[Callable[..., None]], Any]:
    """Run a test of a ``case`` on every case, those of one operation in one test: there are thousands of cases."""

    def decorate(test: Callable[..., None]) -> Any:
        parameters = inspect.signature(test).parameters

        @wraps(test)
        def run(*self: Any, name: str, **others: Any) -> None:
            for number, case in enumerate(ALL[name]):
                try:
                    test(*self, case=case, **others)
                except Exception as error:
                    error.add_note(f"case {number} of {name}, {case.layout}")
                    raise

        run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [p.replace(name="name") if p.name == "case" else p for p in parameters.values()]
        )
        return pytest.mark.parametrize("name", [name for name in ALL if name not in but])(run)

    return decorate
