"""What a program is: a short list of plain instructions on values, each with the user's line that it came from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from minigrad.program.closed import Closed
from minigrad.program.functions import Function
from minigrad.source import SourceLocation

Phase = Literal["forward", "backward", "update"]


@dataclass(slots=True, eq=False)
class Memory:
    """A piece of memory, on which one value lies or several do (views); ``written`` counts the writes into it."""

    made: bool
    """Whether the program makes it; otherwise it is there before and afterwards."""
    nbytes: int
    written: int = 0


@dataclass(slots=True, eq=False)
class Value:
    """An array that a program is given or makes, or a Python number (``shape`` is None) or object (``dtype`` too)."""

    name: str
    shape: tuple[int, ...] | None
    dtype: Any
    memory: Memory
    in_order: bool = True
    """Whether it is C-contiguous."""

    def __repr__(self) -> str:
        return self.name

    @property
    def described(self) -> str:
        """The dtype and the shape: ``float32 (32, 784)``."""
        if self.dtype is None:
            return "object"
        if self.shape is None:
            return str(self.dtype.__name__)
        return f"{self.dtype} {self.shape}"


@dataclass(slots=True, eq=False)
class Instruction:
    """A function of values and constants, what it makes, and into whose memory it writes."""

    function: Function
    arguments: tuple[Any, ...]
    options: dict[str, Any]
    result: Any
    """A value, None, or a tuple of either."""
    writes: tuple[Memory, ...]
    phase: Phase
    location: SourceLocation
    closed: Closed | None = None
    """What it is a part of, where that is kept from readers."""

    def __repr__(self) -> str:
        return self.text()

    @property
    def name(self) -> str:
        """What its function is called, for people."""
        return self.closed.name if self.closed else self.function.name

    @property
    def reads(self) -> Iterator[Value]:
        """Every value that it is given."""
        yield from values((self.arguments, self.options))

    @property
    def makes(self) -> Iterator[Value]:
        """Every value that it makes."""
        yield from values(self.result)

    def text(self) -> str:
        """Return it as a statement for people; what is kept from readers is named and no more."""
        return self.code() if self.closed is None else self.closed.line(self.makes, dict.fromkeys(self.reads))

    def code(self) -> str:
        """Return it as a statement of Python, to be run."""
        targets = _targets(self.result) if any(True for _ in self.makes) else ""
        return self.function.statement(self.arguments, self.options, targets)


def _targets(result: Any) -> str:
    if isinstance(result, Value):
        return result.name
    if isinstance(result, (tuple, list)):
        inside = ", ".join(map(_targets, result))
        return f"({inside},)" if len(result) == 1 else f"({inside})"
    return "_"


def values(structure: Any) -> Iterator[Value]:
    """Yield the values in tuples, lists, dicts and slices, in their order."""
    if isinstance(structure, Value):
        yield structure
    elif isinstance(structure, (tuple, list)):
        for part in structure:
            yield from values(part)
    elif isinstance(structure, dict):
        for part in structure.values():
            yield from values(part)
    elif isinstance(structure, slice):
        yield from values((structure.start, structure.stop, structure.step))


def arrays_of(result: Any, found: Any) -> list[Any]:
    """Return what was found in the places of a result's values."""
    if isinstance(result, Value):
        return [found]
    if not result:
        return []
    return [each for value, each in zip(result, found, strict=True) if isinstance(value, Value)]


def mapped(structure: Any, change: Callable[[Any], Any]) -> Any:
    """Return tuples, lists, dicts and slices with every leaf changed."""
    if isinstance(structure, (tuple, list)):
        parts = [mapped(part, change) for part in structure]
        return type(structure)(*parts) if hasattr(structure, "_fields") else type(structure)(parts)
    if isinstance(structure, dict):
        return {key: mapped(part, change) for key, part in structure.items()}
    if isinstance(structure, slice):
        return slice(*(mapped(part, change) for part in (structure.start, structure.stop, structure.step)))
    return change(structure)


def paths(structure: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Yield the leaves of tuples, lists and dicts, each with the keys that lead to it."""
    if isinstance(structure, (tuple, list)):
        for k, part in enumerate(structure):
            yield from paths(part, (*before, k))
    elif isinstance(structure, dict):
        for key, part in structure.items():
            yield from paths(part, (*before, key))
    else:
        yield before, structure


@dataclass(slots=True)
class Listing:
    """The instructions of a program, what it is given and what it hands back.

    ``given`` are the values that are there before, ``kept`` those that somebody asks for afterwards. What is written
    into memory that is not the program's own is kept by itself.
    """

    given: list[Value]
    instructions: list[Instruction]
    kept: list[Value] = field(default_factory=list)
