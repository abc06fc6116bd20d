"""The table of differentiable operations: what each computes and its gradient rules, side by side.

A family is a module. Those that networks are made of are imported with the package; the others when an operation of
theirs is first asked for, so that what nobody uses costs no time.
"""

import sys
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from minigrad import registry
from minigrad.ops.activation import (
    gelu,
    leaky_relu,
    log_softmax,
    logsumexp,
    naive_gelu,
    naive_logsumexp,
    naive_sigmoid,
    naive_softmax,
    normal_cdf,
    relu,
    sigmoid,
    softmax,
    softplus,
)
from minigrad.ops.elementwise import (
    absolute,
    add,
    astype,
    clip,
    cos,
    divide,
    exp,
    expm1,
    log,
    log1p,
    maximum,
    minimum,
    multiply,
    negative,
    power,
    sin,
    sqrt,
    square,
    subtract,
    tanh,
    where,
)
from minigrad.ops.fused import linear, linear_relu, mean_cross_entropy, softmax_cross_entropy
from minigrad.ops.indexing import getitem, put_along_axis, scatter, take_along_axis
from minigrad.ops.move import to
from minigrad.ops.padding import pad
from minigrad.ops.products import dot, einsum, matmul
from minigrad.ops.reduce import cumsum, max, mean, min, prod, std, sum, var
from minigrad.ops.shape import (
    broadcast_to,
    expand_dims,
    flip,
    moveaxis,
    reshape,
    split,
    squeeze,
    swapaxes,
    transpose,
)
from minigrad.ops.words import concatenate, enter, stack

_LATER = (
    *("circular", "methods_of_ufuncs", "joining", "arrange", "select", "order", "quantiles", "masked"),
    *("running", "weights", "sampled", "statistics", "tensor_products", "linalg", "factorizations"),
    *("least_squares", "norms", "nonlinear", "normalization", "attention", "recurrent", "convolution"),
    "comparison",
    "later_words",
)
"""Families that are imported when something is looked up that the others do not have."""


def _load() -> bool:
    for family in _LATER:
        import_module(f"minigrad.ops.{family}")
    if "scipy.special" in sys.modules:  # without which none of its functions can have been asked for
        import_module("minigrad.ops.special")
    enter()
    return "scipy.special" in sys.modules


def __getattr__(name: str) -> Any:
    if find_spec(f"{__name__}.{name}") is not None:  # a family, which loads no other
        return import_module(f"{__name__}.{name}")
    import_module("minigrad.ops.special")
    registry.load()
    if name not in registry.operations:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)
    return registry.operations[name]


registry.later(_load)

__all__ = [
    "absolute", "add", "astype", "broadcast_to", "clip", "concatenate", "cos", "cumsum", "divide", "dot",
    "einsum", "exp", "expand_dims", "expm1", "flip", "gelu", "getitem", "leaky_relu", "linear", "linear_relu",
    "log", "log1p", "log_softmax", "logsumexp", "matmul", "max", "maximum", "mean", "mean_cross_entropy",
    "min", "minimum", "moveaxis", "multiply", "naive_gelu", "naive_logsumexp", "naive_sigmoid",
    "naive_softmax", "negative", "normal_cdf", "pad", "power", "prod", "put_along_axis", "relu", "reshape",
    "scatter", "sigmoid", "sin", "softmax", "softmax_cross_entropy", "softplus", "split", "sqrt", "square",
    "squeeze", "stack", "std", "subtract", "sum", "swapaxes", "take_along_axis", "tanh", "to", "transpose",
    "var", "where",
]  # fmt: skip
