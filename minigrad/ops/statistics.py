"""Covariances and correlations, histograms, and functions that are applied along axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad import backend
from minigrad.errors import ConfigError, ShapeError
from minigrad.operation import stands_for, without_gradient
from minigrad.ops.reduce import named_axes
from minigrad.ops.weights import as_operand, average, bincount
from minigrad.tensor import Tensor, unwrap


def cov(
    m: Any,
    y: Any = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: int | None = None,
    fweights: Any = None,
    aweights: Any = None,
    *,
    dtype: Any = None,
) -> Any:
    """Σ w (x_i - mean x_i) (x_j - mean x_j) / (n - ddof) for all pairs of variables; ``np.cov``.

    The data and ``aweights`` get gradients; ``fweights`` are whole numbers. n is the number of observations, or
    Σ w, and with aweights ddof is multiplied by Σ w a / Σ w. float32 stays float32, where NumPy computes in
    float64. Raises ShapeError MG-103 on more than two axes and on weights that do not fit.
    """
    x = _variables(m, rowvar, dtype)
    if y is not None:
        other = np.atleast_2d(unwrap(y)) if not isinstance(y, Tensor) else y
        other = _variables(other, rowvar or other.shape[0] == 1, dtype)
        x = np.concatenate([x, other], axis=0)
    if x.shape[0] == 0:
        return np.reshape(x, (-1,))[:0].reshape(0, 0)
    ddof = ddof if ddof is not None else 0 if bias else 1
    weights: Any = None
    for given, name in ((fweights, "fweights"), (aweights, "aweights")):
        if given is not None:
            given = _observed(given, name, x)
            weights = given if weights is None else weights * given
    if weights is None:
        centred = x - np.mean(x, axis=1, keepdims=True)
        freedom: Any = x.shape[1] - ddof
        products = centred @ centred.T
    else:
        sums = np.sum(weights)
        centred = x - np.expand_dims(average(x, 1, weights), 1)
        freedom = sums - ddof
        if aweights is not None and ddof != 0:
            freedom = sums - ddof * np.sum(weights * _observed(aweights, "aweights", x)) / sums
        products = (centred * weights) @ centred.T
    freedom = np.where(unwrap(freedom) > 0, freedom, 0) if hasattr(freedom, "shape") else max(freedom, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.squeeze(products / freedom)


def _variables(m: Any, rowvar: bool, dtype: Any) -> Any:
    """Return data as a matrix of floats, a row to a variable."""
    m = as_operand(m)
    if m.ndim > 2:
        raise ShapeError(
            "MG-103",
            f"cov: data of shape {m.shape}; it has one axis, or one of variables and one of observations.",
        )
    x = np.reshape(m, (1, -1)) if m.ndim < 2 else m if rowvar else m.T
    wanted = dtype if dtype is not None else None if unwrap(x).dtype.kind == "f" else "float64"
    return x if wanted is None else x.astype(wanted)


def _observed(weights: Any, name: str, x: Any) -> Any:
    weights = as_operand(weights)
    if weights.shape != (x.shape[1],):
        raise ShapeError(
            "MG-103",
            f"cov: {x.shape[1]} observations, and {name} of shape {weights.shape}; give one for each.",
        )
    numbers = unwrap(weights)
    if backend.found(numbers < 0, "a weight is below 0"):
        raise ConfigError("MG-215", f"cov: {name} are at least 0; {numbers.min()} was given.")
    if name == "fweights" and backend.found(numbers != np.rint(numbers), "a count is not whole"):
        raise ConfigError(
            "MG-215", "cov: fweights count observations: they are whole. Give others as aweights."
        )
    return weights if numbers.dtype == x.dtype else weights.astype(x.dtype)


def corrcoef(x: Any, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Any:
    """c_ij / √(c_ii c_jj) of the covariances c, kept within [-1, 1]; ``np.corrcoef``."""
    c = cov(x, y, rowvar, dtype=dtype)
    if c.ndim == 0:
        return c / c
    deviation = np.sqrt(np.einsum("ii->i", c))
    return np.clip(c / np.expand_dims(deviation, 1) / deviation, -1, 1)


def histogram(a: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None) -> Any:
    """y_k = Σ w_i over the a_i in bin k, and the bins' edges; ``np.histogram``.

    The weights get a gradient: the values that are counted have none, they only say where. A density is divided by
    its sum and by the bins' widths.
    """
    numbers, settings = unwrap(a), {"bins": unwrap(bins), "range": range}
    if not isinstance(weights, Tensor):
        counts, edges = np.histogram(numbers, **settings, density=density, weights=weights)
        return Tensor(counts), Tensor(edges)
    edges = np.histogram_bin_edges(numbers, **settings, weights=unwrap(weights))
    flat = np.ravel(numbers)
    places = np.where(flat == edges[-1], len(edges) - 2, np.searchsorted(edges, flat, "right") - 1)
    inside = np.flatnonzero((flat >= edges[0]) & (flat <= edges[-1]))
    counts = bincount(places[inside], np.reshape(weights, (-1,))[inside], minlength=len(edges) - 1)
    if density:
        counts = counts / np.sum(counts) / np.diff(edges)
    return counts, Tensor(edges)


def apply_along_axis(func1d: Callable[..., Any], axis: int, arr: Any, *args: Any, **kwargs: Any) -> Any:
    """Return ``func1d`` of each line along an axis, joined; ``np.apply_along_axis``. It is called once for each."""
    named_axes("apply_along_axis", arr.shape, axis)
    lines = np.moveaxis(arr, axis, -1)
    outer = lines.shape[:-1]
    if 0 in outer:
        raise ShapeError(
            "MG-103",
            f"apply_along_axis: there is no line along axis {axis} of shape {arr.shape} to call it on.",
        )
    found = [np.asarray(r) if not hasattr(r, "shape") else r for r in (
        func1d(lines[index], *args, **kwargs) for index in np.ndindex(*outer)
    )]  # fmt: skip
    joined = np.stack(found)
    inner = joined.shape[1:]
    at = axis % arr.ndim
    return np.moveaxis(
        np.reshape(joined, (*outer, *inner)),
        tuple(len(outer) + k for k, _ in enumerate(inner)),
        tuple(at + k for k, _ in enumerate(inner)),
    )


def apply_over_axes(func: Callable[..., Any], a: Any, axes: Any) -> Any:
    """Return ``func(a, axis)`` along one axis after another, each kept with length 1; ``np.apply_over_axes``."""
    for axis in np.atleast_1d(axes).tolist():
        named_axes("apply_over_axes", a.shape, axis)
        found = func(a, axis)
        if found.ndim == a.ndim - 1:
            found = np.expand_dims(found, axis)
        if found.ndim != a.ndim:
            raise ShapeError(
                "MG-103",
                f"apply_over_axes: from shape {a.shape} the function made {found.shape} along axis {axis}.",
            )
        a = found
    return a


stands_for(np.cov, cov, "Σ w (x_i - mean x_i) (x_j - mean x_j) / (n - ddof)")
stands_for(np.corrcoef, corrcoef, "c_ij / √(c_ii · c_jj) of the covariances c")
stands_for(np.histogram, histogram, "y_k = Σ w_i over the a_i in bin k")
stands_for(np.apply_along_axis, apply_along_axis, "the function of each line along an axis")
stands_for(np.apply_over_axes, apply_over_axes, "the function along one axis after another")

for _histogram in (np.histogram2d, np.histogramdd, np.histogram_bin_edges):
    without_gradient(_histogram, "counts and edges jump, they have no slope")
