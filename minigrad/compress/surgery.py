"""Exchanging modules inside a network, wherever they are held; the network itself is left as it is."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from minigrad.errors import ConfigError
from minigrad.nn import Linear, Module


def linears(model: Module) -> dict[str, Linear]:
    """Return the dense layers by their dotted names, in order of definition.

    Raises ConfigError MG-821 where there are none.
    """
    found = {name: part for name, part in model.named_modules().items() if isinstance(part, Linear)}
    if not found:
        raise ConfigError(
            "MG-821",
            f"{type(model).__name__} has no dense layer of floats (nn.Linear), so there is nothing to compress. "
            "A quantised network is compressed already: prune first, quantise last.",
        )
    return found


Change = Callable[[str, Module], Module | None]


def exchanged(model: Module, change: Change) -> Module:
    """Return a copy of ``model`` with other modules in some places.

    ``change(name, module)`` is asked once for every module of the copy, outermost first, and gives the one to put in
    its place, or None to leave it. Dropout layers of the copy draw from the generators of the original.
    """
    generators = {id(rng): rng for part in model.modules() if (rng := getattr(part, "rng", None)) is not None}
    return _Surgery(change).module("", deepcopy(model, generators))


def copied(model: Module) -> Module:
    """Return a copy of ``model`` whose dropout layers draw from the generators of the original."""
    return exchanged(model, lambda *_: None)


class _Surgery:
    """Walks a network that may share modules, or have children that know their parents."""

    def __init__(self, change: Change) -> None:
        self.change = change
        self.done: dict[int, Module] = {}

    def module(self, name: str, part: Module) -> Module:
        if id(part) not in self.done:
            new = self.change(name, part)
            self.done[id(part)] = part if new is None else new
            if new is None:
                self._inside(part, f"{name}." if name else "")
        return self.done[id(part)]

    def _inside(self, part: Module, prefix: str) -> None:
        named = {name for name, _ in part._attributes()}
        for attribute, value in list(vars(part).items()):
            # a Sequential's layers go by their numbers alone: "0", not "layers.0"
            name = f"{prefix}{attribute}." if attribute in named else prefix
            setattr(part, attribute, self._value(name, value))

    def _value(self, name: str, value: Any) -> Any:
        if isinstance(value, Module):
            return self.module(name.removesuffix("."), value)
        if type(value) in (list, tuple):
            return type(value)(self._value(f"{name}{i}.", part) for i, part in enumerate(value))
        if type(value) is dict:
            return {key: self._value(f"{name}{key}.", part) for key, part in value.items()}
        return value
