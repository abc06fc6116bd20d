"""Cases of the family ``circular``, and of the methods of ufuncs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad import ops
from tests.ops.cases.core import LAYOUTS, Case, apart, between, binary, layouts, unary

_UNIT, _POSITIVE, _ABOVE, _NEAR_1 = between(-0.9, 0.9), between(0.5, 2), between(1.2, 3), between(0.8, 1.4)


def _away(a: np.ndarray) -> np.ndarray:
    """Numbers that are no multiples of one half, by at least a tenth."""
    return np.floor(a) + 0.6 + 0.3 * (a - np.floor(a))


def _tenths(shape: tuple[int, ...]) -> np.ndarray:
    return np.asarray(_away(between(-4, 4)(shape)))


def _integers(f: Callable[..., Any]) -> list[Case]:
    """f of floats and whole numbers."""
    whole = np.array([[1, -2, 3]])
    cases = [Case(layout, f, (a, whole[:, :1])) for layout, a in layouts(between(-2, 2)).items()]
    return [*cases, Case("broadcast", f, (between(-2, 2)((2, 1)), whole))]


def _first(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *arrays: f(*arrays)[0]


#: operations by their names
CASES: dict[str, list[Case]] = {
    "tan": unary(np.tan, between(-1, 1)),
    "arcsin": unary(np.arcsin, _UNIT),
    "arccos": unary(np.arccos, _UNIT),
    "arctan": unary(np.arctan),
    "sinh": unary(np.sinh),
    "cosh": unary(np.cosh),
    "arcsinh": unary(np.arcsinh),
    "arccosh": unary(np.arccosh, _ABOVE),
    "arctanh": unary(np.arctanh, _UNIT),
    "exp2": unary(np.exp2),
    "log2": unary(np.log2, _POSITIVE),
    "log10": unary(np.log10, _POSITIVE),
    "cbrt": unary(np.cbrt, _POSITIVE) + unary(lambda a: np.cbrt(-a), _POSITIVE),
    "fabs": unary(np.fabs, apart()),
    "reciprocal": unary(np.reciprocal, _POSITIVE),
    "degrees": unary(np.degrees),
    "rad2deg": unary(np.rad2deg),
    "radians": unary(np.radians),
    "deg2rad": unary(np.deg2rad),
    "hypot": binary(np.hypot, _POSITIVE),
    "arctan2": binary(np.arctan2, _POSITIVE) + binary(np.arctan2, None, _POSITIVE),
    "logaddexp": binary(np.logaddexp),
    "logaddexp2": binary(np.logaddexp2),
    "remainder": binary(np.remainder, _tenths, between(4.5, 5))
    + unary(lambda a: np.remainder(a, -1.0), _tenths),
    "fmod": binary(np.fmod, _tenths, between(4.5, 5)) + unary(lambda a: np.fmod(a, 1.0), _tenths),
    "fmax": binary(np.fmax),
    "fmin": binary(np.fmin),
    "copysign": binary(np.copysign, apart(), apart()),
    "heaviside": binary(np.heaviside, apart()) + unary(lambda b: np.heaviside(0 * b, b)),
    "ldexp": _integers(np.ldexp),
    "fraction": unary(_first(np.modf), _tenths),
    "mantissa": unary(_first(np.frexp), between(1.1, 1.9)) + unary(_first(np.frexp), between(-7.5, -4.5)),
    "sinc": unary(np.sinc, between(0.1, 3)) + unary(lambda a: np.sinc(-a), between(0.1, 3)),
    "sinc_derivative": unary(ops.sinc_derivative) + unary(lambda a: ops.sinc_derivative(a, order=3)),
    "unwrap": unary(lambda p: np.unwrap(p, axis=0), between(-4, 4))
    + unary(lambda p: np.unwrap(p, 1.0, axis=-1, period=2.0), between(-4, 4))
    + [Case("size-1", np.unwrap, (np.array([0.5]),))],
}


def _reductions() -> list[Case]:
    """``reduce`` of what has an operation, of what goes step by step, and with each of the options."""
    mask = np.array([[True, False, True], [False, False, True]])
    cases = []
    for ufunc in (np.add, np.multiply, np.logaddexp, np.logaddexp2, np.hypot):
        cases += unary(ufunc.reduce, _POSITIVE)
        cases += unary(
            lambda a, u=ufunc: u.reduce(a, axis=(0, 1), keepdims=True), _POSITIVE, skip=("size-0",)
        )
        cases += [
            Case(
                "contiguous",
                lambda a, m, u=ufunc: u.reduce(a, axis=1, initial=0.5, where=m),
                (_POSITIVE((2, 3)), mask),
            )
        ]
    for ufunc in (np.maximum, np.minimum, np.fmax, np.fmin):
        cases += unary(lambda a, u=ufunc: u.reduce(a, axis=1), apart())
        cases += [
            Case("size-0", lambda a, u=ufunc: u.reduce(a, axis=0, initial=0.5) * a, (_POSITIVE((0, 3)),))
        ]
    for ufunc in (np.subtract, np.divide, np.power, np.arctan2):
        cases += unary(lambda a, u=ufunc: u.reduce(a, axis=-1, keepdims=True), _NEAR_1)
        cases += [
            Case(
                "contiguous",
                lambda a, m, u=ufunc: u.reduce(a, axis=1, initial=1.5, where=m),
                (_NEAR_1((2, 3)), mask),
            )
        ]
        cases += [
            Case(
                "contiguous",
                lambda a, b, u=ufunc: u.reduce(a, initial=b),
                (_NEAR_1((2, 3)), np.asarray(_NEAR_1(()))),
            )
        ]
    return cases


def _accumulations() -> list[Case]:
    cases = []
    for ufunc in (np.add, np.multiply, np.logaddexp, np.subtract, np.divide, np.hypot):
        cases += unary(lambda a, u=ufunc: u.accumulate(a, axis=-1), _POSITIVE)
    for ufunc in (np.maximum, np.minimum):
        cases += unary(lambda a, u=ufunc: u.accumulate(a, axis=1), apart())
    return cases


def _outers() -> list[Case]:
    cases = []
    for ufunc in (np.add, np.multiply, np.divide, np.hypot, np.power):
        a, b = layouts(_POSITIVE), layouts(_POSITIVE)
        cases += [Case(layout, ufunc.outer, (a[layout], b[layout])) for layout in LAYOUTS]
    return cases


#: functions made of operations, by the NumPy function's name with its module: "vstack", "linalg.norm"
COMPOSED: dict[str, list[Case]] = {
    "modf": unary(lambda a: np.modf(a)[0] * np.modf(a)[1], _tenths),
    "frexp": unary(lambda a: np.ldexp(*np.frexp(a)) * a, between(1.1, 1.9)),
    "divmod": unary(lambda a: np.divmod(a, 5.0)[1] + np.divmod(a, 0.5)[0], _tenths),
    "float_power": binary(np.float_power, _POSITIVE),
    "nan_to_num": unary(np.nan_to_num),
    "conjugate": unary(lambda a: np.conjugate(a) * a),
    "real": unary(lambda a: np.real(a) * a),
    "real_if_close": unary(lambda a: np.real_if_close(a) * a),
    "add.reduce": _reductions(),
    "add.accumulate": _accumulations(),
    "add.outer": _outers(),
}

#: operations without a gradient: each a function of one tensor
CONSTANT: dict[str, Callable[..., Any]] = {
    "round": lambda a: np.round(a, 1),
}
