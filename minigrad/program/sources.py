"""Where a program finds what it is given: among the arguments, in a tensor, at a place, or always the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import CellType
from typing import Any, Protocol

from minigrad.tensor import Tensor


class Source(Protocol):
    """Where a value of a program is found when a step begins."""

    def read(self, arguments: Sequence[Any]) -> Any:
        """Return what it is now; ``arguments`` are the arrays and numbers among the step's arguments."""


def reader(sources: Sequence[Source]) -> Callable[[Sequence[Any]], list[Any]]:
    """Return a function that reads them all: ``[source.read(arguments) for source in sources]``, without the calls."""
    scope: dict[str, Any] = {}
    texts = []
    for k, source in enumerate(sources):
        name = f"s{k}"
        if isinstance(source, Argument):
            texts.append(f"arguments[{source.k}]")
        elif isinstance(source, OfTensor):
            scope[name] = source.tensor
            texts.append(f"{name}._data")
        elif isinstance(source, (Constant, Object)):
            scope[name] = source.read(())
            texts.append(name)
        else:
            scope[name] = source.read
            texts.append(f"{name}(arguments)")
    read: Callable[[Sequence[Any]], list[Any]] = eval(f"lambda arguments: [{', '.join(texts)}]", scope)
    return read


@dataclass(slots=True, frozen=True)
class Argument:
    """The step's k-th argument, counted through tuples, lists and dicts."""

    k: int

    def read(self, arguments: Sequence[Any]) -> Any:
        """See ``Source.read``."""
        return arguments[self.k]


@dataclass(slots=True, frozen=True, eq=False)
class OfTensor:
    """The array of a tensor that is there before the step and afterwards."""

    tensor: Tensor

    def read(self, arguments: Sequence[Any]) -> Any:
        """See ``Source.read``."""
        return self.tensor._data


@dataclass(slots=True, frozen=True, eq=False)
class Gradient:
    """The gradient that a tensor has from before the step."""

    tensor: Tensor

    def read(self, arguments: Sequence[Any]) -> Any:
        """See ``Source.read``."""
        grad = self.tensor._grad
        return grad._data if isinstance(grad, Tensor) else grad


@dataclass(slots=True, frozen=True, eq=False)
class Constant:
    """An array that the step met and that nobody can put another in the place of; its numbers are followed."""

    array: Any

    def read(self, arguments: Sequence[Any]) -> Any:
        """See ``Source.read``."""
        return self.array


@dataclass(slots=True, frozen=True, eq=False)
class Object:
    """Something that is no array: a generator of random numbers, an optimizer."""

    thing: Any

    def read(self, arguments: Sequence[Any]) -> Any:
        """See ``Source.read``."""
        return self.thing


@dataclass(slots=True, frozen=True, eq=False)
class Place:
    """Where Python keeps something under a name: an attribute, a global, a list's item, a variable of a closure."""

    holder: Any
    key: Any
    name: str

    def get(self) -> Any:
        """Return what is there; None where nothing is."""
        if type(self.holder) is CellType:
            return self.holder.cell_contents
        if type(self.holder) is list:
            return self.holder[self.key] if self.key < len(self.holder) else None
        return self.holder.get(self.key)

    def held(self) -> Any:
        """Return what is there; LookupError or ValueError where nothing is."""
        return self.holder.cell_contents if type(self.holder) is CellType else self.holder[self.key]

    def put(self, value: Any) -> None:
        """Put another thing there."""
        if type(self.holder) is CellType:
            self.holder.cell_contents = value
        else:
            self.holder[self.key] = value


@dataclass(slots=True, frozen=True, eq=False)
class AtPlace:
    """The array, or the tensor's, at a place; whoever puts another there puts it into the program's next step."""

    place: Place
    path: tuple[Any, ...] = ()
    """The keys that lead to it where a tuple, a list or a dict is at the place."""

    def read(self, arguments: Sequence[Any]) -> Any:
        """See ``Source.read``; None where there is nothing of the kind any more."""
        found = self.place.get()
        for key in self.path:
            try:
                found = found[key]
            except (LookupError, TypeError):
                return None
        return found._data if isinstance(found, Tensor) else found
