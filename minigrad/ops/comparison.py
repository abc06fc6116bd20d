"""Functions of NumPy that give results alone, without a gradient: places, counts, yes or no.

They run on the bare arrays of Tensors, whether those require a gradient or not.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad import registry, switches
from minigrad.forms import no_option
from minigrad.operation import on_arrays, stands_for, without_gradient
from minigrad.ops.shape import scatter
from minigrad.tensor import Tensor, unwrap

_PLACES = "places are whole numbers"
_TRUTH = "yes or no"
_COUNTS = "counts are whole numbers"
_SETS = "which entries there are, each once: a set"
_TYPES = "about types"
_TEXT = "text"
_SHAPE = "the shape and the dtype alone matter, not the entries"

for _why, _names in {
    _PLACES: (
        *(
            "argpartition",
            "argsort",
            "argwhere",
            "diag_indices_from",
            "digitize",
            "flatnonzero",
            "ix_",
            "lexsort",
        ),
        *("nanargmax", "nanargmin", "nonzero", "ravel_multi_index", "searchsorted", "tril_indices_from"),
        *("triu_indices_from", "unravel_index"),
    ),
    _TRUTH: (
        *("allclose", "array_equal", "array_equiv", "can_cast", "in1d", "isclose", "isin"),
        *("may_share_memory", "shares_memory"),
    ),
    _COUNTS: ("count_nonzero", "packbits", "unpackbits"),
    _SETS: (
        *("intersect1d", "setdiff1d", "setxor1d", "union1d", "unique", "unique_all", "unique_counts"),
        *("unique_inverse", "unique_values"),
    ),
    _TYPES: ("common_type", "min_scalar_type", "result_type"),
    _TEXT: ("array2string", "array_repr", "array_str"),
}.items():
    for _name in _names:
        if hasattr(np, _name):  # some came with later releases, and some went
            without_gradient(getattr(np, _name), _why)


for _name in ("zeros_like", "ones_like", "empty_like", "full_like", "shape", "ndim", "size"):
    _function = getattr(np, _name)
    if _function not in registry.functions:
        without_gradient(_function, _SHAPE)
    elif _function not in registry.compositions:
        registry.constants[_function] = _SHAPE


def bincount(x: Any, weights: Any = None, minlength: int = 0) -> Any:
    """Count how often each whole number is in ``x``, or add up the weights that stand there; ``np.bincount``.

    The weights have a gradient: y_k = Σ w_i where x_i = k. Counts have none.
    """
    numbers = unwrap(x)
    if not isinstance(weights, Tensor):
        return Tensor(np.bincount(numbers, weights, minlength))
    return scatter(weights, index=numbers, shape=np.bincount(numbers, minlength=minlength).shape)


def _histogram(function: Callable[..., Any], name: str) -> None:
    """Let a histogram run on bare arrays; weights that require a gradient would lose it, and are refused."""
    run, signature = on_arrays(function), inspect.signature(function)

    def counted(*args: Any, **options: Any) -> Any:
        weights = signature.bind(*args, **options).arguments.get("weights")
        if isinstance(weights, Tensor) and weights.requires_grad and switches.recording.get():
            raise no_option(name, "weights", weights)
        return run(*args, **options)

    without_gradient(function, _COUNTS, counted)


for _name in ("histogram", "histogram2d", "histogramdd", "histogram_bin_edges"):
    _histogram(getattr(np, _name), _name)

stands_for(np.bincount, bincount, "Σ w where x = k")
