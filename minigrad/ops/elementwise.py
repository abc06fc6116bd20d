"""Operations on single entries: arithmetic, powers and exponentials, the circular functions, comparisons."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad import registry
from minigrad.backend import Array, as_array, operand, real
from minigrad.errors import OperationError
from minigrad.operation import define, stands_for
from minigrad.tensor import Tensor, register_methods, unwrap

# fmt: off
add      = define("add",      np.add,      "a + b",  lambda g: g,        lambda g: g)
subtract = define("subtract", np.subtract, "a - b",  lambda g: g,        lambda g: -g)
multiply = define("multiply", np.multiply, "a · b",  lambda g, b: g * b, lambda g, a: g * a)
divide   = define("divide",   np.divide,   "a / b",  lambda g, b: g / b, lambda g, y, b: -g * y / b)
power    = define("power",    np.power,    "a^b",
                  (lambda g, a, b: g * b * a ** (b - 1), lambda g, a, b: g * b * _base(a, b) ** (b - 1)),
                  (lambda g, y, a: g * y * np.log(a), lambda g, y, a, b: g * y * np.log(np.where((a == 0) & (b >= 0), 1, a))))

negative = define("negative", np.negative, "-a",         lambda g: -g)
positive = define("positive", np.positive, "a",          lambda g: g)
absolute = define("abs",      np.absolute, "|a|",        lambda g, a: g * np.sign(a))
square   = define("square",   np.square,   "a²",         lambda g, a: 2 * g * a)
sqrt     = define("sqrt",     np.sqrt,     "√a",         lambda g, y: g / (2 * y))
exp      = define("exp",      np.exp,      "e^a",        lambda g, y: g * y)
expm1    = define("expm1",    np.expm1,    "e^a - 1",    lambda g, y: g * (y + 1))
log      = define("log",      np.log,      "ln a",       lambda g, a: g / a)
log1p    = define("log1p",    np.log1p,    "ln(1 + a)",  lambda g, a: g / (1 + a))
sin      = define("sin",      np.sin,      "sin a",      lambda g, a: g * np.cos(a))
cos      = define("cos",      np.cos,      "cos a",      lambda g, a: -g * np.sin(a))
tanh     = define("tanh",     np.tanh,     "tanh a",     lambda g, y: g * (1 - y * y))

# the larger one gets g, and half of it where both are equal; where one is nan, both get it
maximum  = define("maximum",  np.maximum,  "max(a, b)",
                  lambda g, a, b: np.where(a < b, 0, np.where(a == b, g / 2, g)),
                  lambda g, a, b: np.where(a > b, 0, np.where(a == b, g / 2, g)))
minimum  = define("minimum",  np.minimum,  "min(a, b)",
                  lambda g, a, b: np.where(a > b, 0, np.where(a == b, g / 2, g)),
                  lambda g, a, b: np.where(a < b, 0, np.where(a == b, g / 2, g)))
# fmt: on


def _base(a: Array, b: Array) -> Array:
    """a, but 1 where a and b are both 0: there the factor b makes the gradient 0, and 0^-1 must not spoil it."""
    if isinstance(b, (int, float)) and b != 0:
        return a
    return np.where((a == 0) & (b == 0), 1, a)


def _inside(a: Array, a_min: Array, a_max: Array) -> Any:
    inside = True if a_min is None else a >= a_min
    return inside if a_max is None else inside & (a <= a_max)


_clip = define(
    "clip",
    lambda a, a_min, a_max: np.clip(a, a_min, a_max),
    "min(max(a, a_min), a_max)",
    lambda g, a, a_min, a_max: np.where(_inside(a, a_min, a_max), g, 0),
    inputs="a",
    params={"a_min": None, "a_max": None},
)


def clip(a: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Any:
    """Keep ``a`` between two bounds, either of which may be None; ``np.clip``. Tensors as bounds get gradients.

    Raises OperationError MG-215 where a bound is given under both of its names.
    """
    if not ((a_min is None or min is None) and (a_max is None or max is None)):
        raise OperationError("MG-215", "clip got a bound twice: a_min and min are one, and a_max and max.")
    low, high = a_min if min is None else min, a_max if max is None else max
    if not (isinstance(low, Tensor) or isinstance(high, Tensor)):
        return _clip(a, a_min=_bound(a, low), a_max=_bound(a, high))
    above = a if low is None else np.maximum(a, low)
    return above if high is None else np.minimum(above, high)


def _bound(a: Array, bound: Any) -> Any:
    """Return a bound as it is, and a list as an array of a's dtype, since a number beside ``a`` is one of that too."""
    array = operand(bound)
    return as_array(bound, a.dtype) if isinstance(bound, (list, tuple)) and a.dtype.kind == "f" else array


where = define(
    "where",
    lambda c, a, b: np.where(c, a, b),
    "a where c, else b",
    None,
    lambda g, c: np.where(c, g, 0),
    lambda g, c: np.where(c, 0, g),
    inputs="c a b",
)


def _where(condition: Any, *chosen: Any) -> Any:
    """Choose entry by entry; or, given a condition alone, say where it is true."""
    if chosen:
        return where(condition, *chosen)
    return tuple(Tensor(places) for places in np.nonzero(unwrap(condition)))


_astype = define(
    "astype",
    lambda a, dtype: a.astype(dtype, copy=False),
    "a as another dtype",
    lambda g: g,
    inputs="a",
    params={"dtype": None},
)


def astype(
    a: Any, dtype: Any, order: str = "K", casting: Any = "unsafe", subok: bool = True, copy: bool = True
) -> Any:
    """Return ``a`` in another dtype of those that tensors have (MG-212), itself where it has it; ``np.astype``.

    A gradient goes back through floats alone: in integers there is nothing to differentiate. What NumPy's ``order``,
    ``subok`` and ``copy`` speak of, the place in memory, is the same whatever they are.
    """
    wanted = real(dtype)
    if not np.can_cast(a.dtype, wanted, casting):
        raise OperationError("MG-215", f"astype: {a.dtype} cannot become {wanted} with casting={casting!r}.")
    return _astype(a, dtype=wanted)


for _comparison in (
    *(np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal),
    *(np.logical_and, np.logical_or, np.logical_xor, np.logical_not, np.isnan, np.isinf, np.isfinite),
    *(np.sign, np.floor, np.ceil, np.rint, np.trunc, np.floor_divide),
    *(np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.invert),
):
    define(_comparison.__name__, _comparison, "no gradient: piecewise constant", *[None] * _comparison.nin)

registry.functions[np.where] = _where  # which is called too often for more between
stands_for(np.clip, clip)
if hasattr(np, "astype"):
    stands_for(np.astype, astype)
register_methods(abs=absolute, clip=clip, astype=astype)
