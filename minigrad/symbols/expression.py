"""Expressions: what a formula computes, entry by entry, as a tree that one can read, evaluate and print.

A formula is called with symbols in the place of its arrays. Python's operators and NumPy's functions of single entries
then build the tree instead of computing: ``Symbol("a") * 2 + np.sqrt(Symbol("b"))``. What has no expression of single
entries (a sum, a product of matrices, a reshape) raises ``NoExpression``, which says by name what it was.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from typing import Any

import numpy as np

as_computed: ContextVar[bool] = ContextVar("as_computed", default=False)
"""Whether operations that are called with symbols give what computes, rather than what a textbook has."""


class NoExpression(TypeError):
    """A function does something for which there is no expression of single entries; the message names it."""


class Formal:
    """What stands for numbers where a formula is read instead of run: an expression, an array of them."""

    __slots__ = ()

    def calling(self, name: str, *arguments: Any) -> Any:
        """Return a function of single entries on these arguments, by its name."""
        raise NotImplementedError


class Expression(Formal):
    """A node of the tree: a ``Symbol``, a ``Number``, or a ``Call`` of a function on other nodes.

    ``scalar`` tells whether it is a plain number, the same for all entries, which is worked out once in float64.
    """

    __slots__ = ("scalar",)

    scalar: bool

    # Arrays on the other side of an operator hand the work over to the functions below.
    __array_priority__ = 1000

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if any(map(_array, inputs)):
            return NotImplemented
        if method != "__call__" or ufunc.signature or ufunc.nout != 1 or options:
            raise NoExpression(f"np.{ufunc.__name__} is no function of single entries here")
        return call(ufunc.__name__, *inputs)

    def __array_function__(
        self, function: Callable[..., Any], types: Any, args: Sequence[Any], options: Mapping[str, Any]
    ) -> Any:
        if any(map(_array, args)):
            return NotImplemented
        if function is np.where and len(args) == 3:
            return call("where", *args)
        if function in (np.zeros_like, np.ones_like):
            return Number(int(function is np.ones_like))
        if function is np.clip:
            return clipped(*args, **options)
        raise NoExpression(f"np.{function.__name__} is no function of single entries")

    def calling(self, name: str, *arguments: Any) -> Expression:
        """See ``Formal.calling``."""
        return call(name, *arguments)

    def astype(self, dtype: Any, **options: Any) -> Expression:
        """The same: what a number is rounded to is no part of an expression."""
        return self

    @property
    def dtype(self) -> np.dtype[Any]:
        """A float, of whatever precision."""
        return np.dtype(np.float64)

    def __bool__(self) -> bool:
        raise NoExpression("which way an if goes depends on the numbers; np.where has both ways in it")

    def __float__(self) -> float:
        raise NoExpression(
            "float() takes numbers alone; write np.sqrt of an array, and math.sqrt of a number"
        )

    def __iter__(self) -> Iterator[Any]:
        raise NoExpression("a loop over the entries is no function of single entries")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise NoExpression(f".{name} is no function of single entries")

    def __neg__(self) -> Expression:
        return call("negative", self)

    def __pos__(self) -> Expression:
        return self

    def __abs__(self) -> Expression:
        return call("absolute", self)

    def __pow__(self, other: Any) -> Any:
        if _array(other):
            return NotImplemented
        # NumPy computes these powers of an array by other functions, whose last bits differ from a power's.
        if not self.scalar and type(other) in (int, float) and other in POWERS:
            return call(POWERS[other], self)
        return call("power", self, other)

    def __rpow__(self, other: Any) -> Expression:
        return call("power", other, self)

    def __matmul__(self, other: Any) -> Expression:
        raise NoExpression("@, or np.matmul, is no function of single entries")

    __rmatmul__ = __matmul__

    def __invert__(self) -> Expression:
        return call("logical_not", self)

    __hash__ = object.__hash__


POWERS = {-1: "reciprocal", 0.5: "sqrt", 1: "positive", 2: "square"}
"""The functions by which NumPy computes some powers of an array."""


_COMPARING = ("lt", "le", "gt", "ge", "eq", "ne")


def _array(other: Any) -> bool:
    """Tell whether the other operand is an array of expressions, which then has to say what comes of it."""
    return isinstance(other, Formal) and not isinstance(other, Expression)


def _operators(name: str, function: str) -> None:
    def on_left(self: Expression, other: Any) -> Any:
        return NotImplemented if _array(other) else call(function, self, other)

    def on_right(self: Expression, other: Any) -> Any:
        return NotImplemented if _array(other) else call(function, other, self)

    setattr(Expression, f"__{name}__", on_left)
    if name not in _COMPARING:
        setattr(Expression, f"__r{name}__", on_right)


for _name, _function in {
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "truediv": "divide",
    "mod": "remainder",
    "floordiv": "floor_divide",
    "and": "logical_and",
    "or": "logical_or",
}.items():
    _operators(_name, _function)

for _name, _function in {
    "lt": "less",
    "le": "less_equal",
    "gt": "greater",
    "ge": "greater_equal",
    "eq": "equal",
    "ne": "not_equal",
}.items():
    _operators(_name, _function)

COMPARISONS = frozenset(
    (
        *(
            "less",
            "less_equal",
            "greater",
            "greater_equal",
            "equal",
            "not_equal",
            "isnan",
            "isinf",
            "isfinite",
        ),
        *("logical_and", "logical_or", "logical_xor", "logical_not"),
    )
)
"""Functions whose value is true or false, which counts as 1 and 0 where it is multiplied."""


_serial = itertools.count()


class Symbol(Expression):
    """A name: of an array, or, where it is ``scalar``, of a number."""

    __slots__ = ("name",)

    def __init__(self, name: str, *, scalar: bool = False) -> None:
        self.name, self.scalar = name, scalar

    @property
    def identity(self) -> tuple[Any, ...]:
        """What two symbols have in common that stand for the same."""
        return (self.name,)

    def __repr__(self) -> str:
        return self.name


class Number(Expression):
    """A number that stands in the formula itself."""

    __slots__ = ("value",)

    def __init__(self, value: float) -> None:
        self.value, self.scalar = value, True

    def __repr__(self) -> str:
        return repr(self.value)


class Call(Expression):
    """A function on its arguments, by the name that NumPy has for it: ``Call("multiply", (a, b))``."""

    __slots__ = ("arguments", "function", "serial")

    def __init__(self, function: str, arguments: tuple[Expression, ...]) -> None:
        self.function, self.arguments = function, arguments
        self.serial = next(_serial)  # in the order in which the formula computes
        self.scalar = all(argument.scalar for argument in arguments)

    def __repr__(self) -> str:
        return f"{self.function}({', '.join(map(repr, self.arguments))})"


NAMED: dict[str, Callable[..., Any]] = {}
"""Functions of single entries that formulas call by a name of their own, beside NumPy's and SciPy's."""


def named(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let formulas call a function of single entries by its name, where they would otherwise have all of its body."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        NAMED[name] = function

        @functools.wraps(function)
        def on_either(*arguments: Any) -> Any:
            formal = next((argument for argument in arguments if isinstance(argument, Formal)), None)
            return function(*arguments) if formal is None else formal.calling(name, *arguments)

        return on_either

    return decorate


def computing(name: str) -> Callable[..., Any]:
    """Return what computes the function of this name on arrays."""
    if name in NAMED:
        return NAMED[name]
    if hasattr(np, name):
        function: Callable[..., Any] = getattr(np, name)
        return function
    import scipy.special  # which takes long to import, and which few formulas need

    function = getattr(scipy.special, name)
    return function


def clipped(a: Any, low: Any = None, high: Any = None) -> Any:
    """What np.clip computes, as functions of single entries."""
    above = a if low is None else np.maximum(a, low)
    return above if high is None else np.minimum(above, high)


def call(function: str, *arguments: Any) -> Expression:
    """Return the expression of a function of NumPy's on expressions and numbers."""
    if function == "positive":
        return expression(arguments[0])
    return Call(function, tuple(map(expression, arguments)))


def expression(value: Any) -> Expression:
    """Return an expression as it is, and a number as one; NoExpression for anything else."""
    if isinstance(value, Expression):
        return value
    if isinstance(value, (bool, int, float, np.generic)) or (
        isinstance(value, np.ndarray) and not value.ndim
    ):
        number = value.item() if isinstance(value, (np.generic, np.ndarray)) else value
        if isinstance(number, (int, float)):
            return Number(number)
    raise NoExpression(
        f"a {type(value).__name__} in the formula is neither a number nor one of its arguments"
    )


def merged(roots: Sequence[Expression]) -> list[Expression]:
    """Return expressions in which what is written alike is one node, and functions with a name have their bodies."""
    found: dict[tuple[Any, ...], Expression] = {}

    def one(tree: Expression) -> Expression:
        written = key(tree)
        if written not in found:
            new = tree
            if isinstance(tree, Call):
                arguments = tuple(map(one, tree.arguments))
                named = NAMED.get(tree.function)
                new = Call(tree.function, arguments) if named is None else one(named(*arguments))
            found[written] = new
        return found[written]

    return list(map(one, roots))


def same(one: Expression, other: Expression) -> bool:
    """Tell whether two expressions are written alike."""
    return key(one) == key(other)


def key(tree: Expression) -> tuple[Any, ...]:
    """Return what two expressions have in common that are written alike."""
    if isinstance(tree, Symbol):
        return ("symbol", *tree.identity)
    if isinstance(tree, Number):
        return ("number", type(tree.value), tree.value)
    assert isinstance(tree, Call)
    return (tree.function, *map(key, tree.arguments))


def evaluate(tree: Expression, values: Mapping[Any, Any]) -> Any:
    """Compute an expression as NumPy computes its formula: scalars in float64, arrays in their own precision.

    ``values`` gives the value of a symbol by its name, or of any expression by itself.
    """
    if tree in values:
        return values[tree]
    if isinstance(tree, Symbol):
        return values[tree.name]
    if isinstance(tree, Number):
        return tree.value
    assert isinstance(tree, Call)
    arguments = [evaluate(argument, values) for argument in tree.arguments]
    if tree.scalar:
        return _of_numbers(tree.function, arguments)
    return computing(tree.function)(*arguments)


def _of_numbers(function: str, arguments: Sequence[Any]) -> Any:
    if function == "power":  # NumPy refuses an int to a negative int
        return arguments[0] ** arguments[1]
    result = computing(function)(*arguments)
    return result.item() if isinstance(result, (np.generic, np.ndarray)) else result
