"""Products of matrices: matmul in all of NumPy's shapes, and einsum."""

from __future__ import annotations

import string
from collections.abc import Sequence
from operator import index
from typing import Any

import numpy as np

from minigrad import registry
from minigrad.backend import Array, operand
from minigrad.errors import ConfigError, DtypeError, MinigradError, OperationError, ShapeError
from minigrad.forms import no_option
from minigrad.operation import define, stands_for
from minigrad.ops.half import wide
from minigrad.tensor import Tensor, unwrap


def check_same_dtype(name: str, a: Array, b: Array) -> None:
    """Raise MG-211 where two floating dtypes meet: the product would silently run in the wider one."""
    if a.dtype != b.dtype and a.dtype.kind == b.dtype.kind == "f":
        raise DtypeError(
            "MG-211",
            f"{name}: one operand is {a.dtype}, the other {b.dtype} (float64 is NumPy's default, float32 "
            f"minigrad's). Cast the data once: x.astype('{b.dtype}').",
        )


def _matmul(a: Array, b: Array) -> Array:
    check_same_dtype("matmul", a, b)
    return np.matmul(a, b)


def _explain_matmul(error: Exception, a: Array, b: Array) -> MinigradError | None:
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return ShapeError(
            "MG-102", f"matmul needs arrays; {np.shape(a)} @ {np.shape(b)} has a number. Write a * b."
        )
    inner, other = a.shape[-1], b.shape[-2] if b.ndim > 1 else b.shape[0]
    if inner == other:
        return None
    message = f"x{_size(a)} @ W{_size(b)}: inner sizes {inner} and {other} differ."
    if b.ndim == 2 and b.shape[-1] == inner:
        message += f" W.T is {_size(b.T)} and fits: x @ W.T -> {_size(a)[:-1].rpartition(',')[0]},{other})."
        message = message.replace("((", "(") if a.ndim > 1 else message.rpartition(" ->")[0] + "."
    return ShapeError("MG-102", message)


def _size(a: Array) -> str:
    return "(" + ",".join(str(n) for n in a.shape) + ")"


def _rows(a: Array) -> Array:
    """A vector on the left of a product is one row."""
    return np.expand_dims(a, 0) if a.ndim == 1 else a


def _columns(b: Array) -> Array:
    """A vector on the right of a product is one column."""
    return np.expand_dims(b, 1) if b.ndim == 1 else b


def _product(g: Array, a: Array, b: Array) -> Array:
    """Give the result's gradient the two matrix axes that vectors among the inputs took away."""
    if b.ndim == 1:
        g = np.expand_dims(g, -1)
    return np.expand_dims(g, -2) if a.ndim == 1 else g


def _matmul_a(g: Array, a: Array, b: Array) -> Array:
    return np.matmul(_product(g, a, b), np.swapaxes(_columns(b), -1, -2))


def _matmul_b(g: Array, a: Array, b: Array) -> Array:
    gradient = np.matmul(np.swapaxes(_rows(a), -1, -2), _product(g, a, b))
    return np.squeeze(gradient, -1) if b.ndim == 1 else gradient


matmul = define(
    "matmul",
    _matmul,
    "a @ b",
    ("g @ bᵀ", _matmul_a),
    ("aᵀ @ g", _matmul_b),
    of=np.matmul,
    explain=_explain_matmul,
)


def dot(a: Any, b: Any) -> Any:
    """Multiply as ``np.dot`` does: numbers entry by entry, vectors and matrices as ``matmul``."""
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return np.multiply(a, b)
    if np.ndim(b) > 2:
        raise ShapeError(
            "MG-103", f"np.dot with a stack of matrices {np.shape(b)} is not matmul: write a @ b."
        )
    return matmul(a, b)


def _einsum_rule(g: Array, i: int, arrays: Sequence[Array], subscripts: str) -> Array:
    """The same product with the result in the place of input i; input i's own letters become the result's."""
    inputs, output = subscripts.split("->")
    letters = inputs.split(",")
    mine = letters[i]
    operands = [a for k, a in enumerate(arrays) if k != i]
    known = [term for k, term in enumerate(letters) if k != i]
    # letters that appear in no other operand were summed over: they are put back by a factor of ones
    for axis, letter in enumerate(mine):
        if letter not in output and not any(letter in term for term in known):
            operands.append(np.ones_like(arrays[i], shape=(arrays[i].shape[axis],)))
            known.append(letter)
    gradient = _einsum(g, *operands, subscripts=",".join([output, *known]) + "->" + mine)
    # where the other operands stretched a length of 1 along a letter that was summed over
    return np.broadcast_to(gradient, np.broadcast_shapes(gradient.shape, arrays[i].shape))


def _einsum_forward(*arrays: Array, subscripts: str, order: str = "K", optimize: bool = False) -> Array:
    layout: dict[str, Any] = {} if order == "K" else {"order": order}  # which not every library knows
    dtype = np.result_type(*arrays)
    if dtype == np.float16:
        arrays = tuple(wide(a) if hasattr(a, "dtype") else a for a in arrays)
    return np.einsum(subscripts, *arrays, optimize=optimize, **layout).astype(dtype, copy=False)


_einsum = define(
    "einsum",
    _einsum_forward,
    "Σ of the products of entries with equal letters",
    ("einsum of g and the other inputs", _einsum_rule),
    inputs="",
    params={"subscripts": "", "order": "K", "optimize": False},
    variadic=True,
)


def einsum(*operands: Any, order: str = "K", optimize: Any = False, **options: Any) -> Any:
    """Sum products of entries named by letters, or by numbers, a list of which follows each operand; ``np.einsum``.

    A letter twice in one operand (a diagonal, a trace) is written out as a product with the identity, so that
    the one gradient rule, which is an einsum again, holds for it too. ``optimize``, in any of NumPy's forms, lets NumPy
    choose which product comes first, ``order`` is that of the result in memory. NumPy's other options are refused
    (OperationError MG-214), and what is no einsum (ConfigError MG-215).
    """
    for option, value in options.items():
        if option not in ("out", "dtype", "casting"):
            raise OperationError("MG-215", f"einsum has no option {option!r}; it has order and optimize.")
        if value is not None and (option, value) != ("casting", "safe"):
            raise no_option("einsum", option, value)
    if not operands:
        raise OperationError("MG-215", "einsum needs its subscripts, as in np.einsum('ij,jk->ik', a, b).")
    subscripts, *arrays = operands if isinstance(operands[0], str) else _lettered(operands)
    arrays = [x if isinstance(x, Tensor) else operand(x) for x in arrays]
    terms, output = _explicit(subscripts, arrays)
    free = [c for c in _LETTERS if c not in subscripts + "".join(terms)]
    for k, term in enumerate(list(terms)):
        seen = ""
        for axis, letter in enumerate(term):
            if letter in seen:
                fresh = free.pop(0)
                seen += fresh
                diagonal = unwrap(arrays[k])
                arrays.append(np.diag(np.ones_like(diagonal, shape=diagonal.shape[axis])))
                terms.append(letter + fresh)
            else:
                seen += letter
        terms[k] = seen
    return _einsum(*arrays, subscripts=",".join(terms) + "->" + output, order=order, optimize=bool(optimize))


_LETTERS = string.ascii_uppercase + string.ascii_lowercase  # sorted, as an implicit result has them


def _lettered(operands: Sequence[Any]) -> list[Any]:
    """Bring NumPy's other form, ``a, [0, 1], b, [1, 2], [0, 2]``, into that with letters."""
    *pairs, output = operands if len(operands) % 2 else (*operands, None)

    def letters(axes: Any) -> str:
        return "".join("..." if k is Ellipsis else _LETTERS[index(k)] for k in axes)

    try:
        subscripts = ",".join(letters(axes) for axes in pairs[1::2])
        subscripts += "" if output is None else "->" + letters(output)
    except (TypeError, IndexError) as error:
        raise OperationError(
            "MG-215",
            "einsum takes letters first, np.einsum('ij,jk->ik', a, b), or behind each operand a list of numbers from "
            f"0 to 51, np.einsum(a, [0, 1], b, [1, 2], [0, 2]); here: {error}.",
        ) from error
    return [subscripts, *pairs[::2]]


def _explicit(subscripts: str, operands: Sequence[Any]) -> tuple[list[str], str]:
    """Write an ellipsis as letters and an implicit output as an explicit one."""
    inputs, arrow, output = subscripts.replace(" ", "").partition("->")
    terms = inputs.split(",")
    spare = [c for c in "ZYXWVUTSRQPONMLKJIHGFEDCBA" if c not in subscripts]
    if len(terms) != len(operands):
        raise ShapeError(
            "MG-103", f"einsum '{subscripts}' names {len(terms)} operands; {len(operands)} were given."
        )
    widths = [
        np.ndim(x) - len(t.replace("...", "")) for t, x in zip(terms, operands, strict=True) if "..." in t
    ]
    wrong = [t for t in (*terms, output) if not set(t.replace("...", "", 1)) <= {*_LETTERS}]
    if wrong:
        raise ConfigError(
            "MG-215", f"einsum '{subscripts}': {wrong[0]!r} is more than letters and one '...'."
        )
    for term, x in zip(terms, operands, strict=True):
        count = len(term.replace("...", ""))
        if np.ndim(x) < count or (np.ndim(x) > count and "..." not in term):
            raise ShapeError(
                "MG-103", f"einsum '{subscripts}': {term!r} names {count} axes of shape {np.shape(x)}."
            )
    stretched = "".join(reversed(spare[: max(widths, default=0)]))
    if not arrow:
        letters = inputs.replace("...", "").replace(",", "")
        output = ("..." if widths else "") + "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    dotted = iter(widths)
    terms = [t.replace("...", stretched[len(stretched) - next(dotted) :]) if "..." in t else t for t in terms]
    return terms, output.replace("...", stretched)


stands_for(np.dot, dot, "Σ a · b, over the last axis of a and the last but one of b")
registry.functions[np.einsum] = einsum
