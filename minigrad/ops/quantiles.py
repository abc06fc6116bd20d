"""Quantiles: where in the sorted entries each method finds them, as formulas, and what lies there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.errors import ConfigError, ShapeError
from minigrad.operation import stands_for
from minigrad.ops.half import wide
from minigrad.ops.order import kept_shape, rows_of, sort
from minigrad.ops.reduce import Axis
from minigrad.ops.weights import as_operand, spread
from minigrad.tensor import unwrap


def _plotting(alpha: float, beta: float) -> Callable[[Any, Any], Any]:
    return lambda n, q: n * q + (alpha + q * (1 - alpha - beta)) - 1


def _averaged(n: Any, q: Any) -> Any:
    place = unwrap(n * q - 1)
    return np.where(place == np.floor(place), place + 0.5, np.ceil(place))


def _closest(n: Any, q: Any) -> Any:
    place = unwrap(n * q - 1.5)
    exact = (place == np.floor(place)) & (np.floor(place) % 2 == 1)
    return np.where(exact, place, np.floor(place) + 1)


PLACES: dict[str, Callable[[Any, Any], Any]] = {
    # method: the place of the quantile q among n sorted entries, counted from 0 (Hyndman and Fan 1996, and NumPy's)
    "linear": lambda n, q: (n - 1) * q,
    "weibull": _plotting(0, 0),
    "hazen": _plotting(0.5, 0.5),
    "median_unbiased": _plotting(1 / 3, 1 / 3),
    "normal_unbiased": _plotting(3 / 8, 3 / 8),
    "interpolated_inverted_cdf": _plotting(0, 1),
    "inverted_cdf": lambda n, q: np.ceil(n * q - 1),
    "averaged_inverted_cdf": _averaged,
    "closest_observation": _closest,
    "lower": lambda n, q: np.floor((n - 1) * q),
    "higher": lambda n, q: np.ceil((n - 1) * q),
    "nearest": lambda n, q: np.rint((n - 1) * q),
    "midpoint": lambda n, q: (np.floor((n - 1) * q) + np.ceil((n - 1) * q)) / 2,
}

_ENTRIES = {"inverted_cdf", "closest_observation", "lower", "higher", "nearest"}
"""The methods that take an entry as it is, in its dtype."""


def quantile(
    a: Any,
    q: Any,
    axis: Axis = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    weights: Any = None,
) -> Any:
    """Interpolate between the sorted entries on both sides of a place that ``method`` computes; ``np.quantile``.

    A gradient goes to both entries, of equal ones to those that a stable sort puts there, and through the place to
    ``q`` where it is a tensor: the distance of both times the place's derivative, 0 where the place is an entry's, as
    in ``torch.quantile``. ``weights``, for the method inverted_cdf, get none. Where there is a nan, so is the result.
    An infinite entry counts only where the place is not its neighbour's. Raises ConfigError MG-215 where a q is
    outside of [0, 1] or the method is unknown.
    """
    return _quantile("quantile", 1, a, q, axis, method, keepdims, weights, False)


def percentile(
    a: Any,
    q: Any,
    axis: Axis = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    weights: Any = None,
) -> Any:
    """The quantile of q / 100; ``np.percentile``."""
    return _quantile("percentile", 100, a, q, axis, method, keepdims, weights, False)


def nanquantile(
    a: Any,
    q: Any,
    axis: Axis = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    weights: Any = None,
) -> Any:
    """The quantile of what is not nan; nan where nothing is. ``np.nanquantile``; the gradient is ``quantile``'s."""
    return _quantile("nanquantile", 1, a, q, axis, method, keepdims, weights, True)


def nanpercentile(
    a: Any,
    q: Any,
    axis: Axis = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    weights: Any = None,
) -> Any:
    """The quantile of q / 100 of what is not nan; ``np.nanpercentile``."""
    return _quantile("nanpercentile", 100, a, q, axis, method, keepdims, weights, True)


def _quantile(
    name: str,
    whole: int,
    a: Any,
    q: Any,
    axis: Axis,
    method: str,
    keepdims: bool,
    weights: Any,
    over_nan: bool,
) -> Any:
    a = as_operand(a)
    given = q if hasattr(q, "shape") else _beside(unwrap(a), q)
    fraction = given / whole if whole != 1 else given
    _check(name, whole, fraction, method, weights)
    shape = np.shape(fraction)
    flat = np.reshape(fraction, (-1,))
    rows = rows_of(name, a, axis)
    if rows.shape[-1] == 0 and not over_nan:
        raise ShapeError("MG-103", f"{name} of shape {a.shape}: of nothing there is no quantile.")
    if rows.shape[-1] == 0:
        found = np.mean(rows, axis=-1, keepdims=True) + 0 * flat
    else:
        found = _at(rows, flat, method, weights, axis, a.shape, over_nan, type(q) in (int, float))
    kept = kept_shape(a.shape, axis) if keepdims else rows.shape[:-1]
    return np.reshape(np.moveaxis(found, -1, 0), (*shape, *kept))


def _beside(data: Any, q: Any) -> Any:
    """Return numbers as an array where ``data`` lives."""
    if isinstance(data, np.ndarray):
        return np.asarray(unwrap(q))
    parts = [np.full_like(data, x, shape=(1,), dtype="float64") for x in np.ravel(q).tolist()]
    return np.concatenate(parts).reshape(np.shape(q))


def _at(
    rows: Any,
    q: Any,
    method: str,
    weights: Any,
    axis: Axis,
    shape: tuple[int, ...],
    over_nan: bool,
    weak: bool,
) -> Any:
    """The quantiles of each row along the last axis; ``weak``: a Python number, which makes no result wider."""
    data = unwrap(rows)
    ordered = sort(rows)
    there = data == data if over_nan else np.ones_like(data, dtype=bool)
    if weights is not None:
        place = _weighted(
            data, there, rows_of("weights", spread(unwrap(weights), shape, axis), axis), unwrap(q)
        )
    else:
        n = np.maximum(np.sum(there, axis=-1, keepdims=True), 1) if over_nan else rows.shape[-1]
        exact_q = wide(q) if unwrap(q).dtype.kind == "f" else q
        n = n.astype(exact_q.dtype) if over_nan and exact_q.dtype.kind == "f" else n
        place = np.clip(PLACES[method](n, exact_q), 0, n - 1)
    low, high = (round_(unwrap(place)).astype(np.intp) for round_ in (np.floor, np.ceil))
    before, behind = (
        ordered[..., k] if k.ndim == 1 else np.take_along_axis(ordered, k, -1) for k in (low, high)
    )
    beyond = place - low.astype(unwrap(place).dtype)
    if rows.dtype.kind == "f":
        narrow = weak or method in _ENTRIES
        beyond = beyond.astype(rows.dtype if narrow else np.result_type(rows.dtype, q.dtype))
    distance = behind - before
    between = np.where(beyond < 0.5, before + distance * beyond, behind - distance * (1 - beyond))
    first = unwrap(before)
    exact = (low == high) | ((first == unwrap(behind)) & ~np.isfinite(first))
    found = np.where(exact, before, between)
    if over_nan or rows.dtype.kind != "f":
        return found
    last = ordered[..., -1:]
    return np.where(np.isnan(unwrap(last)), last, found)


def _weighted(data: Any, there: Any, weights: Any, q: Any) -> Any:
    """The first place where the share of the weights up to it reaches q; entries of no weight before all are none."""
    order = np.argsort(data, axis=-1, kind="stable")
    sums = np.cumsum(np.take_along_axis(np.where(there, weights, 0), order, -1), axis=-1)
    share = np.where(sums == 0, -1, sums / sums[..., -1:])
    return np.sum(share[..., None, :-1] < np.expand_dims(q, -1), axis=-1)


def _check(name: str, whole: int, q: Any, method: str, weights: Any) -> None:
    if method not in PLACES:
        raise ConfigError("MG-215", f"{name}: there is no method {method!r}. Use one of {', '.join(PLACES)}.")
    if weights is not None and method != "inverted_cdf":
        raise ConfigError(
            "MG-215",
            f"{name} with method={method!r} knows no weights. Write {name}(…, method='inverted_cdf').",
        )
    if weights is not None and isinstance(unwrap(weights), (np.ndarray, list, tuple)):
        least = np.min(unwrap(weights), initial=0)
        if least < 0 or not np.any(unwrap(weights)):
            raise ConfigError("MG-215", f"{name}: weights are at least 0, and some above; {least} was given.")
    numbers = unwrap(q)
    host = isinstance(numbers, (np.ndarray, int, float, np.number)) and np.size(numbers) > 0
    if host and not (np.min(numbers) >= 0 and np.max(numbers) <= 1):
        least, most = np.min(numbers) * whole, np.max(numbers) * whole
        raise ConfigError("MG-215", f"{name}: q lies in [0, {whole}]; it goes from {least:g} to {most:g}.")


stands_for(np.quantile, quantile, "the sorted a at q · (n - 1), between entries interpolated")
stands_for(np.percentile, percentile, "the sorted a at q / 100 · (n - 1), between entries interpolated")
stands_for(np.nanquantile, nanquantile, "the quantile of what is not nan")
stands_for(np.nanpercentile, nanpercentile, "the percentile of what is not nan")
