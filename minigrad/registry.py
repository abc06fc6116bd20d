"""The registry: from a NumPy function, or a method's name, to the operation that stands for it.

It lies below ``Tensor`` so that Tensor can look operations up without importing, or naming, any of them;
``minigrad.ops`` fills it: with what networks are made of when the package is imported, with the rest when something
is looked up that is not there yet.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.rules import Primitive

#: every differentiable operation by its name, in the order of definition
operations: dict[str, Primitive] = {}

#: ``np.sin`` -> what runs for ``np.sin(tensor)``
functions: dict[Callable[..., Any], Callable[..., Any]] = {}

#: ``np.vecdot`` -> the options that what runs for it has, of the ufuncs that are made of operations
options: dict[Callable[..., Any], set[str]] = {}

#: ``"sum"`` -> what runs for ``tensor.sum()``
methods: dict[str, Callable[..., Any]] = {}

#: ``np.sum`` -> what runs where options are asked for that the operation which stands for it has not
fuller: dict[Callable[..., Any], Callable[..., Any]] = {}

#: ``np.vstack`` -> its formula, for the functions that are made of operations
compositions: dict[Callable[..., Any], str] = {}

#: ``np.argsort`` -> why it has no gradient, for the functions that give results alone
constants: dict[Callable[..., Any], str] = {}

#: ``"reduce"`` -> what runs for ``np.add.reduce(tensor)``, with ``np.add`` before its arguments
methods_of_ufuncs: dict[str, Callable[..., Any]] = {}

#: what runs a function that is not in the table on bare arrays; ``minigrad.operation`` enters it
on_arrays: Callable[[Callable[..., Any]], Callable[..., Any]]

_later: list[Callable[[], bool]] = []


def later(load: Callable[[], bool]) -> None:
    """Have ``load`` enter further operations when one is missed; it returns whether it has entered all of its own."""
    _later.append(load)


def load() -> None:
    """Enter the operations that have waited until now."""
    waiting, _later[:] = _later[:], []
    _later.extend(load for load in waiting if not load())


def find(table: dict[Any, Callable[..., Any]], key: Any) -> Callable[..., Any] | None:
    """Look up what is not among the operations that were entered first, or None."""
    if key not in table and _later:
        load()
    return table.get(key)
