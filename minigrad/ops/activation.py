"""Activations and the softmax family. Where the textbook form overflows, it stands first, the stable one below."""

from __future__ import annotations

import math

import numpy as np

from minigrad.backend import Array, special
from minigrad.operation import define
from minigrad.ops.half import through_float32, wide
from minigrad.ops.of_entries import activation
from minigrad.ops.reduce import Axis, plain, restore
from minigrad.symbols.expression import named

_LAST = {"axis": -1}


def naive_sigmoid(a: Array) -> Array:
    """1 / (1 + e^-a), as textbooks print it: e^-a overflows below a = -88 in float32."""
    return 1 / (1 + np.exp(-a))


def _sigmoid(a: Array) -> Array:
    small = np.exp(-np.abs(a))  # at most 1, so nothing overflows
    return np.where(a >= 0, 1, small) / (1 + small)


def naive_softmax(a: Array, axis: int = -1) -> Array:
    """e^a / Σ e^a, as textbooks print it: e^a overflows above a = 88 in float32, and ∞/∞ is no number."""
    powers = np.exp(a)
    return powers / np.sum(powers, axis=axis, keepdims=True)


@through_float32
def _softmax(a: Array, axis: Axis = -1) -> Array:
    axis = plain(axis)
    if 0 in getattr(a, "shape", ()):  # where nothing is the largest
        return np.exp(a)
    powers = np.exp(a - np.max(a, axis=axis, keepdims=True))  # the largest is e^0 = 1
    return powers / np.sum(powers, axis=axis, keepdims=True)


def naive_logsumexp(a: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """ln Σ e^a, as textbooks print it."""
    return np.log(np.sum(np.exp(a), axis=axis, keepdims=keepdims))


@through_float32
def _logsumexp(a: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    axis = plain(axis)
    if 0 in getattr(a, "shape", ()):
        with np.errstate(divide="ignore"):
            return naive_logsumexp(a, axis, keepdims)
    largest = np.max(a, axis=axis, keepdims=True)
    largest = np.where(np.isfinite(largest), largest, 0)  # ∞ - ∞ is no number
    with np.errstate(divide="ignore"):
        total = np.log(np.sum(np.exp(a - largest), axis=axis, keepdims=True)) + largest
    return total if keepdims else np.squeeze(total, axis)


@through_float32
def _log_softmax(a: Array, axis: Axis = -1) -> Array:
    return a - _logsumexp(a, axis=axis, keepdims=True)


def naive_gelu(a: Array) -> Array:
    """a/2 · (1 + erf(a/√2)), as papers print it: below a = -6 the sum loses every digit of float32, and the tail."""
    return a * 0.5 * (1 + special(a).erf(a * (1 / math.sqrt(2))))


@through_float32
def _normal_cdf(a: Array) -> Array:
    return special(a).ndtr(a)


@named("normal_pdf")
def _normal_pdf(a: Array) -> Array:
    a = wide(a)  # whose square overflows in float16 from 256 on
    return np.exp(-0.5 * a * a) * (1 / math.sqrt(2 * math.pi))


# fmt: off
relu       = activation("relu", lambda a: np.maximum(a, 0), "max(a, 0)", lambda g, y: np.where(y > 0, g, 0))
leaky_relu = activation("leaky_relu", lambda a, slope=0.01: np.where(a > 0, a, slope * a),
                        "a where a > 0, else slope · a", lambda g, a, slope: np.where(a > 0, g, slope * g),
                        {"slope": 0.01})
sigmoid    = activation("sigmoid", _sigmoid, ("1 / (1 + e^-a)", naive_sigmoid), lambda g, y: g * y * (1 - y))
softplus   = activation("softplus", lambda a: np.maximum(a, 0) + np.log1p(np.exp(-np.abs(a))),
                        ("ln(1 + e^a)", lambda a: np.log(1 + np.exp(a))), lambda g, a: g * sigmoid(a))
normal_cdf = define("normal_cdf", _normal_cdf, "Φ(a) = ∫ φ(t) dt from -∞ to a, with φ(t) = e^(-t²/2) / √(2π)",
                    lambda g, a: g * _normal_pdf(a), inputs="a")
gelu       = activation("gelu", lambda a: a * normal_cdf(a), "a · Φ(a)",
                        lambda g, a: g * (normal_cdf(a) + a * _normal_pdf(a)))

logsumexp   = define("logsumexp", _logsumexp, ("ln Σ e^a", naive_logsumexp),
                     ("g · e^(a - y)", lambda g, y, a, axis, keepdims:
                         restore(g, a.shape, axis, keepdims)
                         * np.exp(wide(a) - restore(y, a.shape, axis, keepdims))),
                     inputs="a", params={"axis": None, "keepdims": False})
softmax     = define("softmax", _softmax, ("e^a / Σ e^a", naive_softmax),
                     ("y · (g - Σ g · y)", lambda g, y, axis:
                         y * (g - np.sum(wide(g) * y, axis=plain(axis), keepdims=True))),
                     inputs="a", params=_LAST)
log_softmax = define("log_softmax", _log_softmax,
                     ("a - ln Σ e^a", lambda a, axis=-1: a - naive_logsumexp(a, axis, keepdims=True)),
                     ("g - e^y · Σ g", lambda g, y, axis:
                         g - np.exp(wide(y)) * np.sum(wide(g), axis=plain(axis), keepdims=True)),
                     inputs="a", params=_LAST)
# fmt: on
