"""Layers of single entries, and such as only move entries, as ONNX."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad import nn
from minigrad.errors import ConfigError
from minigrad.export.writing import Graph, Value, Write, as_operator, held


def _number(graph: Graph, name: str, key: str, value: float) -> str:
    return graph.constant(f"{name}{key}", np.float32(value))


def _flatten(graph: Graph, name: str, layer: nn.Flatten, x: Value) -> Value:
    start, end = layer.start_dim % x.axes, layer.end_dim % x.axes
    if start >= end:
        return x
    if (start, end) == (1, x.axes - 1):
        return Value(graph.add("Flatten", x.name, axis=1), 2)
    if start == 0:
        raise ConfigError(
            "MG-861",
            f"layer '{name.removesuffix('.')}' ({layer.describe()}) joins the samples' axis with others; an ONNX file "
            "is for any number of samples. Use start_dim=1 or more.",
        )
    if end < x.axes - 1:  # what lies behind keeps its length, which a shape cannot say where it is unknown
        behind = graph.add("Shape", x.name, start=end + 1)
        front = graph.constant(f"{name}front", np.array([*(0,) * start, -1], np.int64))
        shape = graph.add("Concat", front, behind, axis=0)
    else:
        shape = graph.constant(f"{name}shape", np.array([*(0,) * start, -1], np.int64))
    return Value(graph.add("Reshape", x.name, shape), x.axes - (end - start))


def _unflatten(graph: Graph, name: str, layer: nn.Unflatten, x: Value) -> Value:
    k, sizes = layer.dim % x.axes, layer.unflattened_size
    front = graph.constant(f"{name}shape", np.array([*(0,) * k, *sizes], np.int64))
    if k < x.axes - 1:
        front = graph.add("Concat", front, graph.add("Shape", x.name, start=k + 1), axis=0)
    return Value(graph.add("Reshape", x.name, front), x.axes - 1 + len(sizes))


def gelu(graph: Graph, name: str, approximate: str, x: str) -> str:
    """X · ½ (1 + erf(x / √2)), or by tanh, which operator set 17 has no operator for."""
    half, one = _number(graph, name, "half", 0.5), _number(graph, name, "one", 1.0)
    if approximate == "none":
        root = _number(graph, name, "root", math.sqrt(0.5))
        curve = graph.add("Erf", graph.add("Mul", x, root))
    else:
        root, cube = (
            _number(graph, name, *pair) for pair in (("root", math.sqrt(2 / math.pi)), ("cube", 0.044715))
        )
        square = graph.add("Mul", x, x)
        inner = graph.add("Mul", x, graph.add("Add", one, graph.add("Mul", cube, square)))
        curve = graph.add("Tanh", graph.add("Mul", root, inner))
    return graph.add("Mul", x, graph.add("Mul", half, graph.add("Add", one, curve)))


def _gelu(graph: Graph, name: str, layer: nn.GELU, x: Value) -> Value:
    return Value(gelu(graph, name, layer.approximate, x.name), x.axes)


def _silu(graph: Graph, name: str, layer: nn.SiLU, x: Value) -> Value:
    return Value(graph.add("Mul", x.name, graph.add("Sigmoid", x.name)), x.axes)


def _mish(graph: Graph, name: str, layer: nn.Mish, x: Value) -> Value:
    return Value(graph.add("Mul", x.name, graph.add("Tanh", graph.add("Softplus", x.name))), x.axes)


def _softplus(graph: Graph, name: str, layer: nn.Softplus, x: Value) -> Value:
    """Beyond the threshold the two differ by less than float32 shows, unless it is small."""
    beta = _number(graph, name, "beta", layer.beta)
    scaled = graph.add("Mul", x.name, beta)
    smooth = graph.add("Div", graph.add("Softplus", scaled), beta)
    beyond = graph.add("Greater", scaled, _number(graph, name, "threshold", layer.threshold))
    return Value(graph.add("Where", beyond, x.name, smooth), x.axes)


def _log_sigmoid(graph: Graph, name: str, layer: nn.LogSigmoid, x: Value) -> Value:
    return Value(graph.add("Neg", graph.add("Softplus", graph.add("Neg", x.name))), x.axes)


def _tanhshrink(graph: Graph, name: str, layer: nn.Tanhshrink, x: Value) -> Value:
    return Value(graph.add("Sub", x.name, graph.add("Tanh", x.name)), x.axes)


def _hardtanh(graph: Graph, name: str, layer: nn.Hardtanh, x: Value) -> Value:
    bounds = _number(graph, name, "min", layer.min_val), _number(graph, name, "max", layer.max_val)
    return Value(graph.add("Clip", x.name, *bounds), x.axes)


def _prelu(graph: Graph, name: str, layer: nn.PReLU, x: Value) -> Value:
    shape = (layer.weight.size, *(1,) * (x.axes - 2)) if layer.weight.size > 1 else (1,)
    return Value(graph.add("PRelu", x.name, held(graph, f"{name}weight", layer.weight, shape, 0.0)), x.axes)


def _softmin(graph: Graph, name: str, layer: nn.Softmin, x: Value) -> Value:
    return Value(graph.add("Softmax", graph.add("Neg", x.name), axis=layer.axis), x.axes)


def _glu(graph: Graph, name: str, layer: nn.GLU, x: Value) -> Value:
    a, b = graph.split(x.name, [f"{name}first", f"{name}second"], layer.axis)
    return Value(graph.add("Mul", a, graph.add("Sigmoid", b)), x.axes)


def _same(graph: Graph, name: str, layer: Any, x: Value) -> Value:
    return x


LAYERS: dict[type, Write] = {
    nn.Flatten: _flatten,
    nn.Unflatten: _unflatten,
    nn.Identity: _same,
    nn.Dropout: _same,  # in evaluation it is x itself
    nn.ReLU: as_operator("Relu"),
    nn.LeakyReLU: as_operator("LeakyRelu", alpha=lambda layer: layer.slope),
    nn.PReLU: _prelu,
    nn.Sigmoid: as_operator("Sigmoid"),
    nn.Tanh: as_operator("Tanh"),
    nn.Softmax: as_operator("Softmax", axis=lambda layer: layer.axis),
    nn.LogSoftmax: as_operator("LogSoftmax", axis=lambda layer: layer.axis),
    nn.Softmin: _softmin,
    nn.GELU: _gelu,
    nn.SiLU: _silu,
    nn.Mish: _mish,
    nn.GLU: _glu,
    nn.ELU: as_operator("Elu", alpha=lambda layer: layer.alpha),
    nn.CELU: as_operator("Celu", alpha=lambda layer: layer.alpha),
    nn.SELU: as_operator("Selu", alpha=lambda layer: layer.ALPHA, gamma=lambda layer: layer.SCALE),
    nn.Softplus: _softplus,
    nn.LogSigmoid: _log_sigmoid,
    nn.Softsign: as_operator("Softsign"),
    nn.Tanhshrink: _tanhshrink,
    nn.Hardtanh: _hardtanh,
    nn.ReLU6: _hardtanh,
    nn.Hardsigmoid: as_operator("HardSigmoid", alpha=lambda _: 1 / 6, beta=lambda _: 0.5),
    nn.Hardswish: as_operator("HardSwish"),
}
