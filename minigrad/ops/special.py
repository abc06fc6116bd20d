"""SciPy's special functions: those made of powers and logarithms, here; all of them, entered for ``scipy.special``.

The families are ``probability``, ``gammas``, ``bessel`` and ``hypergeometric``; this module is imported where SciPy's
functions can have been asked for. SciPy's functions that are written in Python (``scipy.special.softmax``) take arrays
alone: ``mg.ops`` has those of them that are operations.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.special

from minigrad import registry
from minigrad.backend import Array
from minigrad.operation import Operation, on_arrays, stands_for, without_gradient
from minigrad.ops import bessel, gammas, hypergeometric, probability
from minigrad.ops.activation import normal_cdf, sigmoid
from minigrad.ops.circular import cbrt, exp2
from minigrad.ops.hypergeometric import ellipk, hyp1f1, hyp2f1
from minigrad.ops.library import from_library, library_function

_LN10, _DEGREE = math.log(10), math.pi / 180

# fmt: off
exp10: Operation  = from_library("exp10",  lambda g, y: g * y * _LN10, formula=("10^a", lambda a: 10.0**a))
cosm1: Operation  = from_library("cosm1",  lambda g, a: -g * np.sin(a), formula=("cos a - 1", lambda a: np.cos(a) - 1))
powm1: Operation  = from_library("powm1",  lambda g, a, b: g * b * a ** (b - 1), lambda g, a, b: g * a**b * np.log(a), inputs="a b",
                      formula=("a^b - 1", lambda a, b: a**b - 1))
logit: Operation  = from_library("logit",  lambda g, a: np.where((a < 0) | (a > 1), math.nan, g / (a * (1 - a))),
                      formula=("ln(a / (1 - a))", lambda a: np.log(a / (1 - a))))
log_expit: Operation = from_library("log_expit", lambda g, a: g * sigmoid(-a),
                         formula=("ln(1 / (1 + e^-a))", lambda a: np.log(sigmoid(a))))
entr: Operation     = from_library("entr",     lambda g, a: -g * (1 + np.log(a)), formula="-a · ln a")
rel_entr: Operation = from_library("rel_entr", lambda g, a, b: g * (np.log(a / b) + 1), lambda g, a, b: -g * a / b, inputs="a b",
                        formula="a · ln(a / b)")
kl_div: Operation   = from_library("kl_div",   lambda g, a, b: g * np.log(a / b), lambda g, a, b: g * (1 - a / b), inputs="a b",
                        formula="a · ln(a / b) - a + b")
huber: Operation    = from_library("huber_loss", lambda g, delta, r: np.where(np.abs(r) <= delta, 0, g * (np.abs(r) - delta)),
                        lambda g, delta, r: np.where(np.abs(r) <= delta, g * r, g * delta * np.sign(r)), inputs="delta r",
                        formula="r² / 2 where |r| ≤ delta, else delta · (|r| - delta / 2)", function="huber")
pseudo_huber: Operation = from_library(
    "pseudo_huber", lambda g, delta, r: g * (2 * delta * (_root(r, delta) - 1) - r * r / (delta * _root(r, delta))),
    lambda g, delta, r: g * r / _root(r, delta), inputs="delta r",
    formula=("delta² · (√(1 + (r / delta)²) - 1)", lambda delta, r: delta**2 * (np.sqrt(1 + (r / delta) ** 2) - 1)))
wrightomega: Operation = from_library("wrightomega", lambda g, y: g * y / (1 + y), formula="y with y + ln y = a")
sindg: Operation = from_library("sindg", lambda g, a: g * _DEGREE * cosdg(a), formula=("sin(π / 180 · a)", lambda a: np.sin(_DEGREE * a)))
cosdg: Operation = from_library("cosdg", lambda g, a: -g * _DEGREE * sindg(a), formula=("cos(π / 180 · a)", lambda a: np.cos(_DEGREE * a)))
tandg: Operation = from_library("tandg", lambda g, y: g * _DEGREE * (1 + y * y), formula=("tan(π / 180 · a)", lambda a: np.tan(_DEGREE * a)))
cotdg: Operation = from_library("cotdg", lambda g, y: -g * _DEGREE * (1 + y * y), formula=("1 / tan(π / 180 · a)", lambda a: 1 / np.tan(_DEGREE * a)))
radian: Operation = from_library("radian", lambda g: g * _DEGREE, lambda g: g * (_DEGREE / 60), lambda g: g * (_DEGREE / 3600),
                      inputs="d m s", formula=("π / 180 · (d + m / 60 + s / 3600)", lambda d, m, s: _DEGREE * (d + m / 60 + s / 3600)))

# with L = ln a, (a^l - 1) / l is L · exprel(l · L), and its slope in l smooth at l = 0
boxcox: Operation   = from_library("boxcox", lambda g, a, l: g * a ** (l - 1),
                        (lambda g, y, a, l: g * (a**l * np.log(a) - y) / l, lambda g, a, l: g * _in_power(np.log(a), l)),
                        inputs="a l", formula=("(a^l - 1) / l", lambda a, l: (a**l - 1) / l))
boxcox1p: Operation = from_library("boxcox1p", lambda g, a, l: g * (1 + a) ** (l - 1),
                        (lambda g, y, a, l: g * ((1 + a) ** l * np.log(1 + a) - y) / l, lambda g, a, l: g * _in_power(np.log1p(a), l)),
                        inputs="a l", formula=("((1 + a)^l - 1) / l", lambda a, l: ((1 + a) ** l - 1) / l))
inv_boxcox: Operation   = from_library("inv_boxcox", lambda g, y, a, l: g * y / (1 + l * a),
                            lambda g, y, a, l: -g * y * a * a / 2 * hyp2f1(2.0, 2.0, 3.0, -l * a),
                            inputs="a l", formula=("(1 + l · a)^(1 / l)", lambda a, l: (1 + l * a) ** (1 / l)))
inv_boxcox1p: Operation = from_library("inv_boxcox1p", lambda g, y, a, l: g * (1 + y) / (1 + l * a),
                            lambda g, y, a, l: -g * (1 + y) * a * a / 2 * hyp2f1(2.0, 2.0, 3.0, -l * a),
                            inputs="a l", formula=("(1 + l · a)^(1 / l) - 1", lambda a, l: (1 + l * a) ** (1 / l) - 1))
# fmt: on


def _root(r: Array, delta: Array) -> Array:
    """√(1 + (r / delta)²)."""
    return np.hypot(1, r / delta)


def _in_power(logarithm: Array, power: Array) -> Array:
    """The slope of (e^(L l) - 1) / l in l: L² · exprel'(L l)."""
    return np.square(logarithm) / 2 * hyp1f1(2.0, 3.0, logarithm * power)


def agm(a: Any, b: Any) -> Any:
    """Return the arithmetic-geometric mean of positive numbers, by Gauss's formula."""
    return (math.pi / 4) * (a + b) / ellipk(np.square((a - b) / (a + b)))


def _together(operations: tuple[Callable[..., Any], ...]) -> Callable[..., tuple[Any, ...]]:
    return lambda *arrays: tuple(operation(*arrays) for operation in operations)


_COMPLEX = "its results are complex numbers"
_INVERSE = "an inverse in a parameter in which the function itself has no derivative of known functions"
_NO_FORMULA = "its derivative is no formula of the functions that SciPy has"
_NOT_WRITTEN = "a formula of its derivative is known, and not written here"
_OWN_SLOPE = (
    "a pair of a solution and its slope, of an equation whose second derivative minigrad does not write out"
)

UNSUPPORTED: dict[str, str] = {
    **dict.fromkeys(("airye", "chndtr", "chndtrix", "itairy", "lpmv"), _NOT_WRITTEN),
    **dict.fromkeys(
        ("hankel1", "hankel1e", "hankel2", "hankel2e", "kelvin", "modfresnelm", "modfresnelp", "wofz"),
        _COMPLEX,
    ),
    **dict.fromkeys(
        (
            "bdtrik",
            "bdtrin",
            "btdtria",
            "btdtrib",
            "chdtriv",
            "chndtridf",
            "chndtrinc",
            "fdtridfd",
            "gdtrib",
            "nbdtrik",
            "nbdtrin",
            "ncfdtridfd",
            "ncfdtridfn",
            "ncfdtrinc",
            "nctdtridf",
            "nctdtrinc",
            "pdtrik",
            "stdtridf",
        ),
        _INVERSE,
    ),
    **dict.fromkeys(
        (
            "ncfdtr",
            "ncfdtri",
            "nctdtr",
            "nctdtrit",
            "kolmogi",
            "kolmogorov",
            "smirnov",
            "smirnovi",
            "zetac",
            "besselpoly",
            "elliprc",
            "elliprd",
            "elliprf",
            "elliprg",
            "elliprj",
            "voigt_profile",
        ),
        _NO_FORMULA,
    ),
    **dict.fromkeys(
        (
            "mathieu_a",
            "mathieu_b",
            "mathieu_cem",
            "mathieu_modcem1",
            "mathieu_modcem2",
            "mathieu_modsem1",
            "mathieu_modsem2",
            "mathieu_sem",
            "obl_ang1",
            "obl_ang1_cv",
            "obl_cv",
            "obl_rad1",
            "obl_rad1_cv",
            "obl_rad2",
            "obl_rad2_cv",
            "pbdv",
            "pbvv",
            "pbwa",
            "pro_ang1",
            "pro_ang1_cv",
            "pro_cv",
            "pro_rad1",
            "pro_rad1_cv",
            "pro_rad2",
            "pro_rad2_cv",
        ),
        _OWN_SLOPE,
    ),
}
"""The ufuncs of ``scipy.special`` that have no rule, and why."""

_OTHER_NAMES = {
    "cbrt": cbrt,
    "exp2": exp2,
    "expit": sigmoid,
    "ndtr": normal_cdf,
    "huber": huber,
    "digamma": gammas.psi,
    "jn": bessel.jv,
}
_ENTERED: dict[str, Any] = {
    **{name: operation for name, operation in registry.operations.items() if hasattr(scipy.special, name)},
    **_OTHER_NAMES,
}
for _name, _operation in _ENTERED.items():
    if isinstance(getattr(scipy.special, _name), np.ufunc):
        stands_for(getattr(scipy.special, _name), _operation)
stands_for(scipy.special._ufuncs._zeta, gammas.zeta)  # by which zeta(s, q), a function in Python, computes

for _family in (bessel, gammas, hypergeometric, probability):
    for _name, _operations in _family.SEVERAL.items():
        stands_for(
            getattr(scipy.special, _name), _together(_operations), ", ".join(o.formula for o in _operations)
        )
stands_for(scipy.special.agm, agm, "π / 4 · (a + b) / ellipk(((a - b) / (a + b))²)")
stands_for(scipy.special.nrdtrimn, probability.nrdtrimn, "x - std · ndtri p")
stands_for(scipy.special.nrdtrisd, probability.nrdtrisd, "(x - mean) / ndtri p")
without_gradient(
    scipy.special.gammasgn, "a sign is piecewise constant", on_arrays(library_function("gammasgn"))
)
