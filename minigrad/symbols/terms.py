"""Expressions of entries of arrays: ``x[0,2]``, and sums whose terms are such, all of them in one tree."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from minigrad.symbols.expression import (
    Call,
    Expression,
    NoExpression,
    Number,
    Symbol,
    call,
    computing,
    evaluate,
)

Places: TypeAlias = NDArray[np.intp]
"""Flat places in an array: one, or one for each term of the sums that the expression stands in, an axis for each."""

MOST = 2000
"""Terms that are written out one by one where they have no common form."""

NESTED = 1 << 20
"""Terms of sums within sums: three over a batch of pictures, one in the other, fill any memory with their places."""


class Entry(Symbol):
    """An entry of a named array: ``x[0,2]``, or, within a sum, one for each of its terms. A constant has no name."""

    __slots__ = ("array", "places")

    def __init__(self, name: str, array: Any, places: Places) -> None:
        super().__init__(name)
        self.array, self.places = array, places

    @property
    def identity(self) -> tuple[Any, ...]:
        """See ``Symbol.identity``."""
        return (self.name, id(self.array), self.places.tobytes())


class Over(Call):
    """A sum (``add``), a product, the largest or the smallest of terms.

    Its argument is the expression of all of them, whose entries have one axis more; or, where they have no common
    form, there is an argument for each.
    """

    __slots__ = ("count",)

    def __init__(self, function: str, arguments: tuple[Expression, ...], count: int) -> None:
        super().__init__(function, arguments)
        self.count = count

    def term(self, k: int) -> Expression:
        """Return the expression of one term."""
        return picked(self.arguments[0], k) if len(self.arguments) == 1 else self.arguments[k]

    def worths(self) -> NDArray[np.float64]:
        """Return the value of each term, on the last axis."""
        if len(self.arguments) > 1:
            return np.stack([worth(term) for term in self.arguments], axis=-1)
        values: NDArray[np.float64] = worth(self.arguments[0])
        return values


class Mixed(NoExpression):
    """The entries of several places have no common form."""


def leaves(tree: Expression) -> Iterator[Entry]:
    """Yield the entries in an expression, from the left."""
    if isinstance(tree, Entry):
        yield tree
    elif isinstance(tree, Call):
        for argument in tree.arguments:
            yield from leaves(argument)


def picked(tree: Expression, k: int) -> Expression:
    """Return the expression of term ``k`` alone."""
    if isinstance(tree, Entry):
        return Entry(tree.name, tree.array, tree.places[k])
    if isinstance(tree, Over):
        return Over(tree.function, tuple(picked(argument, k) for argument in tree.arguments), tree.count)
    if isinstance(tree, Call):
        return Call(tree.function, tuple(picked(argument, k) for argument in tree.arguments))
    return tree


def _merged(tree: Expression, axis: int) -> Expression:
    """Return the expression with two axes of its places made one: a sum of sums is one sum."""
    if isinstance(tree, Entry):
        shape = tree.places.shape
        return Entry(tree.name, tree.array, tree.places.reshape((*shape[:axis], -1, *shape[axis + 2 :])))
    if isinstance(tree, Over):
        return Over(tree.function, tuple(_merged(argument, axis) for argument in tree.arguments), tree.count)
    if isinstance(tree, Call):
        return Call(tree.function, tuple(_merged(argument, axis) for argument in tree.arguments))
    return tree


def worth(tree: Expression) -> Any:
    """Return an expression's value in float64: a number, or an array with the axes of its entries' places."""
    if isinstance(tree, Entry):
        return np.asarray(tree.array).reshape(-1)[tree.places].astype(np.float64)
    if isinstance(tree, Over):
        return computing(tree.function).reduce(tree.worths(), axis=-1)  # type: ignore[attr-defined]
    if isinstance(tree, Call):
        return computing(tree.function)(*map(worth, tree.arguments))
    return np.float64(evaluate(tree, {}))


def combined(function: str, *arguments: Expression) -> Expression:
    """A call, without the factors 1 and the summands 0 that no formula has."""
    left, *others = arguments
    right = others[0] if len(others) == 1 else None
    if function in ("multiply", "divide") and isinstance(right, Number) and right.value == 1:
        return left
    if function == "multiply" and isinstance(left, Number) and left.value == 1 and right is not None:
        return right
    if function in ("add", "subtract") and isinstance(right, Number) and right.value == 0:
        return left
    if function == "add" and isinstance(left, Number) and left.value == 0 and right is not None:
        return right
    return call(function, *arguments)


def allow(shape: Sequence[int]) -> None:
    """Raise NoExpression where sums within sums, an axis for each, have more terms than anybody writes out."""
    if len(shape) > 1 and math.prod(shape) > NESTED:
        raise NoExpression(f"sums within sums of {math.prod(shape):,} entries")


def over(function: str, at: Callable[[Places], Expression], places: Places) -> Expression:
    """A function over the entries at the places on the last axis."""
    count = places.shape[-1]
    if count == 0:
        return Number(float(computing(function).identity))  # type: ignore[attr-defined]
    if count == 1:
        return at(places[..., 0])
    allow(places.shape)
    try:
        terms = at(places)
        if (leaf := next(leaves(terms), None)) is not None and places.ndim == 1:
            by_place = leaf.places.reshape(count, -1)[:, 0]
            if (by_place[1:] < by_place[:-1]).any():  # a reversed one, say
                terms = at(places[np.argsort(by_place, kind="stable")])
    except Mixed:
        if places.ndim > 1:
            raise
        if count > MOST:
            raise NoExpression(f"a sum of {count} entries that have no common form") from None
        return Over(function, tuple(at(place) for place in places), count)
    if isinstance(terms, Over) and terms.function == function and len(terms.arguments) == 1:
        return Over(function, (_merged(terms.arguments[0], places.ndim - 1),), count * terms.count)
    if all((leaf.places == leaf.places[..., :1]).all() for leaf in leaves(terms)) and function != "multiply":
        first = at(places[..., 0])
        return combined("multiply", Number(count), first) if function == "add" else first
    return Over(function, (terms,), count)
