"""The gamma function and its kin, and the integrals of exponentials and logarithms."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.backend import Array, special
from minigrad.operation import Operation, define
from minigrad.ops.hypergeometric import hyp1f1, hyp2f1, less
from minigrad.ops.library import from_library, library_function, one_of_several, refused
from minigrad.symbols.expression import named


@named("polygamma")
def _polygamma(n: Any, a: Array) -> Array:
    """SciPy's, in the precision of ``a``."""
    return (
        library_function("polygamma")(n, a).astype(a.dtype)
        if hasattr(a, "dtype")
        else special(a).polygamma(n, a)
    )


# fmt: off
psi: Operation       = from_library("psi", lambda g, a: g * polygamma(1, a))
polygamma: Operation = define("polygamma", _polygamma, "the derivative of psi of the order n",
                   refused("polygamma", "n"), lambda g, n, a: g * polygamma(n + 1, a), inputs="n a")
gamma: Operation     = from_library("gamma",    lambda g, y, a: g * y * psi(a))
rgamma: Operation    = from_library("rgamma",   lambda g, y, a: -g * y * psi(a), formula="1 / gamma(a)")
gammaln: Operation   = from_library("gammaln",  lambda g, a: g * psi(a))
loggamma: Operation  = from_library("loggamma", lambda g, a: g * psi(a))
beta: Operation      = from_library("beta",   lambda g, y, a, b: g * y * (psi(a) - psi(a + b)),
                                   lambda g, y, a, b: g * y * (psi(b) - psi(a + b)), inputs="a b")
betaln: Operation    = from_library("betaln", lambda g, a, b: g * (psi(a) - psi(a + b)),
                                   lambda g, a, b: g * (psi(b) - psi(a + b)), inputs="a b")
binom: Operation     = from_library("binom",  lambda g, y, n, k: g * y * (psi(n + 1) - psi(n - k + 1)),
                                   lambda g, y, n, k: g * y * (psi(n - k + 1) - psi(k + 1)), inputs="n k")
poch: Operation      = from_library("poch",   lambda g, y, a, m: g * y * (psi(a + m) - psi(a)),
                                   lambda g, y, a, m: g * y * psi(a + m), inputs="a m")
zeta: Operation      = from_library("zeta",   refused("zeta", "s"), lambda g, s, q: -g * s * zeta(s + 1, q), inputs="s q")

gammainc: Operation     = from_library("gammainc",  refused("gammainc", "a"),  lambda g, a, x: g * _gamma_density(a, x), inputs="a x")
gammaincc: Operation    = from_library("gammaincc", refused("gammaincc", "a"), lambda g, a, x: -g * _gamma_density(a, x), inputs="a x")
gammaincinv: Operation  = from_library("gammaincinv",  refused("gammaincinv", "a"),
                            lambda g, y, a, p: g / _gamma_density(a, y), inputs="a p")
gammainccinv: Operation = from_library("gammainccinv", refused("gammainccinv", "a"),
                            lambda g, y, a, p: -g / _gamma_density(a, y), inputs="a p")
betainc: Operation      = from_library("betainc",  refused("betainc", "a"),  refused("betainc", "b"),
                            lambda g, a, b, x: g * _beta_density(a, b, x), inputs="a b x")
betaincc: Operation     = from_library("betaincc", refused("betaincc", "a"), refused("betaincc", "b"),
                            lambda g, a, b, x: -g * _beta_density(a, b, x), inputs="a b x")
betaincinv: Operation   = from_library("betaincinv",  refused("betaincinv", "a"),  refused("betaincinv", "b"),
                            lambda g, y, a, b, p: g / _beta_density(a, b, y), inputs="a b p")
betainccinv: Operation  = from_library("betainccinv", refused("betainccinv", "a"), refused("betainccinv", "b"),
                            lambda g, y, a, b, p: -g / _beta_density(a, b, y), inputs="a b p")

exp1: Operation   = from_library("exp1", lambda g, a: -g * np.exp(-a) / a, formula="∫ e^(-t) / t dt from a to ∞")
expi: Operation   = from_library("expi", lambda g, a: g * np.exp(a) / a, formula="∫ e^t / t dt from -∞ to a")
expn: Operation   = from_library("expn", refused("expn", "n"),
                      lambda g, n, x: np.where(
                          n > 0, -g * expn(less(n), x), -g * np.exp(-x) * (1 + x) / (x * x)),
                      inputs="n x")
spence: Operation = from_library("spence", (lambda g, a: g * np.log(a) / (1 - a), lambda g, a: -g * hyp2f1(1.0, 1.0, 2.0, 1 - a)),
                      formula="∫ ln t / (1 - t) dt from 1 to a")
exprel: Operation = from_library("exprel", (lambda g, y, a: g * (np.exp(a) - y) / a, lambda g, a: g * hyp1f1(2.0, 3.0, a) / 2),
                      formula=("(e^a - 1) / a", lambda a: (np.exp(a) - 1) / a))
sine_integral: Operation     = one_of_several("sici", 0, "∫ sin t / t dt from 0 to a", (lambda g, a: g * np.sin(a) / a, lambda g, a: g * np.sinc(a / math.pi)))
cosine_integral: Operation   = one_of_several("sici", 1, "γ + ln a + ∫ (cos t - 1) / t dt from 0 to a", lambda g, a: g * np.cos(a) / a)
hyperbolic_sine: Operation   = one_of_several("shichi", 0, "∫ sinh t / t dt from 0 to a",
                                   (lambda g, a: g * np.sinh(a) / a, lambda g, a: g * (exprel(a) + exprel(-a)) / 2))
hyperbolic_cosine: Operation = one_of_several("shichi", 1, "γ + ln a + ∫ (cosh t - 1) / t dt from 0 to a", lambda g, a: g * np.cosh(a) / a)
# fmt: on


def _gamma_density(a: Array, x: Array) -> Array:
    """x^(a - 1) e^-x / gamma(a), the density of the gamma distribution."""
    return np.exp(xlogy(a - 1, x) - x - gammaln(a))


def _beta_density(a: Array, b: Array, x: Array) -> Array:
    """x^(a - 1) (1 - x)^(b - 1) / beta(a, b), the density of the beta distribution."""
    return np.exp(xlogy(a - 1, x) + xlog1py(b - 1, -x) - betaln(a, b))


# where a is 0, so is the result, and its gradient in a, also where b is 0 (PyTorch)
xlogy: Operation = from_library(
    "xlogy",
    lambda g, a, b: np.where((a == 0) & (b <= 0), 0, g * np.log(b)),
    lambda g, a, b: g * a / b,
    inputs="a b",
    formula="a · ln b",
)
xlog1py: Operation = from_library(
    "xlog1py",
    lambda g, a, b: np.where((a == 0) & (b <= -1), 0, g * np.log1p(b)),
    lambda g, a, b: g * a / (1 + b),
    inputs="a b",
    formula="a · ln(1 + b)",
)

SEVERAL = {"sici": (sine_integral, cosine_integral), "shichi": (hyperbolic_sine, hyperbolic_cosine)}
"""Functions of several results: the operation of each of them."""
