"""Attention as one operation: the formula is what it means, the kernels never hold the table of weights.

Vaswani et al. 2017, "Attention is all you need", eq. 1; the kernels are in ``minigrad_kernels.attention``.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Any

import numpy as np
from minigrad_kernels import attention as kernels

from minigrad import backend
from minigrad.backend import Array
from minigrad.errors import DtypeError, ShapeError
from minigrad.operation import Operation, define
from minigrad.ops.activation import logsumexp, softmax
from minigrad.ops.half import wide

_PARAMS = {"causal": False, "scale": 1.0, "p": 0.0}


def _turned(a: Array) -> Array:
    return np.swapaxes(a, -1, -2)


def _weights(q: Array, k: Array, mask: Any, causal: bool, scale: float) -> Array:
    """Softmax over the keys of scale · q·kᵀ + mask; zeros for a query from which every key is hidden."""
    scores = kernels.hidden(np.matmul(q * scale, _turned(k)), mask, causal)
    if mask is None:
        return softmax(scores)
    seen = np.isfinite(kernels.hidden(np.zeros_like(scores), np.where(mask == -np.inf, mask, 0), causal))
    reached = np.any(seen, axis=-1, keepdims=True)
    return np.where(reached, softmax(np.where(reached, scores, 0)), 0)


def _factor(q: Array, k: Array, v: Array, mask: Any, seed: Any, p: float) -> Any:
    """What each weight is multiplied by in dropout; 1 without."""
    if not p:
        return 1
    shape = (*_leading(q, k, v, mask), q.shape[-2], k.shape[-2])
    known = getattr(seed, "value", seed)  # where a formula is read, what is drawn is a number in it
    return kernels.kept(known, shape, float(getattr(p, "value", p))).astype(q.dtype)


def _leading(q: Array, k: Array, v: Array, mask: Any) -> tuple[int, ...]:
    """The axes in front of the last two, which stretch each other."""
    shapes = [a.shape[:-2] for a in (q, k, v, mask) if a is not None]
    return shapes[0] if shapes.count(shapes[0]) == len(shapes) else np.broadcast_shapes(*shapes)


def _textbook(
    q: Array, k: Array, v: Array, mask: Any = None, seed: Any = None,
    causal: bool = False, scale: float = 1.0, p: float = 0.0,
) -> Array:  # fmt: skip
    weights = _weights(q, k, mask, causal, scale)
    return np.matmul(weights * _factor(q, k, v, mask, seed, p) if p else weights, v)


def _log_of_sums(
    q: Array, k: Array, v: Array, mask: Any = None, seed: Any = None,
    causal: bool = False, scale: float = 1.0, p: float = 0.0,
) -> Array:  # fmt: skip
    """ln Σ e^score of each query, and ∞ where every key is hidden, so that its weights are 0."""
    scores = kernels.hidden(np.matmul(wide(q) * scale, _turned(wide(k))), mask, causal)
    found = logsumexp(scores, axis=-1)
    return np.where(found == -np.inf, np.inf, found)


def _stretched(q: Array, k: Array, v: Array, mask: Any) -> tuple[Array, Array, Array]:
    """The arrays with the same axes in front, as views."""
    if q.shape[:-2] == k.shape[:-2] == v.shape[:-2] and (mask is None or mask.ndim <= q.ndim):
        return q, k, v
    leading = _leading(q, k, v, mask)
    return tuple(np.broadcast_to(a, (*leading, *a.shape[-2:])) for a in (q, k, v))  # type: ignore[return-value]


def _check(q: Array, k: Array, v: Array, mask: Any) -> None:
    shapes = f"q {q.shape}, k {k.shape}, v {v.shape}"
    if min(q.ndim, k.ndim, v.ndim) < 2:
        raise ShapeError(
            "MG-533",
            f"attention needs q (..., n, d), k (..., m, d) and v (..., m, e); got {shapes}. One query is q[None].",
        )
    if q.shape[-1] != k.shape[-1]:
        raise ShapeError(
            "MG-533",
            f"attention compares each query with each key, so both need one width; q has {q.shape[-1]} numbers, "
            f"k {k.shape[-1]} ({shapes}).",
        )
    if k.shape[-2] != v.shape[-2]:
        raise ShapeError(
            "MG-533",
            f"attention has one value for each key; k has {k.shape[-2]} keys, v {v.shape[-2]} values ({shapes}).",
        )
    dtypes = {a.dtype for a in (q, k, v, mask) if a is not None}
    if len(dtypes) > 1 or q.dtype.kind != "f":
        raise DtypeError(
            "MG-211",
            f"attention: q is {q.dtype}, k {k.dtype}, v {v.dtype}"
            + ("" if mask is None else f", the mask {mask.dtype}")
            + ": all have to be floats of one dtype (float64 is NumPy's default, float32 minigrad's). "
            f"Cast once: k.astype('{q.dtype if q.dtype.kind == 'f' else 'float32'}').",
        )
    try:
        leading = np.broadcast_shapes(q.shape[:-2], k.shape[:-2], v.shape[:-2])
        wanted = (*leading, q.shape[-2], k.shape[-2])
        fits = mask is None or np.broadcast_shapes(mask.shape, wanted)[-2:] == wanted[-2:]
    except ValueError:
        fits = False
    if not fits:
        of_mask = "" if mask is None else f", mask {mask.shape}"
        raise ShapeError(
            "MG-533",
            f"attention: {shapes}{of_mask} do not stretch to one shape. The axes in front have to be equal or 1; a "
            f"mask is (n, m) = ({q.shape[-2]}, {k.shape[-2]}), a row for each query and a column for each key.",
        )


def _forward(
    q: Array, k: Array, v: Array, mask: Any = None, seed: Any = None,
    causal: bool = False, scale: float = 1.0, p: float = 0.0,
) -> tuple[Array, Array]:  # fmt: skip
    _check(q, k, v, mask)
    y, sums = kernels.forward(
        *_stretched(wide(q), wide(k), wide(v), mask), _wide_mask(mask), seed, causal, scale, p
    )
    return (y if y.dtype == q.dtype else y.astype(q.dtype)), sums


def _wide_mask(mask: Any) -> Any:
    return None if mask is None else wide(mask)


def _all_gradients(
    needs_grad: Container[int], g: Array, y: Array, q: Array, k: Array, v: Array, mask: Any, seed: Any,
    sums: Array, causal: bool, scale: float, p: float,
) -> Any:  # fmt: skip
    given = (*_stretched(wide(q), wide(k), wide(v), mask), _wide_mask(mask), seed)
    found = kernels.backward(wide(g), wide(y), sums, *given, causal, scale, p)
    if 3 in needs_grad:
        return *found, _of_scores(g, q, k, v, mask, seed, causal, scale, p), None
    return *found, None, None


def _of_scores(
    g: Array, q: Array, k: Array, v: Array, mask: Any, seed: Any, causal: bool, scale: float, p: float
) -> Array:
    """The gradient of the scores: w · (dw - Σ w · dw), where the kept weights' dw is g @ vᵀ."""
    q, k, v, g = wide(q), wide(k), wide(v), wide(g)
    weights = _weights(q, k, _wide_mask(mask), causal, scale)
    change = np.matmul(g, _turned(v))
    if p:
        change = change * _factor(q, k, v, mask, seed, p)
    return weights * (change - np.sum(weights * change, axis=-1, keepdims=True))


def _of_values(
    g: Array, q: Array, k: Array, v: Array, mask: Any, seed: Any, causal: bool, scale: float, p: float
) -> Array:
    q, k, v, g = wide(q), wide(k), wide(v), wide(g)
    weights = _weights(q, k, _wide_mask(mask), causal, scale)
    return np.matmul(_turned(weights * _factor(q, k, v, mask, seed, p) if p else weights), g)


_SCORES = "with ds = w · (g @ vᵀ - Σ w · (g @ vᵀ)), w the weights"

attention: Operation = define(
    "dot_product_attention",
    _forward,
    ("softmax(scale · q @ kᵀ + mask) @ v", _textbook),
    (
        f"scale · ds @ k, {_SCORES}",
        lambda g, q, k, v, mask, seed, causal, scale, p: (
            np.matmul(_of_scores(g, q, k, v, mask, seed, causal, scale, p), wide(k)) * scale
        ),
    ),
    (
        f"scale · dsᵀ @ q, {_SCORES}",
        lambda g, q, k, v, mask, seed, causal, scale, p: (
            np.matmul(_turned(_of_scores(g, q, k, v, mask, seed, causal, scale, p)), wide(q)) * scale
        ),
    ),
    ("wᵀ @ g, with w the weights", _of_values),
    (f"ds, {_SCORES}", _of_scores),
    None,
    inputs="q k v mask seed",
    params=_PARAMS,
    saves={"sums": _log_of_sums},
    joint_vjp=_all_gradients,
)


def heads_of(qkv: Array, heads: int) -> tuple[Array, Array, Array]:
    """Return q, k and v (..., heads, n, d) of their numbers side by side (..., n, 3 · heads · d), as views."""
    *leading, n, width = qkv.shape
    parts = np.reshape(qkv, (*leading, n, 3, heads, width // (3 * heads)))
    return tuple(np.swapaxes(parts[..., i, :, :], -2, -3) for i in range(3))  # type: ignore[return-value]


def side_by_side(y: Array) -> Array:
    """Return the heads' results (..., heads, n, d) as (..., n, heads · d)."""
    *leading, heads, n, width = y.shape
    return np.reshape(np.swapaxes(y, -2, -3), (*leading, n, heads * width))


def _packed_gradient(
    g: Array, qkv: Array, mask: Any, seed: Any, heads: int, causal: bool, scale: float, p: float
) -> Array:
    q, k, v = heads_of(qkv, heads)
    *leading, n, width = g.shape
    g = np.swapaxes(np.reshape(g, (*leading, n, heads, width // heads)), -2, -3)
    of_scores = _of_scores(g, q, k, v, mask, seed, causal, scale, p)
    of_values = _of_values(g, q, k, v, mask, seed, causal, scale, p)
    of_queries, of_keys = np.matmul(of_scores, k) * scale, np.matmul(_turned(of_scores), q) * scale
    return np.concatenate([side_by_side(a) for a in (of_queries, of_keys, of_values)], axis=-1)


def _packed_forward(
    qkv: Array, mask: Any = None, seed: Any = None,
    heads: int = 1, causal: bool = False, scale: float = 1.0, p: float = 0.0,
) -> tuple[Array, Array]:  # fmt: skip
    if qkv.ndim < 2 or qkv.shape[-1] % (3 * heads):
        raise ShapeError(
            "MG-533",
            f"self_attention needs (..., n, 3 · {heads} · d): queries, keys and values of {heads} heads side by side; "
            f"got {qkv.shape}.",
        )
    y, sums = _forward(*heads_of(qkv, heads), mask, seed, causal, scale, p)
    return side_by_side(y), sums


def _packed_gradients(
    needs_grad: Container[int], g: Array, y: Array, qkv: Array, mask: Any, seed: Any, sums: Array,
    heads: int, causal: bool, scale: float, p: float,
) -> Any:  # fmt: skip
    packed, (*leading, n, width) = wide(qkv), g.shape
    shape = (*leading, n, heads, width // heads)
    g, y = (np.swapaxes(np.reshape(wide(a), shape), -2, -3) for a in (g, y))
    d = np.empty_like(packed, order="C")
    given = (*heads_of(packed, heads), _wide_mask(mask), seed, causal, scale, p)
    if backend.device_of(d) == "cpu":
        kernels.backward(g, y, sums, *given, out=heads_of(d, heads))
    else:
        for part, found in zip(heads_of(d, heads), kernels.backward(g, y, sums, *given), strict=True):
            part[...] = found
    return d, None, None


self_attention: Operation = define(
    "self_attention",
    _packed_forward,
    (
        "attention of the heads' q, k, v, which lie side by side",
        lambda qkv, mask=None, seed=None, heads=1, causal=False, scale=1.0, p=0.0: side_by_side(
            attention(*heads_of(qkv, heads), mask, seed, causal=causal, scale=scale, p=p)
        ),
    ),
    ("the gradients of q, k and v, side by side", _packed_gradient),
    None,
    None,
    inputs="qkv mask seed",
    params={"heads": 1, **_PARAMS},
    saves={
        "sums": lambda qkv, mask, seed, heads, causal, scale, p: _log_of_sums(
            *heads_of(qkv, heads), mask, seed, causal, scale, p
        )
    },
    joint_vjp=_packed_gradients,
)


def weights_of(
    q: Any, k: Any, v: Any, mask: Any, seed: Any, causal: bool = False, scale: float = 1.0, p: float = 0.0
) -> Any:
    """Return attention's weights (..., n, m) themselves, after dropout: what the operation never holds."""
    _check(q, k, v, mask)
    weights = _weights(q, k, mask, causal, scale)
    return weights * _factor(q, k, v, mask, seed, p) if p else weights
