"""Positions as ONNX: a table's rows for the times that come in, and pairs that are turned."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad import nn
from minigrad.export.graph import LAYERS
from minigrad.export.writing import Graph, Value


def places(graph: Graph, name: str, x: str, axis: int) -> str:
    """The numbers 0 … n - 1, n the length of an axis."""
    length = graph.add("Squeeze", graph.add("Shape", x, start=axis, end=axis + 1))
    zero, one = (graph.constant(f"{name}{word}", np.int64(n)) for word, n in (("zero", 0), ("one", 1)))
    return graph.add("Range", zero, length, one)


def _table(graph: Graph, name: str, table: Any, key: str, x: Value) -> Value:
    rows = graph.add(
        "Gather", graph.constant(f"{name}{key}", table.numpy()), places(graph, name, x.name, x.axes - 2)
    )
    return Value(graph.add("Add", x.name, rows), x.axes)


def _learned(graph: Graph, name: str, layer: nn.LearnedPositions, x: Value) -> Value:
    return _table(graph, name, layer.weight, "weight", x)


def _sinusoidal(graph: Graph, name: str, layer: nn.SinusoidalPositions, x: Value) -> Value:
    return _table(graph, name, layer.table, "table", x)


def _rotary(graph: Graph, name: str, layer: nn.RotaryPositions, x: Value) -> Value:
    """The angles in float64, as the layer works them out: those of late positions are large."""
    types = graph.onnx.TensorProto
    waves = layer.base ** (np.arange(0, layer.width, 2) / layer.width)
    last = graph.constant(f"{name}last", np.array([-1], np.int64))
    times = graph.add("Cast", places(graph, name, x.name, x.axes - 2), to=types.DOUBLE)
    angles = graph.add("Div", graph.add("Unsqueeze", times, last), graph.constant(f"{name}waves", waves))
    cos, sin = (graph.add("Cast", graph.add(f, angles), to=types.FLOAT) for f in ("Cos", "Sin"))
    end, two = (
        graph.constant(f"{name}{word}", np.array([n], np.int64))
        for word, n in (("end", layer.width), ("two", 2))
    )
    even, odd = (
        graph.add("Slice", x.name, graph.constant(f"{name}{word}", np.array([n], np.int64)), end, last, two)
        for word, n in (("even", 0), ("odd", 1))
    )
    turned = (
        graph.add("Sub", graph.add("Mul", even, cos), graph.add("Mul", odd, sin)),
        graph.add("Add", graph.add("Mul", even, sin), graph.add("Mul", odd, cos)),
    )
    pairs = graph.add("Concat", *(graph.add("Unsqueeze", part, last) for part in turned), axis=-1)
    return Value(graph.add("Reshape", pairs, graph.add("Shape", x.name)), x.axes)


LAYERS.update(
    {
        nn.LearnedPositions: _learned,
        nn.SinusoidalPositions: _sinusoidal,
        nn.RotaryPositions: _rotary,
    }
)
