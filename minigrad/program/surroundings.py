"""What a step can reach: the variables of its closure, the globals that it names, what hangs on those.

From here come the tensors whose arrays a trace follows, and the numbers and objects that a program takes for granted.
"""

from __future__ import annotations

import dis
import sys
import sysconfig
from collections.abc import Iterator
from functools import cache, partial
from types import CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from minigrad.backend import backend_of
from minigrad.nn.module import Module
from minigrad.optim.optimizer import Optimizer
from minigrad.program.sources import Place
from minigrad.source import is_internal
from minigrad.tensor import Tensor

MOST = 1000
"""Items of a list, a tuple or a dict that are looked at."""


class Surroundings:
    """Everything that was found, each thing once, under a name that says the way to it."""

    def __init__(self, *roots: Any) -> None:
        self.tensors: list[tuple[Tensor, str]] = []
        self.lists: list[tuple[list[Any], str]] = []
        self.dicts: list[tuple[dict[Any, Any], str]] = []
        self.modules: list[Module] = []
        self.optimizers: list[Optimizer] = []
        self.generators: list[np.random.Generator] = []
        self._places: dict[tuple[int, Any], Place] = {}
        self._read: set[str] = set()  # names of attributes in the code of the user's functions
        self._attributes: dict[int, str] = {}  # by the id of an object's dict, what kind of object
        self._seen: dict[int, Any] = {}
        pending = [(root, "") for root in reversed(roots)]
        while pending:
            thing, name = pending.pop()
            if type(thing) in _PLAIN or id(thing) in self._seen or backend_of(thing) is not None:
                continue
            self._seen[id(thing)] = thing  # which keeps it alive, so that the id is its own
            pending += reversed(list(self._behind(thing, name)))

    def _place(self, holder: Any, key: Any, name: str) -> None:
        self._places.setdefault((id(holder), key), Place(holder, key, name))

    @property
    def places(self) -> list[Place]:
        """Where something is kept, each place once."""
        return list(self._places.values())

    def is_read(self, place: Place) -> bool:
        """Tell whether the step may read what is at a place: not attributes that its code does not name."""
        kind = self._attributes.get(id(place.holder))
        return kind is None or kind == "module" or place.key in self._read

    def _behind(self, thing: Any, name: str) -> Iterator[tuple[Any, str]]:
        """Note what a thing is, and yield what hangs on it."""
        if isinstance(thing, Tensor):
            own = thing.name or ""
            self.tensors.append((thing, own if own[:1].isalpha() else name or own))
        elif isinstance(thing, np.random.Generator):
            self.generators.append(thing)
        elif isinstance(thing, Optimizer):
            self.optimizers.append(thing)
            yield from ((slot.tensor, slot.name) for slot in thing._slots)
        elif isinstance(thing, FunctionType):
            yield from self._of_function(thing, name)
        elif isinstance(thing, MethodType):
            yield from ((thing.__self__, name), (thing.__func__, name))
        elif isinstance(thing, partial):
            yield from ((thing.func, name), (thing.args, name), (thing.keywords, name))
        elif isinstance(thing, (tuple, list)):
            if type(thing) is list:
                self.lists.append((thing, name))
                for i in range(min(len(thing), MOST)):
                    self._place(thing, i, f"{name}[{i}]")
            yield from ((part, f"{name}_{i}") for i, part in enumerate(thing[:MOST]))
        elif isinstance(thing, dict):
            yield from self._of_dict(thing, name)
        elif not isinstance(thing, (type, ModuleType)) and _is_of_interest(thing.__class__):
            yield from self._of_object(thing, name)

    def _of_dict(self, thing: dict[Any, Any], name: str) -> Iterator[tuple[Any, str]]:
        self.dicts.append((thing, name))
        for key, part in list(thing.items())[:MOST]:
            self._place(thing, key, f"{name}[{key!r}]")
            yield part, f"{name}_{key}"

    def _of_object(self, thing: Any, name: str) -> Iterator[tuple[Any, str]]:
        if isinstance(thing, Module):
            self.modules.append(thing)
        attributes = getattr(thing, "__dict__", None)
        if isinstance(attributes, dict):
            self.dicts.append((attributes, name))
            self._attributes[id(attributes)] = "module" if isinstance(thing, Module) else "object"
            for key, part in attributes.items():
                self._place(attributes, key, f"{name}.{key}".lstrip("."))
                short = name if key == "layers" else f"{name}_{key}"
                yield part, short
        for kind in type(thing).__mro__:
            for part in vars(kind).values():
                if isinstance(part, FunctionType) and _is_users(part.__code__):
                    yield part, name

    def _of_function(self, function: FunctionType, name: str) -> Iterator[tuple[Any, str]]:
        yield from ((each, name) for each in function.__defaults__ or ())
        wrapped = getattr(function, "__wrapped__", None)
        if wrapped is not None:
            yield wrapped, name
        for variable, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            if (part := _content(cell)) is not _NOTHING:
                self._place(cell, None, variable)
                yield part, variable
        if _is_users(function.__code__):
            self._read.update(_attributes(function.__code__))
            for variable in _globals(function.__code__):
                if variable in function.__globals__:
                    part = function.__globals__[variable]
                    self._place(function.__globals__, variable, variable)
                    yield part, variable


def held_in(*things: Any) -> Iterator[Any]:
    """Yield what lies in tuples, lists and dicts."""
    for thing in things:
        if isinstance(thing, (tuple, list)):
            yield from held_in(*thing)
        elif isinstance(thing, dict):
            yield from held_in(*thing.values())
        else:
            yield thing


_PLAIN = frozenset({int, float, bool, str, bytes, type(None), np.ndarray, np.dtype})
_NOTHING = object()


def _content(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # a variable that has no value yet
        return _NOTHING


@cache
def _globals(code: CodeType) -> tuple[str, ...]:
    """Return the names of the globals that a function's code reads, the functions within it included."""
    names = [
        each.argval for each in dis.get_instructions(code) if each.opname in ("LOAD_GLOBAL", "LOAD_NAME")
    ]
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names += _globals(constant)
    return tuple(dict.fromkeys(names))


@cache
def _attributes(code: CodeType) -> tuple[str, ...]:
    """Return the names in a function's code, among them those of the attributes that it reads."""
    inside = [_attributes(constant) for constant in code.co_consts if isinstance(constant, CodeType)]
    return (*code.co_names, *(name for names in inside for name in names))


_LIBRARIES = tuple(
    {sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
)


@cache
def _is_users(code: CodeType) -> bool:
    """Tell whether a function is the user's own and no library's, whose globals are nobody's business."""
    return not is_internal(code.co_filename) and not code.co_filename.startswith(_LIBRARIES)


@cache
def _is_of_interest(kind: Any) -> bool:
    """Tell whether the attributes of a class's objects are looked at: not those of libraries but minigrad."""
    package = kind.__module__.partition(".")[0]
    if package == "minigrad":
        return True
    file = getattr(sys.modules.get(kind.__module__), "__file__", None)
    return package not in sys.stdlib_module_names and (file is None or not file.startswith(_LIBRARIES))
