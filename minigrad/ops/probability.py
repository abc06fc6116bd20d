"""Error functions, and the distribution functions of statistics with their inverses."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.backend import Array
from minigrad.operation import Operation
from minigrad.ops.activation import normal_cdf
from minigrad.ops.gammas import betaln, gammaln, xlog1py, xlogy
from minigrad.ops.library import from_library, one_of_several, refused

_TWO_OVER, _HALF = 2 / math.sqrt(math.pi), math.sqrt(math.pi) / 2
_ROOT, _RATIO = math.sqrt(2 * math.pi), math.sqrt(2 / math.pi)


def _refused(function: str, names: str) -> list[Any]:
    return [refused(function, name) for name in names.split()]


def _hazard(a: Array) -> Array:
    """φ(a) / Φ(a), by a form for each side: the one loses digits far to the right, the other far to the left."""
    left = a < 0
    below, above = np.where(left, a, 0), np.where(left, 0, a)
    far = _RATIO / erfcx(-below * (1 / math.sqrt(2)))
    return np.where(left, far, np.exp(-0.5 * above * above) / (_ROOT * normal_cdf(above)))


# fmt: off
erf: Operation     = from_library("erf",     lambda g, a: g * _TWO_OVER * np.exp(-np.square(a)), formula="2 / √π · ∫ e^(-t²) dt from 0 to a")
erfc: Operation    = from_library("erfc",    lambda g, a: -g * _TWO_OVER * np.exp(-np.square(a)), formula="1 - erf a")
erfcx: Operation   = from_library("erfcx",   lambda g, y, a: g * (2 * a * y - _TWO_OVER), formula="e^(a²) · erfc a")
erfi: Operation    = from_library("erfi",    lambda g, a: g * _TWO_OVER * np.exp(np.square(a)), formula="2 / √π · ∫ e^(t²) dt from 0 to a")
dawsn: Operation   = from_library("dawsn",   lambda g, y, a: g * (1 - 2 * a * y), formula="e^(-a²) · ∫ e^(t²) dt from 0 to a")
erfinv: Operation  = from_library("erfinv",  lambda g, y: g * _HALF * np.exp(np.square(y)), formula="y with erf y = a")
erfcinv: Operation = from_library("erfcinv", lambda g, y: -g * _HALF * np.exp(np.square(y)), formula="y with erfc y = a")
log_ndtr: Operation = from_library("log_ndtr", (lambda g, a: g * np.exp(-0.5 * np.square(a)) / (_ROOT * normal_cdf(a)),
                                     lambda g, a: g * _hazard(a)), formula=("ln(Φ(a))", lambda a: np.log(normal_cdf(a))))
ndtri: Operation     = from_library("ndtri",     lambda g, y: g * _ROOT * np.exp(0.5 * np.square(y)), formula="y with Φ(y) = a")
ndtri_exp: Operation = from_library("ndtri_exp", lambda g, y, a: g * _ROOT * np.exp(a + 0.5 * np.square(y)), formula="y with Φ(y) = e^a")
owens_t: Operation   = from_library("owens_t",
                         lambda g, h, a: -g * np.exp(-0.5 * np.square(h)) * erf(a * h * (1 / math.sqrt(2))) / (2 * _ROOT),
                         lambda g, h, a: g * np.exp(-0.5 * np.square(h) * (1 + a * a)) / (2 * math.pi * (1 + a * a)), inputs="h a")
fresnel_s: Operation = one_of_several("fresnel", 0, "∫ sin(π t² / 2) dt from 0 to a", lambda g, a: g * np.sin(math.pi / 2 * np.square(a)))
fresnel_c: Operation = one_of_several("fresnel", 1, "∫ cos(π t² / 2) dt from 0 to a", lambda g, a: g * np.cos(math.pi / 2 * np.square(a)))


def _chi_square(v: Array, x: Array) -> Array:
    """The density of the chi-square distribution of v degrees of freedom: x^(v/2 - 1) e^(-x/2) / (2^(v/2) Γ(v/2))."""
    return np.exp(xlogy(v / 2 - 1, x / 2) - x / 2 - gammaln(v / 2)) / 2


def _poisson(k: Array, m: Array) -> Array:
    """m^k e^-m / k!, with k rounded down."""
    k = math.floor(k) if isinstance(k, (int, float)) else np.floor(k)
    return np.exp(xlogy(k, m) - m - gammaln(k + 1))


def _gamma(b: Array, z: Array) -> Array:
    """z^(b - 1) e^-z / Γ(b)."""
    return np.exp(xlogy(b - 1, z) - z - gammaln(b))


def _binomial(k: Array, n: Array, p: Array) -> Array:
    """p^k (1 - p)^(n - k - 1) / B(n - k, k + 1), by which the sum of the terms up to k falls with p."""
    k = math.floor(k) if isinstance(k, (int, float)) else np.floor(k)
    return np.exp(xlogy(k, p) + xlog1py(n - k - 1, -p) - betaln(n - k, k + 1))


def _negative_binomial(k: Array, n: Array, p: Array) -> Array:
    """p^(n - 1) (1 - p)^k / B(n, k + 1)."""
    return np.exp(xlogy(n - 1, p) + xlog1py(k, -p) - betaln(n, k + 1))


def _f(a: Array, b: Array, x: Array) -> Array:
    """The density of the F distribution of a and b degrees of freedom."""
    return np.exp(xlogy(a / 2, a / b) + xlogy(a / 2 - 1, x) - (a + b) / 2 * np.log1p(a * x / b) - betaln(a / 2, b / 2))


def _student(v: Array, t: Array) -> Array:
    """The density of Student's distribution of v degrees of freedom."""
    return np.exp(-(v + 1) / 2 * np.log1p(t * t / v) - betaln(0.5, v / 2)) / np.sqrt(v)


chdtr: Operation  = from_library("chdtr",  *_refused("chdtr", "v"),  lambda g, v, x: g * _chi_square(v, x), inputs="v x")
chdtrc: Operation = from_library("chdtrc", *_refused("chdtrc", "v"), lambda g, v, x: -g * _chi_square(v, x), inputs="v x")
chdtri: Operation = from_library("chdtri", *_refused("chdtri", "v"), lambda g, y, v, p: -g / _chi_square(v, y), inputs="v p")
pdtr: Operation   = from_library("pdtr",  *_refused("pdtr", "k"),  lambda g, k, m: -g * _poisson(k, m), inputs="k m")
pdtrc: Operation  = from_library("pdtrc", *_refused("pdtrc", "k"), lambda g, k, m: g * _poisson(k, m), inputs="k m")
pdtri: Operation  = from_library("pdtri", *_refused("pdtri", "k"), lambda g, y, k, p: -g / _poisson(k, y), inputs="k p")
gdtr: Operation   = from_library("gdtr",  lambda g, a, b, x: g * x * _gamma(b, a * x), *_refused("gdtr", "b"),
                               lambda g, a, b, x: g * a * _gamma(b, a * x), inputs="a b x")
gdtrc: Operation  = from_library("gdtrc", lambda g, a, b, x: -g * x * _gamma(b, a * x), *_refused("gdtrc", "b"),
                               lambda g, a, b, x: -g * a * _gamma(b, a * x), inputs="a b x")
gdtrix: Operation = from_library("gdtrix", lambda g, y, a: -g * y / a, *_refused("gdtrix", "b"),
                                lambda g, y, a, b: g / (a * _gamma(b, a * y)), inputs="a b p")
gdtria: Operation = from_library("gdtria", lambda g, y, b, x: g / (x * _gamma(b, x * y)), *_refused("gdtria", "b"),
                                lambda g, y, x: -g * y / x, inputs="p b x")
bdtr: Operation   = from_library("bdtr",  *_refused("bdtr", "k n"),  lambda g, k, n, p: -g * _binomial(k, n, p), inputs="k n p")
bdtrc: Operation  = from_library("bdtrc", *_refused("bdtrc", "k n"), lambda g, k, n, p: g * _binomial(k, n, p), inputs="k n p")
bdtri: Operation  = from_library("bdtri", *_refused("bdtri", "k n"), lambda g, y, k, n: -g / _binomial(k, n, y), inputs="k n q")
nbdtr: Operation  = from_library("nbdtr",  *_refused("nbdtr", "k n"),  lambda g, k, n, p: g * _negative_binomial(k, n, p), inputs="k n p")
nbdtrc: Operation = from_library("nbdtrc", *_refused("nbdtrc", "k n"), lambda g, k, n, p: -g * _negative_binomial(k, n, p), inputs="k n p")
nbdtri: Operation = from_library("nbdtri", *_refused("nbdtri", "k n"), lambda g, y, k, n: g / _negative_binomial(k, n, y), inputs="k n q")
fdtr: Operation   = from_library("fdtr",  *_refused("fdtr", "a b"),  lambda g, a, b, x: g * _f(a, b, x), inputs="a b x")
fdtrc: Operation  = from_library("fdtrc", *_refused("fdtrc", "a b"), lambda g, a, b, x: -g * _f(a, b, x), inputs="a b x")
fdtri: Operation  = from_library("fdtri", *_refused("fdtri", "a b"), lambda g, y, a, b: g / _f(a, b, y), inputs="a b p")
stdtr: Operation  = from_library("stdtr",  *_refused("stdtr", "v"),  lambda g, v, t: g * _student(v, t), inputs="v t")
stdtrit: Operation = from_library("stdtrit", *_refused("stdtrit", "v"), lambda g, y, v: g / _student(v, y), inputs="v p")
tklmbda: Operation = from_library("tklmbda", lambda g, y, l: g / (y ** (l - 1) + (1 - y) ** (l - 1)), *_refused("tklmbda", "l"), inputs="x l")
# fmt: on


def nrdtrimn(p: Any, std: Any, x: Any) -> Any:
    """Return the mean of the normal distribution that has P(X ≤ x) = p."""
    return x - std * ndtri(p)


def nrdtrisd(mean: Any, p: Any, x: Any) -> Any:
    """Return the standard deviation of the normal distribution that has P(X ≤ x) = p."""
    return (x - mean) / ndtri(p)


SEVERAL = {"fresnel": (fresnel_s, fresnel_c)}
"""Functions of several results: the operation of each of them."""
