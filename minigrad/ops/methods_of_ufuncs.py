"""What a ufunc does to one array, or to all pairs: ``np.add.reduce``, ``np.hypot.accumulate``, ``np.divide.outer``.

Sums, products and extremes are operations. Any other ufunc is applied again and again, from the first entry along the
axis to the last, as NumPy defines it; by NumPy itself where it has no gradient.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad import registry, words
from minigrad.array_protocols import unwrap
from minigrad.backend import as_array
from minigrad.errors import OperationError
from minigrad.libraries import is_numpy
from minigrad.operation import Operation
from minigrad.ops.activation import logsumexp
from minigrad.ops.elementwise import astype
from minigrad.ops.reduce import count, several
from minigrad.tensor import Tensor

_LN2 = math.log(2)

_REDUCTIONS: dict[np.ufunc, tuple[Callable[..., Any], float | None]] = {
    # the operation that is the reduction, and the number that changes nothing
    np.add: (np.sum, 0.0),
    np.multiply: (np.prod, 1.0),
    np.maximum: (np.max, None),
    np.minimum: (np.min, None),
    np.logical_and: (np.all, True),
    np.logical_or: (np.any, False),
    np.logaddexp: (logsumexp, -np.inf),
    np.logaddexp2: (lambda a, **options: logsumexp(a * _LN2, **options) / _LN2, -np.inf),
}
_MEANS_NOTHING = {
    "where": True, "casting": "same_kind", "order": "K", "subok": True, "dtype": None, "initial": None,
    "signature": None,
}  # fmt: skip


def call(ufunc: np.ufunc, *inputs: Any, dtype: Any = None, **options: Any) -> Any:
    """Apply a ufunc with options: ``np.exp(t, dtype="float32")`` computes in float32.

    What would leave entries without a value, or name another function, is refused by its name (MG-602).
    """
    operation = _operation(ufunc)
    asked = [name for name, value in options.items() if not _means_nothing(name, value)]
    if dtype is not None and np.dtype(dtype).kind != "f":
        asked.append("dtype")
    if asked:
        raise words.no_rule(ufunc.__name__, asked)
    return operation(*(inputs if dtype is None else [_cast(x, dtype) for x in inputs]))


def reduce(
    ufunc: np.ufunc, a: Any, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: bool = False,
    initial: Any = None, where: Any = True,
) -> Any:  # fmt: skip
    """Bring the entries along one axis, several or all (None) down to one; ``ufunc.reduce``.

    Raises OperationError MG-215 where there is nothing to begin with, or the order of the axes would count.
    """
    _refuse_out(ufunc, "reduce", out)
    a, initial = _cast(a, dtype), None if initial is np._NoValue else initial
    masked = not _means_nothing("where", where)
    if ufunc in _REDUCTIONS:
        operation, neutral = _REDUCTIONS[ufunc]
        if masked:
            neutral = neutral if neutral is not None else initial
            if neutral is None:
                raise _nothing_to_begin_with(ufunc, "With where=")
            a = np.where(where, a, neutral)
        first = neutral if initial is None else initial
        if not a.size and first is not None and not isinstance(neutral, bool):
            return np.sum(a, axis=axis, keepdims=keepdims) + first
        result = operation(a, axis=axis, keepdims=keepdims)
        return result if initial is None else ufunc(initial, result)
    if _by_itself(ufunc, a):
        given = {"initial": unwrap(initial)} if initial is not None else {}
        given |= {"where": unwrap(where)} if masked else {}
        return _wrap(ufunc.reduce(unwrap(a), axis=axis, keepdims=keepdims, **given))
    axes = several(a.shape, axis)
    if len(axes) > 1 and ufunc.identity is None and ufunc not in (np.fmax, np.fmin):
        raise OperationError(
            "MG-215",
            f"np.{ufunc.__name__}.reduce along the axes {axes}: its result would depend on their order. Give one axis.",
        )
    first = initial if initial is not None else ufunc.identity
    kept = [k for k in range(a.ndim) if k not in axes]
    shape = (count(a.shape, axes), *(a.shape[k] for k in kept))
    if first is None and (masked or not shape[0]):
        raise _nothing_to_begin_with(ufunc, "With where=" if masked else "Over no entries")
    rows = np.transpose(a, (*axes, *kept)).reshape(shape)
    mask = (
        np.transpose(np.broadcast_to(unwrap(where), a.shape), (*axes, *kept)).reshape(shape)
        if masked
        else None
    )
    start = [] if first is None else [np.sum(rows[:0], axis=0) + first]
    result = _steps(ufunc, [*start, *rows], mask)[-1]
    return np.expand_dims(result, axes) if keepdims else result


def accumulate(ufunc: np.ufunc, a: Any, axis: int = 0, dtype: Any = None, out: Any = None) -> Any:
    """Return what the reduction of the first entry is, of the first two, of the first three …; ``ufunc.accumulate``."""
    _refuse_out(ufunc, "accumulate", out)
    a = _cast(a, dtype)
    if ufunc is np.add:
        return np.cumsum(a, axis=axis)
    if _by_itself(ufunc, a):
        return _wrap(ufunc.accumulate(unwrap(a), axis=axis))
    if not a.size:
        return +a
    return np.stack(_steps(_LAST_EXTREME.get(ufunc, ufunc), list(np.moveaxis(a, axis, 0))), axis=axis)


_LAST_EXTREME: dict[Any, Callable[[Any, Any], Any]] = {
    # the last of equal ones gets the gradient, as in PyTorch's cummax
    np.maximum: lambda y, x: np.where((x >= y) | np.isnan(x), x, y),
    np.minimum: lambda y, x: np.where((x <= y) | np.isnan(x), x, y),
}


def outer(ufunc: np.ufunc, a: Any, b: Any, **options: Any) -> Any:
    """Apply a ufunc to every entry of ``a`` with every one of ``b``: shape a.shape + b.shape; ``ufunc.outer``."""
    a, b = (x if isinstance(x, Tensor) else as_array(x) for x in (a, b))
    return call(ufunc, np.reshape(a, (*a.shape, *(1,) * b.ndim)), b, **options)


def _steps(step: Callable[[Any, Any], Any], parts: Sequence[Any], mask: Any = None) -> list[Any]:
    """Return the results after one part, after two … of parts along an axis, leaving out what the mask leaves out."""
    results = [parts[0]]
    for k, part in enumerate(parts[1:]):
        result = step(results[-1], part)
        results.append(result if mask is None else np.where(mask[k], result, results[-1]))
    return results


def _by_itself(ufunc: np.ufunc, a: Any) -> bool:
    """Whether the ufunc's own method does it: where there is no gradient, on arrays of NumPy's."""
    operation = _operation(ufunc)
    differentiable = operation.differentiable if isinstance(operation, Operation) else True
    return is_numpy(unwrap(a)) and (ufunc in registry.constants or not differentiable)


def _operation(ufunc: np.ufunc) -> Callable[..., Any]:
    operation = registry.find(registry.functions, ufunc)
    if operation is None:
        raise words.no_rule(ufunc.__name__)
    return operation


def _means_nothing(name: str, value: Any) -> bool:
    return (
        value is None
        or value is np._NoValue
        or (isinstance(value, (bool, str)) and value == _MEANS_NOTHING.get(name))
    )


def _cast(x: Any, dtype: Any) -> Any:
    x = x if isinstance(x, Tensor) else as_array(x)
    return x if dtype is None else astype(x, dtype)


def _wrap(result: Any) -> Any:
    return Tensor(np.asarray(result))


def _refuse_out(ufunc: np.ufunc, method: str, out: Any) -> None:
    if out is not None and out[0] is not None:
        raise words.no_rule(f"{ufunc.__name__}.{method}", ["out"])


def _nothing_to_begin_with(ufunc: np.ufunc, when: str) -> OperationError:
    return OperationError(
        "MG-215", f"{when} np.{ufunc.__name__}.reduce has no number to begin with. Give it: initial=1.0."
    )


def _in_place(method: str) -> Callable[..., Any]:
    def refuse(ufunc: np.ufunc, *inputs: Any, **options: Any) -> Any:
        raise words.no_rule(f"{ufunc.__name__}.{method}")

    return refuse


registry.methods_of_ufuncs.update(
    __call__=call, reduce=reduce, accumulate=accumulate, outer=outer,
    at=_in_place("at"), reduceat=_in_place("reduceat"),
)  # fmt: skip
