"""From a formula, which is a function, to its expressions: it is called with symbols, and its local names are kept."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Lock
from types import FrameType
from typing import Any

from minigrad.symbols.expression import Call, Expression, NoExpression, call, expression


class Traced:
    """What a formula computes: the expressions that it returns, and those that it gave a name on the way.

    ``sealed`` is what stands in the place of its text, where a function of it is kept from readers (its module says
    ``__sealed__``), and empty elsewhere.
    """

    def __init__(
        self, results: Sequence[Expression], names: Mapping[Expression, str], sealed: str = ""
    ) -> None:
        self.results, self.names, self.sealed = tuple(results), dict(names), sealed

    @property
    def lines(self) -> list[tuple[str, Call]]:
        """The named expressions, in the order in which they were made."""
        return [(self.names[node], node) for node in calls(self.results) if node in self.names]


def trace(function: Callable[..., Any], /, *arguments: Any, **options: Any) -> Traced:
    """Call a formula with symbols and return its expressions.

    The functions of ``math`` take symbols of numbers meanwhile. Raises NoExpression where the formula does what has no
    expression of single entries.
    """
    names: dict[Expression, str] = {}
    sealed: list[str] = []
    with _math_on_symbols(), _names_kept(names, sealed):
        found = function(*arguments, **options)
    several = found if isinstance(found, (tuple, list)) else (found,)
    return Traced([expression(each) for each in several], names, *sealed[:1])


def calls(roots: Sequence[Expression]) -> list[Call]:
    """Return the calls of some expressions, each once, in the order in which the formula computes them."""
    found: set[Call] = set()
    pending = list(roots)
    while pending:
        node = pending.pop()
        if isinstance(node, Call) and node not in found:
            found.add(node)
            pending.extend(node.arguments)
    return sorted(found, key=lambda node: node.serial)


@contextmanager
def _names_kept(names: dict[Expression, str], sealed: list[str]) -> Iterator[None]:
    """Note, as each function of the formula returns, what its local names stood for, and whether it may be read."""
    own = __package__

    def on_return(frame: FrameType, event: str, _: Any) -> None:
        module = frame.f_globals.get("__name__", "")
        if event == "return" and not module.startswith((own, "numpy", "contextlib")):
            for name, value in frame.f_locals.items():
                if isinstance(value, Call):
                    names.setdefault(value, name)
            if "__sealed__" in frame.f_globals:
                sealed.append(frame.f_globals["__sealed__"])

    before = sys.getprofile()
    sys.setprofile(on_return)
    try:
        yield
    finally:
        if before is None or callable(before):
            sys.setprofile(before)
        else:
            before.enable()  # cProfile's, written in C, which only it can set


_NUMPY_NAMES = {
    "pow": "power", "fabs": "absolute", "acos": "arccos", "asin": "arcsin", "atan": "arctan", "acosh": "arccosh",
    "asinh": "arcsinh", "atanh": "arctanh", "atan2": "arctan2",
}  # fmt: skip
_FUNCTIONS = (
    "sqrt", "exp", "expm1", "log", "log1p", "log2", "log10", "sin", "cos", "tan", "sinh", "cosh", "tanh", "floor",
    "ceil", "trunc", *_NUMPY_NAMES,
)  # fmt: skip
_lock = Lock()


@contextmanager
def _math_on_symbols() -> Iterator[None]:
    """Let the functions of ``math`` take symbols too: they cannot be told to otherwise, as NumPy's can."""
    with _lock:
        before = {name: getattr(math, name) for name in _FUNCTIONS}
        try:
            for name, function in before.items():
                setattr(math, name, _math_function(name, function))
            yield
        finally:
            for name, function in before.items():
                setattr(math, name, function)


def _math_function(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def on_either(*arguments: Any) -> Any:
        if not any(isinstance(argument, Expression) for argument in arguments):
            return function(*arguments)
        if not all(expression(argument).scalar for argument in arguments):
            raise NoExpression(f"math.{name} takes numbers; for arrays there is NumPy's")
        return call(_NUMPY_NAMES.get(name, name), *arguments)

    return on_either
