"""What normalises, as ONNX: by the operators of set 17, and where it has none, by their definition."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad import nn
from minigrad.export.writing import Graph, Value, Write, held


def _layer_norm(graph: Graph, name: str, layer: nn.LayerNorm, x: Value) -> Value:
    weight = held(graph, f"{name}weight", layer.weight, layer.shape, 1.0)
    bias = [] if layer.bias is None else [graph.constant(f"{name}bias", layer.bias.numpy())]
    axis = -len(layer.shape)
    return Value(graph.add("LayerNormalization", x.name, weight, *bias, axis=axis, epsilon=layer.eps), x.axes)


def _rms_norm(graph: Graph, name: str, layer: nn.RMSNorm, x: Value) -> Value:
    """X / √(mean(x²) + eps) · weight: an operator of set 23."""
    number = float(np.finfo(np.float32).eps) if layer.eps is None else layer.eps
    eps = graph.constant(f"{name}eps", np.float32(number))
    axes = list(range(-len(layer.shape), 0))
    squares = graph.add("ReduceMean", graph.add("Mul", x.name, x.name), axes=axes, keepdims=1)
    normal = graph.add("Div", x.name, graph.add("Sqrt", graph.add("Add", squares, eps)))
    if layer.weight is None:
        return Value(normal, x.axes)
    return Value(graph.add("Mul", normal, graph.constant(f"{name}weight", layer.weight.numpy())), x.axes)


def _group_norm(graph: Graph, name: str, layer: nn.GroupNorm, x: Value) -> Value:
    """Instance normalisation of the groups as if they were channels: GroupNormalization is of set 18."""
    groups = layer.num_groups
    ones = graph.constant(f"{name}ones", np.ones(groups, np.float32))
    zeros = graph.constant(f"{name}zeros", np.zeros(groups, np.float32))
    rows = graph.add("Reshape", x.name, graph.constant(f"{name}rows", np.array([0, groups, -1], np.int64)))
    normal = graph.add("InstanceNormalization", rows, ones, zeros, epsilon=layer.eps)
    y = graph.add("Reshape", normal, graph.add("Shape", x.name))
    shape = (layer.num_channels, *(1,) * (x.axes - 2))
    for operator, key, weight in (("Mul", "weight", layer.weight), ("Add", "bias", layer.bias)):
        if weight is not None:
            y = graph.add(operator, y, held(graph, f"{name}{key}", weight, shape, 0.0))
    return Value(y, x.axes)


def _batch_norm(graph: Graph, name: str, layer: Any, x: Value) -> Value:
    """By the running statistics, as in evaluation; without them, by the batch's, which one reduction each gives."""
    shape = (layer.num_features,)
    weight = held(graph, f"{name}weight", layer.weight, shape, 1.0)
    bias = held(graph, f"{name}bias", layer.bias, shape, 0.0)
    if layer.running_mean is not None:
        mean = graph.constant(f"{name}running_mean", layer.running_mean.numpy())
        var = graph.constant(f"{name}running_var", layer.running_var.numpy())
    else:
        axes = [k for k in range(x.axes) if k != 1]
        kept = graph.add("ReduceMean", x.name, axes=axes, keepdims=1)
        centred = graph.add("Sub", x.name, kept)
        mean = graph.add("ReduceMean", x.name, axes=axes, keepdims=0)
        var = graph.add("ReduceMean", graph.add("Mul", centred, centred), axes=axes, keepdims=0)
    return Value(graph.add("BatchNormalization", x.name, weight, bias, mean, var, epsilon=layer.eps), x.axes)


LAYERS: dict[type, Write] = {
    nn.LayerNorm: _layer_norm,
    nn.RMSNorm: _rms_norm,
    nn.GroupNorm: _group_norm,
    nn.BatchNorm1d: _batch_norm,
    nn.BatchNorm2d: _batch_norm,
}
