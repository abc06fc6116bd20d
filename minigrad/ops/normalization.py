"""Normalisation: by mean and variance over features, groups of channels or a batch, and by root mean square.

Each is one kernel forwards and one backwards. The kernel's NumPy reference is the formula that is explained and that a
second derivative goes through. Statistics of float16 numbers are taken in float32.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Container
from typing import Any

import numpy as np
from minigrad_kernels import normalize, normalize_batch

from minigrad.backend import Array
from minigrad.errors import DtypeError
from minigrad.operation import define
from minigrad.ops.half import wide

Shape = tuple[int, ...]


def _rows(shape: Shape, axes: int) -> Shape:
    """View x as rows, each over the last ``axes`` axes, every entry of which has a weight of its own."""
    return math.prod(shape[: len(shape) - axes]), 1, math.prod(shape[len(shape) - axes :]), 1


def _groups(shape: Shape, groups: int) -> Shape:
    return shape[0], groups, shape[1] // groups, math.prod(shape[2:])


def _channels(shape: Shape) -> Shape:
    return shape[0], shape[1], math.prod(shape[2:])


def _flat(a: Any) -> Any:
    if a is None or len(a.shape) == 1:
        return a if a is None else wide(a)
    return wide(a).reshape((math.prod(a.shape),))


def _same_dtype(name: str, x: Array, *weights: Array | None) -> None:
    for each in weights:
        if each is not None and each.dtype != x.dtype:
            raise DtypeError(
                "MG-211",
                f"{name}: x is {x.dtype}, the weights are {each.dtype}. Cast the data once: x.astype('{each.dtype}').",
            )


def _as(x: Any, y: Any) -> Any:
    """Return y in the shape and dtype of x."""
    y = y.reshape(x.shape)
    return y if y.dtype == x.dtype else y.astype(x.dtype)


def _run(view: Shape, x: Any, weight: Any, bias: Any, eps: float, centred: bool) -> tuple[Any, ...]:
    """Run the kernel, on bare arrays; y in x's dtype."""
    y, mean, scale = normalize.forward(wide(x).reshape(view), _flat(weight), _flat(bias), eps, centred)
    return _as(x, y), mean, scale


def _formula(view: Shape, x: Any, weight: Any, bias: Any, eps: float, centred: bool) -> Any:
    """Compute what the kernel does from operations."""
    y, *_ = normalize.forward_reference(wide(x).reshape(view), _flat(weight), _flat(bias), eps, centred)
    return y.reshape(x.shape)


def _gradients(view: Shape, g: Any, x: Any, weight: Any, mean: Any, scale: Any) -> tuple[Any, Any, Any]:
    """Return the gradients of x, weight and bias; recorded, where Tensors are among the arguments."""
    given = (wide(g).reshape(view), wide(x).reshape(view), _flat(weight))
    scale = scale.reshape(view[:2])
    middle = scale if mean is None else mean.reshape(view[:2])
    d, d_weight, d_bias = normalize.backward(*given, middle, scale, mean is not None)
    return d.reshape(x.shape), d_weight, d_bias


_TO_X = "scale · (h - mean h - z · mean(h z)), with z = (x - mean) · scale and h = g · weight"
_TO_WEIGHT, _TO_BIAS = "Σ g (x - mean) · scale over the samples", "Σ g over the samples"


def _layer_forward(x: Any, weight: Any, bias: Any, axes: int = 1, eps: float = 1e-5) -> Any:
    _same_dtype("layer_norm", x, weight, bias)
    y, *found = _run(_rows(x.shape, axes), x, weight, bias, eps, True)
    return y, *(each.reshape(x.shape[: x.ndim - axes]) for each in found)


def _row_statistics(x: Any, axes: int, eps: float, centred: bool) -> list[Any]:
    found = normalize.statistics(wide(x).reshape(_rows(x.shape, axes)), eps, centred)
    return [each.reshape(x.shape[: len(x.shape) - axes]) for each in found]


def _layer_saved(k: int) -> Callable[..., Any]:
    return lambda x, weight, bias, axes=1, eps=1e-5: _row_statistics(x, axes, eps, True)[k]


def _layer_part(k: int) -> Callable[..., Any]:
    def part(g: Any, x: Any, weight: Any, mean: Any, scale: Any, axes: int) -> Any:
        found = _gradients(_rows(x.shape, axes), g, x, weight, mean, scale)[k]
        return found.reshape(x.shape[len(x.shape) - axes :]) if k else found

    return part


def _joint_rows(
    needs_grad: Container[int],
    g: Any,
    y: Any,
    x: Any,
    weight: Any,
    bias: Any,
    mean: Any,
    scale: Any,
    **_: Any,
) -> Any:
    d, d_weight, d_bias = _gradients(_rows(x.shape, x.ndim - scale.ndim), g, x, weight, mean, scale)
    return d, _like(d_weight, weight), _like(d_bias, bias)


def _like(gradient: Any, weight: Any) -> Any:
    return gradient if weight is None else gradient.reshape(weight.shape)


_layer_norm = define(
    "layer_norm",
    _layer_forward,
    (
        "(x - mean x) / √(var x + eps) · weight + bias",
        lambda x, weight, bias, axes=1, eps=1e-5: _formula(_rows(x.shape, axes), x, weight, bias, eps, True),
    ),
    (_TO_X, _layer_part(0)),
    (_TO_WEIGHT, _layer_part(1)),
    (_TO_BIAS, _layer_part(2)),
    inputs="x weight bias",
    params={"axes": 1, "eps": 1e-5},
    saves={"mean": _layer_saved(0), "scale": _layer_saved(1)},
    joint_vjp=_joint_rows,
)


def layer_norm(x: Any, weight: Any = None, bias: Any = None, axes: int = 1, eps: float = 1e-5) -> Any:
    """(x - mean) / √(var + eps) · weight + bias, over the last ``axes`` axes of x, each sample by itself.

    weight and bias have the lengths of these axes, or are None; the variance is divided by their number of entries.
    Ba, Kiros & Hinton 2016, "Layer normalization", eq. 3 and 4. Raises DtypeError MG-211 where the dtypes differ.
    """
    return _layer_norm(x, weight, bias, axes=axes, eps=eps)


def _root_forward(x: Any, weight: Any, axes: int = 1, eps: float = 1e-6) -> Any:
    _same_dtype("rms_norm", x, weight)
    y, _, scale = _run(_rows(x.shape, axes), x, weight, None, eps, False)
    return y, scale.reshape(x.shape[: x.ndim - axes])


def _root_part(k: int) -> Callable[..., Any]:
    def part(g: Any, x: Any, weight: Any, scale: Any, axes: int) -> Any:
        found = _gradients(_rows(x.shape, axes), g, x, weight, None, scale)[k]
        return found.reshape(x.shape[len(x.shape) - axes :]) if k else found

    return part


_rms_norm = define(
    "rms_norm",
    _root_forward,
    (
        "x / √(mean(x²) + eps) · weight",
        lambda x, weight, axes=1, eps=1e-6: _formula(_rows(x.shape, axes), x, weight, None, eps, False),
    ),
    (_TO_X.replace("- mean h ", "").replace("(x - mean)", "x"), _root_part(0)),
    (_TO_WEIGHT.replace("(x - mean)", "x"), _root_part(1)),
    inputs="x weight",
    params={"axes": 1, "eps": 1e-6},
    saves={"scale": lambda x, weight, axes=1, eps=1e-6: _row_statistics(x, axes, eps, False)[1]},
    joint_vjp=lambda needs_grad, g, y, x, weight, scale, **_: _joint_rows(
        needs_grad, g, y, x, weight, None, None, scale
    ),
)


def rms_norm(x: Any, weight: Any = None, axes: int = 1, eps: float = 1e-6) -> Any:
    """x / √(mean(x²) + eps) · weight, over the last ``axes`` axes of x, each sample by itself.

    Zhang & Sennrich 2019, "Root mean square layer normalization", eq. 4. Otherwise as ``layer_norm``.
    """
    return _rms_norm(x, weight, axes=axes, eps=eps)


def _group_forward(x: Any, weight: Any, bias: Any, groups: int = 1, eps: float = 1e-5) -> Any:
    _same_dtype("group_norm", x, weight, bias)
    return _run(_groups(x.shape, groups), x, weight, bias, eps, True)


def _group_saved(k: int) -> Callable[..., Any]:
    return lambda x, weight, bias, groups=1, eps=1e-5: normalize.statistics(
        wide(x).reshape(_groups(x.shape, groups)), eps, True
    )[k]


def _group_part(k: int) -> Callable[..., Any]:
    def part(g: Any, x: Any, weight: Any, mean: Any, scale: Any, groups: int) -> Any:
        return _gradients(_groups(x.shape, groups), g, x, weight, mean, scale)[k]

    return part


_group_norm = define(
    "group_norm",
    _group_forward,
    (
        "(x - mean x) / √(var x + eps) · weight + bias",
        lambda x, weight, bias, groups=1, eps=1e-5: _formula(
            _groups(x.shape, groups), x, weight, bias, eps, True
        ),
    ),
    (_TO_X, _group_part(0)),
    (_TO_WEIGHT, _group_part(1)),
    (_TO_BIAS, _group_part(2)),
    inputs="x weight bias",
    params={"groups": 1, "eps": 1e-5},
    saves={"mean": _group_saved(0), "scale": _group_saved(1)},
    joint_vjp=lambda needs_grad, g, y, x, weight, bias, mean, scale, **_: _gradients(
        _groups(x.shape, scale.shape[1]), g, x, weight, mean, scale
    ),
)


def group_norm(x: Any, weight: Any = None, bias: Any = None, groups: int = 1, eps: float = 1e-5) -> Any:
    """(x - mean) / √(var + eps) · weight + bias, with the mean and variance of each sample's groups of channels.

    x (n, channels, …) in ``groups`` groups of neighbouring channels; weight and bias (channels,) or None. Wu & He 2018,
    "Group normalization", eq. 1 to 7. Otherwise as ``layer_norm``.
    """
    return _group_norm(x, weight, bias, groups=groups, eps=eps)


def _batch_forward(x: Any, weight: Any, bias: Any, eps: float = 1e-5) -> Any:
    _same_dtype("batch_norm", x, weight, bias)
    y, *found = normalize_batch.forward(wide(x).reshape(_channels(x.shape)), _flat(weight), _flat(bias), eps)
    return _as(x, y), *found


def _batch_formula(x: Any, weight: Any, bias: Any, eps: float = 1e-5) -> Any:
    view = wide(x).reshape(_channels(x.shape))
    y, *_ = normalize_batch.forward_reference(view, _flat(weight), _flat(bias), eps)
    return y.reshape(x.shape)


def _batch_gradients(g: Any, x: Any, weight: Any, mean: Any, scale: Any) -> tuple[Any, Any, Any]:
    view = _channels(x.shape)
    given = (wide(g).reshape(view), wide(x).reshape(view), _flat(weight))
    d, d_weight, d_bias = normalize_batch.backward(*given, mean, scale)
    return d.reshape(x.shape), d_weight, d_bias


def statistics(x: Any) -> tuple[Any, Any]:
    """Return the mean and the variance, divided by n, of each channel of a bare array (n, channels, …)."""
    mean, var = normalize_batch.statistics(wide(x).reshape(_channels(x.shape)))
    return mean, var


def _batch_part(k: int) -> Callable[..., Any]:
    return lambda g, x, weight, mean, scale: _batch_gradients(g, x, weight, mean, scale)[k]


_batch_norm = define(
    "batch_norm",
    _batch_forward,
    ("(x - mean x) / √(var x + eps) · weight + bias", _batch_formula),
    (_TO_X, _batch_part(0)),
    (_TO_WEIGHT, _batch_part(1)),
    (_TO_BIAS, _batch_part(2)),
    inputs="x weight bias",
    params={"eps": 1e-5},
    saves={
        "mean": lambda x, weight, bias, eps=1e-5: statistics(x)[0],
        "variance": lambda x, weight, bias, eps=1e-5: statistics(x)[1],
        "scale": lambda x, weight, bias, eps=1e-5: 1 / np.sqrt(statistics(x)[1] + eps),
    },
    joint_vjp=lambda needs_grad, g, y, x, weight, bias, mean, variance, scale, **_: _batch_gradients(
        g, x, weight, mean, scale
    ),
)


def batch_norm(x: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """(x - mean) / √(var + eps) · weight + bias, with the mean and variance of each channel over the batch.

    x (n, channels, …); weight and bias (channels,) or None. Ioffe & Szegedy 2015, "Batch normalization", algorithm 1.
    Otherwise as ``layer_norm``.
    """
    return _batch_norm(x, weight, bias, eps=eps)
