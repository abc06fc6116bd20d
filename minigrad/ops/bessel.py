"""Bessel functions and their kin: Struve's, Kelvin's, Airy's, and the integrals of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.backend import Array
from minigrad.operation import Operation
from minigrad.ops.library import from_library, library_function, one_of_several, refused

_v = refused("this Bessel function", "v")

# fmt: off
j0: Operation  = from_library("j0",  lambda g, a: -g * j1(a))
j1: Operation  = from_library("j1",  lambda g, a: g * (j0(a) - jv(2, a)) / 2)
y0: Operation  = from_library("y0",  lambda g, a: -g * y1(a))
y1: Operation  = from_library("y1",  lambda g, a: g * (y0(a) - yv(2, a)) / 2)
i0: Operation  = from_library("i0",  lambda g, a: g * i1(a))
i1: Operation  = from_library("i1",  lambda g, a: g * (i0(a) + iv(2, a)) / 2)
i0e: Operation = from_library("i0e", lambda g, y, a: g * (i1e(a) - np.sign(a) * y))
i1e: Operation = from_library("i1e", lambda g, y, a: g * ((i0e(a) + ive(2, a)) / 2 - np.sign(a) * y))
k0: Operation  = from_library("k0",  lambda g, a: -g * k1(a))
k1: Operation  = from_library("k1",  lambda g, a: -g * (k0(a) + kv(2, a)) / 2)
k0e: Operation = from_library("k0e", lambda g, y, a: g * (y - k1e(a)))
k1e: Operation = from_library("k1e", lambda g, y, a: g * (y - (k0e(a) + kve(2, a)) / 2))

jv: Operation  = from_library("jv",  _v, lambda g, v, z: g * (jv(v - 1, z) - jv(v + 1, z)) / 2, inputs="v z")
jve: Operation = from_library("jve", _v, lambda g, v, z: g * (jve(v - 1, z) - jve(v + 1, z)) / 2, inputs="v z")
yv: Operation  = from_library("yv",  _v, lambda g, v, z: g * (yv(v - 1, z) - yv(v + 1, z)) / 2, inputs="v z")
yve: Operation = from_library("yve", _v, lambda g, v, z: g * (yve(v - 1, z) - yve(v + 1, z)) / 2, inputs="v z")
yn: Operation  = from_library("yn",  _v, lambda g, v, z: g * (yv(v - 1, z) - yv(v + 1, z)) / 2, inputs="v z")
iv: Operation  = from_library("iv",  _v, lambda g, v, z: g * (iv(v - 1, z) + iv(v + 1, z)) / 2, inputs="v z")
ive: Operation = from_library("ive", _v, lambda g, y, v, z: g * ((ive(v - 1, z) + ive(v + 1, z)) / 2 - np.sign(z) * y),
                   inputs="v z")
kv: Operation  = from_library("kv",  _v, lambda g, v, z: -g * (kv(v - 1, z) + kv(v + 1, z)) / 2, inputs="v z")
kn: Operation  = from_library("kn",  _v, lambda g, v, z: -g * (kv(v - 1, z) + kv(v + 1, z)) / 2, inputs="v z")
kve: Operation = from_library("kve", _v, lambda g, y, v, z: g * (y - (kve(v - 1, z) + kve(v + 1, z)) / 2), inputs="v z")


_rgamma = library_function("rgamma")


def _term(v: Any, z: Array) -> Array:
    """(z/2)^v / (√π Γ(v + 3/2)), by which Struve's functions differ from Bessel's."""
    return (z / 2) ** v * (_rgamma(v + 1.5) / math.sqrt(math.pi))


struve: Operation = from_library(
    "struve", _v, lambda g, v, z: g * (struve(v - 1, z) - struve(v + 1, z) + _term(v, z)) / 2, inputs="v z")
modstruve: Operation = from_library(
    "modstruve", _v, lambda g, v, z: g * (modstruve(v - 1, z) + modstruve(v + 1, z) + _term(v, z)) / 2, inputs="v z")

# Kelvin's functions: ber + i bei solves w'' + w'/a = i w, and so does ker + i kei
ber: Operation  = from_library("ber",  lambda g, a: g * berp(a))
bei: Operation  = from_library("bei",  lambda g, a: g * beip(a))
ker: Operation  = from_library("ker",  lambda g, a: g * kerp(a))
kei: Operation  = from_library("kei",  lambda g, a: g * keip(a))
berp: Operation = from_library("berp", lambda g, y, a: -g * (bei(a) + y / a))
beip: Operation = from_library("beip", lambda g, y, a: g * (ber(a) - y / a))
kerp: Operation = from_library("kerp", lambda g, y, a: -g * (kei(a) + y / a))
keip: Operation = from_library("keip", lambda g, y, a: g * (ker(a) - y / a))

# Airy's functions and their derivatives: w'' = a w
airy_ai: Operation      = one_of_several("airy", 0, "Ai(a)",  lambda g, a: g * airy_ai_slope(a))
airy_ai_slope: Operation = one_of_several("airy", 1, "Ai'(a)", lambda g, a: g * a * airy_ai(a))
airy_bi: Operation      = one_of_several("airy", 2, "Bi(a)",  lambda g, a: g * airy_bi_slope(a))
airy_bi_slope: Operation = one_of_several("airy", 3, "Bi'(a)", lambda g, a: g * a * airy_bi(a))
airy = (airy_ai, airy_ai_slope, airy_bi, airy_bi_slope)

# integrals of Bessel functions from 0 to a
itj0y0 = (one_of_several("itj0y0", 0, "∫ J0", lambda g, a: g * j0(a)),
          one_of_several("itj0y0", 1, "∫ Y0", lambda g, a: g * y0(a)))
iti0k0 = (one_of_several("iti0k0", 0, "∫ I0", lambda g, a: g * i0(a)),
          one_of_several("iti0k0", 1, "∫ K0", lambda g, a: g * k0(a)))
it2j0y0 = (one_of_several("it2j0y0", 0, "∫ (1 - J0) / t", lambda g, a: g * (1 - j0(a)) / a),
           one_of_several("it2j0y0", 1, "∫ Y0 / t from a to ∞", lambda g, a: -g * y0(a) / a))
it2i0k0 = (one_of_several("it2i0k0", 0, "∫ (I0 - 1) / t", lambda g, a: g * (i0(a) - 1) / a),
           one_of_several("it2i0k0", 1, "∫ K0 / t from a to ∞", lambda g, a: -g * k0(a) / a))
itstruve0: Operation = from_library("itstruve0", lambda g, a: g * struve(0, a))
itmodstruve0: Operation = from_library("itmodstruve0", lambda g, a: g * modstruve(0, a))
it2struve0: Operation = from_library("it2struve0", lambda g, a: -g * struve(0, a) / a)
# fmt: on

SEVERAL: dict[str, tuple[Callable[..., Any], ...]] = {
    "airy": airy, "itj0y0": itj0y0, "iti0k0": iti0k0, "it2j0y0": it2j0y0, "it2i0k0": it2i0k0,
}  # fmt: skip
"""Functions of several results: the operation of each of them."""
