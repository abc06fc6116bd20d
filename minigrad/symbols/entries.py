"""Arrays of expressions: any function of NumPy arrays is run on them, and then asked how one entry came about.

An ``Entries`` has a shape and, for a place in it, the expression of its entry; nothing is worked out for the others.
Functions of single entries build the tree, sums become an ``Over``, products of matrices sums of products; and what
only moves entries, whatever it is called, is found out by moving labels. So ``np.sum(x * w)`` is Σ_n x[n] · w[n].

Beside its expressions an ``Entries`` has its numbers, ``value``: an index, a label or the way that an if goes is read
from them.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, ClassVar

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from minigrad.symbols.expression import POWERS, Expression, Formal, NoExpression, Number, computing, evaluate
from minigrad.symbols.terms import Entry, Mixed, Places, allow, combined, over


class Entries(NDArrayOperatorsMixin, Formal):
    """An array of expressions: ``at`` gives those of some places, ``value`` (or what computes it) the numbers."""

    __array_priority__ = 1000
    __hash__ = object.__hash__
    meanings: ClassVar[dict[Any, Callable[..., Any]]] = {}
    """What NumPy's functions of many entries compute; see ``minigrad.symbols.meanings``."""

    def __init__(
        self, shape: Sequence[int], dtype: Any, at: Callable[[Places], Expression], value: Any
    ) -> None:
        self.shape, self.dtype, self._at, self._value = tuple(shape), np.dtype(dtype), at, value
        self._known: dict[Any, Expression] = {}  # what is asked for along many ways through a recurrence

    @classmethod
    def named(cls, name: str, array: Any) -> Entries:
        """An array of the program, whose entries go by its name."""
        return cls(array.shape, array.dtype, lambda places: Entry(name, array, places), array)

    @classmethod
    def constant(cls, array: Any) -> Entries:
        """Numbers that have no name; an array whose entries are all the same is written as that number."""

        def at(places: Places) -> Expression:
            found = array.reshape(-1)[places]
            alike = found.size > 0 and bool((found == found.flat[0]).all())
            return Number(found.flat[0].item()) if alike else Entry("", array, places)

        return cls(array.shape, array.dtype, at, array)

    def entry(self, index: tuple[int, ...]) -> Expression:
        """Return the expression of one entry; NoExpression, which says what is in the way, where there is none."""
        flat = np.ravel_multi_index(index, self.shape) if index else 0
        return self.at(np.asarray(flat))

    def at(self, places: Places) -> Expression:
        """Return the expression that the entries at flat places have in common."""
        key = places.shape, places.tobytes()
        if key not in self._known:
            self._known[key] = self._at(places)
        return self._known[key]

    @property
    def value(self) -> Any:
        """The array's numbers."""
        if callable(self._value):
            with np.errstate(all="ignore"):
                self._value = self._value()
        return self._value

    ndim = property(lambda self: len(self.shape))
    size = property(lambda self: math.prod(self.shape))
    T = property(lambda self: np.transpose(self))

    def calling(self, name: str, *arguments: Any) -> Entries:
        """See ``Formal.calling``."""
        return _elementwise(name, arguments, self.dtype)

    def astype(self, dtype: Any, **options: Any) -> Entries:
        """Return the same expressions; the numbers in another dtype."""
        return Entries(self.shape, dtype, self._at, lambda: np.asarray(self.value).astype(dtype))

    def reshape(self, *shape: Any, **options: Any) -> Any:
        """Return the entries in another shape."""
        return np.reshape(self, shape[0] if len(shape) == 1 else shape, **options)

    def __pow__(self, other: Any) -> Any:
        if type(other) in (int, float) and other in POWERS:
            return getattr(np, POWERS[other])(self)
        return np.power(self, other)

    def __getitem__(self, index: Any) -> Any:
        return _moved(operator.getitem, (self, index), {})

    def __setitem__(self, index: Any, new: Any) -> None:
        numbered = np.arange(self.size).reshape(self.shape)[numbers(index)]
        source, before, old = lifted(new), self._at, self._value
        chosen = np.full(self.size, -1)
        chosen[numbered.reshape(-1)] = np.arange(numbered.size)

        def at(places: Places) -> Expression:
            found = chosen[places]
            if (found < 0).all():
                return before(places)
            if (found < 0).any():
                raise Mixed("some of the entries were assigned to, and some were not")
            return source.at(stretched_from(found, numbered.shape, source.shape))

        def value() -> Any:
            array = np.array(old() if callable(old) else old)
            array[numbers(index)] = source.value
            return array

        self._at, self._value, self._known = at, value, {}

    def add_at(self, index: Any, new: Any) -> None:
        """Add entries at an index, where places may come several times; ``np.add.at``."""
        numbered = np.arange(self.size).reshape(self.shape)[numbers(index)]
        source, before, old = lifted(new), self._at, self._value
        order = np.argsort(numbered, axis=None, kind="stable")
        count = np.bincount(numbered.reshape(-1), minlength=self.size)
        start = np.cumsum(count) - count

        def at(places: Places) -> Expression:
            counts = np.unique(count[places])
            if len(counts) != 1:
                raise Mixed("more is added to some of the entries than to others")
            allow((*places.shape, int(counts[0])))
            found = order[start[places][..., None] + np.arange(counts[0])] if counts[0] else None
            if found is None:
                return before(places)
            added = over("add", lambda k: source.at(stretched_from(k, numbered.shape, source.shape)), found)
            return combined("add", before(places), added)

        def value() -> Any:
            array = np.array(old() if callable(old) else old)
            np.add.at(array, numbers(index), source.value)
            return array

        self._at, self._value, self._known = at, value, {}

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("a single number has no length")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        return (self[k] for k in range(len(self)))

    def __bool__(self) -> bool:
        return bool(self.value)

    def __index__(self) -> int:
        return operator.index(self.value)

    def __float__(self) -> float:
        raise NoExpression("float() takes the number out of the array; write the array itself")

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        if self.dtype.kind == "f":
            raise NoExpression("np.asarray and the like take the numbers out of an array")
        return np.asarray(self.value, dtype)

    def __getattr__(self, name: str) -> Any:
        function = getattr(np, name, None)
        if name.startswith("_") or not callable(function):
            raise AttributeError(f"Entries has no {name!r}")
        return lambda *args, **options: function(self, *args, **options)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if method == "at" and ufunc is np.add:
            return inputs[0].add_at(*inputs[1:])
        if method == "reduce" and ufunc.nin == 2:
            return self.meanings[np.ufunc.reduce](ufunc, *inputs, **options)
        if method == "__call__" and ufunc is np.matmul:
            return self.meanings[np.matmul](*inputs)
        if method != "__call__" or ufunc.signature or ufunc.nout != 1 or options:
            raise NoExpression(f"np.{ufunc.__name__}{'' if method == '__call__' else '.' + method}")
        kinds = [type(x) if type(x) in (int, float) else lifted(x).dtype for x in inputs]
        dtype = ufunc.resolve_dtypes((*kinds, None))[-1]
        name = ufunc.__name__
        if np.dtype(dtype) == np.bool_:
            name = name.replace("bitwise_", "logical_").replace("invert", "logical_not")
        return _elementwise(name, inputs, dtype)

    def __array_function__(
        self, function: Callable[..., Any], types: Any, args: Sequence[Any], options: dict[str, Any]
    ) -> Any:
        if function is np.where and len(args) == 3:
            return _elementwise("where", args, np.result_type(*(_weak(x) for x in args[1:])))
        if function in (np.zeros_like, np.ones_like, np.empty_like, np.full_like):
            made = function(*numbers(tuple(args)), **options)
            return Entries.constant(made) if made.dtype.kind == "f" else made
        if function in self.meanings:
            return self.meanings[function](*args, **options)
        return _moved(function, tuple(args), options)


def lifted(value: Any) -> Entries:
    """Return an array of expressions as it is; a number or an array of numbers as one."""
    if isinstance(value, Entries):
        return value
    if isinstance(value, Expression):
        return Entries((), np.float64, lambda places: value, lambda: evaluate(value, {}))
    return Entries.constant(np.asarray(value))


def _weak(value: Any) -> Any:
    """What stands for an operand where NumPy works out a result's dtype: Python's numbers make none wider."""
    if isinstance(value, Expression):
        return 0.0
    return value if isinstance(value, (bool, int, float)) else lifted(value).dtype


def numbers(value: Any) -> Any:
    """Return the numbers of what was given, also within tuples, lists and dicts."""
    if isinstance(value, Entries):
        return value.value
    if isinstance(value, Expression):
        return evaluate(value, {})
    if isinstance(value, (tuple, list)):
        return type(value)(map(numbers, value))
    return {name: numbers(each) for name, each in value.items()} if isinstance(value, dict) else value


def _elementwise(name: str, arguments: Sequence[Any], dtype: Any) -> Entries:
    operands = [lifted(argument) for argument in arguments]
    shape = np.broadcast_shapes(*(operand.shape for operand in operands))

    def at(places: Places) -> Expression:
        return combined(name, *(each.at(stretched_from(places, shape, each.shape)) for each in operands))

    return Entries(shape, dtype, at, lambda: computing(name)(*map(numbers, arguments)))


def stretched_from(places: Places, shape: tuple[int, ...], own: tuple[int, ...]) -> Places:
    """From places in an array of a shape to those in one of its own shape that was stretched to it."""
    if own == shape:
        return places
    if math.prod(own) == 1:
        return np.zeros_like(places)
    index = np.unravel_index(places, shape)[len(shape) - len(own) :]
    return np.ravel_multi_index([0 * i if n == 1 else i for i, n in zip(index, own, strict=True)], own)


def dtypes(arrays: Sequence[Entries]) -> list[Any]:
    """Return the dtype of each array."""
    return [array.dtype for array in arrays]


def _sources(value: Any) -> list[Entries]:
    """The arrays in what a function was given, each once."""
    if isinstance(value, Entries):
        return [value]
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, (tuple, list)) else ()
    return list({id(each): each for part in inside for each in _sources(part)}.values())


def _replaced(value: Any, labels: dict[int, Any]) -> Any:
    if isinstance(value, Entries):
        label = labels.get(id(value))
        return value.value if label is None else label
    if isinstance(value, (tuple, list)):
        return type(value)(_replaced(each, labels) for each in value)
    if isinstance(value, dict):
        return {name: _replaced(each, labels) for name, each in value.items()}
    return numbers(value)


def _moved(function: Callable[..., Any], args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """What a function does of which nothing is known: it moves entries, or its result is no array of floats.

    It is run on labels in the place of the entries, several times, each time with other labels in another order. What
    comes out in the same places every time was only moved, whatever the function is called.
    """
    sources = _sources([args, options])
    floats = [source for source in sources if source.dtype.kind == "f"] or sources
    starts = np.cumsum([0, *(source.size for source in floats)])
    rng = np.random.default_rng(0)
    found: list[Any] = []
    try:
        for turn in range(8 if starts[-1] < 1000 else 2):
            order, sign = rng.permutation(starts[-1]), (-1) ** turn
            labels = {
                id(source): sign * (order[start : start + source.size] + 1.25).reshape(source.shape)
                for source, start in zip(floats, starts, strict=False)
            }
            result = function(*_replaced(args, labels), **_replaced(options, labels))
            several = isinstance(result, (tuple, list))
            origins = [_origins(each, sign, np.argsort(order)) for each in (result if several else [result])]
            if found and not all(map(_alike, found, origins)):
                found = []
                break
            found = origins
    except (TypeError, IndexError, ValueError, NoExpression):
        found = []
    if not found or any(origin is None for origin in found):
        return _data(function, args, options)

    def value(k: int) -> Any:
        made = function(*numbers(args), **numbers(options))
        return made[k] if several else made

    arrays = [_arrived(origin, floats, starts, partial(value, k)) for k, origin in enumerate(found)]
    return arrays if several else arrays[0]


def _data(function: Callable[..., Any], args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """A function's result where it is data (a shape, an index, true or false); NoExpression where it is floats."""
    result = function(*numbers(args), **numbers(options))
    for part in result if isinstance(result, (tuple, list)) else (result,):
        if isinstance(part, (float, np.floating)) or (
            isinstance(part, np.ndarray) and part.dtype.kind == "f"
        ):
            name = getattr(function, "__name__", "a function")
            raise NoExpression(f"np.{name} is no function of single entries, no sum of such, and no move")
    return result


def _origins(result: Any, sign: int, places: Places) -> tuple[Places, Any] | None:
    """Where each entry comes from (−1: from nowhere), and the entries themselves; None for what is no array."""
    if not isinstance(result, (np.ndarray, np.floating)) or result.dtype.kind != "f":
        return None
    labels = sign * np.asarray(result) - 1.25
    known = (labels >= 0) & (labels < len(places)) & (labels == np.round(labels))
    origin = np.where(known, places[np.where(known, labels, 0).astype(int)] if len(places) else 0, -1)
    return origin, np.where(known, 0, result)


def _alike(one: Any, other: Any) -> bool:
    return (
        one is not None
        and other is not None
        and all(np.array_equal(a, b, equal_nan=True) for a, b in zip(one, other, strict=True))
    )


def _arrived(found: Any, sources: Sequence[Entries], starts: Any, value: Callable[[], Any]) -> Entries:
    origin, constants = found
    flat = origin.reshape(-1)

    def at(places: Places) -> Expression:
        chosen = flat[places]
        owner = np.searchsorted(starts, chosen, side="right") - 1
        if chosen.size and (owner != owner.flat[0]).any():
            raise Mixed("the entries come from different arrays")
        k = int(owner.flat[0]) if owner.size else 0
        return Entries.constant(constants).at(places) if k < 0 else sources[k].at(chosen - starts[k])

    return Entries(origin.shape, np.result_type(*dtypes(sources)), at, value)
