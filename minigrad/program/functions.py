"""The functions of which instructions are made: what each computes, and how it is written in Python."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from minigrad_kernels.captured import products
from minigrad_kernels.launch import Kernel

from minigrad import backend


class Function:
    """What an instruction runs; two of one ``name`` do the same."""

    def __init__(self, name: str, run: Callable[..., Any]) -> None:
        self.name, self.run = name, run

    def __repr__(self) -> str:
        return self.name

    @property
    def scope(self) -> dict[str, Any]:
        """The names that its text needs beside ``np``, with what they stand for."""
        return {}

    def text(self, arguments: Sequence[Any], options: Mapping[str, Any]) -> str:
        """Return the call in Python."""
        return f"{self.name}({written(arguments, options)})"

    def statement(self, arguments: Sequence[Any], options: Mapping[str, Any], targets: str) -> str:
        """Return the statement that gives the results their names, of which there may be none."""
        call = self.text(arguments, options)
        return f"{targets} = {call}" if targets else call


class OfNumPy(Function):
    """A function of NumPy's, or of SciPy's, under the name that it has there."""

    def __init__(self, function: Any, method: str = "__call__") -> None:
        home = getattr(function, "__module__", None) or "numpy"
        called = function.__name__
        home = "numpy" if isinstance(function, np.ufunc) and getattr(np, called, None) is function else home
        if isinstance(function, np.ufunc) and home == "numpy" and getattr(np, called, None) is not function:
            home = "scipy.special"  # ufuncs do not say where they are from
        suffix = "" if method == "__call__" else f".{method}"
        run = getattr(function, method)
        if home == "scipy.special":
            run = _where_it_lies(called, run)
        super().__init__(f"{home}.{called}{suffix}".replace("numpy.", "np.", 1), run)
        self.home = home
        self.is_ufunc = isinstance(function, np.ufunc) and method == "__call__"

    @property
    def scope(self) -> dict[str, Any]:
        """See ``Function.scope``."""
        if not self.home.startswith("scipy"):
            return {}
        import scipy.special

        return {"scipy": scipy}


def _where_it_lies(name: str, run: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of SciPy's that is CuPy's of the same name where its array is CuPy's."""

    def special(array: Any, *others: Any, **options: Any) -> Any:
        here = run if backend.is_numpy(array) else getattr(backend.special(array), name)
        return here(array, *others, **options)

    return special


class Operator(Function):
    """An operator of Python's between arrays."""

    def __init__(self, symbol: str, run: Callable[..., Any]) -> None:
        super().__init__(symbol, run)

    def text(self, arguments: Sequence[Any], options: Mapping[str, Any]) -> str:
        """See ``Function.text``."""
        if len(arguments) == 1:
            return f"{self.name}{literal(arguments[0])}"
        left, right = map(literal, arguments)
        left = f"({left})" if left.startswith("-") and self.name == "**" else left
        return f"{left} {self.name} {right}"


class Product(Operator):
    """``a @ b`` on a GPU, by the kernels' own product: a stream that captures refuses the library's."""

    def __init__(self) -> None:
        super().__init__("@", products)


class Moved(Function):
    """An array of the host's on a device."""

    def __init__(self, device: str) -> None:
        super().__init__("to_device", lambda array: backend.to_device(array, device))
        self.device = device

    @property
    def scope(self) -> dict[str, Any]:
        """See ``Function.scope``."""
        return {self.name: backend.to_device}

    def text(self, arguments: Sequence[Any], options: Mapping[str, Any]) -> str:
        """See ``Function.text``."""
        return f"{self.name}({literal(arguments[0])}, {self.device!r})"


class InPlace(Operator):
    """An operator that writes into its left side: ``w -= d``, which is a statement of its own."""


class Method(Function):
    """A method of arrays, or of a generator of random numbers."""

    def __init__(self, name: str) -> None:
        super().__init__(f".{name}", lambda array, *args, **options: getattr(array, name)(*args, **options))

    def text(self, arguments: Sequence[Any], options: Mapping[str, Any]) -> str:
        """See ``Function.text``."""
        return f"{literal(arguments[0])}{self.name}({written(arguments[1:], options)})"


class Attribute(Function):
    """An attribute of an array that is an array itself: ``w.T``."""

    def __init__(self, name: str) -> None:
        super().__init__(f".{name}", operator.attrgetter(name))

    def text(self, arguments: Sequence[Any], options: Mapping[str, Any]) -> str:
        """See ``Function.text``."""
        return f"{literal(arguments[0])}{self.name}"


class Item(Function):
    """Entries of an array: ``x[1:3]``."""

    def __init__(self) -> None:
        super().__init__("[]", operator.getitem)

    def text(self, arguments: Sequence[Any], options: Mapping[str, Any]) -> str:
        """See ``Function.text``."""
        return f"{literal(arguments[0])}[{index(arguments[1])}]"


class SetItem(Function):
    """Numbers written into entries of an array: ``x[1:3] = 0``."""

    def __init__(self) -> None:
        super().__init__("[]=", operator.setitem)

    def text(self, arguments: Sequence[Any], options: Mapping[str, Any]) -> str:
        """See ``Function.text``."""
        array, place, new = arguments
        return f"{literal(array)}[{index(place)}] = {literal(new)}"


class OfKernel(Function):
    """A kernel, which picks its implementation anew for every call."""

    def __init__(self, kernel: Kernel) -> None:
        super().__init__(kernel.name, kernel)
        self.kernel = kernel

    @property
    def scope(self) -> dict[str, Any]:
        """See ``Function.scope``."""
        return {self.name: self.kernel}


class OfPython(Function):
    """Something that the host does: an optimizer's numbers for this step, its count of steps."""

    @property
    def scope(self) -> dict[str, Any]:
        """See ``Function.scope``."""
        return {self.name: self.run}


class Check(OfPython):
    """Look whether a mask holds anywhere, which is an error: its name for people is the second argument."""

    def __init__(self) -> None:
        super().__init__("check", _check)

    @property
    def scope(self) -> dict[str, Any]:
        """See ``Function.scope``."""
        return {}

    def text(self, arguments: Sequence[Any], options: Mapping[str, Any]) -> str:
        """See ``Function.text``."""
        return f"if {literal(arguments[0])}.any(): raise ValueError({literal(arguments[1])})"


def _check(wrong: Any, what: str) -> None:
    if wrong.any():
        raise ValueError(what)


def written(arguments: Sequence[Any], options: Mapping[str, Any]) -> str:
    """Return arguments and options as they stand between the parentheses of a call."""
    return ", ".join([*map(literal, arguments), *(f"{key}={literal(each)}" for key, each in options.items())])


def literal(value: Any) -> str:
    """Return a constant as Python writes it, and a value by its name."""
    if isinstance(value, np.dtype):
        return f"np.dtype({value.str!r})" if value.names else f"np.dtype({value.name!r})"
    if isinstance(value, type):
        return f"np.{value.__name__}" if issubclass(value, np.generic) else value.__name__
    if isinstance(value, np.generic):
        return f"np.{type(value).__name__}({literal(value.item())})"
    if isinstance(value, float):
        return repr(value) if np.isfinite(value) else f"float({str(value)!r})"
    if isinstance(value, tuple):
        inside = ", ".join(map(literal, value))
        return f"({inside},)" if len(value) == 1 else f"({inside})"
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{literal(key)}: {literal(each)}" for key, each in value.items()) + "}"
    if isinstance(value, slice):
        return f"slice({literal(value.start)}, {literal(value.stop)}, {literal(value.step)})"
    return "..." if value is Ellipsis else repr(value)


def index(place: Any) -> str:
    """Return an index as it stands between brackets."""
    if isinstance(place, slice):
        start, stop = ("" if each is None else literal(each) for each in (place.start, place.stop))
        return f"{start}:{stop}" + ("" if place.step is None else f":{literal(place.step)}")
    if isinstance(place, tuple) and place:
        return ", ".join(map(index, place)) + ("," if len(place) == 1 else "")
    return literal(place)
