"""Functions of sampled values: interpolation, convolution, polynomials, and the points between two ends."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.backend import Array
from minigrad.errors import ConfigError, ShapeError
from minigrad.operation import define, stands_for
from minigrad.ops.half import wide
from minigrad.ops.weights import as_operand
from minigrad.tensor import unwrap


def _narrow(found: Array, a: Array, v: Array) -> Array:
    return found.astype(np.result_type(a.dtype, v.dtype))


_correlation = define(
    "correlation",
    lambda a, v: _narrow(np.correlate(wide(a), wide(v), "full"), a, v),
    "y_k = Σ a_{n+k-m+1} · v_n over n, with m the length of v",
    ("Σ g_{i-n+m-1} · v_n over n", lambda g, v: np.convolve(g, v, "valid")),
    ("Σ g_k · a_{n+k-m+1} over k", lambda g, a: np.correlate(g, a, "valid")[::-1]),
    inputs="a v",
)


def correlate(a: Any, v: Any, mode: str = "valid") -> Any:
    """y_k = Σ_n a_{n+k} v_n, for the k where both meet at all (full), wholly (valid), or in the middle (same).

    ``np.correlate``; PyTorch's ``conv1d`` is mode valid.
    """
    a, v = _lines("correlate", a, v)
    least, most = sorted((a.shape[0], v.shape[0]))
    same = least // 2 if v.shape[0] > a.shape[0] else (least - 1) - least // 2
    return _part(_correlation(a, v), "correlate", mode, least, most, same)


def convolve(a: Any, v: Any, mode: str = "full") -> Any:
    """y_k = Σ_n a_{k-n} v_n, for the k where both meet at all (full), wholly (valid), or in the middle (same).

    ``np.convolve``.
    """
    a, v = _lines("convolve", a, v)
    least, most = sorted((a.shape[0], v.shape[0]))
    return _part(_correlation(a, v[::-1]), "convolve", mode, least, most, (least - 1) // 2)


def _lines(name: str, a: Any, v: Any) -> tuple[Any, Any]:
    a, v = (np.reshape(x, (1,)) if np.ndim(x) == 0 else as_operand(x) for x in (a, v))
    if a.ndim != 1 or v.ndim != 1 or 0 in (*a.shape, *v.shape):
        raise ShapeError(
            "MG-103",
            f"{name} of shapes {a.shape} and {v.shape}: both have one axis, and at least one entry.",
        )
    return a, v


def _part(full: Any, name: str, mode: str, least: int, most: int, same: int) -> Any:
    if mode not in ("full", "valid", "same"):
        raise ConfigError("MG-215", f"{name}: mode is 'full', 'valid' or 'same', not {mode!r}.")
    if mode == "full":
        return full
    return full[least - 1 : most] if mode == "valid" else full[same : same + most]


def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Any:
    """The straight lines between the points (xp, fp), at x: f_i + (f_{i+1} - f_i) / (x_{i+1} - x_i) · (x - x_i).

    ``np.interp``; x, xp, fp, ``left`` and ``right`` get gradients. At a point the line on its right counts, at the
    last one that on its left; beyond the ends, where ``left`` and ``right`` are taken (or the first and last fp),
    the derivative by x is 0. ``period`` repeats the points. Where all are float32, the result is too.
    Raises ShapeError MG-103 where xp and fp are not two lines of one length.
    """
    x, xp, fp = as_operand(x), as_operand(xp), as_operand(fp)
    if xp.ndim != 1 or xp.shape != fp.shape or xp.shape[0] == 0:
        raise ShapeError(
            "MG-103",
            f"interp: xp of shape {xp.shape} and fp of shape {fp.shape}: both have one axis, of one length.",
        )
    if period is not None:
        if period == 0:
            raise ConfigError("MG-215", "interp: a period is not 0.")
        period = abs(period)
        left = right = None
        x, xp = (t - period * np.floor(unwrap(t) / period) for t in (x, xp))
        order = np.argsort(unwrap(xp))
        xp, fp = xp[order], fp[order]
        xp = np.concatenate([xp[-1:] - period, xp, xp[:1] + period])
        fp = np.concatenate([fp[-1:], fp, fp[:1]])
    points, numbers, last = unwrap(xp), unwrap(x), xp.shape[0] - 1
    before, beyond = numbers < points[0], numbers > points[last]
    if last == 0:
        inside = np.where(
            np.zeros_like(numbers, dtype=bool), x - xp[0], fp[0]
        )  # their slope, of 0, has a graph
    else:
        i = np.clip(np.searchsorted(points, numbers, side="right") - 1, 0, last - 1)
        x0, x1, f0, f1 = xp[i], xp[i + 1], fp[i], fp[i + 1]
        slope = (f1 - f0) / (x1 - x0)
        inside = np.where(numbers < points[i + 1], f0 + slope * (x - x0), f1 + slope * (x - x1))
        ends = ~np.isfinite(unwrap(slope))  # a point is its own, however steep the line beside it
        inside = np.where(ends & (numbers == points[i]), f0, inside)
        inside = np.where(ends & (numbers == points[i + 1]), f1, inside)
    inside = np.where(before, fp[0] if left is None else left, inside)
    return np.where(beyond, fp[-1] if right is None else right, inside)


def polyval(p: Any, x: Any) -> Any:
    """p_0 x^n + p_1 x^(n-1) + … + p_n by Horner's scheme; ``np.polyval``. Both p and x get gradients."""
    p, x = as_operand(p), as_operand(x)
    y = np.zeros_like(x)
    for k in range(p.shape[0]):
        y = y * x + p[k]
    return y


def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """start + k · (stop - start) / (num - 1) for k = 0 … num - 1; ``np.linspace``. Both ends get gradients."""
    if num < 0:
        raise ConfigError("MG-215", f"linspace: the number of points is at least 0, not {num}.")
    parts = num - 1 if endpoint else num
    delta = np.subtract(stop, start)
    delta = delta if unwrap(delta).dtype.kind == "f" else delta.astype("float64")
    step = delta / parts if parts > 0 else delta * np.nan
    y = _count(num, delta) * (step if parts > 0 else delta) + start
    y = _ended(y, stop if endpoint else None, axis)
    y = y if dtype is None else (np.floor(y) if np.dtype(dtype).kind in "iu" else y).astype(dtype)
    return (y, step) if retstep else y


def _count(num: int, like: Any) -> Any:
    """0, 1, 2 … along a first axis, in the dtype and on the device of another array."""
    array = unwrap(like)
    return np.arange(num, dtype=array.dtype, like=array).reshape((num,) + (1,) * array.ndim)


def _ended(y: Any, stop: Any, axis: int) -> Any:
    """Return the points with the last one exactly ``stop``, where there is one, and along their axis."""
    if stop is not None and len(y) > 1:
        y = np.concatenate([y[:-1], np.broadcast_to(stop, (1, *y.shape[1:])).astype(y.dtype)])
    return np.moveaxis(y, 0, axis) if axis else y


def logspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    base: Any = 10.0,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """base to the power of the points between start and stop; ``np.logspace``. All three get gradients."""
    if np.ndim(base):
        start, stop = (t + np.zeros_like(unwrap(base)) for t in (start, stop))
        base = np.expand_dims(base, axis)
    y = np.power(base, linspace(start, stop, num, endpoint, axis=axis))
    return y if dtype is None else y.astype(dtype)


def geomspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0
) -> Any:
    """start · (stop / start)^(k / (num - 1)) for k = 0 … num - 1; ``np.geomspace``. Both ends get gradients.

    The ends have one sign: between others there is no geometric sequence of real numbers, and the result is nan.
    """
    quotient = np.divide(stop, start)
    parts = max(num - 1 if endpoint else num, 1)
    y = start * np.exp(np.log(quotient) * (_count(num, quotient) / parts))
    y = _ended(y, stop if endpoint else None, axis)
    return y if dtype is None else y.astype(dtype)


stands_for(np.correlate, correlate, "y_k = Σ a_{n+k} · v_n")
stands_for(np.convolve, convolve, "y_k = Σ a_{k-n} · v_n")
stands_for(np.interp, interp, "f_i + (f_{i+1} - f_i) / (x_{i+1} - x_i) · (x - x_i)")
stands_for(np.polyval, polyval, "p_0 x^n + p_1 x^(n-1) + … + p_n")
stands_for(np.linspace, linspace, "start + k · (stop - start) / (num - 1)")
stands_for(np.logspace, logspace, "base^(start + k · (stop - start) / (num - 1))")
stands_for(np.geomspace, geomspace, "start · (stop / start)^(k / (num - 1))")
