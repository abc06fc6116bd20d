"""Operations on single entries: circular and hyperbolic functions, logarithms, remainders, further ufuncs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.array_protocols import unwrap
from minigrad.backend import Array, as_array
from minigrad.operation import Operation, define, stands_for, without_gradient
from minigrad.ops import bessel
from minigrad.ops.activation import sigmoid
from minigrad.ops.elementwise import positive
from minigrad.ops.half import through_float32
from minigrad.symbols.expression import named
from minigrad.tensor import Tensor

_LN2, _LN10 = math.log(2), math.log(10)

# fmt: off
tan: Operation     = define("tan",     np.tan,     "tan a",     lambda g, y: g * (1 + y * y))
arcsin: Operation  = define("arcsin",  np.arcsin,  "arcsin a",  lambda g, a: g / np.sqrt((1 - a) * (1 + a)))
arccos: Operation  = define("arccos",  np.arccos,  "arccos a",  lambda g, a: -g / np.sqrt((1 - a) * (1 + a)))
arctan: Operation  = define("arctan",  np.arctan,  "arctan a",  lambda g, a: g / (1 + a * a))
sinh: Operation    = define("sinh",    np.sinh,    "sinh a",    lambda g, a: g * np.cosh(a))
cosh: Operation    = define("cosh",    np.cosh,    "cosh a",    lambda g, a: g * np.sinh(a))
arcsinh: Operation = define("arcsinh", np.arcsinh, "arcsinh a",
                 (lambda g, a: g / np.sqrt(a * a + 1), lambda g, a: g / np.hypot(a, 1)))
arccosh: Operation = define("arccosh", np.arccosh, "arccosh a", lambda g, a: g / (np.sqrt(a - 1) * np.sqrt(a + 1)))
arctanh: Operation = define("arctanh", np.arctanh, "arctanh a", lambda g, a: g / ((1 - a) * (1 + a)))

exp2: Operation    = define("exp2",  np.exp2,  "2^a",     lambda g, y: g * y * _LN2)
log2: Operation    = define("log2",  np.log2,  "log2 a",  lambda g, a: g / (a * _LN2))
log10: Operation   = define("log10", np.log10, "log10 a", lambda g, a: g / (a * _LN10))
cbrt: Operation    = define("cbrt",  np.cbrt,  "cbrt a",  lambda g, y: g / (3 * (y * y)))
fabs: Operation    = define("fabs",  np.fabs,  "|a|",     lambda g, a: g * np.sign(a))
reciprocal: Operation = define("reciprocal", np.reciprocal, "1 / a", lambda g, y: -g * (y * y))
degrees: Operation = define("degrees", np.degrees, "degrees a", lambda g: g * (180 / math.pi))
rad2deg: Operation = define("rad2deg", np.rad2deg, "rad2deg a", lambda g: g * (180 / math.pi))
radians: Operation = define("radians", np.radians, "radians a", lambda g: g * (math.pi / 180))
deg2rad: Operation = define("deg2rad", np.deg2rad, "deg2rad a", lambda g: g * (math.pi / 180))

# at a = b = 0 no direction is known: arctan2's gradient is 0 there and hypot's nan, as in PyTorch
hypot: Operation   = define("hypot", np.hypot, "hypot(a, b)", lambda g, y, a: g * (a / y), lambda g, y, b: g * (b / y))
arctan2: Operation = define("arctan2", np.arctan2, "arctan2(a, b)",
                 (lambda g, a, b: g * b / (a * a + b * b), lambda g, a, b: g * _over_square(b, a, b)),
                 (lambda g, a, b: -g * a / (a * a + b * b), lambda g, a, b: -g * _over_square(a, a, b)))
logaddexp: Operation  = define("logaddexp", np.logaddexp, "ln(e^(a) + e^(b))",
                    lambda g, a, b: g * sigmoid(a - b), lambda g, a, b: g * sigmoid(b - a))
logaddexp2: Operation = define("logaddexp2", np.logaddexp2, "log2(2^(a) + 2^(b))",
                    lambda g, a, b: g * sigmoid(_LN2 * (a - b)), lambda g, a, b: g * sigmoid(_LN2 * (b - a)))

remainder: Operation = define("remainder", np.remainder, "a - b · floor(a / b)", lambda g: g,
                   (lambda g, a, b: -g * np.floor(a / b), lambda g, a, b: -g * np.floor_divide(a, b)))
fmod: Operation      = define("fmod", np.fmod, "a - b · trunc(a / b)", lambda g: g, lambda g, a, b: -g * np.trunc(a / b))

# one of two equal ones gets all of g, the first, as in PyTorch; nan is chosen only beside another nan
fmax: Operation = define("fmax", np.fmax, "fmax(a, b)",
              lambda g, a, b: np.where((a >= b) | np.isnan(b), g, 0),
              lambda g, a, b: np.where((a >= b) | np.isnan(b), 0, g))
fmin: Operation = define("fmin", np.fmin, "fmin(a, b)",
              lambda g, a, b: np.where((a <= b) | np.isnan(b), g, 0),
              lambda g, a, b: np.where((a <= b) | np.isnan(b), 0, g))

copysign: Operation  = define("copysign", np.copysign, "copysign(a, b)",
                   lambda g, a, b: g * np.sign(a) * np.copysign(1, b), lambda g: np.zeros_like(g))
heaviside: Operation = define("heaviside", np.heaviside, "heaviside(a, b)",
                   lambda g: np.zeros_like(g), lambda g, a: np.where(a == 0, g, 0))
ldexp: Operation     = define("ldexp", np.ldexp, "ldexp(a, n)", lambda g, n: np.ldexp(g, n), None, inputs="a n")
# fmt: on

named("ldexp")(lambda a, n: a * np.exp2(n))  # in a formula that is evaluated, whose numbers are floats


def _over_square(part: Array, a: Array, b: Array) -> Array:
    """part / (a² + b²), and 0 where both are 0; no square overflows, and none is too small to be told from 0."""
    size = np.hypot(np.where((a == 0) & (b == 0), 1, a), b)
    return part / size / size


_fraction: Operation = define("fraction", lambda a: np.modf(a)[0], ("a - trunc a", lambda a: a - np.trunc(a)),
                   lambda g: g, inputs="a")  # fmt: skip
_mantissa: Operation = define(
    "mantissa",
    named("mantissa")(lambda a: np.frexp(a)[0]),
    "a / 2^e, from 1/2 up to 1",
    lambda g, y, a: g * np.where(a == 0, 1, y / np.where(a == 0, 1, a)),
    inputs="a",
)


def modf(a: Any) -> tuple[Any, Any]:
    """Return what stands behind the point, which has the gradient, and the whole number before it; ``np.modf``."""
    return _fraction(a), np.trunc(a)


def frexp(a: Any) -> tuple[Any, Any]:
    """Return m and e of a = m · 2^e, with m from 1/2 up to 1 in size; ``np.frexp``. The exponent has no gradient."""
    exponent = np.frexp(unwrap(a))[1]
    return _mantissa(a), Tensor(exponent) if isinstance(a, Tensor) else exponent


def divmod(a: Any, b: Any) -> tuple[Any, Any]:
    """Return ⌊a / b⌋, which has no gradient, and what remains; ``np.divmod`` and Python's."""
    return np.floor_divide(a, b), np.remainder(a, b)


def float_power(a: Any, b: Any) -> Any:
    """Return a^b in float64, whatever the inputs are; ``np.float_power``."""
    return np.power(_double(a), _double(b))


def _double(a: Any) -> Any:
    return a.astype(np.float64) if isinstance(a, Tensor) else as_array(a, np.float64)


@named("sinc_derivative")
def _sinc_derivative(a: Array, order: Any) -> Array:
    """The derivative s of sinc of an order n, from a s_n + n s_(n-1) = π^(n-1) sin(π a + n π/2); near 0, where that
    loses digits, from its power series.
    """
    order = int(order)
    near = np.abs(a) < (order + 3) / math.pi
    far = np.where(near, 1, a)
    value = np.sinc(far)
    for n in range(1, order + 1):
        turned = (np.sin, np.cos, lambda x: -np.sin(x), lambda x: -np.cos(x))[n % 4](math.pi * far)
        value = (math.pi ** (n - 1) * turned - n * value) / far
    small, series = np.where(near, a, 0), np.zeros_like(value)
    for k in range((order + 1) // 2, order + 20):
        power = 2 * k - order
        series = series + (-1) ** k * math.pi ** (2 * k) / (2 * k + 1) / math.factorial(power) * small**power
    return np.where(near, series, value)


sinc_derivative: Operation = define(
    "sinc_derivative",
    lambda a, order=1: through_float32(_sinc_derivative)(a, order),
    "the derivative of sinc of an order",
    lambda g, a, order: g * sinc_derivative(a, order=order + 1),
    inputs="a",
    params={"order": 1},
)
sinc: Operation = define(
    "sinc",
    lambda a: np.sinc(a),
    ("sin(π · a) / (π · a)", lambda a: np.sin(math.pi * a) / (math.pi * a)),
    (
        lambda g, a: g * (np.cos(math.pi * a) - np.sin(math.pi * a) / (math.pi * a)) / a,
        lambda g, a: g * sinc_derivative(a),
    ),
    inputs="a",
    of=np.sinc,
)
_unwrap: Operation = define(
    "unwrap",
    lambda p, discont=None, axis=-1, period=2 * math.pi: np.unwrap(p, discont, axis, period=period),
    "p + multiples of the period",
    lambda g: g,
    inputs="p",
    params={"discont": None, "axis": -1, "period": 2 * math.pi},
    of=np.unwrap,
)
round: Operation = define(
    "round", lambda a, decimals=0: np.round(a, decimals), "no gradient: piecewise constant", None,
    inputs="a", params={"decimals": 0}, of=np.round,
)  # fmt: skip


def nan_to_num(x: Any, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    """Put numbers where ``x`` is nan or infinite, by default 0 and the largest of its dtype; ``np.nan_to_num``.

    There the gradient is 0.
    """
    if x.dtype.kind != "f":
        return +x
    largest = float(np.finfo(x.dtype).max)
    number = np.where(np.isnan(x), nan, x)
    number = np.where(x == np.inf, largest if posinf is None else posinf, number)
    return np.where(x == -np.inf, -largest if neginf is None else neginf, number)


stands_for(np.modf, modf, "a - trunc(a), trunc(a)")
stands_for(np.frexp, frexp, "a / 2^e, e")
stands_for(np.divmod, divmod, "⌊a / b⌋, a - b · ⌊a / b⌋")
stands_for(np.float_power, float_power, "a^b in float64")
stands_for(np.nan_to_num, nan_to_num, "a where it is finite, else a number")
stands_for(np.conjugate, positive, "a")
stands_for(np.real, lambda a: positive(a), "a")
stands_for(np.real_if_close, lambda a, tol=100: positive(a), "a")
stands_for(np.around, round)
stands_for(np.i0, bessel.i0)

_CONSTANT: dict[str, tuple[Any, ...]] = {
    "distances of floats": (np.nextafter, np.spacing),
    "piecewise constant": (np.signbit, np.isposinf, np.isneginf, np.fix, np.angle, np.imag),
    "whole numbers and truth values": (
        *(np.gcd, np.lcm, np.left_shift, np.right_shift, np.bitwise_count),
        *(np.isreal, np.iscomplex, np.isrealobj, np.iscomplexobj),
    ),
}
for _why, _functions in _CONSTANT.items():
    for _function in _functions:
        without_gradient(_function, _why)
