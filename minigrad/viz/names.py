"""What the user calls a tensor or an array: a module's name for it, or the variable that holds it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from types import FrameType
from typing import Any

import numpy as np

from minigrad.nn import Module
from minigrad.source import _KERNELS, _ROOTS, here
from minigrad.tensor import Tensor

MOST = 200
"""Longest list, tuple or dict that is searched for tensors."""

_KINDS = (Tensor, np.ndarray)


class Names:
    """Collects names while a step runs, as the variables that hold the tensors and arrays come and go.

    The first name that is found stays. Only what is in ``wanted`` is looked for.
    """

    def __init__(self, outermost: FrameType) -> None:
        self.outermost = outermost
        self.by_id: dict[int, str] = {}
        self.kinds: dict[str, str] = {}  # a module's name -> its class
        self._layers: dict[int, dict[int, str]] = {}

    def look(self, wanted: Mapping[int, Any]) -> str | None:
        """Note the names of what is wanted (by id) and seen from here; return the layer that runs."""
        layer = self._layer()
        missing = wanted.keys() - self.by_id.keys()
        if missing:
            for frame in self._users():
                for name, held in _held(_variables(frame)):
                    if id(held) in missing:
                        self.by_id.setdefault(id(held), name)
        return layer

    def _users(self) -> Iterator[FrameType]:
        """The user's frames, innermost first, up to the one that asked for the record."""
        code = here().code
        found = False
        for frame in _frames(self.outermost):
            found = found or frame.f_code is code
            file = frame.f_code.co_filename
            if found and not file.startswith(_ROOTS) and _KERNELS not in file:
                yield frame

    def _layer(self) -> str | None:
        """Return the name of the innermost module that is running forward, as its outermost module calls it."""
        running: list[Module] = []
        for frame in _frames(self.outermost):
            if frame.f_code.co_argcount and frame.f_code.co_name == "forward":
                owner = frame.f_locals.get(frame.f_code.co_varnames[0])
                if isinstance(owner, Module):
                    running.append(owner)
        if not running:
            return None
        root = running[-1]
        if id(root) not in self._layers:
            names: dict[int, str] = {}
            for name, part in root._walk():
                if isinstance(part, Module):
                    names.setdefault(id(part), name)
                    self.kinds.setdefault(name, type(part).__name__)
                else:
                    self.by_id.setdefault(id(part), name)
            self._layers[id(root)] = names
        found = (self._layers[id(root)].get(id(part)) for part in running)
        return next((name for name in found if name), None)


def _frames(outermost: FrameType) -> Iterator[FrameType]:
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        yield frame
        if frame is outermost:
            return
        frame = frame.f_back


def _variables(frame: FrameType) -> Iterable[tuple[str, Any]]:
    own = dict(frame.f_locals)
    globally = frame.f_globals if frame.f_globals is not frame.f_locals else {}
    return [*own.items(), *((name, value) for name, value in list(globally.items()) if name not in own)]


def _held(variables: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    """Yield tensors, arrays and lists with what reaches them: a variable, an entry of one, an attribute of ``self``."""
    for name, value in variables:
        if name.startswith("_"):
            continue
        if isinstance(value, _KINDS):
            yield name, value
        elif isinstance(value, (list, tuple)) and len(value) <= MOST:
            yield name, value
            yield from ((f"{name}[{i}]", part) for i, part in enumerate(value) if isinstance(part, _KINDS))
        elif isinstance(value, dict) and len(value) <= MOST:
            yield from ((f"{name}[{key!r}]", part) for key, part in value.items() if isinstance(part, _KINDS))
        elif isinstance(value, Module):
            yield from ((part_name, part) for part_name, part in value._walk() if isinstance(part, Tensor))
        elif name == "self" and hasattr(value, "__dict__"):
            yield from _held(vars(value).items())
