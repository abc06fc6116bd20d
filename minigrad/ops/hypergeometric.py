"""Hypergeometric functions, the elliptic integrals that are some of them, and the orthogonal polynomials."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.backend import Array
from minigrad.operation import Operation, define
from minigrad.ops.library import from_library, library_function, one_of_several, refused
from minigrad.symbols.expression import named

_a, _b, _c = (
    refused("a hypergeometric function", "a"),
    refused("a hypergeometric function", "b"),
    refused("hyp2f1", "c"),
)
_n, _alpha, _beta = (refused("a polynomial", name) for name in ("n", "alpha", "beta"))
_p, _q = refused("eval_sh_jacobi", "p"), refused("eval_sh_jacobi", "q")


def _of_whole_degree(name: str) -> Callable[..., Array]:
    """The library's function, which takes no degree that is a float, be it whole."""
    compute = library_function(name)

    @named(name)
    def forward(n: Any, x: Array) -> Array:
        if hasattr(n, "dtype"):
            return compute(n.astype("int64"), x)
        return compute(int(n), x)

    return forward


# fmt: off
hyp0f1: Operation = from_library("hyp0f1", refused("hyp0f1", "v"), lambda g, v, z: g * hyp0f1(v + 1, z) / v, inputs="v z")
hyp1f1: Operation = from_library("hyp1f1", _a, _b, lambda g, a, b, z: g * a / b * hyp1f1(a + 1, b + 1, z), inputs="a b z")
hyp2f1: Operation = from_library("hyp2f1", _a, _b, _c,
                      lambda g, a, b, c, z: g * a * b / c * hyp2f1(a + 1, b + 1, c + 1, z), inputs="a b c z")
hyperu: Operation = from_library("hyperu", _a, _b, lambda g, a, b, z: -g * a * hyperu(a + 1, b + 1, z), inputs="a b z")
wright_bessel: Operation = from_library("wright_bessel", refused("wright_bessel", "a"), refused("wright_bessel", "b"),
                             lambda g, a, b, z: g * wright_bessel(a, b + a, z), inputs="a b z")
log_wright_bessel: Operation = from_library(
    "log_wright_bessel", refused("log_wright_bessel", "a"), refused("log_wright_bessel", "b"),
    lambda g, y, a, b, z: g * np.exp(log_wright_bessel(a, b + a, z) - y), inputs="a b z")

# complete elliptic integrals: K = π/2 · 2F1(1/2, 1/2; 1; m) and E = π/2 · 2F1(-1/2, 1/2; 1; m), smooth at m = 0
ellipk: Operation = from_library(
    "ellipk", (lambda g, y, m: g * (ellipe(m) / (1 - m) - y) / (2 * m),
               lambda g, m: g * (math.pi / 8) * hyp2f1(1.5, 1.5, 2.0, m)),
    inputs="m", formula="∫ 1 / √(1 - m sin² t) dt from 0 to π/2")
ellipe: Operation = from_library(
    "ellipe", (lambda g, y, m: g * (y - ellipk(m)) / (2 * m),
               lambda g, m: -g * (math.pi / 8) * hyp2f1(0.5, 1.5, 2.0, m)),
    inputs="m", formula="∫ √(1 - m sin² t) dt from 0 to π/2")
ellipkm1: Operation = from_library(
    "ellipkm1", (lambda g, y, p: -g * (ellipe(1 - p) / p - y) / (2 * (1 - p)), lambda g, p: -g * _slope_of_k(p)),
    inputs="p", formula="ellipk(1 - p)")
ellipkinc: Operation = from_library(
    "ellipkinc", lambda g, phi, m: g / np.sqrt(1 - m * np.sin(phi) ** 2),
    lambda g, y, phi, m: g * (ellipeinc(phi, m) / (1 - m) - y
                              - m * np.sin(2 * phi) / (2 * (1 - m) * np.sqrt(1 - m * np.sin(phi) ** 2))) / (2 * m),
    inputs="phi m", formula="∫ 1 / √(1 - m sin² t) dt from 0 to phi")
ellipeinc: Operation = from_library(
    "ellipeinc", lambda g, phi, m: g * np.sqrt(1 - m * np.sin(phi) ** 2),
    lambda g, y, phi, m: g * (y - ellipkinc(phi, m)) / (2 * m),
    inputs="phi m", formula="∫ √(1 - m sin² t) dt from 0 to phi")

# Jacobi's elliptic functions of u; in their parameter m there is no rule
_m = refused("ellipj", "m")
jacobi_sn: Operation = one_of_several("ellipj", 0, "sn(u, m)", lambda g, u, m: g * jacobi_cn(u, m) * jacobi_dn(u, m), _m, inputs="u m")
jacobi_cn: Operation = one_of_several("ellipj", 1, "cn(u, m)", lambda g, u, m: -g * jacobi_sn(u, m) * jacobi_dn(u, m), _m, inputs="u m")
jacobi_dn: Operation = one_of_several("ellipj", 2, "dn(u, m)", lambda g, u, m: -g * m * jacobi_sn(u, m) * jacobi_cn(u, m), _m, inputs="u m")
jacobi_am: Operation = one_of_several("ellipj", 3, "am(u, m)", lambda g, u, m: g * jacobi_dn(u, m), _m, inputs="u m")

# orthogonal polynomials: each derivative is a polynomial of another family, of one degree less
eval_gegenbauer: Operation  = from_library("eval_gegenbauer", _n, _alpha,
                                lambda g, n, alpha, x: 2 * g * alpha * eval_gegenbauer(n - 1, alpha + 1, x), inputs="n alpha x")
eval_jacobi: Operation      = from_library("eval_jacobi", _n, _alpha, _beta,
                                lambda g, n, alpha, beta, x: g * (n + alpha + beta + 1) / 2
                                * eval_jacobi(n - 1, alpha + 1, beta + 1, x), inputs="n alpha beta x")
eval_legendre: Operation    = from_library("eval_legendre", _n, lambda g, n, x: g * eval_gegenbauer(n - 1, 1.5, x), inputs="n x")
eval_chebyt: Operation      = from_library("eval_chebyt", _n, lambda g, n, x: g * n * eval_chebyu(n - 1, x), inputs="n x")
eval_chebyu: Operation      = from_library("eval_chebyu", _n, lambda g, n, x: 2 * g * eval_gegenbauer(n - 1, 2.0, x), inputs="n x")
eval_chebyc: Operation      = from_library("eval_chebyc", _n, lambda g, n, x: g * n * eval_chebys(n - 1, x), inputs="n x")
eval_chebys: Operation      = from_library("eval_chebys", _n, lambda g, n, x: g * eval_gegenbauer(n - 1, 2.0, x / 2), inputs="n x")
eval_sh_legendre: Operation = from_library("eval_sh_legendre", _n, lambda g, n, x: 2 * g * eval_gegenbauer(n - 1, 1.5, 2 * x - 1), inputs="n x")
eval_sh_chebyt: Operation   = from_library("eval_sh_chebyt", _n, lambda g, n, x: 2 * g * n * eval_chebyu(n - 1, 2 * x - 1), inputs="n x")
eval_sh_chebyu: Operation   = from_library("eval_sh_chebyu", _n, lambda g, n, x: 4 * g * eval_gegenbauer(n - 1, 2.0, 2 * x - 1), inputs="n x")
eval_sh_jacobi: Operation   = from_library("eval_sh_jacobi", _n, _p, _q, lambda g, n, p, q, x: g * n * eval_sh_jacobi(less(n), p + 2, q + 1, x),
                                inputs="n p q x")
eval_genlaguerre: Operation = from_library("eval_genlaguerre", _n, _alpha,
                                lambda g, n, alpha, x: -g * eval_genlaguerre(n - 1, alpha + 1, x), inputs="n alpha x")
eval_laguerre: Operation    = from_library("eval_laguerre", _n, lambda g, n, x: -g * eval_genlaguerre(n - 1, 1.0, x), inputs="n x")
eval_hermite: Operation     = define("eval_hermite", _of_whole_degree("eval_hermite"), "eval_hermite(n, x)", _n, lambda g, n, x: 2 * g * n * eval_hermite(less(n), x), inputs="n x")
eval_hermitenorm: Operation = define("eval_hermitenorm", _of_whole_degree("eval_hermitenorm"), "eval_hermitenorm(n, x)", _n, lambda g, n, x: g * n * eval_hermitenorm(less(n), x), inputs="n x")
# fmt: on


def less(n: Any) -> Any:
    """One less than n, and 0 for 0, whose factor n makes it nothing; a Python number stays one, on any device."""
    return max(n - 1, 0) if isinstance(n, (int, float)) else np.maximum(n - 1, 0)


def _slope_of_k(p: Array) -> Array:
    """dK/dm at m = 1 - p: by its closed form near p = 0, where m has lost p's digits, else by 2F1, smooth at p = 1."""
    near = p < 0.5
    small, other = np.where(near, p, 0.5), np.where(near, 0.5, p)
    closed = (ellipe(1 - small) / small - ellipkm1(small)) / (2 * (1 - small))
    return np.where(near, closed, (math.pi / 8) * hyp2f1(1.5, 1.5, 2.0, 1 - other))


SEVERAL: dict[str, tuple[Any, ...]] = {"ellipj": (jacobi_sn, jacobi_cn, jacobi_dn, jacobi_am)}
"""Functions of several results: the operation of each of them."""
