"""What NumPy's functions of many entries compute, made of sums and of functions of single entries.

Import ``Entries`` from here: then it knows them.
"""

from __future__ import annotations

import math
import operator
import string
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.symbols.entries import Entries, dtypes, lifted, numbers
from minigrad.symbols.expression import Expression, NoExpression, clipped
from minigrad.symbols.terms import Entry, Mixed, Places, allow, combined, over

__all__ = ["Entries"]


def _axes(axis: Any, ndim: int) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(ndim))
    return tuple(
        operator.index(k) % ndim for k in (axis if isinstance(axis, (tuple, list)) else (axis,)) if ndim
    )


def _reduced(ufunc: np.ufunc, a: Any, axis: Any = 0, keepdims: bool = False, **options: Any) -> Entries:
    if any(option is not None and option is not np._NoValue for option in options.values()):
        raise NoExpression(f"np.{ufunc.__name__}.reduce with {', '.join(options)}")
    a, axes = lifted(a), _axes(numbers(axis), lifted(a).ndim)
    kept = [k for k in range(a.ndim) if k not in axes]
    shape = tuple(1 if k in axes else n for k, n in enumerate(a.shape) if keepdims or k in kept)
    count = math.prod(a.shape[k] for k in axes)
    table: list[Places] = []

    def at(places: Places) -> Expression:
        if not table:
            numbered = np.arange(a.size).reshape(a.shape).transpose((*kept, *axes))
            table.append(numbered.reshape(math.prod(shape), count))
        allow((*places.shape, count))
        return over(ufunc.__name__, a.at, table[0][places])

    dtype = a.dtype if a.dtype.kind == "f" else np.result_type(a.dtype, np.int64)
    return Entries(shape, dtype, at, lambda: ufunc.reduce(a.value, axis=axes, keepdims=keepdims))


def _reduction(ufunc: np.ufunc) -> Callable[..., Entries]:
    def reduce(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, **options: Any) -> Entries:
        return _reduced(ufunc, a, axis, **options)

    return reduce


def _mean(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False) -> Any:
    count = math.prod(a.shape[k] for k in _axes(numbers(axis), a.ndim))
    return _reduced(np.add, a, axis, keepdims) / count


def _var(a: Any, axis: Any = None, *_: Any, ddof: int = 0, keepdims: bool = False, **options: Any) -> Any:
    count = math.prod(a.shape[k] for k in _axes(numbers(axis), a.ndim))
    squares = np.square(a - _mean(a, axis, keepdims=True))
    return _reduced(np.add, squares, axis, keepdims) / (count - ddof)


def _running(ufunc: np.ufunc) -> Callable[..., Entries]:
    def run(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Entries:
        if axis is None:
            a, axis = np.reshape(a, -1), 0
        step = math.prod(a.shape[_axes(axis, a.ndim)[0] + 1 :])

        def at(places: Places) -> Expression:
            if places.ndim:
                raise Mixed(f"running {'sums' if ufunc is np.add else 'products'} are of different lengths")
            length = int(places) // step % a.shape[axis] + 1
            return over(ufunc.__name__, a.at, int(places) - step * np.arange(length)[::-1])

        return Entries(a.shape, a.dtype, at, lambda: ufunc.accumulate(a.value, axis=axis))

    return run


def _einsum(subscripts: str, *operands: Any, **options: Any) -> Entries:
    """The sum, over the letters that the result has not, of the products of entries."""
    inputs, arrow, output = subscripts.replace(" ", "").partition("->")
    if "." in subscripts:
        raise NoExpression(f"np.einsum with an ellipsis, {subscripts!r}")
    if not arrow:
        output = "".join(sorted(letter for letter in {*inputs} - {","} if inputs.count(letter) == 1))
    arrays, terms = [lifted(operand) for operand in operands], inputs.split(",")
    sizes: dict[str, int] = {}
    for array, term in zip(arrays, terms, strict=True):
        for letter, length in zip(term, array.shape, strict=True):
            sizes[letter] = sizes.get(letter, 1) if length == 1 else length
    summed = [letter for letter in sizes if letter not in output]
    shape, count = tuple(sizes[c] for c in output), tuple(sizes[c] for c in summed)

    def at(places: Places) -> Expression:
        of_result = dict(zip(output, np.unravel_index(places, shape) if shape else (), strict=True))
        together = math.prod(count)

        def product(flat: Places) -> Expression:
            """The product at the places ``flat`` of the result and of the letters that are summed."""
            values = {c: of_result[c][..., None] if flat.ndim > places.ndim else of_result[c] for c in output}
            if summed:
                values |= dict(zip(summed, np.unravel_index(flat, count), strict=True))
            found = [
                each.at(_at_letters(term, each.shape, values, flat.shape))
                for term, each in zip(terms, arrays, strict=True)
            ]
            tree = found[0]
            for factor in found[1:]:
                tree = combined("multiply", tree, factor)
            return tree

        if not summed or together == 1:
            return product(np.zeros_like(places))
        return over("add", product, np.broadcast_to(np.arange(together), (*places.shape, together)))

    return Entries(
        shape, np.result_type(*dtypes(arrays)), at,
        lambda: np.einsum(subscripts, *numbers(tuple(arrays))),
    )  # fmt: skip


def _at_letters(term: str, own: tuple[int, ...], values: dict[str, Any], batch: tuple[int, ...]) -> Places:
    flat: Any = np.zeros(batch, np.intp)
    for letter, length in zip(term, own, strict=True):
        flat = flat * length + (0 if length == 1 else values[letter])
    return np.broadcast_to(flat, batch)


def _correlate(a: Any, v: Any, mode: Any = "valid") -> Entries:
    """The sums of products of a line's entries and another's beside them."""
    long, short, backwards = lifted(a), lifted(v), False
    if short.size > long.size:
        long, short, backwards = short, long, True
    n, m = long.size, short.size
    first, count = {"full": (0, n + m - 1), "valid": (m - 1, n - m + 1), "same": ((m - 1) - m // 2, n)}[mode]

    def at(places: Places) -> Expression:
        if places.ndim:
            raise Mixed("at the ends fewer entries meet")
        place = first + (count - 1 - int(places) if backwards else int(places)) - (m - 1)
        of_short = np.arange(max(0, -place), min(m, n - place))

        def product(k: Places) -> Expression:
            return combined("multiply", long.at(k + place), short.at(k))

        return over("add", product, of_short)

    return Entries(
        (count,),
        np.result_type(*dtypes([long, short])),
        at,
        lambda: np.correlate(lifted(a).value, lifted(v).value, mode),
    )


def _matmul(a: Any, b: Any) -> Entries:
    left, right = lifted(a), lifted(b)
    spare = string.ascii_uppercase[: max(left.ndim, right.ndim, 2) - 2]
    first = "k" if left.ndim == 1 else spare[len(spare) - left.ndim + 2 :] + "ik"
    second = "k" if right.ndim == 1 else spare[len(spare) - right.ndim + 2 :] + "kj"
    output = spare + ("i" if left.ndim > 1 else "") + ("j" if right.ndim > 1 else "")
    return _einsum(f"{first},{second}->{output}", left, right)


def _dot(a: Any, b: Any, out: Any = None) -> Any:
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return np.multiply(a, b)
    if np.ndim(b) > 2:
        raise NoExpression("np.dot with a stack of matrices")
    return np.matmul(a, b)


def _factored(function: Callable[..., Any]) -> Callable[..., Any]:
    """An inverse, a determinant or factors of matrices: all entries of a matrix meet in each of theirs, so that no
    formula of entries is short enough to be read. They go by the name of what made them."""

    def made(*operands: Any, **options: Any) -> Any:
        result = function(*numbers(operands), **numbers(options))
        name = f"{function.__name__}({', '.join(_called(operand) for operand in operands)})"
        if not isinstance(result, tuple):
            return Entries.named(name, np.asarray(result))
        fields = getattr(type(result), "_fields", range(len(result)))
        parts = [Entries.named(f"{name}.{k}", np.asarray(x)) for k, x in zip(fields, result, strict=True)]
        return type(result)(*parts)

    return made


def _called(operand: Any) -> str:
    """The name of an array that has one."""
    if not isinstance(operand, Entries):
        return repr(operand)
    tree = operand.at(np.asarray(0)) if operand.size else None
    if isinstance(tree, Entry) and tree.name:
        for name, array in ((tree.name, tree.array), (f"{tree.name}ᵀ", np.swapaxes(tree.array, -1, -2))):
            if np.array_equal(array, operand.value):
                return name
    return "…"


Entries.meanings.update(
    {
        function: _factored(function)
        for function in (
            *(np.linalg.inv, np.linalg.solve, np.linalg.det, np.linalg.slogdet, np.linalg.pinv),
            *(np.linalg.cholesky, np.linalg.eigh, np.linalg.svd, np.linalg.qr),
        )
    }
)


def _unwrap(p: Any, *args: Any, **options: Any) -> Any:
    return p + (np.unwrap(p.value, *args, **options) - p.value)


Entries.meanings.update(
    {
        np.sum: _reduction(np.add),
        np.prod: _reduction(np.multiply),
        np.max: _reduction(np.maximum),
        np.min: _reduction(np.minimum),
        np.mean: _mean,
        np.var: _var,
        np.std: lambda *args, **options: np.sqrt(_var(*args, **options)),
        np.cumsum: _running(np.add),
        np.cumprod: _running(np.multiply),
        np.correlate: _correlate,
        np.convolve: lambda a, v, mode="full": _correlate(a, v[::-1], mode),
        np.clip: lambda a, a_min=None, a_max=None, min=None, max=None: clipped(
            a, min if a_min is None else a_min, max if a_max is None else a_max
        ),
        np.einsum: _einsum,
        np.matmul: _matmul,
        np.ufunc.reduce: _reduced,
        np.dot: _dot,
        np.unwrap: _unwrap,
        np.vdot: lambda a, b: _dot(np.ravel(a), np.ravel(b)),
        np.outer: lambda a, b, out=None: _einsum("i,j->ij", np.ravel(a), np.ravel(b)),
        np.inner: lambda a, b: _dot(a, b if np.ndim(b) < 2 else np.swapaxes(b, -1, -2)),
        np.trace: lambda a, *args: np.sum(np.diagonal(a, *args), axis=-1),
        np.diff: lambda a: a[..., 1:] - a[..., :-1],
        np.linalg.norm: lambda x, ord=None, axis=None, keepdims=False: np.sqrt(
            _reduced(np.add, np.square(x), axis, keepdims)
        ),
    }
)
