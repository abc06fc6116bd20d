"""Cases of ``scipy.special``: every operation on points inside of its domain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special

from minigrad import ops
from tests.ops.cases.core import LAYOUTS, Case, Sampler, apart, between, binary, layouts, unary

_ANY, _POSITIVE, _UNIT, _PART = between(-2, 2), between(0.5, 3), between(-0.8, 0.8), between(0.1, 0.9)


def several(f: Callable[..., Any], *samplers: Sampler) -> list[Case]:
    """f of some arrays of each kind; in the last cases they stretch each other."""
    arrays = [layouts(sample) for sample in samplers]
    cases = [Case(layout, f, tuple(each[layout] for each in arrays)) for layout in LAYOUTS]
    shapes = [(2, 1), (3,), (), (1, 3)]
    stretched = tuple(np.asarray(sample(shape)) for sample, shape in zip(samplers, shapes, strict=False))
    return [*cases, Case("broadcast", f, stretched)]


def given(f: Callable[..., Any], *parameters: float) -> Callable[..., Any]:
    """f with its first arguments given as numbers."""
    return lambda *arrays: f(*parameters, *arrays)


def part(f: Callable[..., Any], k: int) -> Callable[..., Any]:
    return lambda *arrays: f(*arrays)[k]


_BESSEL = {
    name: unary(f, _POSITIVE) + (unary(lambda a, f=f: f(-a), _POSITIVE) if name[0] in "ji" else [])
    for name in ("j0", "j1", "y0", "y1", "i0", "i1", "i0e", "i1e", "k0", "k1", "k0e", "k1e")
    for f in [getattr(special, name)]
}
_ORDERED = {
    name: unary(given(f, 2), _POSITIVE)
    + unary(given(f, 0), _POSITIVE)
    + (unary(given(f, 1.5), _POSITIVE) if name[1] != "n" else [])
    for name in ("jv", "jve", "yv", "yve", "yn", "iv", "ive", "kv", "kve", "kn", "struve", "modstruve")
    for f in [getattr(special, name)]
}
_KELVIN = {
    name: unary(getattr(special, name), _POSITIVE)
    for name in ("ber", "bei", "berp", "beip", "ker", "kei", "kerp", "keip")
}
_SEVERAL = {
    f"{name}_{k}": unary(part(getattr(special, name), k), _POSITIVE)
    for name, count in (
        ("airy", 4),
        ("itj0y0", 2),
        ("iti0k0", 2),
        ("sici", 2),
        ("shichi", 2),
        ("fresnel", 2),
        ("it2j0y0", 2),
        ("it2i0k0", 2),
    )
    for k in range(count)
}
_JACOBI = {f"ellipj_{k}": unary(lambda u, k=k: special.ellipj(u, 0.3)[k]) for k in range(4)}
_DEGREES = (
    "legendre",
    "chebyt",
    "chebyu",
    "chebyc",
    "chebys",
    "sh_legendre",
    "sh_chebyt",
    "sh_chebyu",
    "laguerre",
    "hermite",
    "hermitenorm",
)
_POLYNOMIALS = {
    f"eval_{name}": [
        case for n in (0, 1, 4) for case in unary(given(getattr(special, f"eval_{name}"), n), _UNIT)
    ]
    for name in _DEGREES
} | {
    f"eval_{name}": [
        case for n in (0, 3) for case in unary(given(getattr(special, f"eval_{name}"), n, *others), _UNIT)
    ]
    for name, others in (
        ("gegenbauer", (0.75,)),
        ("jacobi", (0.5, 1.5)),
        ("sh_jacobi", (2.5, 1.5)),
        ("genlaguerre", (0.5,)),
    )
}
_DISTRIBUTIONS = {
    name: unary(given(getattr(special, name), *parameters), sample)
    for name, parameters, sample in (
        ("chdtr", (3.0,), _POSITIVE), ("chdtrc", (3.0,), _POSITIVE), ("chdtri", (3.0,), _PART),
        ("pdtr", (2.0,), _POSITIVE), ("pdtrc", (2.0,), _POSITIVE), ("pdtri", (2, ), _PART),
        ("bdtr", (2.0, 6), _PART), ("bdtrc", (2.0, 6), _PART), ("bdtri", (2.0, 6), _PART),
        ("nbdtr", (2, 5), _PART), ("nbdtrc", (2, 5), _PART), ("nbdtri", (2, 5), _PART),
        ("fdtr", (3.0, 5.0), _POSITIVE), ("fdtrc", (3.0, 5.0), _POSITIVE), ("fdtri", (3.0, 5.0), _PART),
        ("stdtr", (4.0,), _ANY), ("stdtrit", (4.0,), _PART),
    )
}  # fmt: skip

#: operations by their names
CASES: dict[str, list[Case]] = {
    **_BESSEL,
    **_ORDERED,
    **_KELVIN,
    **_SEVERAL,
    **_JACOBI,
    **_POLYNOMIALS,
    **_DISTRIBUTIONS,
    "itstruve0": unary(special.itstruve0, _POSITIVE),
    "itmodstruve0": unary(special.itmodstruve0, _POSITIVE),
    "it2struve0": unary(special.it2struve0, _POSITIVE),
    "erf": unary(special.erf),
    "erfc": unary(special.erfc),
    "erfcx": unary(special.erfcx),
    "erfi": unary(special.erfi, between(-1, 1)),
    "dawsn": unary(special.dawsn),
    "erfinv": unary(special.erfinv, _UNIT),
    "erfcinv": unary(special.erfcinv, between(0.2, 1.8)),
    "log_ndtr": unary(special.log_ndtr) + unary(special.log_ndtr, between(-9, -5)),
    "ndtri": unary(special.ndtri, _PART),
    "ndtri_exp": unary(special.ndtri_exp, between(-3, -0.3)),
    "owens_t": binary(special.owens_t),
    "gdtr": several(lambda a, x: special.gdtr(a, 2.5, x), _POSITIVE, _POSITIVE),
    "gdtrc": several(lambda a, x: special.gdtrc(a, 2.5, x), _POSITIVE, _POSITIVE),
    "gdtrix": several(lambda a, p: special.gdtrix(a, 2.5, p), _POSITIVE, _PART),
    "gdtria": several(lambda p, x: special.gdtria(p, 2.5, x), _PART, _POSITIVE),
    "tklmbda": unary(lambda x: special.tklmbda(x, 0.3)),
    "psi": unary(special.psi, _POSITIVE) + unary(special.digamma, between(-0.8, -0.3)),
    "polygamma": unary(given(ops.polygamma, 1), _POSITIVE) + unary(given(ops.polygamma, 0), _POSITIVE),
    "gamma": unary(special.gamma, _POSITIVE) + unary(special.gamma, between(-0.8, -0.3)),
    "rgamma": unary(special.rgamma, _POSITIVE),
    "gammaln": unary(special.gammaln, _POSITIVE),
    "loggamma": unary(special.loggamma, _POSITIVE),
    "beta": binary(special.beta, _POSITIVE, _POSITIVE),
    "betaln": binary(special.betaln, _POSITIVE, _POSITIVE),
    "binom": binary(special.binom, between(3, 5), _POSITIVE),
    "poch": binary(special.poch, _POSITIVE, _POSITIVE),
    "zeta": unary(given(special.zeta, 2.5), _POSITIVE),
    "gammainc": unary(given(special.gammainc, 1.5), _POSITIVE),
    "gammaincc": unary(given(special.gammaincc, 1.5), _POSITIVE),
    "gammaincinv": unary(given(special.gammaincinv, 1.5), _PART),
    "gammainccinv": unary(given(special.gammainccinv, 1.5), _PART),
    "betainc": unary(given(special.betainc, 1.5, 2.5), _PART),
    "betaincc": unary(given(special.betaincc, 1.5, 2.5), _PART),
    "betaincinv": unary(given(special.betaincinv, 1.5, 2.5), _PART),
    "betainccinv": unary(given(special.betainccinv, 1.5, 2.5), _PART),
    "exp1": unary(special.exp1, _POSITIVE),
    "expi": unary(special.expi, _POSITIVE),
    "expn": [case for n in range(3) for case in unary(given(special.expn, n), _POSITIVE)],
    "spence": unary(special.spence, _POSITIVE),
    "exprel": unary(special.exprel),
    "xlogy": binary(special.xlogy, None, _POSITIVE),
    "xlog1py": binary(special.xlog1py, None, _POSITIVE),
    "hyp0f1": unary(given(special.hyp0f1, 1.5)),
    "hyp1f1": unary(given(special.hyp1f1, 1.5, 2.5)),
    "hyp2f1": unary(given(special.hyp2f1, 1.5, 0.5, 2.5), _UNIT),
    "hyperu": unary(given(special.hyperu, 1.5, 2.5), _POSITIVE),
    "wright_bessel": unary(given(special.wright_bessel, 1.0, 1.5), _POSITIVE),
    "log_wright_bessel": unary(given(special.log_wright_bessel, 1.0, 1.5), _POSITIVE),
    "ellipk": unary(special.ellipk, _UNIT),
    "ellipe": unary(special.ellipe, _UNIT),
    "ellipkm1": unary(special.ellipkm1, between(0.1, 1.5)),
    "ellipkinc": binary(special.ellipkinc, between(0.3, 1.2), _PART),
    "ellipeinc": binary(special.ellipeinc, between(0.3, 1.2), _PART),
    "exp10": unary(special.exp10, between(-1, 1)),
    "cosm1": unary(special.cosm1),
    "powm1": binary(special.powm1, _POSITIVE, None),
    "logit": unary(special.logit, _PART),
    "log_expit": unary(special.log_expit),
    "entr": unary(special.entr, _POSITIVE),
    "rel_entr": binary(special.rel_entr, _POSITIVE, _POSITIVE),
    "kl_div": binary(special.kl_div, _POSITIVE, _POSITIVE),
    "huber_loss": unary(given(special.huber, 0.81), apart()) + several(special.huber, between(2.2, 3), _ANY),
    "pseudo_huber": binary(special.pseudo_huber, _POSITIVE, None),
    "wrightomega": unary(special.wrightomega),
    "sindg": unary(special.sindg, between(-90, 90)),
    "cosdg": unary(special.cosdg, between(-90, 90)),
    "tandg": unary(special.tandg, between(-45, 45)),
    "cotdg": unary(special.cotdg, between(30, 80)),
    "radian": several(special.radian, _ANY, _ANY, _ANY),
    "boxcox": binary(special.boxcox, _POSITIVE, None),
    "boxcox1p": binary(special.boxcox1p, _POSITIVE, None),
    "inv_boxcox": binary(special.inv_boxcox, _PART, _PART),
    "inv_boxcox1p": binary(special.inv_boxcox1p, _PART, _PART),
}

#: functions made of operations, by the NumPy function's name with its module: "vstack", "linalg.norm"
COMPOSED: dict[str, list[Case]] = {
    **{
        f"special.{name}": unary(lambda a, f=f: sum(part * (k + 1) for k, part in enumerate(f(a))), _POSITIVE)
        for name in ("airy", "itj0y0", "iti0k0", "sici", "shichi", "fresnel", "it2j0y0", "it2i0k0")
        for f in [getattr(special, name)]
    },
    "special.ellipj": unary(lambda u: special.ellipj(u, 0.3)[0] * special.ellipj(u, 0.3)[2]),
    "special.agm": binary(special.agm, _POSITIVE, _POSITIVE),
    "special.nrdtrimn": several(special.nrdtrimn, _PART, _POSITIVE, _ANY),
    "special.nrdtrisd": several(special.nrdtrisd, _ANY, between(0.6, 0.9), _ANY),
    "special.softplus": unary(special.softplus),
    "special.sinc": unary(special.sinc, between(0.1, 2)),
    "special.zeta": unary(lambda q: special.zeta(3.0, q), _POSITIVE),
}

#: operations without a gradient: each a function of one tensor
CONSTANT: dict[str, Callable[..., Any]] = {"special.gammasgn": special.gammasgn}
