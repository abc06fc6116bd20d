"""Weights of entries: stretched to the entries' shape; weighted means, and counts with weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad import backend
from minigrad.backend import as_array
from minigrad.errors import ShapeError, WeightsError
from minigrad.operation import stands_for
from minigrad.ops.indexing import scatter
from minigrad.ops.reduce import Axis, count, named_axes
from minigrad.tensor import Tensor, unwrap


def as_operand(x: Any) -> Any:
    """Return a list of numbers as an array of NumPy's own choice, and whatever has a shape as it is."""
    return x if hasattr(x, "shape") else as_array(x, np.asarray(x).dtype)


def spread(weights: Any, shape: tuple[int, ...], axis: Axis) -> Any:
    """Return weights in the shape of what they belong to: they may be given for the axes that are reduced alone.

    Raises ShapeError MG-103 where they fit neither.
    """
    weights = as_operand(weights)
    axes = named_axes("weights", shape, axis)
    if weights.shape == shape:
        return weights
    if axis is None or weights.shape != tuple(shape[k] for k in axes):
        lengths = "" if axis is None else f", or of shape {tuple(shape[k] for k in axes)} for axis {axis}"
        raise ShapeError(
            "MG-103",
            f"weights of shape {weights.shape} do not belong to entries of shape {shape}: give one for each{lengths}.",
        )
    turned = np.transpose(weights, tuple(int(k) for k in np.argsort(axes)))
    return np.broadcast_to(
        np.reshape(turned, tuple(n if k in axes else 1 for k, n in enumerate(shape))), shape
    )


def average(
    a: Any, axis: Axis = None, weights: Any = None, returned: bool = False, *, keepdims: bool = False
) -> Any:
    """Σ w a / Σ w; ``np.average``. Both a and the weights get gradients; without weights it is the mean.

    ``returned`` gives Σ w too. Raises WeightsError MG-614 where the weights sum to 0.
    """
    a = as_operand(a)
    if weights is None:
        found = np.mean(a, axis=axis, keepdims=keepdims)
        return (found, np.zeros_like(found) + count(a.shape, axis)) if returned else found
    weights = spread(weights, a.shape, axis)
    sums = np.sum(weights, axis=axis, keepdims=keepdims)
    numbers = unwrap(sums)
    if backend.found(numbers == 0, "weights sum to 0"):
        raise WeightsError(
            "MG-614",
            f"average: the weights sum to 0 in {int((numbers == 0).sum())} of {numbers.size} places, and nothing can "
            f"be divided by that. Leave those entries out, or give one of them a weight.",
        )
    found = np.sum(a * weights, axis=axis, keepdims=keepdims) / sums
    return (found, np.zeros_like(found) + sums) if returned else found


def bincount(x: Any, weights: Any = None, minlength: int = 0) -> Any:
    """y_k = Σ w_i over the i with x_i = k, or how many there are; ``np.bincount``. The weights get a gradient."""
    places = as_operand(unwrap(x))
    counts = np.bincount(places, minlength=minlength)
    if weights is None:
        return Tensor(counts) if isinstance(x, Tensor) else counts
    weights = as_operand(weights)
    if weights.shape != places.shape:
        raise ShapeError(
            "MG-103", f"bincount: {len(places)} numbers and weights of shape {weights.shape}: one for each."
        )
    weights = weights if unwrap(weights).dtype.kind == "f" else weights.astype("float64")
    return scatter(weights, index=places, shape=counts.shape)


stands_for(np.average, average, "Σ w a / Σ w")
stands_for(np.bincount, bincount, "y_k = Σ w_i over x_i = k")
