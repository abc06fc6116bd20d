"""Products of matrices: matmul in all of NumPy's shapes, tensordot, and einsum."""

from __future__ import annotations

import math
import string
from collections.abc import Sequence
from operator import index
from typing import Any

import numpy as np

from minigrad import messages, registry
from minigrad.backend import Array, as_array
from minigrad.errors import AxisError, ConfigError, DtypeError, MinigradError, OperationError, ShapeError
from minigrad.forms import no_option
from minigrad.operation import define, stands_for
from minigrad.ops.half import wide
from minigrad.tensor import Tensor


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


def arrays(name: str, *operands: Any) -> list[Any]:
    """Return operands as arrays: a list of numbers beside a tensor of floats in its dtype, as a single number is.

    Raises OperationError MG-609 for what is no number.
    """
    floats = [x.dtype for x in operands if isinstance(x, Tensor) and x.dtype.kind == "f"]
    made = []
    for k, x in enumerate(operands):
        if not isinstance(x, Tensor):
            plain = not hasattr(x, "dtype")
            if plain and not isinstance(x, (list, tuple, int, float)):
                raise OperationError("MG-609", messages.no_operand(name, str(k), x))
            array = as_array(x)
            x = (
                as_array(x, np.result_type(*floats))
                if plain and floats and array.dtype.kind in "iuf"
                else array
            )
        made.append(x)
    return made


def whole_number(name: str, option: str, value: Any) -> int:
    """Return what an option that counts was given; OperationError MG-215 where that is no whole number."""
    try:
        return index(value)
    except TypeError:
        raise OperationError("MG-215", f"{name}: {option} is a whole number, not {value!r:.40}.") from None


def places(axis: Any, ndim: int, name: str) -> list[int]:
    """Return axes counted from the first; AxisError MG-216 for one that is not there."""
    several = axis if isinstance(axis, (tuple, list, range, np.ndarray)) else (axis,)
    wanted = [whole_number(name, "an axis", k) for k in several]
    for k in wanted:
        if not -ndim <= k < ndim:
            raise AxisError("MG-216", f"{name}: there is no axis {k} among {ndim}.")
    return [k % ndim for k in wanted]


def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """Sum the products of a's and b's entries over pairs of axes: ``Σ a[…, k] · b[k, …]``; ``np.tensordot``.

    ``axes`` is how many of a's last meet b's first, or the axes of a and those of b. Raises ShapeError MG-103 where
    axes that meet differ in length, AxisError MG-216 where there is no such axis.
    """
    a, b = arrays("tensordot", a, b)
    if isinstance(axes, (tuple, list, np.ndarray)):
        if len(axes) != 2:
            raise ConfigError(
                "MG-215", f"tensordot takes axes of two arrays; axes={axes!r:.40} are {len(axes)}."
            )
        first, second = axes
    else:
        count = whole_number("tensordot", "axes", axes)
        first, second = range(a.ndim - count, a.ndim), range(count)  # type: ignore[assignment]
        if count < 0 or count > min(a.ndim, b.ndim):
            raise ConfigError(
                "MG-215", f"tensordot: {count} axes cannot meet in shapes {a.shape} and {b.shape}."
            )
    mine = places(first, a.ndim, "tensordot")
    theirs = places(second, b.ndim, "tensordot")
    met, others = [a.shape[k] for k in mine], [b.shape[k] for k in theirs]
    if met != others:
        raise ShapeError(
            "MG-103",
            f"tensordot of shapes {a.shape} and {b.shape}: axes {mine} of the first have lengths {met}, "
            f"axes {theirs} of the second {others}.",
        )
    left = [k for k in range(a.ndim) if k not in mine]
    right = [k for k in range(b.ndim) if k not in theirs]
    rows, columns = [a.shape[k] for k in left], [b.shape[k] for k in right]
    product = matmul(
        np.reshape(np.transpose(a, (*left, *mine)), (math.prod(rows), math.prod(met))),
        np.reshape(np.transpose(b, (*theirs, *right)), (math.prod(met), math.prod(columns))),
    )
    return np.reshape(product, (*rows, *columns))


def dot(a: Any, b: Any) -> Any:
    """Multiply as ``np.dot`` does: numbers entry by entry, vectors and matrices as ``matmul``.

    In stacks every row of ``a`` meets every column of ``b``: Σ a[…, k] · b[…, k, j].
    """
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return np.multiply(a, b)
    return tensordot(a, b, (-1, -2)) if np.ndim(b) > 2 else matmul(a, b)


def alike(a: Any, axes: Sequence[int]) -> Any:
    """Pick the entries whose places along these axes of one length are equal, along a single axis behind the others.

    In the flat order of n · n entries those of the diagonal are every (n + 1)st.
    """
    n, k = a.shape[axes[0]], len(axes)
    last = np.moveaxis(a, tuple(axes), tuple(range(-k, 0)))
    flat = np.reshape(last, (*last.shape[: last.ndim - k], n**k))
    return flat[..., :: sum(n**power for power in range(k))]


def _einsum_rule(g: Array, i: int, arrays: Sequence[Array], subscripts: str, optimize: bool = False) -> Array:
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
    gradient = _einsum(g, *operands, subscripts=",".join([output, *known]) + "->" + mine, optimize=optimize)
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

    A letter twice in one operand (a diagonal, a trace) picks that diagonal first, so that the one gradient rule, which
    is an einsum again, holds for it too. ``optimize``, in any of NumPy's forms, lets NumPy choose which product comes
    first, ``order`` is that of the result in memory. NumPy's other options are refused (OperationError MG-214), and
    what is no einsum (ConfigError MG-215).
    """
    for option, value in options.items():
        if option not in ("out", "dtype", "casting"):
            raise OperationError("MG-215", f"einsum has no option {option!r}; it has order and optimize.")
        if value is not None and (option, value) != ("casting", "safe"):
            raise no_option("einsum", option, value)
    if not operands:
        raise OperationError("MG-215", "einsum needs its subscripts, as in np.einsum('ij,jk->ik', a, b).")
    subscripts, *given = operands if isinstance(operands[0], str) else _lettered(operands)
    factors = arrays("einsum", *given)
    terms, output = _explicit(subscripts, factors)
    for k, term in enumerate(terms):
        for letter in [c for c in dict.fromkeys(term) if term.count(c) > 1]:
            axes = [axis for axis, c in enumerate(terms[k]) if c == letter]
            lengths = {np.shape(factors[k])[axis] for axis in axes}
            if len(lengths) > 1:
                raise ShapeError(
                    "MG-103",
                    f"einsum '{subscripts}': {letter!r} names axes of two lengths in shape {np.shape(factors[k])}.",
                )
            factors[k] = alike(factors[k], axes)
            terms[k] = terms[k].replace(letter, "") + letter
    return _einsum(*factors, subscripts=",".join(terms) + "->" + output, order=order, optimize=bool(optimize))


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
