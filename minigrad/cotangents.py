"""The gradients that a walk carries, dL/d(variable) by variable: how they add up, and in whose memory."""

from __future__ import annotations

from typing import Any
from weakref import ref

import numpy as np

from minigrad import backend
from minigrad.records import Record
from minigrad.variable import Variable

_used: dict[int, ref[Variable]] = {}  # by id: a set would compare the entries of two tensors


def in_a_derivative(x: Variable) -> bool:
    """Tell whether a derivative that can be differentiated again was computed from records that ``x`` went into."""
    found = _used.get(id(x))
    return found is not None and found() is x


def _note(x: Variable) -> None:
    key = id(x)
    if key not in _used:
        _used[key] = ref(x, lambda _: _used.pop(key, None))


class Cotangents:
    """Adds up what arrives at each variable, in new arrays, so that the sums may themselves be recorded.

    Of the leaves among them it is kept in mind that they were used, see ``in_a_derivative``: what is computed from
    these sums need not depend on them any more.
    """

    __slots__ = ("by_variable",)

    def __init__(self, by_variable: dict[Any, Any]) -> None:
        self.by_variable = by_variable

    def add(self, x: Variable, part: Any, record: Record, incoming: Any) -> Any:
        """Return the sum at ``x`` after ``part``, which ``record`` made of ``incoming``, has been added to it."""
        if x.record is None:
            _note(x)
        total = self.by_variable.get(x)
        self.by_variable[x] = total = part if total is None else total + part
        return total

    def settle(self) -> None:
        """Let no two of the gradients that are left lie in the same memory: recorded ones may."""


class InPlace(Cotangents):
    """Adds in place, but never into memory that is borrowed: a rule may have returned somebody else's array."""

    __slots__ = ("borrowed", "once")

    def __init__(self, by_variable: dict[Any, Any], once: bool) -> None:
        self.by_variable = by_variable
        self.once = once  # nobody walks here again, so that even what the forward pass saved is free
        self.borrowed = set(map(id, by_variable))  # a set of variables would keep their arrays alive

    def add(self, x: Variable, part: Any, record: Record, incoming: Any) -> Any:
        """Return the sum at ``x``: the first contribution itself, or a new array if that is borrowed."""
        total = self.by_variable.get(x)
        if total is None:
            total = part
            if not (self.once and record.operation.joint_vjp) and _is_shared(part, record, incoming):
                self.borrowed.add(id(x))
        elif id(x) in self.borrowed:
            self.borrowed.discard(id(x))
            total = backend.as_0d_array(total + part)
        else:
            np.add(total, part, out=total)
            return total
        self.by_variable[x] = total
        return total

    def settle(self) -> None:
        """Copy those of the gradients that are left that lie in somebody else's memory."""
        for x, total in self.by_variable.items():
            if id(x) in self.borrowed:
                self.by_variable[x] = total.copy()


def _is_shared(part: Any, record: Record, incoming: Any) -> bool:
    """Tell whether a gradient is, or may be, somebody else's memory."""
    if part is incoming or part is record.value:
        return True
    if isinstance(part, Variable):
        return False
    if part.base is not None:
        return True
    for array in (*record.arrays, *record.saved):  # noqa: SIM110 (any() of a generator takes three times as long)
        if part is array:
            return True
    return False
