"""Convolution and pooling as ONNX, and what the recipes on pictures put around them."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad import nn
from minigrad.export.graph import LAYERS, write
from minigrad.export.writing import Graph, Value, Write, refused
from minigrad.train.pictures import Pictures, Residual


def _weights(graph: Graph, name: str, layer: Any) -> list[str]:
    weights = [graph.constant(f"{name}weight", layer.weight.numpy())]
    return weights if layer.bias is None else [*weights, graph.constant(f"{name}bias", layer.bias.numpy())]


def _windows(layer: Any) -> dict[str, Any]:
    """The attributes that every operator with windows has."""
    sides = layer._sides[2 - layer.axes :] if hasattr(layer, "_sides") else [(p, p) for p in layer.padding]
    return {
        "kernel_shape": list(layer.kernel_size),
        "strides": list(layer.stride),
        "pads": [before for before, _ in sides] + [behind for _, behind in sides],
    }


def _conv(graph: Graph, name: str, layer: Any, x: Value) -> Value:
    attributes, entering = _windows(layer), x.name
    if layer.padding_mode != "zeros" and any(attributes["pads"]):
        entering = _padded(graph, name, layer, x)
        attributes["pads"] = [0] * (2 * layer.axes)
    attributes |= {"dilations": list(layer.dilation), "group": layer.groups}
    return Value(graph.add("Conv", entering, *_weights(graph, name, layer), **attributes), x.axes)


def _padded(graph: Graph, name: str, layer: Any, x: Value) -> str:
    """Pixels beside a picture that are made of its own; operator set 17 has no circular padding, so that is cut out."""
    sides = layer._sides[2 - layer.axes :]
    if layer.padding_mode != "circular":
        pads = [0, 0, *(before for before, _ in sides), 0, 0, *(behind for _, behind in sides)]
        mode = {"reflect": "reflect", "replicate": "edge"}[layer.padding_mode]
        return graph.add("Pad", x.name, graph.constant(f"{name}pads", np.array(pads, np.int64)), mode=mode)
    whole = x.name
    for axis, (before, behind) in enumerate(sides, 2):
        parts = [whole]
        for key, count in (("before", before), ("behind", behind)):
            if count:
                ends = (-count, np.iinfo(np.int64).max) if key == "before" else (0, count)
                places = [
                    graph.constant(f"{name}{key}{axis}{n}", np.array([place], np.int64))
                    for n, place in enumerate((*ends, axis))
                ]
                part = graph.add("Slice", whole, *places)
                parts = [part, *parts] if key == "before" else [*parts, part]
        whole = graph.add("Concat", *parts, axis=axis) if len(parts) > 1 else whole
    return whole


def _transposed(graph: Graph, name: str, layer: Any, x: Value) -> Value:
    if any(added >= step for added, step in zip(layer.output_padding, layer.stride, strict=True)):
        raise refused(
            name,
            layer,
            f"an output_padding of {layer.output_padding} is not smaller than the stride, {layer.stride}, which "
            "runtimes refuse. Pad the result instead.",
        )
    y = graph.add(
        "ConvTranspose",
        x.name,
        *_weights(graph, name, layer),
        **_windows(layer),
        dilations=list(layer.dilation),
        group=layer.groups,
        output_padding=list(layer.output_padding),
    )
    return Value(y, x.axes)


def _whole_windows(name: str, layer: Any) -> dict[str, Any]:
    if layer.ceil_mode:
        raise refused(
            name, layer, "with ceil_mode runtimes disagree on the last window. Pad the pictures instead."
        )
    return _windows(layer)


def _max_pool(graph: Graph, name: str, layer: Any, x: Value) -> Value:
    attributes = _whole_windows(name, layer) | {"dilations": list(layer.dilation)}
    return Value(graph.add("MaxPool", x.name, **attributes), x.axes)


def _mean_pool(graph: Graph, name: str, layer: Any, x: Value) -> Value:
    divisor = getattr(layer, "divisor_override", None)
    counted = int(divisor is not None or layer.count_include_pad)
    y = graph.add("AveragePool", x.name, **_whole_windows(name, layer), count_include_pad=counted)
    if divisor is not None:
        factor = np.float32(np.prod(layer.kernel_size) / divisor)
        y = graph.add("Mul", y, graph.constant(f"{name}factor", factor))
    return Value(y, x.axes)


def _adaptive(graph: Graph, name: str, layer: Any, x: Value) -> Value:
    if any(n not in (1, None) for n in layer.output_size):
        raise refused(
            name,
            layer,
            "its windows depend on the size of the picture, which a file does not know. An output_size of 1 can be "
            "written, and AvgPool2d.",
        )
    axes = [axis for axis, n in enumerate(layer.output_size, 2) if n == 1]
    return Value(graph.add("ReduceMean", x.name, axes=axes, keepdims=1), x.axes) if axes else x


def _pictures(graph: Graph, name: str, layer: Pictures, x: Value) -> Value:
    shape = layer.image_shape if len(layer.image_shape) == 3 else (1, *layer.image_shape)
    y = graph.add("Reshape", x.name, graph.constant(f"{name}shape", np.array([0, *shape], np.int64)))
    if len(layer.image_shape) == 3:
        y = graph.add("Transpose", y, perm=[0, 3, 1, 2])
    return Value(y, 4)


def _residual(graph: Graph, name: str, layer: Residual, x: Value) -> Value:
    y = x
    for part in ("conv1", "norm1", "relu", "conv2", "norm2"):
        y = write(graph, f"{name}{part}.", getattr(layer, part), y)
    beside = x if layer.shortcut is None else write(graph, f"{name}shortcut.", layer.shortcut, x)
    return write(graph, f"{name}relu.", layer.relu, Value(graph.add("Add", y.name, beside.name), x.axes))


_WRITERS: dict[tuple[type, ...], Write] = {
    (nn.Conv1d, nn.Conv2d): _conv,
    (nn.ConvTranspose1d, nn.ConvTranspose2d): _transposed,
    (nn.MaxPool1d, nn.MaxPool2d): _max_pool,
    (nn.AvgPool1d, nn.AvgPool2d): _mean_pool,
    (nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d): _adaptive,
    (Pictures,): _pictures,
    (Residual,): _residual,
}
LAYERS |= {kind: writer for kinds, writer in _WRITERS.items() for kind in kinds}
