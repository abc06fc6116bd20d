"""A graph that is being written, and how a layer is written into it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from minigrad.errors import ConfigError
from minigrad.extras import extra


class Value(NamedTuple):
    """What flows from layer to layer: its name in the graph and its number of axes."""

    name: str
    axes: int


class Graph:
    """A graph that is being written: its operators in order, and its constants by name."""

    def __init__(self) -> None:
        self.onnx = extra("onnx", "onnx", "exporting")
        self.nodes: list[Any] = []
        self.constants: dict[str, np.ndarray[Any, Any]] = {}

    def add(self, operator: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        """Add an operator; return the name of its output, a new one where none is given."""
        name = name or f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(self.onnx.helper.make_node(operator, list(inputs), [name], name=name, **attributes))
        return name

    def constant(self, name: str, array: Any) -> str:
        """Add an array under its name; return the name."""
        self.constants[name] = np.ascontiguousarray(array).reshape(np.shape(array))
        return name

    def split(self, x: str, names: Sequence[str], axis: int) -> list[str]:
        """Add an operator that cuts ``x`` into equal parts of these names; return the names."""
        self.nodes.append(self.onnx.helper.make_node("Split", [x], list(names), name=names[0], axis=axis))
        return list(names)


Write = Callable[[Graph, str, Any, Value], Value]
"""(graph, the layer's dotted name, the layer, what comes in) -> what goes out"""


def refused(name: str, layer: Any, why: str) -> ConfigError:
    """Return the error that says why this layer cannot be written."""
    where = f"layer '{name.removesuffix('.')}'" if name else "the network"
    return ConfigError("MG-861", f"{where} ({layer.describe()}) cannot be written as ONNX: {why}")


def held(graph: Graph, name: str, weight: Any, shape: tuple[int, ...], otherwise: float) -> str:
    """Add a weight in this shape, or what None stands for; return its name."""
    array = np.full(shape, otherwise, np.float32) if weight is None else weight.numpy()
    return graph.constant(name, array.reshape(shape))


def as_operator(operator: str, **settings: Callable[[Any], Any]) -> Write:
    """Write a layer as one operator without weights, whose attributes are read off the layer."""

    def one(graph: Graph, name: str, layer: Any, x: Value) -> Value:
        attributes = {key: read(layer) for key, read in settings.items()}
        return Value(graph.add(operator, x.name, **attributes), x.axes)

    return one
