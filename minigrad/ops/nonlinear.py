"""Activations beside those of ``activation``, smooth or of straight lines, and the cross-entropy of probabilities."""

from __future__ import annotations

import math

import numpy as np

from minigrad.backend import Array
from minigrad.operation import define
from minigrad.ops.activation import sigmoid, softplus
from minigrad.ops.half import through_float32, wide
from minigrad.ops.of_entries import activation

_ROOT, _CUBE = math.sqrt(2 / math.pi), 0.044715
_LEAST = -100  # what PyTorch takes for a smaller logarithm, so that one certain mistake is no infinite loss


def _elu(a: Array, alpha: float = 1.0) -> Array:
    return np.where(a > 0, a, alpha * np.expm1(np.minimum(a, 0)))  # above 0 the power might overflow


def _inner(a: Array) -> Array:
    return _ROOT * (a + _CUBE * a * a * a)


def _by_tanh(a: Array) -> Array:
    """½ (1 + tanh(inner a)) as σ(2 inner a), which keeps its digits; beyond ±30 the cube might overflow."""
    return sigmoid(2 * _inner(np.clip(a, -30, 30)))


def _gelu_tanh_rule(g: Array, a: Array) -> Array:
    t = np.tanh(_inner(a))
    return 0.5 * g * (1 + t + a * (1 - t * t) * (_ROOT * (1 + 3 * _CUBE * a * a)))


def _gelu_tanh_gradient(g: Array, a: Array) -> Array:
    inside = np.clip(wide(a), -30, 30)
    s = sigmoid(2 * _inner(inside))
    return g * (s + inside * s * (1 - s) * (2 * _ROOT * (1 + 3 * _CUBE * inside * inside)))


def _mish_rule(g: Array, a: Array) -> Array:
    a = wide(a)
    t = np.tanh(softplus(a))
    return g * (t + a * (1 - t * t) * sigmoid(a))


@through_float32
def _binary_cross_entropy(p: Array, t: Array) -> Array:
    with np.errstate(divide="ignore"):
        yes, no = np.maximum(np.log(p), _LEAST), np.maximum(np.log1p(-p), _LEAST)
    return -(t * yes + (1 - t) * no)


# fmt: off
silu        = activation("silu", lambda a: a * sigmoid(a), "a / (1 + e^-a)",
                         lambda g, a: g * sigmoid(a) * (1 + a * (1 - sigmoid(a))))
elu         = activation("elu", _elu, ("a where a > 0, else α · (e^a - 1)",
                                       lambda a, alpha=1.0: np.where(a > 0, a, alpha * (np.exp(a) - 1))),
                         lambda g, a, alpha: np.where(a > 0, g, alpha * g * np.exp(np.minimum(a, 0))),
                         {"alpha": 1.0})
gelu_tanh   = activation("gelu_tanh", lambda a: a * _by_tanh(a),
                         ("0.5 · a · (1 + tanh(√(2 / π) · (a + 0.044715 · a · a · a)))",
                          lambda a: 0.5 * a * (1 + np.tanh(_inner(a)))),
                         (_gelu_tanh_rule, _gelu_tanh_gradient))
mish        = activation("mish", lambda a: a * np.tanh(softplus(a)), "a · tanh(ln(1 + e^a))", _mish_rule)
hardtanh    = define("hardtanh", lambda a, low=-1.0, high=1.0: np.minimum(np.maximum(a, low), high),
                     "min(max(a, low), high)", lambda g, a, low, high: g * (a > low) * (a < high),
                     inputs="a", params={"low": -1.0, "high": 1.0})
hardsigmoid = define("hardsigmoid", lambda a: np.minimum(np.maximum(a + 3, 0), 6) / 6, "min(max(a + 3, 0), 6) / 6",
                     lambda g, a: g * (a > -3) * (a < 3) / 6, inputs="a")
hardswish   = activation("hardswish", lambda a: a * (np.minimum(np.maximum(a + 3, 0), 6) / 6),
                         "a · min(max(a + 3, 0), 6) / 6",
                         lambda g, a: np.where(a >= 3, g, g * (a > -3) * (a / 3 + 0.5)))
binary_cross_entropy = define(
    "binary_cross_entropy", _binary_cross_entropy,
    ("-(t · ln p + (1 - t) · ln(1 - p))", lambda p, t: -(t * np.log(p) + (1 - t) * np.log(1 - p))),
    lambda g, p, t: g * (p - t) / np.maximum(p * (1 - p), 1e-12),
    lambda g, p: g * (np.maximum(np.log(1 - p), _LEAST) - np.maximum(np.log(p), _LEAST)),
    inputs="p t",
)  # fmt: skip
# fmt: on
