"""Holders of layers and parameters, and layers that only move entries or do nothing; imported when one is asked for.

A list or a dict of modules, assigned to an attribute, is found without them; they are for programs that come from
PyTorch, and give the same names: ``layers.0.weight``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from minigrad import ops
from minigrad.errors import ConfigError
from minigrad.nn.module import Module, Parameter
from minigrad.tensor import Tensor


class Identity(Module):
    """Return x as it is, whatever the layer was given when it was made."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        del args, kwargs

    def forward(self, x: Any) -> Any:
        """Return x."""
        return x


class Unflatten(Module):
    """The axis ``dim`` in the lengths ``unflattened_size``, of which one may be -1: (n, 12) to (n, 3, 4)."""

    def __init__(self, dim: int, unflattened_size: Iterable[int]) -> None:
        self.dim, self.unflattened_size = dim, tuple(unflattened_size)

    def forward(self, x: Any) -> Any:
        """Return x with its axis split up."""
        shape, k = x.shape, self.dim % len(x.shape)
        return ops.reshape(x, shape=(*shape[:k], *self.unflattened_size, *shape[k + 1 :]))

    def extra_repr(self) -> str:
        """Return the axis and its lengths."""
        return f"axis {self.dim} to {self.unflattened_size}"


class _Holder(Module):
    """What lists and dicts have in common: ``kind`` is what they hold."""

    kind: type = Module
    _held: Any

    def _pairs(self) -> Iterable[tuple[str, Any]]:
        """Return what is held with the names that it goes by."""
        raise NotImplementedError

    def _checked(self, value: Any) -> Any:
        if isinstance(value, self.kind):
            return value
        if self.kind is Parameter and not isinstance(value, Module):
            return Parameter(value)
        raise _wrong(self, value)

    def _attributes(self) -> Iterable[tuple[str, Any]]:
        for name, value in vars(self).items():
            if name == "_held":
                yield from self._pairs()
            else:
                yield name, value

    def __delitem__(self, index: Any) -> None:
        del self._held[index]

    def __len__(self) -> int:
        return len(self._held)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._held)


class _List(_Holder):
    def __init__(self, values: Iterable[Any] | None = None) -> None:
        self._held: list[Any] = []
        self.extend(() if values is None else values)

    def _pairs(self) -> Iterable[tuple[str, Any]]:
        return ((str(i), part) for i, part in enumerate(self._held))

    def append(self, value: Any) -> Any:
        """Add one behind the others; return the list."""
        self._held.append(self._checked(value))
        return self

    def extend(self, values: Iterable[Any]) -> Any:
        """Add several behind the others; return the list."""
        for value in values:
            self.append(value)
        return self

    def insert(self, index: int, value: Any) -> None:
        """Add one before another."""
        self._held.insert(index, self._checked(value))

    def pop(self, index: int = -1) -> Any:
        """Take one out and return it."""
        return self._held.pop(index)

    def __getitem__(self, index: Any) -> Any:
        return type(self)(self._held[index]) if isinstance(index, slice) else self._held[index]

    def __setitem__(self, index: int, value: Any) -> None:
        self._held[index] = self._checked(value)

    def __iadd__(self, values: Iterable[Any]) -> Any:
        return self.extend(values)

    def __add__(self, values: Iterable[Any]) -> Any:
        return type(self)([*self._held, *values])


class ModuleList(_List):
    """Modules in a list, named by their places, which the network's own ``forward`` runs as it likes."""


class ParameterList(_List):
    """Parameters in a list, named by their places; what is no Parameter becomes one."""

    kind = Parameter


class _Dict(_Holder):
    def __init__(self, values: Mapping[str, Any] | Iterable[tuple[str, Any]] | None = None) -> None:
        self._held: dict[str, Any] = {}
        self.update({} if values is None else values)

    def _pairs(self) -> Iterable[tuple[str, Any]]:
        return self._held.items()

    def update(self, values: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> None:
        """Add, or replace, several."""
        pairs = values.items() if isinstance(values, (Mapping, _Dict)) else values
        for key, value in pairs:
            self[key] = value

    def __getitem__(self, key: str) -> Any:
        return self._held[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._held[key] = self._checked(value)

    def __contains__(self, key: object) -> bool:
        return key in self._held

    def keys(self) -> Iterable[str]:
        """Return the names."""
        return self._held.keys()

    def values(self) -> Iterable[Any]:
        """Return what is held."""
        return self._held.values()

    def items(self) -> Iterable[tuple[str, Any]]:
        """Return the pairs of name and what is held."""
        return self._held.items()

    def pop(self, key: str) -> Any:
        """Take one out and return it."""
        return self._held.pop(key)

    def clear(self) -> None:
        """Take all out."""
        self._held.clear()


class ModuleDict(_Dict):
    """Modules by name, which the network's own ``forward`` runs as it likes."""


class ParameterDict(_Dict):
    """Parameters by name; what is no Parameter becomes one."""

    kind = Parameter


def _wrong(holder: Module, value: Any) -> ConfigError:
    name = type(holder).__name__
    if isinstance(value, type):
        hint = f"Make one of the class: {value.__name__}()."
    elif isinstance(value, Tensor):
        hint = "Numbers that are trained go into a ParameterList or a ParameterDict."
    else:
        hint = "Wrap a function in a Module with a forward."
    return ConfigError("MG-802", f"{name} holds modules; it was given {value!r}. {hint}")
