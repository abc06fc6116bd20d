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
from minigrad.symbols.terms import Mixed, Places, combined, over

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


def _cumsum(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Entries:
    if axis is None:
        a, axis = np.reshape(a, -1), 0
    step = math.prod(a.shape[_axes(axis, a.ndim)[0] + 1 :])

    def at(places: Places) -> Expression:
        if places.ndim:
            raise Mixed("running sums are of different lengths")
        length = int(places) // step % a.shape[axis] + 1
        return over("add", a.at, int(places) - step * np.arange(length)[::-1])

    return Entries(a.shape, a.dtype, at, lambda: np.cumsum(a.value, axis=axis))


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
        np.cumsum: _cumsum,
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
