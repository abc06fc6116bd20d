"""No function of NumPy's can be missing in silence: each name is an operation, has no gradient, or has a reason.

NumPy's public names, those of ``numpy.linalg`` and the ufuncs and dispatched functions of ``scipy.special`` are walked.
A name that a newer release brings fails here; an entry for one that an older release has not does not.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.special

from minigrad import catalogue, registry, unsupported
from tests.ops.cases import CASES, COMPOSED, CONSTANT

registry.load()


# Names whose rules are being written: to be deleted, with the line that reads them, when they are there.
def _names(entries: list[catalogue.Entry], kind: str) -> list[str]:
    return [entry.name for entry in entries if entry.kind == kind]


ENTRIES = catalogue.entries()


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_each_name_has_a_gradient_or_none_or_a_reason(entry: catalogue.Entry):
    assert entry.kind is not None, f"{entry.name}: no rule, no entry without a gradient, no reason"


def cases_of(entry: catalogue.Entry) -> Any:
    """The cases of an entry: under the operation's name, or under the function's."""
    named = (entry.operation, entry.name, entry.name.rpartition(".")[2], entry.function.__name__)
    tables = (CONSTANT,) if entry.kind == "constant" else (CASES, COMPOSED)
    return next((table[name] for name in named for table in tables if table.get(name)), None)


@pytest.mark.parametrize(
    "entry", [e for e in ENTRIES if e.kind in ("gradient", "constant")], ids=lambda entry: entry.name
)
def test_what_is_offered_has_cases(entry: catalogue.Entry):
    assert cases_of(entry), f"{entry.name}: no cases in tests/ops/cases"


def test_a_name_is_in_one_place_alone():
    listed = {name: function for name, function in catalogue.public() if name in unsupported.UNSUPPORTED}
    listed = {name: function for name, function in listed.items() if callable(function)}
    assert [name for name, function in listed.items() if function in registry.functions] == []
    assert [
        f.__name__ for f in registry.constants if f in registry.compositions and f is not np.bincount
    ] == []


def test_a_reason_is_one_line_and_says_something():
    for name, reason in unsupported.UNSUPPORTED.items():
        assert 6 <= len(reason) <= 120, name
        assert "\n" not in reason, name


def test_a_new_function_of_numpys_is_reported(monkeypatch):
    def brand_new(a: Any) -> Any:
        return a

    monkeypatch.setattr(np, "brand_new", brand_new, raising=False)
    assert [e.name for e in catalogue.entries() if e.kind is None][:1] == ["brand_new"]


def test_the_walk_sees_what_it_has_to_see():
    names = {entry.name for entry in ENTRIES}
    assert {"sin", "argsort", "poly", "pi", "float32", "linalg.inv", "special.erf"} <= names
    assert "lib.stride_tricks.sliding_window_view" in names
    assert len(names) > 700


def test_enough_functions_have_a_gradient():
    kinds = catalogue.counts()
    assert kinds["gradient"] >= 200


def test_scipys_ufuncs_are_walked():
    ufuncs = {f"special.{n}" for n, f in vars(scipy.special).items() if isinstance(f, np.ufunc)}
    assert ufuncs <= {entry.name for entry in ENTRIES}
    assert len(ufuncs) > 200
