"""Running products and sums, and what they are undone by: differences; slopes and integrals of sampled functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.backend import Array
from minigrad.errors import ConfigError, OperationError, ShapeError
from minigrad.operation import define, stands_for
from minigrad.ops.half import through_float32, wide
from minigrad.ops.reduce import named_axes, running_product, shift
from minigrad.ops.weights import as_operand
from minigrad.tensor import unwrap


@through_float32
def _cumprod(a: Array, axis: int | None = None) -> Array:
    return np.cumprod(a, axis=axis)


def _cumprod_gradient(g: Array, a: Array, axis: int | None) -> Array:
    """Return dL/da_i = Π_{k<i} a_k · s_i, with s_i = g_i + a_{i+1} · s_{i+1}: nothing is divided, zeros are exact.

    The recurrence is solved by doubling: after a step each s_i reaches twice as far, in log2(n) steps.
    """
    shape = a.shape
    if axis is None or not shape:
        a, axis = np.reshape(a, (-1,)), 0
    rows, s = np.moveaxis(wide(a), axis, -1), np.moveaxis(wide(g), axis, -1)
    n, by, factors = rows.shape[-1], 1, rows[..., 1:]
    while by < n:
        s = np.concatenate([s[..., : n - by] + factors * s[..., by:], s[..., n - by :]], axis=-1)
        factors = factors[..., : max(n - 2 * by, 0)] * factors[..., by:]
        by *= 2
    result = running_product(shift(rows, 1)) * s if n else s
    return np.reshape(np.moveaxis(result, -1, axis), shape)


cumprod = define(
    "cumprod",
    _cumprod,
    "y_i = a_1 · … · a_i",
    ("Σ g_j · a_1 · … · a_j without a_i, over j from i", lambda g, a, axis: _cumprod_gradient(g, a, axis)),
    inputs="a",
    params={"axis": None},
    of=np.cumprod,
)


def _cumulative(run: Any, start: float, x: Any, axis: int | None, include_initial: bool) -> Any:
    x = as_operand(x)
    x = x if x.ndim else np.reshape(x, (1,))
    if axis is None:
        if x.ndim > 1:
            raise ConfigError(
                "MG-215", f"an array of {x.ndim} axes, shape {x.shape}: say along which. Write axis=0."
            )
        axis = 0
    named_axes("a running sum or product", x.shape, axis)
    found = run(x, axis=axis)
    if not include_initial:
        return found
    first = np.full_like(unwrap(found)[_part(found.ndim, axis, slice(0, 1))], start)
    if first.shape[axis] == 0:
        first = np.full_like(unwrap(found), start, shape=_with(found.shape, axis, 1))
    return np.concatenate([first, found], axis=axis)


def _with(shape: Sequence[int], axis: int, length: int) -> tuple[int, ...]:
    return tuple(length if k == axis % len(shape) else n for k, n in enumerate(shape))


def _part(ndim: int, axis: int, part: Any) -> tuple[Any, ...]:
    return tuple(part if k == axis % ndim else slice(None) for k in range(ndim))


def cumulative_sum(x: Any, *, axis: int | None = None, include_initial: bool = False) -> Any:
    """y_i = x_1 + … + x_i, after a 0 where ``include_initial`` asks for it; ``np.cumulative_sum``."""
    return _cumulative(np.cumsum, 0, x, axis, include_initial)


def cumulative_prod(x: Any, *, axis: int | None = None, include_initial: bool = False) -> Any:
    """y_i = x_1 · … · x_i, after a 1 where ``include_initial`` asks for it; ``np.cumulative_prod``."""
    return _cumulative(np.cumprod, 1, x, axis, include_initial)


def nancumsum(a: Any, axis: int | None = None) -> Any:
    """The running sum of what is not nan; ``np.nancumsum``. The gradient of a nan is 0."""
    return np.cumsum(np.where(np.isnan(unwrap(a)), 0, a), axis=axis)


def nancumprod(a: Any, axis: int | None = None) -> Any:
    """The running product of what is not nan; ``np.nancumprod``. The gradient of a nan is 0."""
    return np.cumprod(np.where(np.isnan(unwrap(a)), 1, a), axis=axis)


def diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """y_i = a_{i+1} - a_i, n times; ``np.diff``. ``prepend`` and ``append``, which get gradients, are joined first."""
    if n < 0:
        raise ConfigError("MG-215", f"diff: differences are taken n = 0, 1, 2 … times, not {n}.")
    a = as_operand(a)
    if a.ndim == 0:
        raise ShapeError("MG-103", "diff of a single number: there are no neighbours. Give it an axis.")
    if n == 0:
        return a
    named_axes("diff", a.shape, axis)
    ends = [
        end if end is None or np.ndim(end) else np.broadcast_to(end, _with(a.shape, axis, 1))
        for end in (prepend, append)
    ]
    parts = [part for part in (ends[0], a, ends[1]) if part is not None]
    if len(parts) > 1:
        a = np.concatenate(parts, axis=axis)
    later, earlier = _part(a.ndim, axis, slice(1, None)), _part(a.ndim, axis, slice(None, -1))
    minus = np.not_equal if unwrap(a).dtype == bool else np.subtract
    for _ in range(n):
        a = minus(a[later], a[earlier])
    return a


def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    """y_i = a_{i+1} - a_i of all entries in a row, between what is put before and behind; ``np.ediff1d``."""
    flat = np.reshape(ary, (-1,))
    parts = [
        np.reshape(x, (-1,)).astype(flat.dtype)
        for x in (to_begin, flat[1:] - flat[:-1], to_end)
        if x is not None
    ]
    return np.concatenate(parts) if len(parts) > 1 else parts[0]


def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """Σ (x_{i+1} - x_i) (y_i + y_{i+1}) / 2, with steps ``dx`` where there is no x; ``np.trapezoid``."""
    y = as_operand(y)
    named_axes("trapezoid", y.shape, axis)
    if x is not None:
        x = as_operand(x)
        dx = diff(x) if x.ndim == 1 else diff(x, axis=axis)
        if x.ndim == 1:
            dx = np.reshape(dx, _with((1,) * y.ndim, axis, dx.shape[0]))
    later, earlier = y[_part(y.ndim, axis, slice(1, None))], y[_part(y.ndim, axis, slice(None, -1))]
    return np.sum(dx * (later + earlier) / 2.0, axis=axis)


def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """The slopes of sampled values: (f_{i+1} - f_{i-1}) / 2h inside, one-sided at both ends; ``np.gradient``.

    ``varargs`` are the steps: one number, or for each axis a number or the coordinates; they get gradients too.
    ``edge_order`` is 1 or 2. Several axes give a tuple. Raises ConfigError MG-215 on other orders and counts of
    steps, ShapeError MG-103 on axes that are too short.
    """
    f = as_operand(f)
    axes = named_axes("gradient", f.shape, axis)
    if edge_order not in (1, 2):
        raise ConfigError("MG-215", f"gradient: edge_order is 1 or 2, not {edge_order!r}.")
    if len(varargs) == 1 and np.ndim(varargs[0]) == 0:
        varargs *= len(axes)
    steps = varargs or (1.0,) * len(axes)
    if len(steps) != len(axes):
        raise OperationError(
            "MG-215",
            f"gradient along {len(axes)} axes: {len(steps)} steps were given; give 1 or {len(axes)}.",
        )
    f = f if unwrap(f).dtype.kind == "f" else f.astype("float64")
    found = tuple(_slopes(f, k, h, edge_order) for k, h in zip(axes, steps, strict=True))
    return found[0] if len(axes) == 1 else found


def _slopes(f: Any, axis: int, h: Any, edge_order: int) -> Any:
    n = f.shape[axis]
    if n < edge_order + 1:
        raise ShapeError(
            "MG-103",
            f"gradient along axis {axis} of shape {f.shape}: {n} entries; edge_order={edge_order} needs "
            f"{edge_order + 1}.",
        )
    if np.ndim(h):
        h = as_operand(h)
        if h.shape != (n,):
            raise ShapeError(
                "MG-103", f"gradient: coordinates of shape {h.shape} for axis {axis}, which has {n} entries."
            )
        h = np.reshape(diff(h), _with((1,) * f.ndim, axis, n - 1))

    def at(array: Any, start: int | None, stop: int | None) -> Any:
        return array[_part(f.ndim, axis, slice(start, stop))]

    def step(start: int | None, stop: int | None) -> Any:
        return at(h, start, stop) if np.ndim(h) else h

    left, right = step(None, -1), step(1, None)
    if np.ndim(h):
        inside = (
            at(f, None, -2) * (-right / (left * (left + right)))
            + at(f, 1, -1) * ((right - left) / (left * right))
            + at(f, 2, None) * (left / (right * (left + right)))
        )
    else:
        inside = (at(f, 2, None) - at(f, None, -2)) / (2.0 * h)
    if edge_order == 1:
        first = (at(f, 1, 2) - at(f, 0, 1)) / step(0, 1)
        last = (at(f, -1, None) - at(f, -2, -1)) / step(-1, None)
    else:
        first = _edge(at(f, 0, 1), at(f, 1, 2), at(f, 2, 3), step(0, 1), step(1, 2))
        last = -_edge(at(f, -1, None), at(f, -2, -1), at(f, -3, -2), step(-1, None), step(-2, -1))
    return np.concatenate([first, inside, last], axis=axis)


def _edge(f0: Any, f1: Any, f2: Any, near: Any, far: Any) -> Any:
    """The slope at the first of three values, of the parabola through them."""
    return (
        f0 * (-(2.0 * near + far) / (near * (near + far)))
        + f1 * ((near + far) / (near * far))
        - f2 * (near / (far * (near + far)))
    )


if hasattr(np, "cumulative_sum"):  # since NumPy 2.1
    stands_for(np.cumulative_sum, cumulative_sum, "y_i = a_1 + … + a_i")
    stands_for(np.cumulative_prod, cumulative_prod, "y_i = a_1 · … · a_i")
stands_for(np.nancumsum, nancumsum, "the running sum of what is not nan")
stands_for(np.nancumprod, nancumprod, "the running product of what is not nan")
stands_for(np.diff, diff, "y_i = a_{i+1} - a_i")
stands_for(np.ediff1d, ediff1d, "y_i = a_{i+1} - a_i")
stands_for(np.trapezoid, trapezoid, "Σ (x_{i+1} - x_i) · (y_i + y_{i+1}) / 2")
if before := getattr(np, "trapz", None):  # its name before NumPy 2.4
    stands_for(before, trapezoid, "Σ (x_{i+1} - x_i) · (y_i + y_{i+1}) / 2")
stands_for(np.gradient, gradient, "(f_{i+1} - f_{i-1}) / 2h, one-sided at the ends")
